import { randomBytes } from 'node:crypto';
import type { OutgoingInstance } from '../../../../agent/delivery/image-platform.ts';
import { QianzhiError } from '../../../../agent/support/errors.ts';
import { phi } from '../../../../agent/support/phi.ts';

const explicitLittleEndian = '1.2.840.10008.1.2.1';
const ctImageStorage = '1.2.840.10008.5.1.4.1.1.2';
const long = new Set(['OB', 'OW', 'SQ', 'UN']);

/** One element in Explicit VR Little Endian (PS3.5 §7.1.2), padded to even length. */
function element(group: number, number: number, vr: string, value: Buffer | string): Buffer {
  const raw = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  const pad = raw.length % 2 === 0 ? Buffer.alloc(0) : Buffer.from(vr === 'UI' ? '\0' : ' ');
  const length = raw.length + pad.length;
  const head = Buffer.alloc(long.has(vr) ? 12 : 8);
  head.writeUInt16LE(group, 0);
  head.writeUInt16LE(number, 2);
  head.write(vr, 4, 'latin1');
  if (long.has(vr)) head.writeUInt32LE(length, 8);
  else head.writeUInt16LE(length, 6);
  return Buffer.concat([head, raw, pad]);
}

function us(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16LE(value);
  return buffer;
}

export interface MadeUp {
  study: string;
  sop: string;
  /** Size of the image; two bytes a pixel. */
  rows?: number;
  columns?: number;
  frames?: number;
  /** First bytes of a text element, to make other content under the same UID. */
  comment?: string;
}

/** A Part 10 file of a patient that nobody is, up to its pixels. */
export function head({ study, sop, rows = 16, columns = 16, frames = 1, comment = '' }: MadeUp): Buffer {
  const meta = Buffer.concat([
    element(0x0002, 0x0001, 'OB', Buffer.from([0, 1])),
    element(0x0002, 0x0002, 'UI', ctImageStorage),
    element(0x0002, 0x0003, 'UI', sop),
    element(0x0002, 0x0010, 'UI', explicitLittleEndian),
    element(0x0002, 0x0012, 'UI', '2.25.1'),
  ]);
  const groupLength = Buffer.alloc(4);
  groupLength.writeUInt32LE(meta.length);
  const pixels = element(0x7fe0, 0x0010, 'OW', '');
  pixels.writeUInt32LE(rows * columns * 2 * frames, 8);
  return Buffer.concat([
    Buffer.alloc(128),
    Buffer.from('DICM'),
    element(0x0002, 0x0000, 'UL', groupLength),
    meta,
    element(0x0008, 0x0005, 'CS', 'ISO_IR 192'),
    element(0x0008, 0x0016, 'UI', ctImageStorage),
    element(0x0008, 0x0018, 'UI', sop),
    element(0x0008, 0x0020, 'DA', '20260102'),
    element(0x0008, 0x0060, 'CS', 'CT'),
    element(0x0010, 0x0010, 'PN', 'Ceshi^Jia=测试^甲'),
    element(0x0010, 0x0020, 'LO', 'HAOMA-7'),
    element(0x0020, 0x000d, 'UI', study),
    element(0x0020, 0x000e, 'UI', `${study}.1`),
    element(0x0020, 0x4000, 'LT', comment),
    element(0x0028, 0x0002, 'US', us(1)),
    element(0x0028, 0x0004, 'CS', 'MONOCHROME2'),
    element(0x0028, 0x0008, 'IS', String(frames)),
    element(0x0028, 0x0010, 'US', us(rows)),
    element(0x0028, 0x0011, 'US', us(columns)),
    element(0x0028, 0x0100, 'US', us(16)),
    element(0x0028, 0x0101, 'US', us(16)),
    element(0x0028, 0x0102, 'US', us(15)),
    element(0x0028, 0x0103, 'US', us(0)),
    pixels,
  ]);
}

/** The whole file, with pixels of noise. */
export const file = (madeUp: MadeUp): Buffer => {
  const { rows = 16, columns = 16, frames = 1 } = madeUp;
  return Buffer.concat([head(madeUp), randomBytes(rows * columns * 2 * frames)]);
};

/** A UID that no other test run has. */
export const newUid = (): string => `2.25.${BigInt(`0x${randomBytes(15).toString('hex')}`)}`;

async function* pieces(bytes: Buffer, breakAt: number): AsyncGenerator<Uint8Array> {
  const size = 256 * 1024;
  for (let at = 0; at < bytes.length; at += size) {
    if (at + size > breakAt) throw new QianzhiError('QUE-4003');
    yield bytes.subarray(at, at + size);
  }
}

/** `bytes` on their way out under `sop`. `breakAt` is where the stored file proves damaged. */
export function outgoing(
  n: number,
  bytes: Buffer,
  madeUp: { study: string; sop: string },
  breakAt = Number.POSITIVE_INFINITY,
): OutgoingInstance & { opened: number } {
  const instance = {
    n,
    studyUid: phi(madeUp.study),
    sopClassUid: ctImageStorage,
    sopInstanceUid: phi(madeUp.sop),
    transferSyntaxUid: explicitLittleEndian,
    bytes: bytes.length,
    opened: 0,
    open: () => {
      instance.opened++;
      return pieces(bytes, breakAt);
    },
  };
  return instance;
}
