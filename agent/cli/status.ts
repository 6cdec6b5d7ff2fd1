import { loadConfig } from '../../config/load.ts';
import type { Level, StatusModel } from '../status/model.ts';
import { passedOverLine } from '../status/passed-over.ts';
import { texts } from '../status/text.ts';
import { errorTable, isErrorCode } from '../support/errors.ts';
import type { Bilingual, Language } from '../support/text.ts';
import type { CliContext, Command } from './command.ts';
import { exitCode } from './exit-codes.ts';

const verdicts: Record<Level, { text: Bilingual; exit: number }> = {
  ok: { text: { zh: '正常', en: 'OK' }, exit: exitCode.ok },
  attention: { text: { zh: '需关注', en: 'Needs attention' }, exit: exitCode.degraded },
  paused: { text: { zh: '暂停', en: 'Paused' }, exit: exitCode.degraded },
  unknown: { text: { zh: '未知', en: 'Unknown' }, exit: exitCode.degraded },
  fault: { text: { zh: '故障', en: 'Fault' }, exit: exitCode.failure },
};

/** Asks the running agent on this machine; the same model as the page. */
export const status: Command = {
  name: 'status',
  usage: 'status [--json] [--config FILE]',
  summary: { zh: '查看运行状态（退出码 0 正常，3 需关注，1 故障，5 未运行）', en: 'show how the running agent is' },
  options: { config: { type: 'string' } },
  async run(context, _words, options) {
    const { host, port } =
      typeof options.config === 'string'
        ? loadConfig(options.config, await context.registry(), context.env).status
        : { host: '127.0.0.1', port: 8686 };
    const origin = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
    const model = await fetchStatus(origin);
    if (model === undefined) return notReachable(context, origin);
    context.out(context.json ? JSON.stringify(model) : describe(model, context.lang));
    return verdicts[model.verdict.level].exit;
  },
};

/** Undefined when nothing answers, or what answers is not the agent. */
async function fetchStatus(origin: string): Promise<StatusModel | undefined> {
  try {
    const response = await fetch(`${origin}/api/v1/status`, { signal: AbortSignal.timeout(5_000), redirect: 'error' });
    if (!response.ok) return undefined;
    const model = (await response.json()) as StatusModel;
    return Object.hasOwn(verdicts, model?.verdict?.level) ? model : undefined;
  } catch {
    return undefined;
  }
}

function notReachable({ lang, json, talk }: CliContext, origin: string): number {
  const text = {
    zh: {
      message: `${origin} 没有应答`,
      cause: '前置机没有运行，或状态页端口不同。',
      fix: '启动前置机；端口不同时加 --config 指定配置文件。',
    },
    en: {
      message: `No answer from ${origin}`,
      cause: 'The agent is not running, or its status page has another port.',
      fix: 'Start the agent; if the port differs, name the configuration with --config.',
    },
  }[lang];
  talk(
    json
      ? JSON.stringify({ code: 'NOT-RUNNING', ...text })
      : `${text.message}\n  ${text.cause}${lang === 'en' ? ' ' : ''}${text.fix}`,
  );
  return exitCode.notReachable;
}

function describe(model: StatusModel, lang: Language): string {
  const { facts } = model;
  const zh = lang === 'zh';
  const lines = [
    `${verdicts[model.verdict.level].text[lang]}  ${model.site.name}`,
    zh
      ? `今日接收 ${facts.receivedToday}，今日送达 ${facts.deliveredToday}，等待 ${facts.waiting}，待人工处理 ${facts.heldForPerson}`
      : `received today ${facts.receivedToday}, delivered today ${facts.deliveredToday}, waiting ${facts.waiting}, held for a person ${facts.heldForPerson}`,
  ];
  if (facts.images) {
    const { receivedToday, deliveredToday, waiting, held, studies } = facts.images;
    lines.push(
      zh
        ? `影像：今日接收 ${receivedToday} 幅，今日送达 ${deliveredToday} 幅，等待 ${waiting} 幅，待人工处理 ${held} 幅、检查 ${studies} 个`
        : `images: received today ${receivedToday}, delivered today ${deliveredToday}, waiting ${waiting}, held for a person ${held} and studies ${studies}`,
    );
  }
  for (const source of model.sources) {
    const line = passedOverLine(texts[lang], source);
    if (line !== undefined) lines.push(`${source.name}  ${line}`);
  }
  for (const problem of model.problems) {
    const text = isErrorCode(problem.code) ? errorTable[problem.code][lang] : { title: '', fix: '' };
    const where = problem.where === undefined ? '' : ` ${problem.where}`;
    const study =
      problem.exampleStudy === undefined
        ? ''
        : zh
          ? `，例如检查 ${problem.exampleStudy}`
          : `, study ${problem.exampleStudy} for example`;
    lines.push(
      `${problem.code} ${problem.component}${where} ×${problem.count}${study}  ${text.title}`,
      `  ${text.fix}`,
    );
  }
  return lines.join('\n');
}
