/** Small DICOM files of invented people, built here so that a test sees every byte. */

const implementation = '2.25.1';
export const explicitLittle = '1.2.840.10008.1.2.1';
export const jpegBaseline = '1.2.840.10008.1.2.4.50';
const ctStorage = '1.2.840.10008.5.1.4.1.1.2';

const u16 = (n: number): Buffer => {
  const b = Buffer.alloc(2);
  b.writeUInt16LE(n);
  return b;
};
const u32 = (n: number): Buffer => {
  const b = Buffer.alloc(4);
  b.writeUInt32LE(n >>> 0);
  return b;
};
const longForm = new Set(['OB', 'OW', 'SQ', 'UN', 'UT']);

/** One element, explicit VR little endian; the value is padded to an even length. */
export function element(group: number, number: number, vr: string, value: string | Buffer, length?: number): Buffer {
  let bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
  if (bytes.length % 2 === 1) bytes = Buffer.concat([bytes, Buffer.from(vr === 'UI' || vr === 'OB' ? '\0' : ' ')]);
  const said = length ?? bytes.length;
  const head = [u16(group), u16(number), Buffer.from(vr)];
  return Buffer.concat([...head, ...(longForm.has(vr) ? [u16(0), u32(said)] : [u16(said)]), bytes]);
}

const item = (value: Buffer): Buffer => Buffer.concat([u16(0xfffe), u16(0xe000), u32(value.length), value]);
const sequenceEnd = Buffer.concat([u16(0xfffe), u16(0xe0dd), u32(0)]);

export interface Made {
  uid: string;
  study?: string;
  /** Bytes of pixel data. */
  pixels?: number;
  transferSyntax?: string;
  /** Leaves out preamble and group 0002. */
  bare?: boolean;
}

const meta = (uid: string, transferSyntax: string): Buffer => {
  const rest = Buffer.concat([
    element(2, 1, 'OB', Buffer.from([0, 1])),
    element(2, 2, 'UI', ctStorage),
    element(2, 3, 'UI', uid),
    element(2, 0x10, 'UI', transferSyntax),
    element(2, 0x12, 'UI', implementation),
  ]);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), element(2, 0, 'UL', u32(rest.length)), rest]);
};

/** The dataset alone: what `write` of the intake is to be given. */
export function datasetOf({ uid, study = '1.2.3', pixels = 512, transferSyntax = explicitLittle }: Made): Buffer {
  const side = Math.floor(Math.sqrt(pixels));
  const native = transferSyntax === explicitLittle;
  return Buffer.concat([
    element(8, 5, 'CS', 'ISO_IR 192'),
    ...(uid === '' ? [] : [element(8, 0x16, 'UI', ctStorage), element(8, 0x18, 'UI', uid)]),
    element(8, 0x60, 'CS', 'CT'),
    element(0x10, 0x10, 'PN', 'Test^Person'),
    element(0x10, 0x20, 'LO', 'T0001'),
    element(0x20, 0xd, 'UI', study),
    element(0x20, 0xe, 'UI', `${study}.1`),
    element(0x28, 0x2, 'US', u16(1)),
    element(0x28, 0x10, 'US', u16(side)),
    element(0x28, 0x11, 'US', u16(side)),
    element(0x28, 0x100, 'US', u16(8)),
    element(0x28, 0x101, 'US', u16(8)),
    element(0x28, 0x102, 'US', u16(7)),
    element(0x28, 0x103, 'US', u16(0)),
    native
      ? element(0x7fe0, 0x10, 'OB', Buffer.alloc(pixels, 7))
      : element(
          0x7fe0,
          0x10,
          'OB',
          Buffer.concat([item(Buffer.alloc(0)), item(Buffer.alloc(pixels, 7)), sequenceEnd]),
          0xffffffff,
        ),
  ]);
}

export function instanceFile(made: Made): Buffer {
  const dataset = datasetOf(made);
  return made.bare ? dataset : Buffer.concat([meta(made.uid, made.transferSyntax ?? explicitLittle), dataset]);
}

/** A media directory: told by its SOP class (PS3.10 §8.6). */
export const mediaDirectory = (): Buffer => {
  const rest = Buffer.concat([
    element(2, 1, 'OB', Buffer.from([0, 1])),
    element(2, 2, 'UI', '1.2.840.10008.1.3.10'),
    element(2, 3, 'UI', '1.2.3.4'),
    element(2, 0x10, 'UI', explicitLittle),
  ]);
  return Buffer.concat([
    Buffer.alloc(128),
    Buffer.from('DICM'),
    element(2, 0, 'UL', u32(rest.length)),
    rest,
    element(4, 0x1130, 'CS', 'DISK'),
    element(4, 0x1200, 'UL', u32(0)),
    element(4, 0x1202, 'UL', u32(0)),
    element(4, 0x1212, 'US', u16(0)),
    element(4, 0x1220, 'SQ', Buffer.alloc(0)),
  ]);
};
