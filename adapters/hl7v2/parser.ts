import { unitAt } from '../../agent/support/code-units.ts';
import { readEncodingCharacters } from './delimiters.ts';
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
  /** Its field 1 is the separator itself: MSH, FHS, BHS. */
  isHeader: boolean;
  /** Where it stands in the message's text, from its id on and without its terminator. */
  start: number;
  end: number;
  /**
   * Its field separators, filled at the first access: twice the position in the message's text, and one more where the field
   * behind it holds another delimiter or an escape. Most do not, and are then cut out without being looked through again.
   */
  bounds: number[] | undefined;
}

/** A stretch of the message's text. */
export interface Span {
  start: number;
  end: number;
  /** Nothing in it is a delimiter or an escape; false where that is not known. */
  isPlain: boolean;
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
  /** Long values with their escapes resolved, and the same without blanks around: several paths ask for the same one. */
  resolved?: Map<string, { value: string; trimmed: string }>;
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
        const isHeader = id === 'MSH' || id === 'FHS' || id === 'BHS';
        current = { id, isHeader, start: lineStart, end, bounds: undefined };
        segments.push(current);
      } else if (current !== undefined) {
        current.end = end;
      }
    }
    at = end + 1;
  }
  return {
    text,
    delimiters,
    separators: separatorsOf(delimiters),
    charset,
    segments,
    span: { start: 0, end: 0, isPlain: false },
  };
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

/** MSH-1 and MSH-2. */
function readDelimiters(text: string, start: number): Delimiters | undefined {
  const field = text[start + 3];
  if (field === undefined || isTerminator(field.charCodeAt(0)) || /[A-Za-z0-9]/.test(field)) return undefined;
  let end = start + 4;
  while (end < text.length && text[end] !== field && !isTerminator(text.charCodeAt(end))) end++;
  const read = readEncodingCharacters(text.slice(start + 4, end));
  return {
    field,
    component: read.component,
    repetition: read.repetition ?? '',
    escape: read.escape ?? '',
    subcomponent: read.subcomponent ?? '',
    truncation: read.truncation ?? '',
  };
}

/** Sets the message's span to a field as sent; an empty one when there is none. `number` from 1. */
export function spanField(message: Hl7Message, segment: Segment, number: number): void {
  const { span } = message;
  const bounds = segment.bounds ?? findBounds(message, segment);
  const index = segment.isHeader ? number - 1 : number;
  if (index === 0) {
    span.start = bounds[0] === undefined ? segment.end : bounds[0] >> 1;
    span.end = Math.min(span.start + 1, segment.end);
    span.isPlain = false;
    return;
  }
  const before = bounds[index - 1];
  if (before === undefined) {
    span.start = span.end = segment.end;
    span.isPlain = true;
    return;
  }
  const next = bounds[index];
  span.start = (before >> 1) + 1;
  span.end = next === undefined ? segment.end : next >> 1;
  span.isPlain = (before & 1) === 0;
}

function findBounds({ text, separators }: Hl7Message, segment: Segment): number[] {
  const { field, component, repetition, subcomponent } = separators;
  const { end } = segment;
  const bounds: number[] = [];
  let start = -1;
  let holds = 0;
  for (let at = segment.start; at < end; at++) {
    const unit = unitAt(text, at);
    if (unit === field) {
      if (start >= 0) bounds.push(start * 2 + holds);
      start = at;
      holds = 0;
    } else if (unit === component || unit === repetition || unit === separators.escape || unit === subcomponent) {
      holds = 1;
    }
  }
  if (start >= 0) bounds.push(start * 2 + holds);
  segment.bounds = bounds;
  return bounds;
}

/** Narrows the message's span to its n-th piece (from 1); to nothing when there are fewer. */
export function spanPiece({ text, span }: Hl7Message, separator: number, n: number): void {
  if (span.isPlain) {
    if (n !== 1) span.start = span.end;
    return;
  }
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
  if (hasEscape(message)) return unescapeTrimmed(message, value);
  return isInk(unitAt(text, span.start)) && isInk(unitAt(text, span.end - 1)) ? value : value.trim();
}

function hasEscape({ text, separators, span }: Hl7Message): boolean {
  if (span.isPlain) return false;
  for (let at = span.start; at < span.end; at++) if (unitAt(text, at) === separators.escape) return true;
  return false;
}

/** A character that certainly is no blank: printable ASCII. */
const isInk = (unit: number): boolean => unit > SPACE && unit < 0x7f;

/** The text of a field as sent, with its delimiters and escapes; `''` when there is none. `number` from 1. */
export function fieldText(message: Hl7Message, segment: Segment, number: number): string {
  if (number === 1 && segment.isHeader) return message.delimiters.field;
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

/** Shorter ones are resolved as fast as they are found again; longer ones are documents, and asked for once. */
const [shortestKept, longestKept] = [256, 256 * 1024];

/** Resolves the escapes of a piece of text that was split already. */
export const unescapeText = (message: Hl7Message, text: string): string =>
  text.length < shortestKept || text.length > longestKept
    ? unescapeValue(text, message.delimiters, message.charset)
    : resolvedIn(message, text).value;

const unescapeTrimmed = (message: Hl7Message, text: string): string =>
  text.length < shortestKept || text.length > longestKept
    ? unescapeValue(text, message.delimiters, message.charset).trim()
    : resolvedIn(message, text).trimmed;

function resolvedIn(message: Hl7Message, text: string): { value: string; trimmed: string } {
  message.resolved ??= new Map();
  let found = message.resolved.get(text);
  if (found === undefined) {
    const value = unescapeValue(text, message.delimiters, message.charset);
    found = { value, trimmed: value.trim() };
    message.resolved.set(text, found);
  }
  return found;
}

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
  if (field <= 2 && segment.isHeader) return fieldText(message, segment, field);
  const bounds = segment.bounds ?? findBounds(message, segment);
  const index = segment.isHeader ? field - 1 : field;
  const before = index === 0 ? 1 : bounds[index - 1];
  if (before === undefined) return '';
  if ((before & 1) === 0) {
    // Most fields: one value and nothing to resolve.
    if (repetition !== 1 || component !== 1 || (subcomponent !== undefined && subcomponent !== 1)) return '';
    const start = (before >> 1) + 1;
    const next = bounds[index];
    const end = next === undefined ? segment.end : next >> 1;
    return start === end ? '' : message.text.slice(start, end);
  }
  if (index > 0 && repetition === 1 && component === 1 && subcomponent === undefined) {
    const next = bounds[index];
    return firstComponent(message, (before >> 1) + 1, next === undefined ? segment.end : next >> 1);
  }
  spanField(message, segment, field);
  spanPiece(message, message.separators.repetition, repetition);
  spanComponent(message, component, subcomponent);
  return spanText(message);
}

/** What a field begins with, up to its first delimiter of repetitions or components; looked through once. */
function firstComponent(message: Hl7Message, start: number, fieldEnd: number): string {
  const { text, separators } = message;
  const { repetition, component } = separators;
  let escapes = false;
  let end = start;
  for (; end < fieldEnd; end++) {
    const unit = unitAt(text, end);
    if (unit === component || unit === repetition) break;
    if (unit === separators.escape) escapes = true;
  }
  const value = text.slice(start, end);
  return escapes ? unescapeText(message, value) : value;
}

/** Component (and subcomponent) of one repetition, unescaped; `''` when there is none. */
export function componentOf(message: Hl7Message, repetition: string, component: number, subcomponent?: number): string {
  let text = piece(repetition, message.delimiters.component, component);
  if (text !== '' && subcomponent !== undefined) text = piece(text, message.delimiters.subcomponent, subcomponent);
  return text === '' ? '' : unescapeText(message, text);
}
