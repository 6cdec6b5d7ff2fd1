import type { MessageReader } from '../../../agent/mapping/mapper.ts';
import { QianzhiError } from '../../../agent/support/errors.ts';
import { type Path, parseYamlText, type YamlText } from '../../../config/yaml-document.ts';
import { type Family, familiesOf } from '../extract/message-type.ts';
import { compileRules, readerOf } from './compile.ts';
import type { CompiledProfile } from './rules.ts';
import { type Profile, profileSchema } from './schema.ts';

/**
 * Compiles a source profile (YAML text) into a reader of its messages. Everything is checked here: keys,
 * paths (segment, field, where it may stand), functions, tables.
 * Throws QianzhiError CFG-5009 with `where` = `line:column path (reason)`.
 */
export function compileProfile(profileText: string): MessageReader {
  return readerOf(checkProfile(profileText).compiled);
}

/** The compiled rules beside the profile they were made from, for tools that explain or list them. */
export function checkProfile(profileText: string): { profile: Profile; compiled: CompiledProfile } {
  const yaml = parseYamlText(profileText);
  const [problem] = yaml.problems;
  if (problem !== undefined) {
    throw new QianzhiError(
      'CFG-5009',
      `${problem.position.line}:${problem.position.column} (${problem.message.en.replace(/\.$/, '')})`,
    );
  }
  const parsed = profileSchema.safeParse(yaml.value ?? {});
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = (issue?.path ?? []).map((step) => (typeof step === 'symbol' ? String(step) : step));
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    if (unknown !== undefined) throw refuse(yaml, [...path, unknown], 'unknown key', true);
    throw refuse(yaml, path, issue?.message ?? 'not valid');
  }
  const profile = parsed.data;
  for (const [i, pattern] of profile.intake.types.accept.entries()) {
    const families = familiesOf(pattern);
    const at = ['intake', 'types', 'accept', i];
    if (families.size === 0) throw refuse(yaml, at, 'no reader for this message type');
    const section = sectionMissing(profile, families);
    if (section !== undefined) throw refuse(yaml, at, `this type needs the section ${section}`);
  }
  const lines = profileText.split(/\r?\n/);
  /** A path in quotes begins one column later than its value in the YAML. */
  const quoteWidth = (path: Path): number => {
    const { line, column } = yaml.positionOf(path);
    return /['"]/.test(lines[line - 1]?.[column - 1] ?? '') ? 1 : 0;
  };
  const compiled = compileRules(profile, (path, error) =>
    refuse(yaml, path, error.message, false, error.at + quoteWidth(path)),
  );
  return { profile, compiled };
}

/** The section of the profile without which a family cannot be read. */
function sectionMissing(profile: Profile, families: ReadonlySet<Family>): string | undefined {
  const needs = { merges: 'merge', orders: 'order', prescriptions: 'prescription', documents: 'document' } as const;
  for (const [family, section] of Object.entries(needs) as Array<[keyof typeof needs, keyof Profile]>) {
    if (families.has(family) && profile[section] === undefined) return section;
  }
  return undefined;
}

function refuse(yaml: YamlText, path: Path, reason: string, key = false, offset = 0): QianzhiError {
  const { line, column } = key ? yaml.positionOfKey(path) : yaml.positionOf(path);
  return new QianzhiError('CFG-5009', `${line}:${column + offset} ${path.join('.')} (${reason})`);
}
