import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ErrorCode, type ErrorText, errorTable } from '../agent/support/errors.ts';
import type { Bilingual, Language } from '../agent/support/text.ts';

/** Where the page lies in the repository. */
export const errorsDocPath = fileURLToPath(new URL('../docs/errors.md', import.meta.url));

const families: Record<string, Bilingual> = {
  NET: { zh: '网络', en: 'Network' },
  TLS: { zh: '证书与加密连接', en: 'Certificates and TLS' },
  PLT: { zh: '平台的回答', en: 'Answers of the platform' },
  MLLP: { zh: '接收连接', en: 'Receiving connections' },
  HL7: { zh: 'HL7 消息', en: 'HL7 messages' },
  DCM: { zh: 'DICOM 影像', en: 'DICOM images' },
  MAP: { zh: '转换与对码', en: 'Mapping and rendering' },
  QUE: { zh: '存储与队列', en: 'Store and queue' },
  CFG: { zh: '配置', en: 'Configuration' },
  SYS: { zh: '系统', en: 'System' },
};

const sides: Record<(typeof errorTable)[ErrorCode]['side'], Bilingual> = {
  hospital: { zh: '院内系统', en: 'hospital systems' },
  agent: { zh: '前置机', en: 'this agent' },
  platform: { zh: '平台', en: 'platform' },
  network: { zh: '网络', en: 'network' },
};

const words: Record<'side' | 'cause' | 'fix', Bilingual> = {
  side: { zh: '哪一方', en: 'Side' },
  cause: { zh: '原因', en: 'Cause' },
  fix: { zh: '处理', en: 'Fix' },
};

/** docs/errors.md, made from the error table: every code with its title, side, cause and fix in zh and en. */
export function errorsDoc(): string {
  const lines = [
    '# 错误代码 Error codes',
    '',
    '<!-- 由 installer/make-errors-doc.ts 生成，请勿手改。Made by installer/make-errors-doc.ts; do not edit. -->',
    '',
    '代码一经使用，含义不再改变；状态页、日志、命令行与本页用同一张表。',
    'A code keeps its meaning for ever; page, log, command line and this page share one table.',
  ];
  const codes = Object.keys(errorTable) as ErrorCode[];
  for (const [family, title] of Object.entries(families)) {
    const members = codes.filter((code) => code.startsWith(`${family}-`));
    if (members.length > 0) lines.push('', `## ${family} ${title.zh} ${title.en}`, ...members.flatMap(entry));
  }
  return `${lines.join('\n')}\n`;
}

function entry(code: ErrorCode): string[] {
  const { side, zh, en } = errorTable[code];
  // The bare code as heading gives every code the stable anchor that error envelopes point to.
  return [
    '',
    `### ${code}`,
    '',
    `**${zh.title}**`,
    '',
    ...points('zh', side, zh),
    '',
    `**${en.title}**`,
    '',
    ...points('en', side, en),
  ];
}

const points = (lang: Language, side: keyof typeof sides, text: ErrorText): string[] => {
  const colon = lang === 'zh' ? '：' : ': ';
  return [
    `- ${words.side[lang]}${colon}${sides[side][lang]}`,
    `- ${words.cause[lang]}${colon}${text.cause}`,
    `- ${words.fix[lang]}${colon}${text.fix}`,
  ];
};

/** Codes whose family has no heading; a test keeps this empty. */
export const homelessCodes = (): string[] =>
  Object.keys(errorTable).filter((code) => !Object.hasOwn(families, code.slice(0, code.indexOf('-'))));

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const current = readFileSync(errorsDocPath, 'utf8') === errorsDoc();
    if (!current) console.error('docs/errors.md is stale: run node installer/make-errors-doc.ts');
    process.exitCode = current ? 0 : 1;
  } else {
    writeFileSync(errorsDocPath, errorsDoc());
  }
}
