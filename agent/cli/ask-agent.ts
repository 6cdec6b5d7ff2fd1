import { loadConfig } from '../../config/load.ts';
import { type AskControl, controlOf, NoAnswer, NotRunning } from '../control/client.ts';
import type { Language } from '../support/text.ts';
import { type CliContext, configOption, type OptionValue } from './command.ts';
import { exitCode } from './exit-codes.ts';

/** The running agent of a configuration, and what a command needs to know of its site. */
export interface Agent {
  ask: AskControl;
  timeZone: string;
}

/**
 * Runs `work` with the agent that `--config` names; where none runs that is said, with exit code 5, and where it was asked
 * and its answer did not come, with exit code 1.
 */
export async function withAgent(
  context: CliContext,
  options: Record<string, OptionValue>,
  work: (agent: Agent) => Promise<number>,
): Promise<number> {
  const config = loadConfig(configOption(options), await context.registry(), context.env);
  try {
    return await work({ ask: controlOf(config.data.folder), timeZone: config.site.time_zone });
  } catch (error) {
    if (error instanceof NotRunning) return tell(context, 'NOT-RUNNING', notRunning, exitCode.notReachable);
    if (error instanceof NoAnswer) return tell(context, 'NO-ANSWER', noAnswer, exitCode.failure);
    throw error;
  }
}

const notRunning: Said = {
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
};
const noAnswer: Said = {
  zh: {
    message: '不知道结果',
    cause: '请求已送达前置机，但连接在得到答复之前中断或超时；要做的事可能已经做了，也可能没有。',
    fix: '先用 qianzhi study show 核对检查的状态，再决定是否重新执行该命令。',
  },
  en: {
    message: 'The outcome is not known',
    cause:
      'The agent was asked, and the connection broke or timed out before it answered: it may have been done, or not.',
    fix: 'Look at the study with qianzhi study show before you run the command again.',
  },
};
type Said = Record<Language, { message: string; cause: string; fix: string }>;

function tell({ lang, json, talk }: CliContext, code: string, said: Said, exit: number): number {
  const text = said[lang];
  const join = lang === 'en' ? ' ' : '';
  talk(json ? JSON.stringify({ code, ...text }) : `${text.message}\n  ${text.cause}${join}${text.fix}`);
  return exit;
}
