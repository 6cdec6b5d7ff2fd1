import { unitAt } from '../../agent/support/code-units.ts';
import { unescapeValue } from './escapes.ts';
import { fieldCountOf, knownSegment } from './profile/segments.ts';

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
  /** Where it stands in the message's text, from its id on and without its terminator. */
  start: number;
  end: number;
  /** Positions of its field separators in the message's text; filled at the first access. */
  bounds: number[] | undefined;
}

/** A stretch of the message's text. */
export interface Span {
  start: number;
  end: number;
}

/** The delimiters as UTF-16 units, -1 where the message has none. */
export interface Separators {
  field: number;
  component: number;
  repetition: number;
  escape: number;
  subcomponent: number;
}

export interface Hl7Message {
  /** The whole message as decoded, never changed: values are cut from it when asked for. */
  text: string;
  delimiters: Delimiters;
  separators: Separators;
  /** Label of the charset the text was decoded from, for `\X..\` escapes. */
  charset: string;
  segments: Segment[];
  /** Used again by every look-up: a value is narrowed down in place and cut out once. */
  span: Span;
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
  let current: Segment | undefined;
  let cr = -1;
  let lf = -1;
  let at = first;
  while (at < text.length) {
    // Searched natively, and a terminator the sender does not use only once.
    if (cr < at) cr = indexOrEnd(text, '\r', at);
    if (lf < at) lf = indexOrEnd(text, '\n', at);
    const end = Math.min(cr, lf);
    let lineStart = at;
    while (lineStart < end && isLineNoise(text.charCodeAt(lineStart), false)) lineStart++;
    if (lineStart < end) {
      const id = segmentIdAt(text, lineStart, end, delimiters.field);
      if (id !== undefined) {
        const ordinal = (ordinals.get(id) ?? 0) + 1;
        ordinals.set(id, ordinal);
        current = { id, ordinal, start: lineStart, end, bounds: undefined };
        segments.push(current);
      } else if (current !== undefined) {
        current.end = end;
      }
    }
    at = end + 1;
  }
  return { text, delimiters, separators: separatorsOf(delimiters), charset, segments, span: { start: 0, end: 0 } };
}

function indexOrEnd(text: string, character: string, from: number): number {
  const at = text.indexOf(character, from);
  return at < 0 ? text.length : at;
}

function separatorsOf(delimiters: Delimiters): Separators {
  const unit = (delimiter: string): number => (delimiter === '' ? -1 : delimiter.charCodeAt(0));
  return {
    field: unit(delimiters.field),
    component: unit(delimiters.component),
    repetition: unit(delimiters.repetition),
    escape: unit(delimiters.escape),
    subcomponent: unit(delimiters.subcomponent),
  };
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
  const known = knownSegment(raw);
  if (known !== undefined) return end - start === 3 || text[start + 3] === fieldSeparator ? known : undefined;
  const id = raw.toUpperCase();
  if (end - start === 3) return knownSegment(id);
  if (text[start + 3] !== fieldSeparator) return undefined;
  // Lower case is taken only for ids that exist: `wbc|…` inside a text is a line of that text.
  return knownSegment(id) ?? (raw === id || fieldCountOf(id) !== undefined ? id : undefined);
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

/** Sets the message's span to a field as sent; an empty one when there is none. `number` from 1. */
export function spanField(message: Hl7Message, segment: Segment, number: number): void {
  const { span } = message;
  const bounds = segment.bounds ?? findBounds(message, segment);
  const index = startsWithDelimiters(segment.id) ? number - 1 : number;
  const before = bounds[index - 1];
  if (index === 0) {
    span.start = bounds[0] ?? segment.end;
    span.end = Math.min(span.start + 1, segment.end);
  } else if (before === undefined) {
    span.start = span.end = segment.end;
  } else {
    span.start = before + 1;
    span.end = bounds[index] ?? segment.end;
  }
}

function findBounds({ text, separators }: Hl7Message, segment: Segment): number[] {
  const bounds: number[] = [];
  for (let at = segment.start; at < segment.end; at++) if (unitAt(text, at) === separators.field) bounds.push(at);
  segment.bounds = bounds;
  return bounds;
}

/** Narrows the message's span to its n-th piece (from 1); to nothing when there are fewer. */
export function spanPiece({ text, span }: Hl7Message, separator: number, n: number): void {
  const { end } = span;
  let { start } = span;
  let left = n;
  for (let at = start; at < end; at++) {
    if (unitAt(text, at) !== separator) continue;
    left -= 1;
    if (left === 0) {
      span.start = start;
      span.end = at;
      return;
    }
    start = at + 1;
  }
  span.start = left === 1 ? start : end;
}

/** Narrows the message's span, a repetition, to a component of it or a part of that. */
export function spanComponent(message: Hl7Message, component: number, subcomponent: number | undefined): void {
  spanPiece(message, message.separators.component, component);
  if (subcomponent !== undefined) spanPiece(message, message.separators.subcomponent, subcomponent);
}

/** What stands in the message's span, escapes resolved; `''` when it is empty. */
export function spanText(message: Hl7Message): string {
  const { text, span } = message;
  const value = text.slice(span.start, span.end);
  return hasEscape(message) ? unescapeText(message, value) : value;
}

/** The same without blanks around it, those that escapes stand for too. */
export function spanTrimmed(message: Hl7Message): string {
  const { text, span } = message;
  if (span.start === span.end) return '';
  const value = text.slice(span.start, span.end);
  if (hasEscape(message)) return unescapeText(message, value).trim();
  return isInk(unitAt(text, span.start)) && isInk(unitAt(text, span.end - 1)) ? value : value.trim();
}

function hasEscape({ text, separators, span }: Hl7Message): boolean {
  for (let at = span.start; at < span.end; at++) if (unitAt(text, at) === separators.escape) return true;
  return false;
}

/** A character that certainly is no blank: printable ASCII. */
const isInk = (unit: number): boolean => unit > SPACE && unit < 0x7f;

/** The text of a field as sent, with its delimiters and escapes; `''` when there is none. `number` from 1. */
export function fieldText(message: Hl7Message, segment: Segment, number: number): string {
  if (number === 1 && startsWithDelimiters(segment.id)) return message.delimiters.field;
  spanField(message, segment, number);
  return message.text.slice(message.span.start, message.span.end);
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
  if (field <= 2 && startsWithDelimiters(segment.id)) return fieldText(message, segment, field);
  spanField(message, segment, field);
  spanPiece(message, message.separators.repetition, repetition);
  spanComponent(message, component, subcomponent);
  return spanText(message);
}

/** Component (and subcomponent) of one repetition, unescaped; `''` when there is none. */
export function componentOf(message: Hl7Message, repetition: string, component: number, subcomponent?: number): string {
  let text = piece(repetition, message.delimiters.component, component);
  if (text !== '' && subcomponent !== undefined) text = piece(text, message.delimiters.subcomponent, subcomponent);
  return text === '' ? '' : unescapeText(message, text);
}
