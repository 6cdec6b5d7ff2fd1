import { deflateRawSync } from 'node:zlib';

/** A small writer of DICOM files for tests; people and UIDs in what it writes are invented. */
export interface Encoding {
  explicit: boolean;
  littleEndian: boolean;
}
/** A piece of a dataset, written when it is known how. */
export type Part = (encoding: Encoding) => Buffer;

export const syntaxes = {
  implicit: '1.2.840.10008.1.2',
  explicit: '1.2.840.10008.1.2.1',
  big: '1.2.840.10008.1.2.2',
  deflated: '1.2.840.10008.1.2.1.99',
  rle: '1.2.840.10008.1.2.5',
} as const;
export type SyntaxName = keyof typeof syntaxes;

export const encodingOf = (syntax: SyntaxName): Encoding => ({
  explicit: syntax !== 'implicit',
  littleEndian: syntax !== 'big',
});

const undefinedLength = 0xffff_ffff;
const longForm = ['OB', 'OW', 'OF', 'OL', 'OD', 'OV', 'SQ', 'UC', 'UN', 'UR', 'UT'];

const number16 = (value: number, { littleEndian }: Encoding): Buffer => {
  const bytes = Buffer.alloc(2);
  if (littleEndian) bytes.writeUInt16LE(value);
  else bytes.writeUInt16BE(value);
  return bytes;
};
const number32 = (value: number, { littleEndian }: Encoding): Buffer => {
  const bytes = Buffer.alloc(4);
  if (littleEndian) bytes.writeUInt32LE(value);
  else bytes.writeUInt32BE(value);
  return bytes;
};
const tagBytes = (tag: number, encoding: Encoding): Buffer =>
  Buffer.concat([number16(Math.floor(tag / 0x1_0000), encoding), number16(tag % 0x1_0000, encoding)]);

/** The head of an element with any length written into it, right or wrong. */
export function head(tag: number, vr: string, length: number, encoding: Encoding): Buffer {
  const start = tagBytes(tag, encoding);
  if (!encoding.explicit || tag >= 0xfffe_0000) return Buffer.concat([start, number32(length, encoding)]);
  const letters = Buffer.from(vr, 'latin1');
  return longForm.includes(vr)
    ? Buffer.concat([start, letters, Buffer.alloc(2), number32(length, encoding)])
    : Buffer.concat([start, letters, number16(length, encoding)]);
}

/** Any element; text is written as Latin-1 and padded to even length, bytes are written as they are. */
export const element =
  (tag: number, vr: string, value: string | Uint8Array): Part =>
  (encoding) => {
    const text = typeof value === 'string' ? Buffer.from(value, 'latin1') : Buffer.from(value);
    const pad = text.length % 2 === 0 ? '' : vr === 'UI' || vr === 'OB' ? '\0' : ' ';
    const padded = Buffer.concat([text, Buffer.from(pad)]);
    return Buffer.concat([head(tag, vr, padded.length, encoding), padded]);
  };

export const us =
  (tag: number, value: number): Part =>
  (encoding) =>
    Buffer.concat([head(tag, 'US', 2, encoding), number16(value, encoding)]);

export const raw =
  (bytes: Uint8Array): Part =>
  () =>
    Buffer.from(bytes);

export interface SequenceOptions {
  vr?: 'SQ' | 'UN';
  /** How lengths are written: of the sequence and of its items. */
  lengths?: 'defined' | 'undefined';
  /** How the items are written, where not as their surroundings. */
  inside?: Encoding;
}

export const sequence =
  (tag: number, items: Part[][], { vr = 'SQ', lengths = 'defined', inside }: SequenceOptions = {}): Part =>
  (encoding) => {
    const within = inside ?? encoding;
    const open = lengths === 'undefined';
    const body = Buffer.concat(
      items.flatMap((parts) => {
        const content = dataset(within, parts);
        const start = head(0xfffe_e000, '', open ? undefinedLength : content.length, within);
        return open ? [start, content, head(0xfffe_e00d, '', 0, within)] : [start, content];
      }),
    );
    const start = head(tag, vr, open ? undefinedLength : body.length, encoding);
    return Buffer.concat(open ? [start, body, head(0xfffe_e0dd, '', 0, within)] : [start, body]);
  };

/** Encapsulated pixel data: an empty offset table, the fragments, the delimiter. */
export const fragments =
  (pieces: Uint8Array[], tag = 0x7fe0_0010): Part =>
  (encoding) =>
    Buffer.concat([
      head(tag, 'OB', undefinedLength, encoding),
      head(0xfffe_e000, '', 0, encoding),
      ...pieces.flatMap((piece) => [head(0xfffe_e000, '', piece.length, encoding), piece]),
      head(0xfffe_e0dd, '', 0, encoding),
    ]);

export const dataset = (encoding: Encoding, parts: Part[]): Buffer =>
  Buffer.concat(parts.map((part) => part(encoding)));

const little: Encoding = { explicit: true, littleEndian: true };

export interface FileOptions {
  syntax?: SyntaxName;
  /** What (0002,0010) says, if not the syntax it is written in; false leaves it out. */
  label?: string | false;
  mediaClass?: string;
  /** 128 zero bytes and DICM. */
  preamble?: boolean;
  /** Group 0002. */
  meta?: boolean;
  /** More elements of group 0002. */
  moreMeta?: Part[];
}

/** A Part 10 file with these parts as its dataset. */
export function file(parts: Part[], options: FileOptions = {}): Buffer {
  const { syntax = 'explicit', label = syntaxes[syntax], preamble = true, meta = true, moreMeta = [] } = options;
  const group = dataset(little, [
    element(0x0002_0001, 'OB', Buffer.from([0, 1])),
    element(0x0002_0002, 'UI', options.mediaClass ?? uids.ct),
    element(0x0002_0003, 'UI', uids.instance),
    ...(label === false ? [] : [element(0x0002_0010, 'UI', label)]),
    element(0x0002_0012, 'UI', '1.2.826.0.1.3680043.10.9999.3'),
    ...moreMeta,
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(group.length);
  const body = dataset(encodingOf(syntax), parts);
  return Buffer.concat([
    ...(preamble ? [Buffer.alloc(128), Buffer.from('DICM')] : []),
    ...(meta ? [element(0x0002_0000, 'UL', length)(little), group] : []),
    syntax === 'deflated' ? deflateRawSync(body) : body,
  ]);
}

export const uids = {
  ct: '1.2.840.10008.5.1.4.1.1.2',
  instance: '1.2.826.0.1.3680043.10.9999.5.1.1.1',
  study: '1.2.826.0.1.3680043.10.9999.5.1',
  series: '1.2.826.0.1.3680043.10.9999.5.1.1',
} as const;

export interface ImageOptions {
  /** (0008,0005); false leaves it out. */
  charset?: string | false;
  name?: string | Uint8Array;
  institution?: string | Uint8Array;
  description?: string | Uint8Array;
  /** Parts by their tag, which they replace or come in order of; undefined takes one away. */
  instead?: ReadonlyArray<readonly [tag: number, part: Part | undefined]>;
  /** More parts between (0020,xxxx) and (0028,xxxx). */
  more?: Part[];
  pixels?: Part | false;
  rows?: number;
}

/** The dataset of a small CT image, its elements in order. */
export function image(options: ImageOptions = {}): Part[] {
  const { charset = 'ISO_IR 192', name = 'Zhang^San', more = [], rows = 4 } = options;
  const { institution = 'Test Hospital', description = 'Head' } = options;
  const parts = new Map<number, Part | undefined>([
    [0x0008_0005, charset === false ? undefined : element(0x0008_0005, 'CS', charset)],
    [0x0008_0016, element(0x0008_0016, 'UI', uids.ct)],
    [0x0008_0018, element(0x0008_0018, 'UI', uids.instance)],
    [0x0008_0020, element(0x0008_0020, 'DA', '20261101')],
    [0x0008_0030, element(0x0008_0030, 'TM', '081500.25')],
    [0x0008_0050, element(0x0008_0050, 'SH', 'ACC001')],
    [0x0008_0060, element(0x0008_0060, 'CS', 'CT')],
    [0x0008_0080, element(0x0008_0080, 'LO', institution)],
    [0x0008_1030, element(0x0008_1030, 'LO', description)],
    [0x0008_103e, element(0x0008_103e, 'LO', 'Axial')],
    [0x0010_0010, element(0x0010_0010, 'PN', name)],
    [0x0010_0020, element(0x0010_0020, 'LO', 'P0001')],
    [0x0010_0021, element(0x0010_0021, 'LO', 'HIS')],
    [0x0010_0030, element(0x0010_0030, 'DA', '19800229')],
    [0x0010_0040, element(0x0010_0040, 'CS', 'M')],
    [0x0010_1000, element(0x0010_1000, 'LO', 'M77\\C12')],
    [0x0018_0015, element(0x0018_0015, 'CS', 'HEAD')],
    [0x0020_000d, element(0x0020_000d, 'UI', uids.study)],
    [0x0020_000e, element(0x0020_000e, 'UI', uids.series)],
    [0x0020_0010, element(0x0020_0010, 'SH', 'S1')],
    [0x0020_0011, element(0x0020_0011, 'IS', '2')],
    [0x0020_0013, element(0x0020_0013, 'IS', ' 17 ')],
  ]);
  for (const [tag, part] of options.instead ?? []) parts.set(tag, part);
  const cells = rows * rows;
  return [
    ...[...parts].sort(([a], [b]) => a - b).flatMap(([, part]) => part ?? []),
    ...more,
    us(0x0028_0002, 1),
    us(0x0028_0010, rows),
    us(0x0028_0011, rows),
    us(0x0028_0100, 16),
    ...(options.pixels === false ? [] : [options.pixels ?? element(0x7fe0_0010, 'OW', Buffer.alloc(2 * cells, 7))]),
  ];
}

/** What was read of a source, so that tests can say how much. */
export interface Reads {
  lengths: number[];
  bytes: number;
}

/** A head source over bytes in memory that counts. */
export function headOf(bytes: Uint8Array): {
  size: number;
  read(length: number): Promise<Uint8Array>;
  reads: Reads;
} {
  const reads: Reads = { lengths: [], bytes: 0 };
  return {
    size: bytes.length,
    reads,
    async read(length) {
      reads.lengths.push(length);
      reads.bytes += Math.min(length, bytes.length);
      return bytes.subarray(0, length);
    },
  };
}

/** A seek source over bytes in memory that counts, and that refuses to be asked for what is not there. */
export function seekOf(bytes: Uint8Array): {
  size: number;
  readAt(offset: number, length: number): Promise<Uint8Array>;
  reads: Reads;
} {
  const reads: Reads = { lengths: [], bytes: 0 };
  return {
    size: bytes.length,
    reads,
    async readAt(offset, length) {
      if (offset < 0 || offset > bytes.length) throw new Error(`asked for ${length} bytes at ${offset}`);
      reads.lengths.push(length);
      reads.bytes += Math.min(length, bytes.length - offset);
      return bytes.subarray(offset, offset + length);
    },
  };
}
