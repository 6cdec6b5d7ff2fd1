import { readFileStart } from './file-start.ts';

export interface PreambleValues {
  sopClassUid: string;
  sopInstanceUid: string;
  /** How the dataset that follows is written. */
  transferSyntaxUid: string;
}

/**
 * (0002,0012) of the files we write: 2.25 and, in decimal, the UUID 8fff0c92-ba4f-45bc-a33b-d396524d6b76, made once
 * for this program (PS3.5 §B.2). It never changes, or the same instance would come in different files.
 */
export const implementationClassUid = `2.25.${BigInt('0x8fff0c92ba4f45bca33bd396524d6b76')}`;
/** (0002,0013), at most 16 characters. Without a number: an update must not change the files either. */
export const implementationVersionName = 'QIANZHI';

/**
 * The bytes that turn a dataset from the network into a file: 128 zero bytes, DICM and group 0002 in explicit VR
 * little endian with its group length (PS3.10 §7.1). The same values give the same bytes: no AE titles, no time.
 */
export function buildPreamble({ sopClassUid, sopInstanceUid, transferSyntaxUid }: PreambleValues): Uint8Array {
  const group = Buffer.concat([
    element(0x0001, 'OB', Buffer.from([0, 1])),
    element(0x0002, 'UI', padded(sopClassUid, '\0')),
    element(0x0003, 'UI', padded(sopInstanceUid, '\0')),
    element(0x0010, 'UI', padded(transferSyntaxUid, '\0')),
    element(0x0012, 'UI', padded(implementationClassUid, '\0')),
    element(0x0013, 'SH', padded(implementationVersionName, ' ')),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(group.length);
  return new Uint8Array(Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), element(0, 'UL', length), group]));
}

/**
 * Where the dataset begins in a file that starts with `head`: the end of group 0002, 0 where there is neither preamble
 * nor group. Undefined when it is not DICOM, or when the
 * head ends before the first eight bytes of the dataset (64 KB is plenty).
 */
export function datasetOffset(head: Uint8Array): number | undefined {
  const start = readFileStart(head);
  return typeof start === 'string' ? undefined : start.datasetAt;
}

const padded = (text: string, pad: string): Buffer => Buffer.from(text.length % 2 === 0 ? text : text + pad, 'latin1');

function element(number: number, vr: string, value: Buffer): Buffer {
  const long = vr === 'OB';
  const head = Buffer.alloc(long ? 12 : 8);
  head.writeUInt16LE(0x0002, 0);
  head.writeUInt16LE(number, 2);
  head.write(vr, 4, 'latin1');
  if (long) head.writeUInt32LE(value.length, 8);
  else head.writeUInt16LE(value.length, 6);
  return Buffer.concat([head, value]);
}
