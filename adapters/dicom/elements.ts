/** How the elements of a dataset are written (PS3.5 §7.1, §7.3). */
export interface Encoding {
  explicit: boolean;
  littleEndian: boolean;
}

export const implicitLittle: Encoding = { explicit: false, littleEndian: true };
export const explicitLittle: Encoding = { explicit: true, littleEndian: true };
export const explicitBig: Encoding = { explicit: true, littleEndian: false };

/** The beginning of an element: everything but its value. */
export interface ElementHead {
  /** Group × 65536 + element. */
  tag: number;
  /** Two letters; undefined where the encoding has none, or where no letters stand in their place. */
  vr: string | undefined;
  /** Bytes of the value, or `undefinedLength`. */
  length: number;
  /** Bytes of the head itself: 8 or 12. */
  size: 8 | 12;
}

export const undefinedLength = 0xffff_ffff;
/** The tags that frame sequences and fragments; they have a length and never a VR (PS3.5 §7.5). */
export const itemTag = 0xfffe_e000;
export const itemEndTag = 0xfffe_e00d;
export const sequenceEndTag = 0xfffe_e0dd;

/** VRs with a length of 16 bits; every other has two reserved bytes and 32 bits (PS3.5 table 7.1-2). */
const shortForm = new Set(
  ['AE', 'AS', 'AT', 'CS', 'DA', 'DS', 'DT', 'FD', 'FL', 'IS', 'LO', 'LT', 'PN'].concat(
    ['SH', 'SL', 'SS', 'ST', 'TM', 'UI', 'UL', 'US'], //
  ),
);
const longForm = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);

export const isKnownVr = (vr: string | undefined): boolean =>
  vr !== undefined && (shortForm.has(vr) || longForm.has(vr));

export const uint16 = (bytes: Uint8Array, at: number, littleEndian: boolean): number => {
  const first = bytes[at] ?? 0;
  const second = bytes[at + 1] ?? 0;
  return littleEndian ? first | (second << 8) : (first << 8) | second;
};

export const uint32 = (bytes: Uint8Array, at: number, littleEndian: boolean): number => {
  const first = uint16(bytes, at, littleEndian);
  const second = uint16(bytes, at + 2, littleEndian);
  return littleEndian ? second * 0x1_0000 + first : first * 0x1_0000 + second;
};

export const tagAt = (bytes: Uint8Array, at: number, littleEndian: boolean): number =>
  uint16(bytes, at, littleEndian) * 0x1_0000 + uint16(bytes, at + 2, littleEndian);

const isCapital = (byte: number) => byte >= 0x41 && byte <= 0x5a;

/** The two letters at `at`, undefined when they are none. */
export function vrAt(bytes: Uint8Array, at: number): string | undefined {
  const first = bytes[at] ?? 0;
  const second = bytes[at + 1] ?? 0;
  return isCapital(first) && isCapital(second) ? String.fromCharCode(first, second) : undefined;
}

/**
 * Reads the head of the element at `at`; undefined when `bytes` end before its end. Lenient as files are: a VR nobody
 * knows has the long form when its reserved bytes are zero, else the short one; where no letters stand, the length is
 * read as in implicit VR.
 */
export function readElementHead(bytes: Uint8Array, at: number, encoding: Encoding): ElementHead | undefined {
  if (at + 8 > bytes.length) return undefined;
  const { littleEndian } = encoding;
  const tag = tagAt(bytes, at, littleEndian);
  const implicit = (): ElementHead => ({ tag, vr: undefined, length: uint32(bytes, at + 4, littleEndian), size: 8 });
  if (!encoding.explicit || tag >= itemTag) return implicit();
  const vr = vrAt(bytes, at + 4);
  if (vr === undefined) return implicit();
  if (shortForm.has(vr) || (!longForm.has(vr) && uint16(bytes, at + 6, littleEndian) !== 0))
    return { tag, vr, length: uint16(bytes, at + 6, littleEndian), size: 8 };
  if (at + 12 > bytes.length) return undefined;
  return { tag, vr, length: uint32(bytes, at + 8, littleEndian), size: 12 };
}

/** What the bytes of an element at `at` look like, whatever a label says; undefined when there are too few. */
export function sniffEncoding(bytes: Uint8Array, at: number): Encoding | undefined {
  if (at + 8 > bytes.length) return undefined;
  // Groups at the start of a dataset are small numbers: the reading that gives the smaller one is right.
  const littleEndian = uint16(bytes, at, true) <= uint16(bytes, at, false);
  return { explicit: isKnownVr(vrAt(bytes, at + 4)), littleEndian };
}
