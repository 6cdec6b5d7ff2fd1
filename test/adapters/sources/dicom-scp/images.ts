import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildPreamble } from '../../../../adapters/dicom/part10.ts';
import { dataset, element, encodingOf, image, uids } from '../../dicom/build.ts';

export interface ImageFile {
  file: string;
  sopInstanceUid: string;
  dataset: Buffer;
}

/** CT images of an invented person as files that dcmtk sends without changing a byte. */
export function writeImages(folder: string, count: number, from = 1, rows = 64): ImageFile[] {
  return Array.from({ length: count }, (_, i) => {
    const sopInstanceUid = `${uids.series}.${from + i}`;
    const cells = Buffer.alloc(2 * rows * rows, `${from + i} `);
    const bytes = dataset(
      encodingOf('explicit'),
      image({
        rows,
        instead: [[0x0008_0018, element(0x0008_0018, 'UI', sopInstanceUid)]],
        pixels: element(0x7fe0_0010, 'OW', cells),
      }),
    );
    const file = join(folder, `ct${from + i}`);
    const preamble = buildPreamble({ sopClassUid: uids.ct, sopInstanceUid, transferSyntaxUid: '1.2.840.10008.1.2.1' });
    writeFileSync(file, Buffer.concat([preamble, bytes]));
    return { file, sopInstanceUid, dataset: bytes };
  });
}
