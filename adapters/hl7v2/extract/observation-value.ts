import {
  componentOf,
  explicitNull,
  fieldText,
  type Hl7Message,
  piece,
  repetitionsOf,
  type Segment,
  unescapeText,
  valueAt,
} from '../parser.ts';

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
  const text = piece(fieldText(message, segment, field), message.delimiters.repetition, 1);
  if (text === '' || text === explicitNull) return undefined;
  const first = componentOf(message, text, 1).trim();
  const second = componentOf(message, text, 2).trim();
  if (/^[x×*]?\s*10$/i.test(first) && /^-?\d+/.test(second)) return `${first}${message.delimiters.component}${second}`;
  return first || second || undefined;
}

/** Value types whose repetitions are lines of one text. */
const textTypes = new Set(['TX', 'FT']);
/** Coded types: the text is what a reader wants, else the code. */
const codedTypes = new Set(['CE', 'CWE', 'CNE', 'CF', 'CD']);
/** Types that carry a document or point to one; a value of a laboratory item they are not. */
const payloadTypes = new Set(['ED', 'RP']);

/** Whether an OBX holds an attachment (ED) or a pointer (RP) instead of a value. */
export const isPayload = (message: Hl7Message, segment: Segment): boolean =>
  payloadTypes.has(valueAt(message, segment, 2).trim().toUpperCase());

/**
 * The observed value of an OBX by its value type (OBX-2), unescaped, otherwise exactly as sent.
 * TX and FT: repetitions are lines. Coded types: text, else code, of each repetition, a line each.
 * SN: its parts in one (`>100`). Everything else, unknown and absent types too: the whole field as
 * written, since senders leave `^` and `~` unescaped in plain text. Blanks around a plain number go.
 * Undefined when empty, an explicit null, an attachment (ED) or a pointer (RP).
 */
export function observedText(message: Hl7Message, segment: Segment, field: number): string | undefined {
  const text = fieldText(message, segment, field);
  if (text === '' || text === explicitNull) return undefined;
  const type = valueAt(message, segment, 2).trim().toUpperCase();
  if (payloadTypes.has(type)) return undefined;
  let value: string;
  if (textTypes.has(type)) {
    value = repetitionsOf(message, text)
      .map((line) => unescapeText(message, line))
      .join('\n');
  } else if (codedTypes.has(type) && text.includes(message.delimiters.component)) {
    value = repetitionsOf(message, text)
      .map(
        (coded) => componentOf(message, coded, 2) || componentOf(message, coded, 1) || componentOf(message, coded, 9),
      )
      .filter((line) => line !== '')
      .join('\n');
  } else if (type === 'SN' && text.includes(message.delimiters.component)) {
    value = [1, 2, 3, 4].map((n) => componentOf(message, text, n)).join('');
  } else {
    value = unescapeText(message, text);
  }
  const trimmed = value.trim();
  if (trimmed === '') return undefined;
  return isPlainNumber(trimmed) ? trimmed : value;
}

/** Whether a value is a plain decimal number by its characters, whatever its declared type (`>5000` is not). */
export const isPlainNumber = (value: string): boolean => /^-?\d+(\.\d+)?$/.test(value);
