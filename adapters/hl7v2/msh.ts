import { isAscii, isUtf8 } from 'node:buffer';
import { type Charset, charsetOfLabel } from './charset-labels.ts';
import { type EncodingCharacters, readEncodingCharacters } from './delimiters.ts';
import { gb18030CharacterLength } from './gb18030.ts';
import { joinedAt } from './joined-segments.ts';

/** MSH-1 and MSH-2. */
export type Delimiters = EncodingCharacters & { field: string };

/** What an acknowledgement needs of MSH, read from raw bytes. Byte fields are as sent, nothing unescaped. */
export interface Msh {
  delimiters: Delimiters;
  /** MSH-2 as sent. */
  encodingCharacters: Uint8Array;
  sendingApplication: Uint8Array;
  sendingFacility: Uint8Array;
  receivingApplication: Uint8Array;
  receivingFacility: Uint8Array;
  /** MSH-9 components; empty strings when absent. Code and trigger of a lone structure (`ORU_R01`) are taken from it. */
  messageType: { code: string; trigger: string; structure: string };
  /** MSH-10 byte for byte. */
  controlId: Uint8Array;
  /** MSH-11 as sent. */
  processingId: Uint8Array;
  /** MSH-12 as sent. */
  version: Uint8Array;
  /** MSH-14 is filled: the message is a part of one. */
  isContinued: boolean;
  acceptAck: string;
  applicationAck: string;
  /** MSH-18 as sent. */
  charset: Uint8Array;
  /** Charsets declared, in order: the repetitions of MSH-18, else MSH-17 where one vendor puts it. */
  declaredCharsets: Charset[];
  /** True when the segment after MSH (SFT and UAC passed over) is MSA: an answer, never to be answered. */
  hasMsa: boolean;
  /** Blanks stand where MSH should end, and another segment behind them; the fields are those before. */
  isJoined: boolean;
}

/** Longer headers do not exist; this bounds what an answer can echo, and what is looked through for MSA. */
const headerLimit = 64 * 1024;
const latin1 = (bytes: Uint8Array): string =>
  bytes.length === 0 ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
const none = new Uint8Array(0);
const isLineEnd = (byte: number | undefined): boolean => byte === 0x0d || byte === 0x0a;
/** Blank, tab, line end or NUL: tolerated before a segment name (reference/hl7v2.md §2). */
export const isBlank = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x09 || byte === 0x00 || isLineEnd(byte);
const isDelimiter = (byte: number | undefined): byte is number =>
  byte !== undefined &&
  ((byte > 0x20 && byte < 0x30) ||
    (byte > 0x39 && byte < 0x41) ||
    (byte > 0x5a && byte < 0x61) ||
    (byte > 0x7a && byte < 0x7f));

/** MSH after its separator, and where each field from MSH-2 on begins in it; one position more closes the last. */
interface Fields {
  segment: Uint8Array;
  starts: number[];
}

/** A field of MSH by its number, from 2; empty when there is none. */
function fieldOf({ segment, starts }: Fields, number: number): Uint8Array {
  const start = starts[number - 2];
  const next = starts[number - 1];
  return start === undefined || next === undefined || next - start <= 1 ? none : segment.subarray(start, next - 1);
}

const countOf = ({ starts }: Fields): number => starts.length - 1;

/**
 * Cuts MSH into fields. With `multibyte` the walk steps over GB18030 characters whole: their trail bytes
 * include | ^ ~ and \ (116 ideographs each).
 */
function split(segment: Uint8Array, separator: number, multibyte: boolean): Fields {
  const starts = [0];
  for (let at = 0; at < segment.length; at += multibyte ? gb18030CharacterLength(segment, at) : 1) {
    if (segment[at] === separator) starts.push(at + 1);
  }
  starts.push(segment.length + 1);
  return { segment, starts };
}

function charsetsOf(fields: Fields, repetition: string | undefined): Charset[] {
  const declared = latin1(fieldOf(fields, 18));
  const labels =
    declared.trim() === ''
      ? [latin1(fieldOf(fields, 17))]
      : repetition === undefined
        ? [declared]
        : declared.split(repetition);
  return labels.flatMap((label) => charsetOfLabel(label) ?? []);
}

/**
 * Fields of MSH. A pure ASCII or valid UTF-8 header is cut byte by byte. Else the header is GB18030 or
 * a one-byte charset: the declaration decides, then the profile's, then which cut has a version in MSH-12.
 */
function fieldsOf(
  segment: Uint8Array,
  separator: number,
  repetition: string | undefined,
  profile: Charset | undefined,
): Fields {
  const single = split(segment, separator, false);
  if (isAscii(segment) || isUtf8(segment)) return single;
  const multi = split(segment, separator, true);
  if (charsetsOf(multi, repetition).includes('GB18030')) return multi;
  const oneByte = (charset: Charset | undefined) => charset?.startsWith('ISO-8859') === true;
  if (charsetsOf(single, repetition).some(oneByte)) return single;
  if (profile !== undefined) return oneByte(profile) ? single : multi;
  const plausible = (fields: Fields) => /^\d+(\.\d+)*/.test(latin1(fieldOf(fields, 12)));
  return !plausible(multi) && plausible(single) ? single : multi;
}

/** MSH-2 as it should be: nothing alphanumeric or endless. Faults within it are no reason to refuse a message. */
const isEncoding = (bytes: Uint8Array): boolean =>
  bytes.length <= 16 && bytes.every((byte) => byte >= 0x80 || byte === 0x20 || isDelimiter(byte));

function findMsa(raw: Uint8Array, from: number, separator: number): boolean {
  let at = from;
  const furthest = Math.min(raw.length, from + headerLimit);
  while (at < furthest) {
    while (at < furthest && isBlank(raw[at])) at++;
    const name = latin1(raw.subarray(at, at + 3)).toUpperCase();
    if (name === 'MSA') return raw[at + 3] === separator;
    if (name !== 'SFT' && name !== 'UAC') return false;
    while (at < furthest && !isLineEnd(raw[at])) at++;
  }
  return false;
}

/** MSH-9 as the mapping reads it: `ORU_R01` alone is ORU^R01. */
function messageTypeOf([first = '', second = '', third = '']: string[]): Msh['messageType'] {
  const structure = first.includes('_') ? first : third;
  const code = first.split('_')[0] ?? '';
  return { code, trigger: second === '' ? (structure.split('_')[1] ?? '') : second, structure };
}

interface Header {
  delimiters: Delimiters;
  encodingCharacters: Uint8Array;
  fields: Fields;
  separator: number;
  /** Position in the message after MSH. */
  end: number;
  isJoined: boolean;
}

/** Where the first segment begins: behind the byte order mark of UTF-8 and blanks, of which no more than a header is long. */
export function headerFrom(raw: Uint8Array): number {
  let at = raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf ? 3 : 0;
  while (at < headerLimit && isBlank(raw[at])) at++;
  return at;
}

function readHeader(raw: Uint8Array, profileCharset: string | undefined): Header | undefined {
  const at = headerFrom(raw);
  if (latin1(raw.subarray(at, at + 3)).toUpperCase() !== 'MSH') return undefined;
  const separator = raw[at + 3];
  if (!isDelimiter(separator)) return undefined;
  const start = at + 4;
  let end = start;
  const furthest = Math.min(raw.length, start + headerLimit);
  let hasBlanks = false;
  for (let blank = false; end < furthest && !isLineEnd(raw[end]); end++) {
    const isSpace = raw[end] === 0x20;
    hasBlanks ||= blank && isSpace;
    blank = isSpace;
  }
  const field = String.fromCharCode(separator);
  const joint = hasBlanks ? joinedAt(latin1(raw.subarray(start, end)), field) : -1;
  if (joint >= 0) end = start + joint;
  const segment = raw.subarray(start, end);

  const encodingEnd = segment.indexOf(separator);
  const encodingCharacters = encodingEnd < 0 ? segment : segment.subarray(0, encodingEnd);
  if (!isEncoding(encodingCharacters)) return undefined;
  const delimiters = { field, ...readEncodingCharacters(latin1(encodingCharacters)) };
  const profile = profileCharset === undefined ? undefined : charsetOfLabel(profileCharset);
  const fields = fieldsOf(segment, separator, delimiters.repetition, profile);
  // The header ends beyond the limit and MSH-10 is not closed within it: what it is cannot be known.
  if (end === start + headerLimit && end < raw.length && countOf(fields) < 10) return undefined;
  return { delimiters, encodingCharacters, fields, separator, end, isJoined: joint >= 0 };
}

/** Charsets the message declares, in order (see Msh); none when it has no readable MSH. */
export function declaredCharsets(raw: Uint8Array, profileCharset?: string): Charset[] {
  const header = readHeader(raw, profileCharset);
  return header === undefined ? [] : charsetsOf(header.fields, header.delimiters.repetition);
}

/**
 * Reads MSH from the raw bytes of a message, decoding nothing else. A BOM, blanks and blank lines before
 * it are tolerated. Undefined when there is no readable MSH (HL7-2101). `profileCharset` is the label
 * of the source profile; it helps only when the header holds undeclared non-ASCII bytes.
 */
export function readMsh(raw: Uint8Array, profileCharset?: string): Msh | undefined {
  const header = readHeader(raw, profileCharset);
  if (header === undefined) return undefined;
  const { delimiters, encodingCharacters, fields, separator, end, isJoined } = header;
  const field = (number: number): Uint8Array => fieldOf(fields, number);
  const subcomponent = delimiters.subcomponent ?? '\r';
  const type = latin1(field(9))
    .split(delimiters.component)
    .map((component) => component.split(subcomponent)[0]?.trim() ?? '');
  return {
    delimiters,
    encodingCharacters,
    sendingApplication: field(3),
    sendingFacility: field(4),
    receivingApplication: field(5),
    receivingFacility: field(6),
    messageType: messageTypeOf(type),
    controlId: field(10),
    processingId: field(11),
    version: field(12),
    isContinued: latin1(field(14)).trim() !== '',
    acceptAck: latin1(field(15)).trim(),
    applicationAck: latin1(field(16)).trim(),
    charset: field(18),
    declaredCharsets: charsetsOf(fields, delimiters.repetition),
    hasMsa: findMsa(raw, end, separator),
    isJoined,
  };
}
