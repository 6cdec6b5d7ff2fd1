import { builtInText, hl7Dialects } from '../../../config/built-in.ts';
import { message } from '../../../config/messages.ts';
import type { SchemaIssue } from '../../../config/schema-issues.ts';
import { suggest } from '../../../config/suggest.ts';
import { type Path, parseYamlText } from '../../../config/yaml-document.ts';

type Entries = Record<string, unknown>;

export interface Extended {
  /** The profile as a whole, as if it had been written without `extends`. Not checked yet. */
  value: unknown;
  /** What is wrong with `extends` and `drop` themselves. */
  issues: SchemaIssue[];
}

/** A profile's own in any case: nobody is called as what he extends is. */
const neverInherited = new Set(['profile_version', 'name', 'title', 'extends', 'drop']);

/**
 * What a profile says with what it takes from the built-in profile that it `extends`. Taken is every key of every section
 * that it does not write itself; a key that it writes is its own as a whole (a code of one place and a name of another
 * would be no pair); only `tables` are joined entry by entry. `drop` names what is not taken.
 */
export function extendProfile(own: unknown): Extended {
  if (!isEntries(own) || (own.extends === undefined && own.drop === undefined)) return { value: own, issues: [] };
  const { extends: named, drop = [], ...rest } = own;
  if (named === undefined) return refused(own, ['drop'], message.dropsNothing(), true);
  if (typeof named !== 'string' || !hl7Dialects.includes(named)) {
    const meant = typeof named === 'string' ? suggest(named, hl7Dialects) : undefined;
    return refused(own, ['extends'], message.noDialect(hl7Dialects.join(', '), meant));
  }
  if (!Array.isArray(drop)) return refused(own, ['drop'], message.wrongType('array'));
  const base = dialect(named);
  const issues: SchemaIssue[] = [];
  for (const [i, place] of drop.entries()) {
    if (typeof place === 'string' && remove(base, place)) continue;
    issues.push(issue(['drop', i], message.nothingToDrop(named)));
  }
  return { value: join(base, rest), issues };
}

/** A built-in profile as a whole, with nothing left of its own name. */
function dialect(name: string): Entries {
  const { value } = extendProfile(parseYamlText(builtInText('profile', name).text).value);
  return Object.fromEntries(Object.entries(value as Entries).filter(([key]) => !neverInherited.has(key)));
}

function join(base: Entries, own: Entries): Entries {
  return merged(base, own, (section, inBase, inOwn) =>
    merged(
      inBase,
      inOwn,
      section === 'tables' ? (_table, entries, ownEntries) => merged(entries, ownEntries) : undefined,
    ),
  );
}

/** The entries of both, the second's for the first's; what both have as entries, by `inner`. */
function merged(base: Entries, own: Entries, inner?: (key: string, base: Entries, own: Entries) => Entries): Entries {
  const both = Object.entries(own).map(([key, value]): [string, unknown] => {
    const before = Object.hasOwn(base, key) ? base[key] : undefined;
    return [key, inner && isEntries(before) && isEntries(value) ? inner(key, before, value) : value];
  });
  return Object.fromEntries([...Object.entries(base), ...both]);
}

/** Removes the entry at `a.b.c`, whose keys may have dots themselves; false when there is none. */
function remove(entries: Entries, place: string): boolean {
  if (Object.hasOwn(entries, place)) return delete entries[place];
  return Object.entries(entries).some(
    ([key, value]) => place.startsWith(`${key}.`) && isEntries(value) && remove(value, place.slice(key.length + 1)),
  );
}

const isEntries = (value: unknown): value is Entries =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

const issue = (path: Path, text: SchemaIssue['message'], atKey = false): SchemaIssue => ({
  code: 'CFG-5009',
  path: [...path],
  atKey,
  message: text,
});

const refused = (value: unknown, path: Path, text: SchemaIssue['message'], atKey = false): Extended => ({
  value,
  issues: [issue(path, text, atKey)],
});
