import {
  type Encoding,
  explicitBig,
  explicitLittle,
  implicitLittle,
  readElementHead,
  sniffEncoding,
  tagAt,
  uint32,
  undefinedLength,
  vrAt,
} from './elements.ts';

/** What stands before the dataset, and how the dataset is written. */
export interface FileStart {
  /** Where the dataset begins: the end of group 0002. */
  datasetAt: number;
  /** How the dataset is written; where label and bytes contradict each other, the bytes are believed. */
  encoding: Encoding;
  deflated: boolean;
  /** Preamble, DICM and a transfer syntax are there, as PS3.10 §7.1 asks. */
  part10: boolean;
  /** (0002,0002) and (0002,0010) without padding, where they are there; the latter only if it is a UID. */
  mediaSopClassUid?: string;
  transferSyntaxUid?: string;
  /** The first tag of the dataset. */
  firstTag: number;
}

/**
 * more: the head is too short to tell. not-dicom: something else. damaged: DICM, and then no file meta information
 * that could be followed.
 */
export type FileStartReading = FileStart | 'more' | 'not-dicom' | 'damaged';

export const implicitLittleUid = '1.2.840.10008.1.2';
export const explicitLittleUid = '1.2.840.10008.1.2.1';
export const explicitBigUid = '1.2.840.10008.1.2.2';
/** Deflated explicit little endian, and the two JPIP syntaxes whose datasets are deflated (PS3.5 §A.5, §A.7, §A.9). */
const deflatedUids = new Set(['1.2.840.10008.1.2.1.99', '1.2.840.10008.1.2.4.95', '1.2.840.10008.1.2.4.205']);

const preambleBytes = 128;
const metaGroup = 0x0002;

/** DICM after 128 bytes of anything. */
const hasPrefix = (head: Uint8Array): boolean =>
  head.length >= 132 && head[128] === 0x44 && head[129] === 0x49 && head[130] === 0x43 && head[131] === 0x4d;

/**
 * Reads what stands before the dataset from the first bytes of a file: preamble and file meta information, or their
 * absence (PS3.10 §7.1; reference/dicom.md §4.4). A file without a preamble is taken for DICOM only when an element of
 * group 0002 or 0008 stands at its very beginning.
 */
export function readFileStart(head: Uint8Array): FileStartReading {
  const prefix = hasPrefix(head);
  if (!prefix && !looksLikeElement(head)) return 'not-dicom';
  const metaAt = prefix ? preambleBytes + 4 : 0;
  const metaEncoding = sniffEncoding(head, metaAt);
  if (metaEncoding === undefined) return 'more';

  const uids = new Map<number, string>();
  let at = metaAt;
  while (tagAt(head, at, metaEncoding.littleEndian) >>> 16 === metaGroup) {
    const element = readElementHead(head, at, metaEncoding);
    if (element === undefined) return 'more';
    if (element.length === undefinedLength) return 'damaged';
    const valueAt = at + element.size;
    at = valueAt + element.length;
    if (at + 8 > head.length) return 'more';
    if (element.length <= 128) uids.set(element.tag, uidText(head.subarray(valueAt, at)));
  }

  const said = uids.get(0x0002_0010) ?? '';
  const label = isUid(said) ? said : undefined;
  const deflated = label !== undefined && deflatedUids.has(label) && !looksLikeElement(head.subarray(at));
  const encoding = deflated ? explicitLittle : encodingOf(head, at, label);
  const start: FileStart = {
    datasetAt: at,
    encoding,
    deflated,
    part10: prefix && label !== undefined,
    firstTag: tagAt(head, at, encoding.littleEndian),
  };
  const mediaSopClassUid = uids.get(0x0002_0002);
  if (mediaSopClassUid) start.mediaSopClassUid = mediaSopClassUid;
  if (label !== undefined) start.transferSyntaxUid = label;
  return start;
}

/** The text of a UID without the NUL or spaces that pad it. */
export const uidText = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .trimStart();

/** Digits and dots, no empty part, at most 64 characters (PS3.5 §9.1; leading zeros are seen in the field). */
export const isUid = (text: string): boolean => text.length <= 64 && /^\d+(\.\d+)*$/.test(text);

function encodingOf(head: Uint8Array, at: number, label: string | undefined): Encoding {
  const seen = sniffEncoding(head, at);
  const said = label === implicitLittleUid ? implicitLittle : label === explicitBigUid ? explicitBig : explicitLittle;
  if (seen === undefined) return said;
  if (label === undefined) return seen;
  // Only groups at the very beginning tell the byte order: of a private group both readings are large.
  const group = tagAt(head, at, seen.littleEndian) >>> 16;
  const littleEndian = group <= 0x0010 ? seen.littleEndian : said.littleEndian;
  // No known VR in sight: a broken VR, or implicit under a wrong label. A length that makes sense decides.
  const explicit = seen.explicit || (said.explicit && !looksImplicit(head, at, { explicit: false, littleEndian }));
  return { explicit, littleEndian };
}

const looksImplicit = (head: Uint8Array, at: number, encoding: Encoding): boolean =>
  vrAt(head, at + 4) === undefined && uint32(head, at + 4, encoding.littleEndian) <= 0x1_0000;

/** An element of group 0002 or 0008 stands at the beginning, in any encoding. */
function looksLikeElement(head: Uint8Array): boolean {
  const encoding = sniffEncoding(head, 0);
  if (encoding === undefined) return false;
  const tag = tagAt(head, 0, encoding.littleEndian);
  const group = tag >>> 16;
  if (group !== 0x0002 && group !== 0x0008) return false;
  return encoding.explicit || ((tag & 0xffff) <= 0x0100 && looksImplicit(head, 0, encoding));
}
