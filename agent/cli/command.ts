import type { Registry } from '../registry.ts';
import type { Bilingual, Language } from '../support/text.ts';

/** What a command may touch. stdout is for data, stderr for talk. */
export interface CliContext {
  lang: Language;
  json: boolean;
  env: Readonly<Record<string, string | undefined>>;
  /** What the adapters offer; loaded on first use, so that `version` does not wait for them. */
  registry(): Promise<Registry>;
  /** Writes a line. */
  out(line: string): void;
  talk(line: string): void;
  /** A line that a person types, or that comes in by standard input: what must not stand on the command line. */
  ask(question: string): Promise<string>;
}

export type OptionValue = string | boolean | undefined;

export interface Command {
  name: string;
  /** How it is called, after `qianzhi`. */
  usage: string;
  summary: Bilingual;
  options: Readonly<Record<string, { type: 'string' | 'boolean' }>>;
  /** It looks at the words after its name itself; others take none. */
  takesWords?: true;
  /** Returns the exit code. Throws UsageError, or QianzhiError for the rest. */
  run(context: CliContext, words: string[], options: Record<string, OptionValue>): Promise<number>;
}

/** The command was called wrongly; exit code 2. */
export class UsageError extends Error {
  readonly text: Bilingual;
  constructor(text: Bilingual) {
    super(text.en);
    this.name = 'UsageError';
    this.text = text;
  }
}

/** The path given by `--config`; commands that need one refuse to guess. */
export function configOption(options: Record<string, OptionValue>): string {
  if (typeof options.config === 'string' && options.config !== '') return options.config;
  throw new UsageError({
    zh: '请用 --config 指定配置文件。',
    en: 'Name the configuration file with --config.',
  });
}

/** A whole number in decimal digits, or undefined. */
export const wholeNumber = (word: OptionValue): number | undefined =>
  typeof word === 'string' && /^(0|[1-9]\d{0,14})$/.test(word) ? Number(word) : undefined;

export const platformOption = (options: Record<string, OptionValue>): { platform?: string } =>
  typeof options.platform === 'string' ? { platform: options.platform } : {};
