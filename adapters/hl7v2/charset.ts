import { isAscii } from 'node:buffer';
import { type Charset, charsetOfLabel } from './charset-labels.ts';
import { encodeGb18030, gb18030CharacterLength } from './gb18030.ts';
import { declaredCharsets } from './msh.ts';

export type { Charset } from './charset-labels.ts';

export type Decoded =
  /** `guessed`: neither MSH-18 nor the profile named a charset that fits; the bytes did. */
  { ok: true; text: string; charset: Charset; guessed: boolean } | { ok: false; code: 'MLLP-2006' };

/** One for each charset: making one costs more than decoding a message. */
const decoders = new Map<Charset, TextDecoder>();

function decoderOf(charset: Charset): TextDecoder {
  let decoder = decoders.get(charset);
  if (decoder === undefined) {
    decoder = new TextDecoder(charset, { fatal: true });
    decoders.set(charset, decoder);
  }
  return decoder;
}

function strictly(raw: Uint8Array, charset: Charset): string | undefined {
  const buffer = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  if (charset === 'ISO-8859-1') return buffer.toString('latin1');
  if (charset === 'US-ASCII') return isAscii(raw) ? buffer.toString('latin1') : undefined;
  try {
    return decoderOf(charset).decode(raw);
  } catch {
    // What a converter keeps of bytes that were no text must not meet the next message.
    decoders.delete(charset);
    return undefined;
  }
}

/** UTF-16 shows in the bytes: a byte order mark, or a NUL beside the M of MSH. A label cannot say it. */
function utf16Of(raw: Uint8Array): Charset | undefined {
  const [first, second] = raw;
  if ((first === 0xff && second === 0xfe) || (first === 0x4d && second === 0)) return 'UTF-16LE';
  if ((first === 0xfe && second === 0xff) || (first === 0 && second === 0x4d)) return 'UTF-16BE';
  return undefined;
}

/**
 * Decodes a whole message; always before it is split, because trail bytes of GB18030 include | ^ ~ \.
 * Order: byte order mark, MSH-18 (repetition by repetition, MSH-17 where a vendor puts it), the profile's
 * charset, strict UTF-8, strict GB18030. A declared charset in which the bytes are not valid is passed
 * over. The byte order mark is not part of the text. Fails with MLLP-2006 (reference/hl7v2.md §3.2 point 50), also
 * where only GB18030 fits and nobody named it, unless it is plainly Chinese.
 */
export function decodeMessage(raw: Uint8Array, profileCharset?: string): Decoded {
  const marked = raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf ? 'UTF-8' : utf16Of(raw);
  const profile = profileCharset === undefined ? undefined : charsetOfLabel(profileCharset);
  const declared = declaredCharsets(raw, profileCharset);
  const candidates: Array<{ charset: Charset; guessed: boolean }> = [];
  const add = (charset: Charset | undefined, guessed: boolean) => {
    if (charset !== undefined && !candidates.some((other) => other.charset === charset))
      candidates.push({ charset, guessed });
  };
  add(marked, false);
  // A header that can be read byte by byte is not UTF-16, whatever it says.
  for (const charset of [...declared, profile]) if (charset?.startsWith('UTF-16') !== true) add(charset, false);
  const plain = candidates.length === 0 && isAscii(raw);
  add('UTF-8', !plain);
  add('GB18030', true);
  for (const { charset, guessed } of candidates) {
    const text = strictly(raw, charset);
    if (text === undefined || (guessed && charset === 'GB18030' && !isPlainlyChinese(raw))) continue;
    return { ok: true, text: text.startsWith('\ufeff') ? text.slice(1) : text, charset, guessed };
  }
  return { ok: false, code: 'MLLP-2006' };
}

const isAsciiLetter = (byte: number): boolean => (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;

/**
 * Nearly any bytes are some GB18030: `Müller Jörg` in ISO 8859-1 would be read as `M黮ler J鰎g`. Two bytes speak for Chinese
 * where both lie beyond ASCII (GB 2312) or the first is no letter of a European charset (81 to A0); a letter from C0 on
 * with an ASCII letter behind it speaks against it. What may be either (`玘`, AB 5E) says nothing.
 */
function isPlainlyChinese(raw: Uint8Array): boolean {
  let chinese = 0;
  let european = 0;
  for (let at = 0; at < raw.length; ) {
    const length = gb18030CharacterLength(raw, at);
    if (length === 2) {
      const [lead = 0, trail = 0] = [raw[at], raw[at + 1]];
      if (lead <= 0xa0 || trail >= 0xa1) chinese += 1;
      else if (lead >= 0xc0 && isAsciiLetter(trail)) european += 1;
    }
    at += length;
  }
  return chinese > 0 && chinese >= european;
}

/** Encodes text in a charset. What the charset cannot hold becomes `?`. Big5 and 8859/2, 5, 15: ASCII only. */
export function encodeText(text: string, charset: Charset): Uint8Array {
  if (charset === 'UTF-8') return new TextEncoder().encode(text);
  if (charset === 'GB18030') return encodeGb18030(text);
  if (charset === 'UTF-16LE') return new Uint8Array(Buffer.from(text, 'utf16le'));
  if (charset === 'UTF-16BE') return new Uint8Array(Buffer.from(text, 'utf16le').swap16());
  const last = charset === 'ISO-8859-1' ? 0xff : 0x7f;
  return Uint8Array.from([...text], (character) => {
    const code = character.codePointAt(0) ?? 0x3f;
    return code <= last ? code : 0x3f;
  });
}
