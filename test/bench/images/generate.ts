import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { buildPreamble } from '../../../adapters/dicom/part10.ts';
import { dataset, element, encodingOf, head, image } from '../../adapters/dicom/build.ts';
import { makeRandom } from '../../demo/people.ts';

const root = '2.25.999999';
const explicitLittle = '1.2.840.10008.1.2.1';
const ctImage = '1.2.840.10008.5.1.4.1.1.2';
const enhancedCt = '1.2.840.10008.5.1.4.1.1.2.1';
const frameBytes = 512 * 512 * 2;

/** Noise of 12 bits, as a CT has: nothing on the way can compress it away. */
function noise(seed: number): Buffer {
  const random = makeRandom(seed);
  const pixels = Buffer.alloc(frameBytes);
  for (let i = 0; i < frameBytes; i += 2) pixels.writeUInt16LE(Math.floor(random() * 4096), i);
  return pixels;
}

const partsOf = (study: number, series: number, number: number, sopClass: string, frames?: number) => {
  const uid = `${root}.${study}.${series}.${number}`;
  const parts = image({
    rows: 512,
    pixels: false,
    instead: [
      [0x0008_0016, element(0x0008_0016, 'UI', sopClass)],
      [0x0008_0018, element(0x0008_0018, 'UI', uid)],
      [0x0008_0050, element(0x0008_0050, 'SH', `A${study}`)],
      [0x0010_0020, element(0x0010_0020, 'LO', `999999${study}`)],
      [0x0020_000d, element(0x0020_000d, 'UI', `${root}.${study}`)],
      [0x0020_000e, element(0x0020_000e, 'UI', `${root}.${study}.${series}`)],
      [0x0020_0011, element(0x0020_0011, 'IS', String(series))],
      [0x0020_0013, element(0x0020_0013, 'IS', String(number))],
      ...(frames === undefined ? [] : [[0x0028_0008, element(0x0028_0008, 'IS', String(frames))] as const]),
    ],
  });
  const preamble = buildPreamble({ sopClassUid: sopClass, sopInstanceUid: uid, transferSyntaxUid: explicitLittle });
  return Buffer.concat([preamble, dataset(encodingOf('explicit'), parts)]);
};
const pixelHead = (length: number): Buffer => head(0x7fe0_0010, 'OW', length, encodingOf('explicit'));

/** CT images of 512 × 512 × 16 bit (0.52 MB), 100 a series and 200 a study, as tools/gen_ct.py makes them. */
export function makeImages(folder: string, count: number): void {
  mkdirSync(folder, { recursive: true });
  const pixels = Array.from({ length: 8 }, (_, i) => noise(i + 1));
  for (let i = 0; i < count; i++) {
    const start = partsOf(1 + Math.floor(i / 200), 1 + (Math.floor(i / 100) % 2), 1 + (i % 100), ctImage);
    const bytes = Buffer.concat([start, pixelHead(frameBytes), pixels[i % 8]!]);
    writeFileSync(join(folder, `IM${String(i).padStart(5, '0')}.dcm`), bytes);
  }
}

/** One instance of many frames, alone in its folder; returns its bytes. */
export function makeLarge(folder: string, frames: number): number {
  mkdirSync(folder, { recursive: true });
  const frame = noise(9);
  const fd = openSync(join(folder, 'large.dcm'), 'w');
  const start = Buffer.concat([partsOf(900, 1, 1, enhancedCt, frames), pixelHead(frames * frameBytes)]);
  writeSync(fd, start);
  for (let i = 0; i < frames; i++) writeSync(fd, frame);
  closeSync(fd);
  return start.length + frames * frameBytes;
}
