import { headerFrom, isBlank } from '../../hl7v2/msh.ts';
import type { OpenFile } from '../watching/open-file.ts';

/** What the beginning and the end of a file say about it; nothing in between is read. */
export interface FileShape {
  /** `other`: no HL7 in it. `utf-16`: HL7 perhaps, in an encoding that cannot be kept as messages. */
  content: 'hl7' | 'utf-16' | 'empty' | 'other';
  /** The messages stand in MLLP frames. */
  framed: boolean;
  /** The end is one: of a frame, of a line, and of the batch where one began. */
  ended: boolean;
}

/** More than this does not stand before the first message. */
const headBytes = 64 * 1024;
/** Blanks at the end, and the trailer of a batch. */
const tailBytes = 4 * 1024;

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
/** What DOS tools put at the end of a text. */
const endOfText = 0x1a;

/** A byte order mark, or a NUL beside the M of MSH. */
function isUtf16(head: Uint8Array): boolean {
  const [first, second] = head;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  return (first === 0x4d && second === 0 && head[2] === 0x53) || (first === 0 && second === 0x4d && head[2] === 0);
}

/** Reads what tells whether a file is HL7 and whole. `requireEnd`: 0x1C alone ends no frame. */
export async function shapeOf(file: OpenFile, requireEnd: boolean): Promise<FileShape> {
  const head = await bytesOf(file, 0, Math.min(file.size, headBytes));
  if (head.length === 0) return { content: 'empty', framed: false, ended: false };
  if (isUtf16(head)) return { content: 'utf-16', framed: false, ended: true };
  const from = headerFrom(head);
  const framed = head[from] === 0x0b;
  const content = /MSH|BHS|FHS/i.test(head.toString('latin1')) ? 'hl7' : 'other';
  const tailFrom = Math.max(0, file.size - tailBytes);
  const tail = head.length === file.size ? head.subarray(tailFrom) : await bytesOf(file, tailFrom, tailBytes);
  const ended = framed ? endsInFrame(tail, requireEnd) : endsInLine(tail) && hasTrailer(head.subarray(from), tail);
  return { content, framed, ended };
}

async function bytesOf(file: OpenFile, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  return bytes.subarray(0, await file.readInto(bytes, length, offset));
}

function endsInFrame(tail: Uint8Array, requireEnd: boolean): boolean {
  let end = tail.length;
  while (end > 0 && (tail[end - 1] === lineFeed || tail[end - 1] === 0x20 || tail[end - 1] === endOfText)) end--;
  // Frames are also put one below the other, with a line end of their own.
  while (end > 1 && tail[end - 1] === carriageReturn && isBlank(tail[end - 2])) end--;
  if (tail[end - 1] === carriageReturn && tail[end - 2] === 0x1c) return true;
  return !requireEnd && tail[end - 1] === 0x1c;
}

/** Zeros at the end are what a share shows of a file that is still being copied. */
function endsInLine(tail: Uint8Array): boolean {
  let end = tail.length;
  while (end > 0 && (tail[end - 1] === 0x20 || tail[end - 1] === 0x09 || tail[end - 1] === endOfText)) end--;
  return tail[end - 1] === carriageReturn || tail[end - 1] === lineFeed;
}

/** A file that begins with FHS ends with FTS, one that begins with BHS with BTS or FTS. */
function hasTrailer(start: Buffer, tail: Buffer): boolean {
  const first = start.toString('latin1', 0, 3).toUpperCase();
  if (first !== 'FHS' && first !== 'BHS') return true;
  const last =
    tail
      .toString('latin1')
      .replace(/\x1a+$/, '')
      .trimEnd()
      .split(/[\r\n]+/)
      .at(-1) ?? '';
  const name = last.trimStart().slice(0, 3).toUpperCase();
  return name === 'FTS' || (name === 'BTS' && first === 'BHS');
}
