import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { errorTable } from '../../../agent/support/errors.ts';
import type { Bilingual, Language } from '../../../agent/support/text.ts';
import { type Observed, type PlatformCase, platformCases } from './cases.ts';

/** Where the page lies in the repository. */
export const platformFaultsPath = fileURLToPath(new URL('../../../docs/platform-faults.md', import.meta.url));

const words = {
  heading: {
    zh: ['故障', '该文档', '别的患者的文档', '状态与代码', '恢复', '要做什么'],
    en: ['Fault', 'The document', 'Another patient’s document', 'State and codes', 'After the fault', 'What to do'],
  },
  waits: { zh: '排队重试', en: 'waits and is tried again' },
  held: { zh: '留待人工处理', en: 'is held for a person' },
  delivered: { zh: '已送达', en: 'is delivered' },
  never: { zh: '平台什么都没读到', en: 'none of it reached the platform' },
  once: { zh: '平台读到一次', en: 'the platform read it once' },
  again: { zh: '平台读到多次，编号不变', en: 'the platform read it several times, under one key' },
  idle: { zh: '上传照常', en: 'uploads go on' },
  retrying: { zh: '退避重试', en: 'backing off' },
  stopped: { zh: '上传暂停，定时探测', en: 'uploads stopped, slow probe' },
  noted: { zh: '最近错误', en: 'last error' },
  allGood: { zh: '自动恢复，全部送达，各生效一次', en: 'by itself; all delivered, each once in effect' },
  byPerson: { zh: '处理后全部送达，各生效一次', en: 'after that all delivered, each once in effect' },
  stays: { zh: '该文档仍留待人工，其余已送达', en: 'the document stays held, all others are delivered' },
  nothing: { zh: '无需操作', en: 'nothing' },
} satisfies Record<string, Record<Language, unknown>>;

const intro: Bilingual = {
  zh: [
    '# 平台故障：会发生什么',
    '',
    '<!-- 由 test/faults/platform/page.ts 生成，请勿手改。Made by test/faults/platform/page.ts; do not edit. -->',
    '',
    '[English](#platform-faults-what-happens)',
    '',
    '每一行都是一个测试（`test/faults/platform/*.test.ts`）：真实的存储、真实的上传循环、真实的双向 TLS，对着模拟平台。测试断言的就是表中所写；表与测试不一致时构建失败。每个用例里，一位患者的文档遇到故障，另一位患者的文档同时在场，故障期间还有第三条消息到达。以下对每一行都成立，也都有断言：',
    '',
    '- 接收不受影响：故障期间到达的消息照常落盘、转换，故障结束后送达。',
    '- 不丢：故障结束后，除留待人工的之外全部送达，字节与存储的一致。',
    '- 不重：一份文档的所有尝试用同一个编号，平台只生效一次。',
    '- 一份文档留待人工时，同一患者的其他报告照常上传。',
    '- 代码的原因与处理见 [errors.md](errors.md)。',
  ].join('\n'),
  en: [
    '# Platform faults: what happens',
    '',
    'Each row is a test (`test/faults/platform/*.test.ts`): the real store, the real delivery loop and real mutual TLS against the simulated platform. The test asserts what the row says; the build fails when they differ. In each case one patient’s document meets the fault, another patient’s is there at the same moment, and a third message arrives while it lasts. True of every row, and asserted in each:',
    '',
    '- Intake is untouched: the message that arrives meanwhile is stored and mapped as ever, and delivered afterwards.',
    '- Nothing is lost: afterwards all is delivered, byte for byte as stored, except what is held for a person.',
    '- Nothing is doubled: all attempts at a document carry one key, and it takes effect once.',
    '- Where a document is held for a person, the same patient’s other reports go on.',
    '- Cause and fix of the codes: [errors.md](errors.md).',
  ].join('\n'),
};

const outro: Bilingual = {
  zh: [
    '## 说明',
    '',
    '- 400、413、422 且不指明是哪一份：前置机拆分到单份。只有在平台其间受理过别的文档之后，才认定是这一份的问题并留待人工；否则按平台故障暂停上传（PLT-1312），不把无辜的文档留待人工。',
    '- TLS-1204 的“不作声地断开”是推断：握手成功之后，从未应答过的平台连断 3 次，应答过的连断 6 次。',
    '- TLS-1206 需要证据：平台曾在验证过的连接上报过时间，按平台时间证书有效，且与本机相差超过一小时；或者平台还没有报过时间，而本机时间早于所有已配置 CA 的生效日。本机时间快、又刚启动时没有这样的证据，仍报 TLS-1203 或 TLS-1205。',
    '- TLS-1207 需要证据：证书的主机名正确，签发者不是配置的 CA，并且证书链终止于另一个根，或签发者与先前验证过的不同。平台漏发中间证书与此相似，因此缺少证据时仍报 TLS-1201。',
  ].join('\n'),
  en: [
    '## Notes',
    '',
    '- 400, 413 or 422 that names no document: the batch is split down to single ones. A document is held for a person only when the platform has taken others meanwhile; otherwise the platform is taken to be at fault, uploads stop (PLT-1312) and no innocent document is held.',
    '- TLS-1204 after silent closes is inferred: the handshake succeeded and the connection was closed without a word, 3 times in a row where the platform has never answered, 6 times where it has.',
    '- TLS-1206 needs evidence: the platform has told its time over a verified connection, by that time the certificate is valid, and the clocks differ by more than an hour; or it has told nothing yet and our clock is before the first day of every configured CA. A clock that runs ahead right after a start gives no such evidence: TLS-1203 or TLS-1205 stands.',
    '- TLS-1207 needs evidence: the host name is right, the issuer is not a configured CA, and the chain ends in another root or the issuer differs from the one verified before. A platform that forgets its intermediate looks alike, so without evidence it stays TLS-1201.',
  ].join('\n'),
};

const link = (code: string): string => `[${code}](errors.md#${code.toLowerCase()})`;

function stateCell({ state, lastError, shown }: Observed, lang: Language): string {
  const parts = [words[state][lang], ...shown.map(link)];
  if (lastError !== undefined && !shown.includes(lastError)) parts.push(`${words.noted[lang]} ${link(lastError)}`);
  return parts.join(lang === 'zh' ? '，' : ', ');
}

function todo({ during, person }: PlatformCase, lang: Language): string {
  if (person !== undefined) return person[lang];
  // What is over by itself asks for nothing, whatever its code would advise if it lasted.
  const code = during.shown.find((shown) => shown !== during.lastError) ?? during.shown[0] ?? during.documentCode;
  return code === undefined ? words.nothing[lang] : errorTable[code][lang].fix;
}

function row(one: PlatformCase, lang: Language): string {
  const { during, after, person, fault } = one;
  const comma = lang === 'zh' ? '；' : '; ';
  const documentCode = during.documentCode === undefined ? '' : ` (${link(during.documentCode)})`;
  const end = after.affected === 'held' ? words.stays : person === undefined ? words.allGood : words.byPerson;
  const cells = [
    fault[lang],
    `${words[during.affected][lang]}${documentCode}${comma}${words[during.arrives][lang]}`,
    words[during.neighbour][lang],
    stateCell(during, lang),
    end[lang],
    todo(one, lang),
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

const section = (lang: Language): string[] => [
  intro[lang],
  ...platformCases.flatMap(({ title, cases }) => [
    '',
    `## ${title[lang]}`,
    '',
    `| ${words.heading[lang].join(' | ')} |`,
    `|${' --- |'.repeat(words.heading[lang].length)}`,
    ...cases.map((one) => row(one, lang)),
  ]),
  '',
  outro[lang],
];

/** docs/platform-faults.md, made from the cases that the tests run, in Chinese and English. */
export const platformFaultsPage = (): string => `${[...section('zh'), '', ...section('en')].join('\n')}\n`;

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const current = readFileSync(platformFaultsPath, 'utf8') === platformFaultsPage();
    if (!current) console.error('docs/platform-faults.md is stale: run node test/faults/platform/page.ts');
    process.exitCode = current ? 0 : 1;
  } else {
    writeFileSync(platformFaultsPath, platformFaultsPage());
  }
}
