import type { ErrorCode } from '../../../agent/support/errors.ts';
import type { Bilingual } from '../../../agent/support/text.ts';
import type { Answer, ItemRule } from '../../platform/faults.ts';
import type { Observed, PlatformCase } from './cases.ts';
import type { PlatformRig } from './rig.ts';

const delivered: PlatformCase['after'] = { affected: 'delivered', neighbour: 'delivered' };
const held: PlatformCase['after'] = { affected: 'held', neighbour: 'delivered' };

const bothWait = (state: 'retrying' | 'stopped', code: ErrorCode): Observed => ({
  state,
  lastError: code,
  shown: [code],
  affected: 'waits',
  neighbour: 'waits',
  arrives: 'again',
});
/** The neighbour goes through; only the affected document meets the fault. */
const onlyOne = (affected: 'waits' | 'held', arrives: Observed['arrives'], code?: ErrorCode): Observed => ({
  state: 'idle',
  ...(code === undefined ? {} : { lastError: code }),
  shown: code === undefined ? [] : [code],
  affected,
  neighbour: 'delivered',
  arrives,
});
const allDelivered = (arrives: Observed['arrives'], lastError?: ErrorCode, shown: ErrorCode[] = []): Observed => ({
  state: 'idle',
  ...(lastError === undefined ? {} : { lastError }),
  shown,
  affected: 'delivered',
  neighbour: 'delivered',
  arrives,
});

const over = (rig: PlatformRig): void => rig.province.setFault();
const toUploads = (answer: Answer) => (rig: PlatformRig) => rig.province.setFault({ documents: { answer } });
const toAll = (answer: Answer) => (rig: PlatformRig) =>
  rig.province.setFault({ documents: { answer }, receipts: { answer }, hello: { answer } });
const once = (answer: Answer) => (rig: PlatformRig) => rig.province.setFault({ documents: { answer, times: 1 } });
const item = (rule: Omit<ItemRule, 'report'>) => (rig: PlatformRig) =>
  rig.province.setFault({ items: [{ report: '-affected$', ...rule }] });
const poison = (poisonStatus: number) => (rig: PlatformRig) =>
  rig.province.setFault({ poison: '-affected$', poisonStatus });
/** Answers to uploads that say nothing intelligible; the probe is answered as ever. */
const nonsense: Array<[id: string, fault: Bilingual, answer: Answer]> = [
  [
    'portal',
    { zh: '200 与 HTML 页面（上网认证门户）', en: '200 with an HTML page (a login portal)' },
    { mode: 'portal' },
  ],
  [
    'broken-json',
    { zh: '200 与残缺的 JSON', en: '200 with broken JSON' },
    { mode: 'body', body: '{"key":"a","status":\n{{{\n' },
  ],
  ['empty-body', { zh: '200 与空正文', en: '200 with an empty body' }, { mode: 'body', body: '' }],
  [
    'wrong-shape',
    { zh: '200 与格式不对的 JSON', en: '200 with JSON of another shape' },
    { mode: 'body', body: '{"success":true,"data":[{"id":1}]}\n["accepted"]\nnull\n{"key":7,"status":"accepted"}\n' },
  ],
  [
    'endless',
    { zh: '200 与没完没了的正文', en: '200 with a body that is far too long' },
    { mode: 'body', body: `${' '.repeat(1_200_000)}\n` },
  ],
  ['not-found', { zh: '404', en: '404' }, { mode: 'status', status: 404 }],
];

/** What a platform answers, from refusals of its own choice to answers that mean nothing. */
export const answerCases: PlatformCase[] = [
  {
    id: 'redirect',
    fault: { zh: '302 跳转（不跟随，绝不算已送达）', en: '302 (not followed, never counts as sent)' },
    begin: toAll({ mode: 'redirect' }),
    end: over,
    during: bothWait('retrying', 'PLT-1306'),
    after: delivered,
  },
  ...[400, 422].map(
    (status): PlatformCase => ({
      id: `${status}-one`,
      fault: {
        zh: `${status}：整批因其中一份被拒`,
        en: `${status} for any batch that holds one certain document`,
      },
      begin: poison(status),
      end: over,
      during: { ...onlyOne('held', 'again', 'PLT-1305'), documentCode: 'PLT-1305' },
      after: held,
    }),
  ),
  ...[400, 422].map(
    (status): PlatformCase => ({
      id: `${status}-all`,
      fault: { zh: `${status}：所有文档都整批被拒`, en: `${status} for everything` },
      begin: toUploads({ mode: 'status', status }),
      end: over,
      during: bothWait('stopped', 'PLT-1312'),
      after: delivered,
      calls: 8,
    }),
  ),
  {
    id: 'refused-item',
    fault: { zh: '对某一份文档的业务拒绝', en: 'One document is refused by name' },
    begin: item({ status: 'refused', code: 'FIELD.MISSING' }),
    end: over,
    during: {
      state: 'idle',
      shown: ['PLT-1305'],
      affected: 'held',
      documentCode: 'PLT-1305',
      neighbour: 'delivered',
      arrives: 'once',
    },
    after: held,
  },
  {
    id: 'retry-item',
    fault: { zh: '对某一份文档回答“稍后重试”', en: 'One document is answered "retry"' },
    begin: item({ status: 'retry' }),
    end: over,
    during: { ...onlyOne('waits', 'again'), documentCode: 'PLT-1310' },
    after: delivered,
    calls: 4,
  },
  ...(
    [
      ['unauthorised', 401],
      ['forbidden', 403],
    ] as const
  ).map(
    ([id, status]): PlatformCase => ({
      id,
      fault: { zh: `${status}`, en: `${status}` },
      begin: toAll({ mode: 'status', status }),
      end: over,
      // Once only: the probe is not authorised either, so no second document leaves.
      during: { ...bothWait('stopped', 'PLT-1301'), arrives: 'once' },
      after: delivered,
      calls: 4,
      person: {
        zh: '平台为本机构开通权限；自动恢复',
        en: 'The platform grants the right; uploads then resume by themselves',
      },
    }),
  ),
  {
    id: '413-batch',
    fault: { zh: '413：一批超过一份就嫌大', en: '413 for a batch of more than one document' },
    begin: (rig) => rig.province.setFault({ maxItems: 1 }),
    end: over,
    during: allDelivered('again', 'PLT-1302'),
    after: delivered,
  },
  {
    id: '413-one',
    fault: { zh: '413：单独一份文档也嫌大', en: '413 for one document even alone' },
    begin: poison(413),
    end: over,
    during: { ...onlyOne('held', 'again', 'PLT-1302'), documentCode: 'PLT-1302' },
    after: held,
  },
  {
    id: '413-all',
    fault: { zh: '413：所有文档都嫌大（平台配置错误）', en: '413 for everything (the platform is misconfigured)' },
    begin: toUploads({ mode: 'status', status: 413 }),
    end: over,
    during: bothWait('stopped', 'PLT-1312'),
    after: delivered,
    calls: 8,
  },
  {
    id: '429-seconds',
    fault: { zh: '429，Retry-After 为秒数', en: '429, Retry-After in seconds' },
    begin: once({ mode: 'status', status: 429, retryAfter: '1' }),
    during: allDelivered('again', 'PLT-1303'),
    after: delivered,
    waitsAtLeastMs: 990,
  },
  {
    id: '429-date',
    fault: { zh: '429，Retry-After 为日期', en: '429, Retry-After as an HTTP date' },
    begin: once({ mode: 'status', status: 429, retryAfterDateMs: 2_000 }),
    during: allDelivered('again', 'PLT-1303'),
    after: delivered,
    waitsAtLeastMs: 1_990,
  },
  {
    id: '429-date-clock',
    fault: {
      zh: '429，Retry-After 为日期，而平台时间快一天（按平台时间计）',
      en: '429, Retry-After as a date, and the platform’s clock is a day ahead (its own clock counts)',
    },
    begin(rig) {
      const aheadMs = 86_400_000;
      const answer = { mode: 'status', status: 429, retryAfterDateMs: 2_000 } as const;
      rig.province.setFault({ clockAheadMs: aheadMs, documents: { answer, times: 1 } });
    },
    async end(rig) {
      over(rig);
      await rig.restart();
    },
    // The probe after a 429 asks what time it is.
    during: allDelivered('again', 'PLT-1303', ['SYS-6001']),
    after: delivered,
    waitsAtLeastMs: 1_990,
  },
  {
    id: 'server-error',
    fault: { zh: '5xx：所有上传', en: '5xx for every upload' },
    begin: toUploads({ mode: 'status', status: 503 }),
    end: over,
    during: bothWait('retrying', 'PLT-1304'),
    after: delivered,
  },
  {
    id: 'server-error-one',
    fault: { zh: '5xx：只要批里有某一份文档', en: '5xx for any batch that holds one certain document' },
    begin: poison(500),
    end: over,
    during: { ...onlyOne('waits', 'again', 'PLT-1304'), state: 'retrying' },
    after: delivered,
    calls: 6,
  },
  ...nonsense.map(
    ([id, fault, answer]): PlatformCase => ({
      id,
      fault,
      begin: toUploads(answer),
      end: over,
      during: bothWait('retrying', 'PLT-1307'),
      after: delivered,
    }),
  ),
  {
    id: 'other-key',
    fault: { zh: '回答里是别的编号（平台其实已收下）', en: 'Answers about other keys (the platform did take it)' },
    begin: toUploads({ mode: 'verdicts', as: 'other-key' }),
    end: over,
    during: bothWait('retrying', 'PLT-1307'),
    after: delivered,
  },
  {
    id: 'contradicting',
    fault: { zh: '同一编号给出两种不同的结论', en: 'Two different verdicts for one key' },
    begin: toUploads({ mode: 'verdicts', as: 'contradicting' }),
    end: over,
    during: bothWait('retrying', 'PLT-1307'),
    after: delivered,
  },
  {
    id: 'missing-item',
    fault: { zh: '回答里少了某一份文档', en: 'One document is missing in the answer' },
    begin: toUploads({ mode: 'verdicts', as: 'missing', report: '-affected$' }),
    end: over,
    during: { ...onlyOne('waits', 'again', 'PLT-1307'), state: 'retrying' },
    after: delivered,
    calls: 5,
  },
  {
    id: 'truncated',
    fault: { zh: '回答在第一行之内断开（一次）', en: 'The answer is cut off within its first line (once)' },
    begin: once({ mode: 'truncate', lines: 0 }),
    during: allDelivered('again', 'PLT-1307'),
    after: delivered,
  },
  {
    id: 'truncated-later',
    fault: {
      zh: '回答在该文档的一行之后断开：完整的行算数，其余重传（一次）',
      en: 'The answer is cut off after the document’s line: whole lines count, the rest is sent again (once)',
    },
    begin: once({ mode: 'truncate', lines: 1 }),
    during: allDelivered('once', 'PLT-1307'),
    after: delivered,
  },
  {
    id: 'answer-too-slow',
    fault: {
      zh: '回答一个字节一个字节地来，超过整个交换的时限',
      en: 'The answer trickles a byte at a time beyond the limit of the whole exchange',
    },
    exchangeMs: 1_000,
    begin: toUploads({ mode: 'trickle', everyMs: 40 }),
    end: over,
    during: bothWait('retrying', 'PLT-1307'),
    after: delivered,
    calls: 2,
  },
  {
    id: 'clock',
    fault: { zh: '平台时间与本机相差一天', en: 'The platform’s clock is a day off' },
    async begin(rig) {
      rig.province.setFault({ clockAheadMs: -86_400_000 });
      await rig.restart();
    },
    async end(rig) {
      over(rig);
      await rig.restart();
    },
    during: allDelivered('once', undefined, ['SYS-6001']),
    after: delivered,
  },
];
