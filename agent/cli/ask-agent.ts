import { loadConfig } from '../../config/load.ts';
import { type AskControl, controlOf, NotRunning } from '../control/client.ts';
import { type CliContext, configOption, type OptionValue } from './command.ts';
import { exitCode } from './exit-codes.ts';

/** The running agent of a configuration, and what a command needs to know of its site. */
export interface Agent {
  ask: AskControl;
  timeZone: string;
}

/** Runs `work` with the agent that `--config` names; where none runs that is said, with exit code 5. */
export async function withAgent(
  context: CliContext,
  options: Record<string, OptionValue>,
  work: (agent: Agent) => Promise<number>,
): Promise<number> {
  const config = loadConfig(configOption(options), await context.registry(), context.env);
  try {
    return await work({ ask: controlOf(config.data.folder), timeZone: config.site.time_zone });
  } catch (error) {
    if (!(error instanceof NotRunning)) throw error;
    return notRunning(context);
  }
}

function notRunning({ lang, json, talk }: CliContext): number {
  const text = {
    zh: {
      message: '前置机没有应答',
      cause: '使用这份配置的前置机没有在本机运行，或正在启动。',
      fix: '用 qianzhi status 查看；启动后再执行该命令。',
    },
    en: {
      message: 'The agent does not answer',
      cause: 'No agent runs on this machine with this configuration, or it is just starting.',
      fix: 'Look with qianzhi status; run the command again when the agent is up.',
    },
  }[lang];
  const join = lang === 'en' ? ' ' : '';
  talk(json ? JSON.stringify({ code: 'NOT-RUNNING', ...text }) : `${text.message}\n  ${text.cause}${join}${text.fix}`);
  return exitCode.notReachable;
}
