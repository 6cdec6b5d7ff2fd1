import type { MessageReader } from '../../../agent/mapping/mapper.ts';
import type { Bilingual } from '../../../agent/support/text.ts';
import { throwIfAny } from '../../../config/config-error.ts';
import { message } from '../../../config/messages.ts';
import { at, describeIssues, type SchemaIssue } from '../../../config/schema-issues.ts';
import { suggest } from '../../../config/suggest.ts';
import { parseTextOf, type TextUnderCheck } from '../../../config/text-issues.ts';
import type { Path } from '../../../config/yaml-document.ts';
import { type Family, familiesOf } from '../extract/message-type.ts';
import { compileRules, readerOf } from './compile.ts';
import { extendProfile } from './extend.ts';
import type { CompiledProfile } from './rules.ts';
import { type Profile, profileSchema } from './schema.ts';

/** Compiles a source profile (YAML text) into a reader of its messages. Throws as `checkProfile` does. */
export function compileProfile(profileText: string): MessageReader {
  return readerOf(checkProfile(profileText).compiled);
}

/**
 * A source profile, whole (`extends` filled in) and with its defaults, beside the rules compiled from it. Everything is
 * checked here: keys, paths (segment, field, where it may stand), functions, tables.
 * Throws ConfigError with a CFG-5009 issue for each mistake, at its line and column of `file`.
 */
export function checkProfile(profileText: string, file = 'profile'): { profile: Profile; compiled: CompiledProfile } {
  const text = parseTextOf(profileText, file, 'CFG-5009');
  const { value, issues: ofExtending } = extendProfile(text.yaml.value ?? {});
  if (ofExtending.length > 0) throwIfAny(ofExtending.map(text.issue));
  const parsed = profileSchema.safeParse(value);
  if (!parsed.success) {
    const found = describeIssues(parsed.error.issues, profileSchema, value, text.yaml.value);
    const rest = profileSchema.safeParse(without(value, found));
    const compiled = rest.success ? checkCompiled(rest.data, text) : undefined;
    throwIfAny([...found.map(text.issue), ...(compiled?.issues ?? [])]);
    throw new Error('a profile that does not parse has an issue');
  }
  const { compiled, issues } = checkCompiled(parsed.data, text);
  throwIfAny(issues);
  return { profile: parsed.data, compiled };
}

/** What a schema does not see: whether message types have readers, paths can stand where they do, tables are of use. */
function checkCompiled(profile: Profile, text: TextUnderCheck) {
  const issues = [...checkTypes(profile), ...checkTables(profile), ...checkEmpty(profile)].map(text.issue);
  const compiled = compileRules(profile, (path, error) => {
    // A section that leaves a path out is read by another's, where the mistake is told.
    if (at(profile, path) !== undefined) issues.push(text.issueWithin(path, error.at, error.reason));
  });
  return { compiled, issues };
}

const wrong = (path: Path, text: Bilingual, atKey = false): SchemaIssue => ({
  code: 'CFG-5009',
  path: [...path],
  atKey,
  message: text,
});

function checkTypes(profile: Profile): SchemaIssue[] {
  const lost = profile.heartbeat.types.flatMap((pattern, i) =>
    familiesOf(pattern).size === 0 ? [] : [wrong(['heartbeat', 'types', i], message.carriesSomething())],
  );
  const accepted = profile.intake.types.accept.flatMap((pattern, i) => {
    const path = ['intake', 'types', 'accept', i];
    const families = familiesOf(pattern);
    if (families.size === 0) return [wrong(path, message.noReader())];
    const section = sectionMissing(profile, families);
    return section === undefined ? [] : [wrong(path, message.needsSection(section))];
  });
  return [...lost, ...accepted];
}

/** The section of the profile without which a family cannot be read. */
function sectionMissing(profile: Profile, families: ReadonlySet<Family>): string | undefined {
  const needs = { merges: 'merge', orders: 'order', prescriptions: 'prescription', documents: 'document' } as const;
  for (const [family, section] of Object.entries(needs) as Array<[keyof typeof needs, keyof Profile]>) {
    if (families.has(family) && profile[section] === undefined) return section;
  }
  return undefined;
}

function checkEmpty({ items, corrections, assembly }: Profile): SchemaIssue[] {
  const isInParts = corrections === 'delta' || assembly.quiet_seconds > 0;
  return items.empty === 'leave-out' && isInParts ? [wrong(['items', 'empty'], message.emptyWithDelta())] : [];
}

const ownTables = Object.keys(profileSchema.shape.tables.shape);

/** A table that no path looks up is mostly one of the program's with a slip in its name, and would do nothing. */
function checkTables({ tables, ...paths }: Profile): SchemaIssue[] {
  const used = new Set(
    [...JSON.stringify(paths).matchAll(/\blookup\s*\(\s*([a-z_][a-z0-9_]*)/g)].map(([, name]) => name),
  );
  return Object.keys(tables)
    .filter((name) => !ownTables.includes(name) && !used.has(name))
    .map((name) => wrong(['tables', name], message.unusedTable(suggest(name, ownTables)), true));
}

/** The profile without what is wrong, so that what else is wrong shows as well. */
function without(value: unknown, issues: readonly SchemaIssue[]): unknown {
  const rest = structuredClone(value);
  const defaults = usualProfile();
  for (const { path } of issues) {
    const last = path.at(-1);
    const parent = at(rest, path.slice(0, -1));
    if (last === undefined || parent === null || typeof parent !== 'object') continue;
    const usual = at(defaults, path.slice(0, -1));
    const entries = parent as Record<string | number, unknown>;
    const isUsual = typeof usual === 'object' && usual !== null && Object.hasOwn(usual, last);
    if (isUsual) entries[last] = structuredClone((usual as typeof entries)[last]);
    else delete entries[last];
  }
  return rest;
}

/** A profile with everything that must stand in one. */
const usualProfile = (): unknown =>
  extendProfile({ extends: 'cn-default', profile_version: 1, name: 'x', title: { zh: 'x', en: 'x' } }).value;
