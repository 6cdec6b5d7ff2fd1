import { unitAt } from '../../../../agent/support/code-units.ts';
import {
  componentOf,
  explicitNull,
  fieldText,
  type Hl7Message,
  repetitionsOf,
  type Segment,
  spanComponent,
  spanField,
  spanPiece,
  spanTrimmed,
  unescapeText,
  valueAt,
} from '../../parser.ts';

/**
 * The whole field as the sender wrote it, unescaped, unescaped delimiters kept as characters: `3.5~9.5`
 * in a reference range is a range, not two values. Undefined when empty or an explicit null.
 */
export function rawFieldText(message: Hl7Message, segment: Segment, field: number): string | undefined {
  const text = fieldText(message, segment, field);
  return text === '' || text === explicitNull ? undefined : unescapeText(message, text);
}

/**
 * A unit: component 1, else 2 (`^mmol/L`). A unit sent with its power unescaped (`10^9/L`) falls apart
 * at the component separator; it is put together again, since `10` alone would be another quantity.
 */
export function unitText(message: Hl7Message, segment: Segment, field: number): string | undefined {
  const component = (n: number): string => {
    spanField(message, segment, field);
    spanPiece(message, message.separators.repetition, 1);
    spanComponent(message, n, undefined);
    return spanTrimmed(message);
  };
  const first = component(1);
  if (first === '') return component(2) || undefined;
  if (first.endsWith('10') && /^[x×*]?\s*10$/i.test(first)) {
    const second = component(2);
    if (/^-?\d+/.test(second)) return `${first}${message.delimiters.component}${second}`;
  }
  return first === explicitNull && isExplicitNull(message, segment, field) ? undefined : first;
}

/**
 * The first component of the first repetition with a Chinese character in it: senders write a name as `汉字`,
 * `pinyin^汉字` or `汉字^pinyin`. Undefined when none has one.
 */
export function chineseText(message: Hl7Message, segment: Segment, field: number): string | undefined {
  for (let component = 1; component <= namePieces; component++) {
    spanField(message, segment, field);
    spanPiece(message, message.separators.repetition, 1);
    spanComponent(message, component, undefined);
    const value = spanTrimmed(message);
    if (/\p{Script=Han}/u.test(value)) return value;
  }
  return undefined;
}

/** A name lies in its first pieces (XPN: family, given, further names); what follows are titles and codes. */
const namePieces = 3;

/** Whether the first repetition of a field is an explicit null and nothing else. */
function isExplicitNull(message: Hl7Message, segment: Segment, field: number): boolean {
  spanField(message, segment, field);
  spanPiece(message, message.separators.repetition, 1);
  return message.text.slice(message.span.start, message.span.end) === explicitNull;
}

type ValueType = 'text' | 'coded' | 'structured' | 'payload' | 'waveform' | 'other';
const valueTypes = new Map<string, ValueType>([
  // Repetitions are lines of one text.
  ...['TX', 'FT'].map((type) => [type, 'text'] as const),
  // The text is what a reader wants, else the code.
  ...['CE', 'CWE', 'CNE', 'CF', 'CD'].map((type) => [type, 'coded'] as const),
  ['SN', 'structured'],
  // A document or a pointer to one; a value of a laboratory item it is not.
  ...['ED', 'RP'].map((type) => [type, 'payload'] as const),
  // Samples of a curve.
  ...['NA', 'MA'].map((type) => [type, 'waveform'] as const),
  ...['NM', 'ST'].map((type) => [type, 'other'] as const),
]);

function valueTypeOf(message: Hl7Message, segment: Segment): ValueType {
  // Most are NM or ST, and every result is asked twice: seen without cutting anything out.
  if (declares(message, segment, 'N', 'M') || declares(message, segment, 'S', 'T')) return 'other';
  const type = valueAt(message, segment, 2);
  return valueTypes.get(type) ?? valueTypes.get(type.trim().toUpperCase()) ?? 'other';
}

/** Whether OBX-2 is exactly these two letters. */
function declares(message: Hl7Message, segment: Segment, first: string, second: string): boolean {
  spanField(message, segment, 2);
  const { start, end } = message.span;
  return end - start === 2 && message.text[start] === first && message.text[start + 1] === second;
}

/** OBX-2 in capitals. */
export const valueTypeName = (message: Hl7Message, segment: Segment): string =>
  valueAt(message, segment, 2).trim().toUpperCase();

/** What an OBX holds instead of a value: an attachment (ED), a pointer (RP), or a stretch of a waveform. */
export function insteadOfValue(message: Hl7Message, segment: Segment): 'payload' | 'waveform' | undefined {
  const type = valueTypeOf(message, segment);
  return type === 'payload' || type === 'waveform' ? type : undefined;
}

/** Whether an OBX declares a number (NM, SN). */
export const declaresNumber = (message: Hl7Message, segment: Segment): boolean =>
  declares(message, segment, 'N', 'M') || declares(message, segment, 'S', 'N');

/**
 * The observed value of an OBX by its value type (OBX-2), unescaped, otherwise exactly as sent.
 * TX and FT: repetitions are lines. Coded types: text, else code, of each repetition, a line each.
 * SN: its parts in one (`>100`). Everything else, unknown and absent types too: the whole field as
 * written, since senders leave `^` and `~` unescaped in plain text. Blanks around a plain number go.
 * Undefined when empty, an explicit null, an attachment (ED), a pointer (RP) or a waveform.
 */
export function observedText(message: Hl7Message, segment: Segment, field: number): string | undefined {
  const text = fieldText(message, segment, field);
  if (text === '' || text === explicitNull) return undefined;
  const type = valueTypeOf(message, segment);
  if (type === 'payload' || type === 'waveform') return undefined;
  let value: string;
  if (type === 'text') {
    value = repetitionsOf(message, text)
      .map((line) => unescapeText(message, line))
      .join('\n');
  } else if (type === 'coded' && text.includes(message.delimiters.component)) {
    value = repetitionsOf(message, text)
      .map(
        // Text, else code, else the text as it was written, else the alternate text or code (CWE.2, 1, 9, 5, 4).
        (coded) => [2, 1, 9, 5, 4].map((n) => componentOf(message, coded, n)).find((part) => part !== '') ?? '',
      )
      .filter((line) => line !== '')
      .join('\n');
  } else if (type === 'structured' && text.includes(message.delimiters.component)) {
    value = [1, 2, 3, 4].map((n) => componentOf(message, text, n)).join('');
  } else {
    value = unescapeText(message, text);
  }
  const trimmed = value.trim();
  if (trimmed === '') return undefined;
  return isPlainNumber(trimmed) ? trimmed : value;
}

/** Whether a value is a plain decimal number by its characters, whatever its declared type (`>5000` is not). */
export function isPlainNumber(value: string): boolean {
  const { length } = value;
  let digits = 0;
  let point = -1;
  for (let at = unitAt(value, 0) === 45 ? 1 : 0; at < length; at++) {
    const unit = unitAt(value, at);
    if (unit >= 48 && unit <= 57) digits += 1;
    else if (unit === 46 && point < 0 && digits > 0) point = at;
    else return false;
  }
  return digits > 0 && point !== length - 1;
}
