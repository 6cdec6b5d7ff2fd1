import { unescapeValue } from './escapes.ts';
import { fieldCountOf, isKnownSegment } from './profile/segments.ts';

/** The characters of MSH-1 and MSH-2; `''` where the message has none. */
export interface Delimiters {
  field: string;
  component: string;
  repetition: string;
  escape: string;
  subcomponent: string;
  /** `#` of HL7 2.7, else empty. */
  truncation: string;
}

export interface Segment {
  /** Upper case, for example `OBX`. */
  id: string;
  /** 1 for the first segment of this id in the message, 2 for the second … */
  ordinal: number;
  /** Text from the id on, as sent, without its terminator. */
  text: string;
  /** Positions of the field separators; filled at the first access. */
  bounds: number[] | undefined;
}

export interface Hl7Message {
  delimiters: Delimiters;
  /** Label of the charset the text was decoded from, for `\X..\` escapes. */
  charset: string;
  segments: Segment[];
}

/** An explicit null: the sender says "delete", where an empty field says nothing. */
export const explicitNull = '""';

const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;
const VT = 11;
const FS = 28;
const BOM = 0xfeff;

/**
 * Splits decoded text into segments; fields are split when asked for. A stream, not a grammar: any
 * segments in any order. Takes CR, LF, CRLF and mixtures, blank lines, leading spaces and BOM. A line
 * that is no segment continues the one before, with its line break: some senders put raw line feeds
 * into text, and dropping a line would cut a result short (reference: quirks, receiver points 46–49).
 * @returns undefined when the text does not begin with MSH, FHS or BHS.
 */
export function parseMessage(text: string, charset = 'utf-8'): Hl7Message | undefined {
  let first = 0;
  while (first < text.length && isLineNoise(text.charCodeAt(first), true)) first++;
  const head = text.slice(first, first + 3).toUpperCase();
  if ((head !== 'MSH' && head !== 'FHS' && head !== 'BHS') || first + 3 >= text.length) return undefined;
  const delimiters = readDelimiters(text, first);
  if (delimiters === undefined) return undefined;

  const segments: Segment[] = [];
  const ordinals = new Map<string, number>();
  let segmentStart = -1;
  let segmentEnd = -1;
  let segmentId = '';
  const flush = (): void => {
    if (segmentStart < 0) return;
    const ordinal = (ordinals.get(segmentId) ?? 0) + 1;
    ordinals.set(segmentId, ordinal);
    segments.push({ id: segmentId, ordinal, text: text.slice(segmentStart, segmentEnd), bounds: undefined });
  };
  let at = first;
  while (at < text.length) {
    let end = at;
    while (end < text.length && !isTerminator(text.charCodeAt(end))) end++;
    let lineStart = at;
    while (lineStart < end && isLineNoise(text.charCodeAt(lineStart), false)) lineStart++;
    if (lineStart < end) {
      const id = segmentIdAt(text, lineStart, end, delimiters.field);
      if (id === undefined) {
        segmentEnd = end;
      } else {
        flush();
        segmentId = id;
        segmentStart = lineStart;
        segmentEnd = end;
      }
    }
    at = end + 1;
  }
  flush();
  return { delimiters, charset, segments };
}

const isTerminator = (code: number): boolean => code === CR || code === LF;

const isLineNoise = (code: number, withTerminators: boolean): boolean =>
  code === SPACE ||
  code === TAB ||
  code === BOM ||
  code === VT ||
  code === FS ||
  code === 0 ||
  (withTerminators && isTerminator(code));

function segmentIdAt(text: string, start: number, end: number, fieldSeparator: string): string | undefined {
  if (end - start < 3) return undefined;
  for (let i = 0; i < 3; i++) {
    const code = text.charCodeAt(start + i) & ~32;
    const letter = code >= 65 && code <= 90;
    const digit = i > 0 && text.charCodeAt(start + i) >= 48 && text.charCodeAt(start + i) <= 57;
    if (!letter && !digit) return undefined;
  }
  const raw = text.slice(start, start + 3);
  const id = raw.toUpperCase();
  if (end - start === 3) return isKnownSegment(id) ? id : undefined;
  if (text[start + 3] !== fieldSeparator) return undefined;
  // Lower case is taken only for ids that exist: `wbc|…` inside a text is a line of that text.
  return raw === id || fieldCountOf(id) !== undefined ? id : undefined;
}

/** MSH-1 and MSH-2. Of three encoding characters the third is `&` when the escape character was left out. */
function readDelimiters(text: string, start: number): Delimiters | undefined {
  const field = text[start + 3];
  if (field === undefined || isTerminator(field.charCodeAt(0)) || /[A-Za-z0-9]/.test(field)) return undefined;
  let end = start + 4;
  while (end < text.length && text[end] !== field && !isTerminator(text.charCodeAt(end))) end++;
  const given = text.slice(start + 4, end).trim();
  const set = given === '' ? '^~\\&' : given;
  const escapeMissing = set.length === 3 && set[2] === '&';
  return {
    field,
    component: set[0] ?? '',
    repetition: set[1] ?? '',
    escape: escapeMissing ? '' : (set[2] ?? ''),
    subcomponent: escapeMissing ? '&' : (set[3] ?? ''),
    truncation: set[4] ?? '',
  };
}

/** Whether the segment's own first field is the separator, so that its fields count from two. */
const startsWithDelimiters = (id: string): boolean => id === 'MSH' || id === 'FHS' || id === 'BHS';

/** The text of a field as sent, with its delimiters and escapes; `''` when there is none. `number` from 1. */
export function fieldText(message: Hl7Message, segment: Segment, number: number): string {
  const separator = message.delimiters.field;
  let index = number;
  if (startsWithDelimiters(segment.id)) {
    if (number === 1) return separator;
    index = number - 1;
  }
  const bounds = segment.bounds ?? findBounds(segment, separator);
  const before = bounds[index - 1];
  return before === undefined ? '' : segment.text.slice(before + 1, bounds[index] ?? segment.text.length);
}

function findBounds(segment: Segment, separator: string): number[] {
  const bounds: number[] = [];
  for (let at = segment.text.indexOf(separator); at >= 0; at = segment.text.indexOf(separator, at + 1)) bounds.push(at);
  segment.bounds = bounds;
  return bounds;
}

/** The n-th piece (from 1) of a text, or `''`. With no separator the whole text is piece 1. */
export function piece(text: string, separator: string, n: number): string {
  if (separator === '') return n === 1 ? text : '';
  let start = 0;
  for (let i = 1; i < n; i++) {
    const at = text.indexOf(separator, start);
    if (at < 0) return '';
    start = at + separator.length;
  }
  const end = text.indexOf(separator, start);
  return start === 0 && end < 0 ? text : text.slice(start, end < 0 ? text.length : end);
}

/** The repetitions of a field as sent, empty ones too; an empty field has one, empty. */
export function repetitionsOf(message: Hl7Message, field: string): string[] {
  const separator = message.delimiters.repetition;
  return separator === '' ? [field] : field.split(separator);
}

/** Resolves the escapes of a piece of text that was split already. */
export const unescapeText = (message: Hl7Message, text: string): string =>
  unescapeValue(text, message.delimiters, message.charset);

/**
 * One value, unescaped. Numbers count from 1; without `subcomponent` the whole component is given,
 * since free text often holds an unescaped `&`. MSH-2 is given as sent. `''` when there is none; an
 * explicit null is given as `""` (see explicitNull).
 */
export function valueAt(
  message: Hl7Message,
  segment: Segment,
  field: number,
  repetition = 1,
  component = 1,
  subcomponent?: number,
): string {
  const text = fieldText(message, segment, field);
  if (text === '' || (field <= 2 && startsWithDelimiters(segment.id))) return text;
  return componentOf(message, piece(text, message.delimiters.repetition, repetition), component, subcomponent);
}

/** Component (and subcomponent) of one repetition, unescaped; `''` when there is none. */
export function componentOf(message: Hl7Message, repetition: string, component: number, subcomponent?: number): string {
  let text = piece(repetition, message.delimiters.component, component);
  if (text !== '' && subcomponent !== undefined) text = piece(text, message.delimiters.subcomponent, subcomponent);
  return text === '' ? '' : unescapeText(message, text);
}
