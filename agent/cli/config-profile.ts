import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { builtInProfiles, builtInText, isBuiltInName } from '../../config/built-in.ts';
import { ConfigError } from '../../config/config-error.ts';
import { readText } from '../../config/load.ts';
import type { Reading, Statement } from '../mapping/mapper.ts';
import type { Registry } from '../registry.ts';
import { errorTable, isErrorCode, QianzhiError } from '../support/errors.ts';
import { phi } from '../support/phi.ts';
import { type CliContext, UsageError } from './command.ts';

/** Where no configuration says otherwise. */
const timeZone = 'Asia/Shanghai';

/**
 * `config profile`: the names of the built-in source profiles; of one, or of a file, the profile whole, as it is in force
 * (`extends` filled in, defaults written out); with a message, what it makes of that. Throws ConfigError with all that is
 * wrong with it.
 */
export async function showProfile(context: CliContext, named: string | undefined, messageFile?: string): Promise<void> {
  const registry = await context.registry();
  if (named === undefined) {
    if (messageFile !== undefined) {
      throw new UsageError({
        zh: '请写接入规则的名称或文件，例如：qianzhi config profile cn-default --message 文件',
        en: 'Name a profile or its file, for example: qianzhi config profile cn-default --message FILE',
      });
    }
    const names = builtInProfiles;
    context.out(context.json ? JSON.stringify(names) : names.join('\n'));
    return;
  }
  const { language, checked } = checkedBy(registry, profileText(named));
  if (messageFile === undefined) {
    context.out(context.json ? JSON.stringify(checked) : asYaml(checked));
    return;
  }
  const raw = phi<Uint8Array>(fileBytes(messageFile));
  const reading = language.compile(checked).read(raw, { receivedMs: Date.now(), source: 'profile', timeZone });
  const said = saidBy(reading).map((one) => inWords(one, context));
  context.out(context.json ? JSON.stringify({ type: reading.type, said }) : asYaml({ type: reading.type, said }));
}

/** What stands in it twice is written twice. */
const asYaml = (value: unknown): string => stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 }).trimEnd();

function profileText(named: string): { path: string; text: string } {
  if (!isBuiltInName(named)) {
    try {
      return { path: named, text: readText(named) };
    } catch (error) {
      if (!(error instanceof QianzhiError) || error.code !== 'CFG-5001') throw error;
      throw new UsageError({
        zh: `接入规则文件读不到（${named}）。请检查路径与权限。`,
        en: `The profile's file cannot be read (${named}). Check its path and permissions.`,
      });
    }
  }
  try {
    return builtInText('profile', named);
  } catch {
    throw new UsageError({
      zh: `没有名为 ${named} 的内置接入规则；自己的文件请写路径，如 ./${named}.yaml。`,
      en: `There is no built-in profile ${named}; for a file of your own write its path, like ./${named}.yaml.`,
    });
  }
}

/** Whichever kind of source it is for. Of one that is wrong the mistakes are those of the kind it comes nearest to. */
function checkedBy({ profiles }: Registry, { path, text }: { path: string; text: string }) {
  const wrong: ConfigError[] = [];
  for (const language of profiles) {
    try {
      return { language, checked: language.check(text, path) };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      wrong.push(error);
    }
  }
  throw wrong.reduce((best, one) => (one.issues.length < best.issues.length ? one : best));
}

function fileBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch {
    throw new UsageError({
      zh: `消息文件读不到（${path}）。请检查 --message 后的路径与权限。`,
      en: `The message file cannot be read (${path}). Check the path after --message and its permissions.`,
    });
  }
}

const saidBy = (reading: Reading): Statement[] => {
  if (reading.kind === 'statements') return reading.statements;
  return [reading.kind === 'held' ? { held: reading } : { filtered: reading.rule }];
};

/** What becomes of a statement; what is held, with cause and fix. */
function inWords(statement: Statement, { lang }: CliContext): Record<string, unknown> {
  if ('held' in statement) {
    const { code, where } = statement.held;
    return { held: code, where, ...(isErrorCode(code) && errorTable[code][lang]) };
  }
  if ('filtered' in statement) {
    const { filtered } = statement;
    return { filtered, ...(isErrorCode(filtered) && errorTable[filtered][lang]) };
  }
  return statement;
}
