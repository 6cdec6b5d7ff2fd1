import { unitAt } from '../../agent/support/code-units.ts';

/** The bytes of a document while it is written: UTF-8 straight into one growing array, no string in between. */
export interface Output {
  bytes: Uint8Array;
  /** How many of them are written. */
  length: number;
}

/** A character that XML 1.0 §2.2 does not allow; `path` names the elements it stands in, the outermost first. */
export class IllegalCharacter extends Error {
  readonly path: string[] = [];
}

const INITIAL_BYTES = 64 * 1024;
/** A larger array is not kept for the next document. */
const KEPT_BYTES = 1024 * 1024;
/** Up to so many bytes a loop is quicker than a call of the engine. */
const SHORT_BYTES = 16;
/** Most bytes that one UTF-16 unit becomes: `&quot;`. */
const UNIT_BYTES = 6;

/** An empty output. @param bytes how many it holds before it grows. */
export const createOutput = (bytes = INITIAL_BYTES): Output => ({ bytes: new Uint8Array(bytes), length: 0 });

function reserve(out: Output, count: number): void {
  if (out.length + count <= out.bytes.length) return;
  const bytes = new Uint8Array(Math.max(out.bytes.length * 2, out.length + count));
  bytes.set(out.bytes.subarray(0, out.length));
  out.bytes = bytes;
}

/** Bytes written before, as they are. */
export function writeBytes(out: Output, fragment: Uint8Array): void {
  const { length } = fragment;
  reserve(out, length);
  if (length > SHORT_BYTES) out.bytes.set(fragment, out.length);
  else for (let i = 0; i < length; i++) out.bytes[out.length + i] = fragment[i] ?? 0;
  out.length += length;
}

/** Of each ASCII character, whether it is more than its byte: markup, white space that may be folded, illegal. */
const special = new Uint8Array(0x80).fill(1, 0, 0x20);
for (const character of '&<>"') special[character.charCodeAt(0)] = 1;

const entities = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  // A parser turns it into a line feed (XML 1.0 §2.11).
  ['\r', '&#13;'],
]);
/** In an attribute these would become spaces (XML 1.0 §3.3.3). */
const foldedInAttributes = new Map([
  ['\t', '&#9;'],
  ['\n', '&#10;'],
]);

/**
 * A text or an attribute's value, escaped. Throws IllegalCharacter; what was written until then stays.
 * By code unit into the array: several times cheaper than escaping, joining and encoding strings.
 */
export function writeText(out: Output, text: string, attribute: boolean): void {
  const { length } = text;
  let { bytes, length: at } = out;
  let limit = bytes.length - UNIT_BYTES;
  for (let i = 0; i < length; i++) {
    if (at > limit) {
      out.length = at;
      reserve(out, UNIT_BYTES);
      bytes = out.bytes;
      limit = bytes.length - UNIT_BYTES;
    }
    const unit = unitAt(text, i);
    if (unit < 0x80 && special[unit] === 0) {
      bytes[at++] = unit;
    } else if (unit >= 0x800 && (unit < 0xd800 || (unit > 0xdfff && unit < 0xfffe))) {
      bytes[at++] = 0xe0 | (unit >> 12);
      bytes[at++] = 0x80 | ((unit >> 6) & 0x3f);
      bytes[at++] = 0x80 | (unit & 0x3f);
    } else {
      out.length = at;
      if (writeRare(out, text, i, attribute)) i += 1;
      at = out.length;
    }
  }
  out.length = at;
}

/** Writes a character that is neither plain ASCII nor three bytes long. @returns whether it was two units of text. */
function writeRare(out: Output, text: string, at: number, attribute: boolean): boolean {
  const point = text.codePointAt(at) ?? 0;
  const { bytes, length } = out;
  if (point < 0x80) {
    const character = text.charAt(at);
    const folded = foldedInAttributes.get(character);
    const written = folded === undefined ? entities.get(character) : attribute ? folded : character;
    if (written === undefined) throw new IllegalCharacter();
    for (let n = 0; n < written.length; n++) bytes[length + n] = written.charCodeAt(n);
    out.length += written.length;
    return false;
  }
  if (point < 0x800) {
    bytes[length] = 0xc0 | (point >> 6);
    bytes[length + 1] = 0x80 | (point & 0x3f);
    out.length += 2;
    return false;
  }
  // A surrogate that is alone, or one of the two noncharacters that XML leaves out.
  if (point < 0x1_0000) throw new IllegalCharacter();
  bytes[length] = 0xf0 | (point >> 18);
  bytes[length + 1] = 0x80 | ((point >> 12) & 0x3f);
  bytes[length + 2] = 0x80 | ((point >> 6) & 0x3f);
  bytes[length + 3] = 0x80 | (point & 0x3f);
  out.length += 4;
  return true;
}

/** ASCII of our own that is markup: names, brackets, quotes. */
export function writeMarkup(out: Output, ascii: string): void {
  const { length } = ascii;
  reserve(out, length);
  const { bytes, length: at } = out;
  for (let i = 0; i < length; i++) bytes[at + i] = unitAt(ascii, i);
  out.length += length;
}

/** A copy of what was written from a position on. */
export const written = (out: Output, from: number): Uint8Array => out.bytes.slice(from, out.length);

/** What was written, in memory of its own (it can be handed to another thread); the output is empty again. */
export function finish(out: Output): Uint8Array {
  const document = Buffer.allocUnsafeSlow(out.length);
  document.set(out.bytes.subarray(0, out.length));
  if (out.bytes.length > KEPT_BYTES) out.bytes = new Uint8Array(INITIAL_BYTES);
  out.length = 0;
  return document;
}
