import { type ErrorCode, QianzhiError } from '../agent/support/errors.ts';
import type { Bilingual } from '../agent/support/text.ts';

/** One thing wrong with a configuration file, a source profile or a province pack. */
export interface ConfigIssue {
  code: ErrorCode;
  /** The file as the person named it. */
  file: string;
  /** From 1; undefined when the place is not known. */
  line?: number;
  column?: number;
  /** `sources[0].port`; empty for the whole file. */
  path: string;
  message: Bilingual;
}

/** The configuration cannot be used; nothing was opened. Exit code 78. `code` is that of the first issue. */
export class ConfigError extends QianzhiError {
  readonly issues: readonly ConfigIssue[];
  constructor(issues: readonly [ConfigIssue, ...ConfigIssue[]]) {
    const [first] = issues;
    super(first.code, placeOf(first));
    this.name = 'ConfigError';
    this.issues = issues;
  }
}

/** `file:line:column`, as editors and terminals understand it. */
export function placeOf(issue: ConfigIssue): string {
  if (issue.line === undefined) return issue.file;
  return `${issue.file}:${issue.line}:${issue.column ?? 1}`;
}

/** Throws ConfigError when there is any issue, in the order of their lines. */
export function throwIfAny(issues: ConfigIssue[]): void {
  const [first, ...rest] = [...issues].sort(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
  if (first !== undefined) throw new ConfigError([first, ...rest]);
}

/** `['sources', 0, 'port']` as `sources[0].port`. */
export const pathText = (path: ReadonlyArray<PropertyKey>): string =>
  path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');
