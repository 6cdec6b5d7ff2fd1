import { isAscii } from 'node:buffer';
import type { Delimiters } from './parser.ts';

/** Most line breaks or spaces one formatting escape may ask for. */
const maxRepeat = 99;

/**
 * Resolves the escape sequences of one value, after splitting (HL7 v2.5.1 chapter 2 §2.7).
 * - `\F\ \S\ \T\ \R\ \E\ \P\` give the delimiter they stand for.
 * - `\.br\ \.sp n\ \.ce\` give line feeds, `\.sk n\` spaces; `\.in\ \.ti\ \.fi\ \.nf\` and `\H\ \N\`
 *   only change how text looks: they are removed and the text stays.
 * - `\Xhh..\` gives the bytes: adjacent ones are joined and decoded in the message's charset.
 * - Everything else, `\C..\ \M..\ \Z..\` and malformed ones too, stays literally as sent.
 * @param charset label of the charset the message came in, for `\X..\` beyond ASCII.
 */
export function unescapeValue(text: string, delimiters: Delimiters, charset: string): string {
  const mark = delimiters.escape;
  if (mark === '') return text;
  let start = text.indexOf(mark);
  if (start < 0) return text;
  let out = '';
  let copied = 0;
  while (start >= 0) {
    const end = text.indexOf(mark, start + 1);
    if (end < 0) break;
    const code = text.slice(start + 1, end);
    if (isHex(code)) {
      const run = hexRun(text, start, mark);
      const decoded = decodeHex(run.hex, charset);
      if (decoded === undefined) {
        start = text.indexOf(mark, run.end);
        continue;
      }
      out += text.slice(copied, start) + decoded;
      copied = run.end;
      start = text.indexOf(mark, copied);
      continue;
    }
    const meaning = meaningOf(code, delimiters);
    if (meaning === undefined) {
      // Not an escape: the closing character may open the next one.
      start = end;
      continue;
    }
    out += text.slice(copied, start) + meaning;
    copied = end + 1;
    start = text.indexOf(mark, copied);
  }
  return out + text.slice(copied);
}

function meaningOf(code: string, delimiters: Delimiters): string | undefined {
  switch (code) {
    case 'F':
      return delimiters.field;
    case 'S':
      return delimiters.component;
    case 'T':
      return delimiters.subcomponent;
    case 'R':
      return delimiters.repetition;
    case 'E':
      return delimiters.escape;
    case 'P':
      return delimiters.truncation === '' ? '#' : delimiters.truncation;
    case 'H':
    case 'N':
      return '';
  }
  return code.startsWith('.') ? formatting(code) : undefined;
}

function formatting(code: string): string | undefined {
  const match = /^\.(br|sp|sk|in|ti|ce|fi|nf) ?([+-]?\d{0,3})$/.exec(code);
  if (match === null) return undefined;
  const count = Math.min(maxRepeat, Math.max(1, Number(match[2] || 1)));
  switch (match[1]) {
    case 'br':
    case 'ce':
      return '\n';
    case 'sp':
      return '\n'.repeat(count);
    case 'sk':
      return ' '.repeat(count);
    default:
      return '';
  }
}

const isHex = (code: string): boolean => code.length > 2 && code[0] === 'X' && /^X([0-9A-Fa-f]{2})+$/.test(code);

/** A GBK or UTF-8 character may be spread over adjacent escapes, so they are read as one run. */
function hexRun(text: string, start: number, mark: string): { hex: string; end: number } {
  let hex = '';
  let at = start;
  while (text.startsWith(mark, at)) {
    const end = text.indexOf(mark, at + 1);
    const code = end < 0 ? '' : text.slice(at + 1, end);
    if (!isHex(code)) break;
    hex += code.slice(1);
    at = end + 1;
  }
  return { hex, end: at };
}

/** One for each charset: making one costs more than decoding all the escapes of a message. */
const decoders = new Map<string, TextDecoder>();

function decoderOf(charset: string): TextDecoder {
  let decoder = decoders.get(charset);
  if (decoder === undefined) {
    // Not a strict one: after bytes that are no text a strict one has to be made anew each time.
    decoder = new TextDecoder(charset, { ignoreBOM: true });
    decoders.set(charset, decoder);
  }
  return decoder;
}

/** Undefined when the bytes are not text in this charset: they stay as sent. */
function decodeHex(hex: string, charset: string): string | undefined {
  const bytes = Buffer.from(hex, 'hex');
  if (isAscii(bytes)) return bytes.toString('latin1');
  const text = decoderOf(charset).decode(bytes);
  return text.includes('\ufffd') ? undefined : text;
}
