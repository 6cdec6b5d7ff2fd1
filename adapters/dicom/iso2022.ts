import { decodeStrictly } from './text-decoders.ts';

/** A character set that code extension can invoke, by its ISO registration number (PS3.3 tables C.12-2 to C.12-4). */
export type SetNumber = keyof typeof sets;

/** `decoder`: WHATWG name that reads the set's bytes with their high bit set. `width`: bytes of a character. */
const sets = {
  13: { decoder: 'shift_jis', width: 1 },
  58: { decoder: 'gb18030', width: 2 },
  87: { decoder: 'euc-jp', width: 2 },
  100: { decoder: 'iso-8859-1', width: 1 },
  101: { decoder: 'iso-8859-2', width: 1 },
  109: { decoder: 'iso-8859-3', width: 1 },
  110: { decoder: 'iso-8859-4', width: 1 },
  126: { decoder: 'iso-8859-7', width: 1 },
  127: { decoder: 'iso-8859-6', width: 1 },
  138: { decoder: 'iso-8859-8', width: 1 },
  144: { decoder: 'iso-8859-5', width: 1 },
  148: { decoder: 'windows-1254', width: 1 },
  149: { decoder: 'euc-kr', width: 2 },
  159: { decoder: 'euc-jp', width: 2 },
  166: { decoder: 'windows-874', width: 1 },
  203: { decoder: 'iso-8859-15', width: 1 },
} as const;

export const isSetNumber = (number: number): number is SetNumber => number in sets;

/** Sets that stand in G1, the upper half; the two Japanese double-byte sets stand in G0 (PS3.3 table C.12-4). */
export const isUpperHalf = (set: SetNumber): boolean => set !== 87 && set !== 159;

/** What follows ESC, and the half and set it invokes; undefined: ASCII, or its Japanese variant, which we read as ASCII. */
const escapes: ReadonlyArray<readonly [bytes: string, half: 'g0' | 'g1', set: SetNumber | undefined]> = [
  ['$)A', 'g1', 58],
  ['$)C', 'g1', 149],
  ['$B', 'g0', 87],
  ['$@', 'g0', 87],
  ['$(D', 'g0', 159],
  ['(B', 'g0', undefined],
  ['(J', 'g0', undefined],
  [')I', 'g1', 13],
  ['-A', 'g1', 100],
  ['-B', 'g1', 101],
  ['-C', 'g1', 109],
  ['-D', 'g1', 110],
  ['-F', 'g1', 126],
  ['-G', 'g1', 127],
  ['-H', 'g1', 138],
  ['-L', 'g1', 144],
  ['-M', 'g1', 148],
  ['-T', 'g1', 166],
  ['-b', 'g1', 203],
];

const escapeByte = 0x1b;
/** Before these the sets of the first label hold again (PS3.5 §6.1.2.5.3): TAB LF FF CR, `\`, and in names `^` `=`. */
const delimiters = new Set([0x09, 0x0a, 0x0c, 0x0d, 0x5c]);
const nameDelimiters = new Set([...delimiters, 0x5e, 0x3d]);

export interface Iso2022Options {
  /** What the upper half holds at the start and after each delimiter. */
  upper: SetNumber | undefined;
  /** What to read the upper half in where nothing was invoked, as writers do that escape once for a whole value. */
  assumed: SetNumber | undefined;
  isName: boolean;
  /** Puts U+FFFD where bytes mean nothing, instead of giving up. */
  lossy: boolean;
}

/**
 * Decodes text with code extensions (PS3.5 §6.1.2.5, ISO 2022): escape sequences change what the halves of the code
 * mean until the next delimiter. `assumed` in the result: the upper half was read in a set that nobody invoked.
 * Undefined when bytes mean nothing, unless `lossy`.
 */
export function decodeIso2022(
  bytes: Uint8Array,
  { upper, assumed, isName, lossy }: Iso2022Options,
): { text: string; assumed: boolean } | undefined {
  const resets = isName ? nameDelimiters : delimiters;
  let text = '';
  let wasAssumed = false;
  let g0: SetNumber | undefined;
  let g1 = upper;
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0;
    if (byte === escapeByte) {
      const found = escapes.find(([sequence]) => isAt(bytes, at + 1, sequence));
      if (found === undefined && !lossy) return undefined;
      if (found?.[1] === 'g0') g0 = found[2];
      if (found?.[1] === 'g1') g1 = found[2];
      at += 1 + (found?.[0].length ?? 0);
      continue;
    }
    if (byte < 0x80 && (g0 === undefined || byte <= 0x20)) {
      if (resets.has(byte)) {
        g0 = undefined;
        g1 = upper;
      }
      text += String.fromCharCode(byte);
      at += 1;
      continue;
    }
    const set = byte < 0x80 ? g0 : (g1 ?? assumed);
    if (byte >= 0x80 && g1 === undefined) wasAssumed = true;
    const decoded = set === undefined ? undefined : decodeCharacter(bytes.subarray(at, at + sets[set].width), set);
    if (decoded === undefined && !lossy) return undefined;
    text += decoded ?? '\ufffd';
    at += decoded === undefined || set === undefined ? 1 : sets[set].width;
  }
  return { text, assumed: wasAssumed };
}

function decodeCharacter(bytes: Uint8Array, set: SetNumber): string | undefined {
  const { decoder, width } = sets[set];
  if (bytes.length < width) return undefined;
  const high = bytes.map((byte) => byte | 0x80);
  // EUC-JP has JIS X 0212 behind a shift byte.
  return decodeStrictly(set === 159 ? Uint8Array.from([0x8f, ...high]) : high, decoder);
}

const isAt = (bytes: Uint8Array, at: number, ascii: string): boolean =>
  [...ascii].every((character, index) => bytes[at + index] === character.charCodeAt(0));
