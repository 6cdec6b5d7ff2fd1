import { notResentWord } from '../status/study-words.ts';
import { texts } from '../status/text.ts';
import type { StudySearch } from '../store/image-contract.ts';
import { type Agent, withAgent } from './ask-agent.ts';
import { type CliContext, type Command, type OptionValue, platformOption, UsageError, wholeNumber } from './command.ts';
import { exitCode } from './exit-codes.ts';
import { resend } from './resend.ts';
import {
  describeImages,
  describeStudies,
  describeStudy,
  describeUnmatched,
  type StudyWords,
  wordsOf,
} from './study-text.ts';

type Options = Record<string, OptionValue>;

interface Asked {
  context: CliContext;
  agent: Agent;
  words: StudyWords;
  options: Options;
}

const PAGE = 50;

/** Studies of images: how far they have come, and what a person has done with them. */
export const study: Command = {
  name: 'study',
  usage: 'study find|show|unmatched|resend|withdraw|restore|deleted|forget-platform --config FILE',
  summary: {
    zh: '影像检查：查询（查询内容从标准输入读取）、逐幅状态、重发、撤回、恢复、登记平台已删除、放弃已停用的平台',
    en: 'imaging studies: search (what for is read from standard input), per-image state, resend, withdraw, restore, note a deletion',
  },
  takesWords: true,
  options: {
    config: { type: 'string' },
    accession: { type: 'boolean' },
    uid: { type: 'boolean' },
    patient: { type: 'boolean' },
    platform: { type: 'string' },
    before: { type: 'string' },
    after: { type: 'string' },
  },
  async run(context, [verb, ...rest], options) {
    const run = Object.hasOwn(verbs, verb ?? '') ? verbs[verb as keyof typeof verbs] : undefined;
    if (!run) {
      throw new UsageError({
        zh: 'study 之后请写 find、show、unmatched、resend、withdraw、restore、deleted 或 forget-platform。',
        en: 'After study write find, show, unmatched, resend, withdraw, restore, deleted or forget-platform.',
      });
    }
    return run(context, rest, options);
  },
};

/** A verb about one study: its number is the only word. */
const aboutOne =
  (work: (asked: Asked, study: number) => Promise<number>) =>
  (context: CliContext, words: string[], options: Options): Promise<number> => {
    const [n, ...more] = words;
    const wanted = more.length === 0 ? wholeNumber(n) : undefined;
    if (wanted === undefined) {
      throw new UsageError({
        zh: '请给出检查编号（用 study find 查出）。',
        en: 'Give the number of a study (study find tells it).',
      });
    }
    return withAgent(context, options, (agent) =>
      work({ context, agent, options, words: wordsOf(context.lang, agent.timeZone) }, wanted),
    );
  };

const verbs = {
  find,
  show: aboutOne(show),
  unmatched,
  resend: aboutOne(({ context, agent, options }, n) =>
    resend(context, agent, '/studies/resend', { study: n, ...platformOption(options) }),
  ),
  withdraw: aboutOne(async ({ context, agent }, n) => {
    const { changed } = await agent.ask('/studies/withdraw', { study: n });
    return say(context, { study: n, withdrawn: true, changed }, [
      changed
        ? {
            zh: `检查 ${n} 已撤回：不再上传，索引将撤销。`,
            en: `Study ${n} is withdrawn: nothing more of it is uploaded, its index is retracted.`,
          }
        : { zh: `检查 ${n} 此前已撤回。`, en: `Study ${n} was withdrawn before.` },
      {
        zh: '已上传的影像须由平台删除；平台确认后用 study deleted 登记。',
        en: 'Images that were uploaded the platform has to delete; note it with study deleted when it did.',
      },
    ]);
  }),
  restore: aboutOne(async ({ context, agent }, n) => {
    const { changed, rest } = await agent.ask('/studies/restore', { study: n });
    return say(context, { study: n, withdrawn: false, changed, rest }, [
      changed
        ? {
            zh: `检查 ${n} 已恢复；尚未上传且文件仍在的影像继续上传。`,
            en: `Study ${n} is restored; images that have their file and are not uploaded go on.`,
          }
        : { zh: `检查 ${n} 没有撤回，无须恢复。`, en: `Study ${n} is not withdrawn.` },
      ...rest.map(({ platform, why, count }) => ({
        zh: `  ${texts.zh.notResentLine(platform, count, notResentWord(texts.zh, why))}`,
        en: `  ${texts.en.notResentLine(platform, count, notResentWord(texts.en, why))}`,
      })),
    ]);
  }),
  deleted: aboutOne(async ({ context, agent, options }, n) => {
    const platform = neededPlatform(options);
    const { images } = await agent.ask('/studies/deleted', { study: n, platform });
    return say(context, { study: n, platform, images }, [
      images > 0
        ? {
            zh: `已登记：平台 ${platform} 删除了检查 ${n} 的 ${images} 幅影像。`,
            en: `Noted: ${platform} has deleted ${images} images of study ${n}.`,
          }
        : {
            zh: `平台 ${platform} 没有检查 ${n} 的影像需要登记。`,
            en: `Of study ${n} there is nothing at ${platform} to be noted.`,
          },
    ]);
  }),
  async 'forget-platform'(context: CliContext, words: string[], options: Options): Promise<number> {
    if (words.length > 0) throw tooMany();
    const platform = neededPlatform(options);
    return withAgent(context, options, async ({ ask }) => {
      const { images } = await ask('/platforms/forget', { platform });
      return say(context, { platform, images }, [
        images > 0
          ? {
              zh: `${images} 幅影像不再等待平台 ${platform}；影像本身仍保存。`,
              en: `${images} images wait for ${platform} no more; the images themselves are kept.`,
            }
          : { zh: `没有影像在等待平台 ${platform}。`, en: `No image waits for ${platform}.` },
      ]);
    });
  },
};

function find(context: CliContext, words: string[], options: Options): Promise<number> {
  const by = (['accession', 'uid', 'patient'] as const).filter((kind) => options[kind] === true);
  const [kind] = by;
  if (by.length > 1) {
    throw new UsageError({
      zh: '--accession、--uid、--patient 只能选一个。',
      en: 'Take one of --accession, --uid and --patient.',
    });
  }
  // Never repeated: what was written there may be a patient's number.
  if (words.some((word) => word !== '-') || words.length > (kind ? 1 : 0)) throw onCommandLine();
  const before = pageOption(options.before);
  return withAgent(context, options, async (agent) => {
    const page = { limit: PAGE, ...(before !== undefined && { before }) };
    const rows = kind
      ? await agent.ask('/studies/find', { by: kind, term: await term(context, kind), ...page })
      : await agent.ask('/studies/list', page);
    const last = rows.length === PAGE ? rows.at(-1)?.study : undefined;
    if (context.json) context.out(JSON.stringify({ studies: rows, ...(last !== undefined && { before: last }) }));
    else context.out(describeStudies(rows, wordsOf(context.lang, agent.timeZone), last));
    return rows.length > 0 ? exitCode.ok : exitCode.degraded;
  });
}

async function unmatched(context: CliContext, words: string[], options: Options): Promise<number> {
  if (words.length > 0) throw tooMany();
  return withAgent(context, options, async ({ ask, timeZone }) => {
    const found = await ask('/studies/unmatched', {});
    context.out(context.json ? JSON.stringify(found) : describeUnmatched(found, wordsOf(context.lang, timeZone)));
    return exitCode.ok;
  });
}

/** Others on the machine see command lines (invariant 10): what is looked for comes in by standard input. */
function term(context: CliContext, kind: StudySearch): Promise<string> {
  const question = {
    accession: { zh: '检查号：', en: 'Accession number: ' },
    uid: { zh: '检查 UID：', en: 'Study Instance UID: ' },
    patient: { zh: '患者编号：', en: 'Patient ID: ' },
  }[kind];
  return context.ask(question[context.lang]);
}

async function show({ context, agent, words, options }: Asked, n: number): Promise<number> {
  const { ask } = agent;
  const head = n === 0 ? undefined : await ask('/studies/show', { study: n });
  if (!context.json) {
    const after = pageOption(options.after) ?? 0;
    const images = await ask('/studies/instances', { study: n, limit: PAGE, after });
    if (head) context.out(describeStudy(head, words));
    context.out(describeImages(n, images, words, images.length === PAGE ? images.at(-1)?.n : undefined));
    return exitCode.ok;
  }
  const all: Awaited<ReturnType<typeof page>> = [];
  const page = (after: number) => ask('/studies/instances', { study: n, limit: 200, after });
  for (let after: number | undefined = 0; after !== undefined; ) {
    const images = await page(after);
    all.push(...images);
    after = images.at(-1)?.n;
  }
  context.out(JSON.stringify({ ...(head && { study: head }), images: all }));
  return exitCode.ok;
}

function say({ lang, json, out }: CliContext, data: object, lines: ReadonlyArray<{ zh: string; en: string }>): number {
  out(json ? JSON.stringify(data) : lines.map((line) => line[lang]).join('\n'));
  return exitCode.ok;
}

function pageOption(value: OptionValue): number | undefined {
  const n = wholeNumber(value);
  if (value === undefined || n !== undefined) return n;
  throw new UsageError({ zh: '--before 和 --after 之后请写编号。', en: 'Write a number after --before and --after.' });
}

function neededPlatform(options: Options): string {
  if (typeof options.platform === 'string' && options.platform !== '') return options.platform;
  throw new UsageError({ zh: '请用 --platform 指定平台。', en: 'Name the platform with --platform.' });
}

const tooMany = () => new UsageError({ zh: '多余的参数。', en: 'Too many arguments.' });

const onCommandLine = () =>
  new UsageError({
    zh: '查询内容属患者信息，不能写在命令行上（本机其他用户看得到）：请从标准输入给出，或执行后按提示输入。',
    en: 'What is looked for is patient data and must not stand on the command line, where other users see it: give it on standard input, or type it when asked.',
  });
