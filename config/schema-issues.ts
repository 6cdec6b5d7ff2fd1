import type { z } from 'zod';
import { type ErrorCode, errorTable, isErrorCode } from '../agent/support/errors.ts';
import { type Bilingual, splitLanguages } from '../agent/support/text.ts';
import { message } from './messages.ts';
import { keysOf, schemaAt } from './schema-walk.ts';
import { suggest } from './suggest.ts';

export interface SchemaIssue {
  code: ErrorCode;
  path: Array<string | number>;
  /** True when the issue is about the entry's name rather than its value. */
  atKey: boolean;
  message: Bilingual;
}

/**
 * What zod found, in our words. `value` is the data that was checked, `written` what of it stands in the file itself: it is
 * no suggestion for a misspelt key. A check of an adapter speaks for itself: its message is an error code of the table, or
 * `bothLanguages(zh, en)`.
 */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  schema: z.core.$ZodType,
  value: unknown,
  written = value,
): SchemaIssue[] {
  return issues.flatMap((issue): SchemaIssue[] => {
    const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
    const wrong = (text: Bilingual): SchemaIssue[] => [{ code: 'CFG-5003', path, atKey: false, message: text }];
    const given = at(value, path);
    if (issue.code === 'unrecognized_keys') {
      const known = keysOf(schemaAt(schema, value, path));
      const absent = known.filter((key) => at(written, [...path, key]) === undefined);
      return issue.keys.map((key) => ({
        code: 'CFG-5004',
        path: [...path, key],
        atKey: true,
        message: message.unknownKey(suggest(key, absent), known.join(', ')),
      }));
    }
    switch (issue.code) {
      case 'invalid_type':
        if (given === undefined) return wrong(message.missing());
        if (given === null) return wrong(message.empty());
        if (issue.expected === 'string' && typeof given !== 'object') return wrong(message.quoteText());
        return wrong(message.wrongType(issue.expected));
      case 'invalid_value':
        return wrong(choice(issue.values.map(String), given));
      case 'invalid_union':
        if ('options' in issue && Array.isArray(issue.options)) {
          // A bad discriminator. What is not even a map of entries has no kind to be wrong about.
          const parent = at(value, path.slice(0, -1));
          if (parent === null || typeof parent !== 'object') return wrong(message.wrongType('object'));
          return wrong(choice(issue.options.map(String), given));
        }
        if (given === undefined) return wrong(message.missing());
        return wrong(message.notValid());
      case 'too_small':
        if (given === '') return wrong(message.empty());
        return wrong(message.tooSmall(issue.origin, String(issue.minimum), issue.inclusive !== false));
      case 'too_big':
        return wrong(message.tooBig(issue.origin, String(issue.maximum), issue.inclusive !== false));
      case 'custom':
        return own(issue.message, path) ?? wrong(message.notValid());
      case 'invalid_format':
        return own(issue.message, path) ?? wrong(message.format(issue.format));
      default:
        return wrong(message.notValid());
    }
  });
}

/** The message that a check was given by its author: zod's own begin with `Invalid`. */
function own(text: string, path: Array<string | number>): SchemaIssue[] | undefined {
  if (isErrorCode(text)) {
    const { zh, en } = errorTable[text];
    const sentence = { zh: `${zh.title}：${zh.cause}${zh.fix}`, en: `${en.title}: ${en.cause} ${en.fix}` };
    return [{ code: text, path, atKey: false, message: sentence }];
  }
  if (text === '' || text.startsWith('Invalid')) return undefined;
  return [{ code: 'CFG-5003', path, atKey: false, message: splitLanguages(text) }];
}

function choice(values: string[], given: unknown): Bilingual {
  if (given === undefined) return message.missingChoice(values.join(', '));
  if (given === null) return message.empty();
  return message.choice(values.join(', '), typeof given === 'string' ? suggest(given, values) : undefined);
}

/** The value at a path, or undefined. */
export function at(value: unknown, path: ReadonlyArray<PropertyKey>): unknown {
  let current = value;
  for (const step of path) {
    if (current === null || typeof current !== 'object') return undefined;
    current = (current as Record<PropertyKey, unknown>)[step];
  }
  return current;
}
