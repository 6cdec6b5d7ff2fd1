import { createHash } from 'node:crypto';
import { buildPreamble } from '../../../adapters/dicom/part10.ts';
import { dataset, element, encodingOf, image } from '../../adapters/dicom/build.ts';

export const ctImage = '1.2.840.10008.5.1.4.1.1.2';
export const explicitLittle = '1.2.840.10008.1.2.1';

export interface InventedImage {
  uid: string;
  dataset: Buffer;
  /** Part 10, with the preamble that our listener puts before a dataset. */
  file: Buffer;
}

/** A CT image of an invented person; the same name gives the same bytes, and no two names the same pixels. */
export function inventedImage(said: { name: string; study: string; bytes: number }): InventedImage {
  const uid = uidOf(said.name);
  const study = uidOf(said.study);
  const pixels = Buffer.alloc(said.bytes + (said.bytes % 2), createHash('sha256').update(said.name).digest());
  const body = dataset(
    encodingOf('explicit'),
    image({
      instead: [
        [0x0008_0018, element(0x0008_0018, 'UI', uid)],
        [0x0010_0020, element(0x0010_0020, 'LO', '999999001')],
        [0x0020_000d, element(0x0020_000d, 'UI', study)],
        [0x0020_000e, element(0x0020_000e, 'UI', `${study}.1`)],
      ],
      pixels: element(0x7fe0_0010, 'OW', pixels),
    }),
  );
  const preamble = buildPreamble({ sopClassUid: ctImage, sopInstanceUid: uid, transferSyntaxUid: explicitLittle });
  return { uid, dataset: body, file: Buffer.concat([preamble, body]) };
}

/** A UID of an invented root that any name has. */
const uidOf = (name: string): string =>
  `2.25.999999${BigInt(`0x${createHash('sha256').update(name).digest('hex').slice(0, 20)}`)}`;
