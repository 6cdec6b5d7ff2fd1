import type { ControlBody } from '../control/routes.ts';
import { notResentWord } from '../status/study-words.ts';
import { texts } from '../status/text.ts';
import type { NotResent } from '../store/image-contract.ts';
import { type Agent, withAgent } from './ask-agent.ts';
import { type CliContext, type Command, platformOption, UsageError, wholeNumber } from './command.ts';
import { exitCode } from './exit-codes.ts';

/** One image of a study. */
export const instance: Command = {
  name: 'instance',
  usage: 'instance resend N [--platform P] --config FILE',
  summary: {
    zh: '重发一幅影像（读不出的重新读取；编号相同内容不同的只能这样逐幅发送）',
    en: 'send one image again (one that could not be read is read again)',
  },
  takesWords: true,
  options: { config: { type: 'string' }, platform: { type: 'string' } },
  async run(context, [verb, word, ...rest], options) {
    const n = wholeNumber(word);
    if (verb !== 'resend' || n === undefined || rest.length > 0) {
      throw new UsageError({
        zh: '用法：instance resend 影像编号（用 study show 查出）。',
        en: 'Use: instance resend N (study show tells the number).',
      });
    }
    return withAgent(context, options, (agent) =>
      resend(context, agent, '/instances/resend', { n, ...platformOption(options) }),
    );
  },
};

/** Sends again and says how many, and why not the rest; exit code 3 where nothing is sent. */
export async function resend<P extends '/studies/resend' | '/instances/resend'>(
  context: CliContext,
  { ask }: Agent,
  path: P,
  body: ControlBody<P>,
): Promise<number> {
  const { resent, rest } = await ask(path, body);
  const { lang, json, out } = context;
  const text = texts[lang];
  if (json) out(JSON.stringify({ resent, rest }));
  else {
    const lines = rest.map(({ platform, why, count }: { platform: string; why: NotResent; count: number }) =>
      text.notResentLine(platform, count, notResentWord(text, why)),
    );
    out([resent > 0 ? text.imagesResent(resent) : text.nothingResent, ...lines.map((line) => `  ${line}`)].join('\n'));
  }
  return resent > 0 ? exitCode.ok : exitCode.degraded;
}
