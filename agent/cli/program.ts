import { parseArgs } from 'node:util';
import { errnoOf } from '../support/errors.ts';
import { languageFrom } from '../support/text.ts';
import { type CliContext, type Command, type OptionValue, UsageError } from './command.ts';
import { reportError } from './error-report.ts';
import { exitCode, exitCodeForError } from './exit-codes.ts';
import { helpText } from './help.ts';

const commonOptions = {
  json: { type: 'boolean' },
  lang: { type: 'string' },
  help: { type: 'boolean' },
  version: { type: 'boolean' },
} as const;

/** Runs one command line and returns its exit code. Never throws. */
export async function runProgram(
  args: string[],
  commands: readonly Command[],
  surroundings: Omit<CliContext, 'lang' | 'json'>,
): Promise<number> {
  const context: CliContext = {
    ...surroundings,
    // Known before the rest is parsed, so that a usage error is told in the reader's language.
    lang: languageFrom(langOption(args), surroundings.env),
    json: args.includes('--json'),
  };
  try {
    const { words, options } = parse(args, commands);
    const [first, ...rest] = words;
    const name = options.version === true ? 'version' : first;
    if (options.help === true || name === undefined || name === 'help') {
      context.out(helpText(commands, context.lang));
      return name === undefined && options.help !== true ? exitCode.usage : exitCode.ok;
    }
    const command = commands.find((entry) => entry.name === name);
    if (command === undefined) {
      throw new UsageError({ zh: `没有 ${name} 这个命令。`, en: `There is no command ${name}.` });
    }
    for (const option of Object.keys(options)) {
      if (!Object.hasOwn(commonOptions, option) && !Object.hasOwn(command.options, option)) {
        throw new UsageError({
          zh: `${command.name} 没有 --${option} 选项。`,
          en: `${command.name} has no option --${option}.`,
        });
      }
    }
    if (rest.length > 0 && !command.takesWords) {
      throw new UsageError({ zh: `多余的参数：${rest.join(' ')}`, en: `Too many arguments: ${rest.join(' ')}` });
    }
    return await command.run(context, rest, options);
  } catch (error) {
    if (error instanceof UsageError) return reportUsage(context, error);
    reportError(context, error);
    return exitCodeForError(error);
  }
}

function parse(
  args: string[],
  commands: readonly Command[],
): { words: string[]; options: Record<string, OptionValue> } {
  const options: Record<string, { type: 'string' | 'boolean' }> = Object.assign(
    {},
    commonOptions,
    ...commands.map((command) => command.options),
  );
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true, strict: true });
    const lang = values.lang;
    if (lang !== undefined && lang !== 'zh' && lang !== 'en') {
      throw new UsageError({ zh: '--lang 只能是 zh 或 en。', en: '--lang must be zh or en.' });
    }
    return { words: positionals, options: { ...values } as Record<string, OptionValue> };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const unknown = errnoOf(error) === 'ERR_PARSE_ARGS_UNKNOWN_OPTION';
    // Its name and no more of what was typed, which may be anybody's.
    const name = args.find((arg) => /^--[a-z-]+(=|$)/.test(arg) && !(arg.replace(/^--|=.*$/gs, '') in options));
    const shown = name === undefined ? '' : ` ${name.replace(/=.*$/s, '')}`;
    throw new UsageError(
      unknown
        ? { zh: `有不认识的选项${shown}。`, en: `Unknown option${shown}.` }
        : { zh: '选项缺少取值，或不该有取值。', en: 'An option lacks its value, or must not have one.' },
    );
  }
}

/** `--lang en` or `--lang=en`. */
function langOption(args: readonly string[]): string | undefined {
  const at = args.indexOf('--lang');
  if (at >= 0) return args[at + 1];
  return args.find((arg) => arg.startsWith('--lang='))?.slice('--lang='.length);
}

function reportUsage({ lang, json, talk }: CliContext, error: UsageError): number {
  const fix = { zh: '用 qianzhi help 查看用法。', en: 'See qianzhi help.' }[lang];
  const message = error.text[lang];
  talk(json ? JSON.stringify({ code: 'USAGE', message, fix }) : `${message}${lang === 'en' ? ' ' : ''}${fix}`);
  return exitCode.usage;
}
