import type { ErrorCode } from '../agent/support/errors.ts';
import type { Bilingual } from '../agent/support/text.ts';
import { type ConfigIssue, pathText, throwIfAny } from './config-error.ts';
import { at, type SchemaIssue } from './schema-issues.ts';
import { type Path, type Position, parseYamlText, type YamlText } from './yaml-document.ts';

/** A source profile while it is checked: what is wrong with it, at its line and column. */
export interface TextUnderCheck {
  yaml: YamlText;
  issue(found: SchemaIssue): ConfigIssue;
  /** About the character at `offset` of the value at `path`. */
  issueWithin(path: Path, offset: number, text: Bilingual): ConfigIssue;
}

/** Parses the text of `file`. Throws ConfigError with `code` for every slip of YAML. */
export function parseTextOf(text: string, file: string, code: ErrorCode): TextUnderCheck {
  const yaml = parseYamlText(text);
  throwIfAny(yaml.problems.map(({ position, message }) => ({ code, file, ...position, path: '', message })));
  const lines = text.split(/\r?\n/);
  /** What comes from the profile that this one extends is nowhere in it but in that word. */
  const written = (path: Path): Path =>
    at(yaml.value, path.slice(0, 1)) === undefined && at(yaml.value, ['extends']) !== undefined ? ['extends'] : path;
  const issueAt = (position: Position, path: Path, message: Bilingual): ConfigIssue => ({
    code,
    file,
    ...position,
    path: pathText(path),
    message,
  });
  return {
    yaml,
    issue: ({ path, atKey, message }) =>
      issueAt(atKey ? yaml.positionOfKey(written(path)) : yaml.positionOf(written(path)), path, message),
    issueWithin(path, offset, message) {
      const { line, column } = yaml.positionOf(written(path));
      if (at(yaml.value, path) === undefined) return issueAt({ line, column }, path, message);
      // A value in quotes begins one column later than they do.
      const quote = /['"]/.test(lines[line - 1]?.[column - 1] ?? '') ? 1 : 0;
      return issueAt({ line, column: column + quote + offset }, path, message);
    },
  };
}
