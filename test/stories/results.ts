import { escaped, type ReportMessage, saying } from './messages.ts';

/** An examination report; its items are titled texts: `final('检查所见 双肺清晰', '诊断意见 未见异常')`. */
export const exam = (number: string, service = 'CT', name = '胸部CT平扫'): ReportMessage =>
  saying({
    number,
    status: 'F',
    items: [],
    panel: [`${service}001`, name],
    obr: { 24: service },
    results: titledTexts,
  });

const titledTexts = (items: string[], status: string): string[] =>
  items.map((item, n) => {
    const [title = '', text = '', own] = parts(item);
    return `OBX|${n + 1}|TX|^${title}||${escaped(text).replaceAll('\n', '\\.br\\')}||||||${own ?? status}`;
  });

/** A culture with susceptibilities as Chinese laboratories send it: organism and drug in one OBX, beside plain items. */
export const culture = (number: string): ReportMessage =>
  saying({
    number,
    status: 'F',
    items: [],
    panel: ['XPY', '血培养'],
    obr: { 4: 'XPY^血培养^MIC' },
    results: grown,
  });

const grown = (items: string[], status: string): string[] =>
  items.map((item, n) => {
    const [what = '', said = '', own] = parts(item);
    const [organism = '', drug] = what.split('/');
    if (drug === undefined) return `OBX|${n + 1}|ST|${what}^${what}||${escaped(said)}||||||${own ?? status}`;
    const [value, result] = said.split(' ');
    return `OBX|${n + 1}|ST|^${drug}^^^${organism}||${escaped(value ?? '')}|mg/L||${result ?? ''}|||${own ?? status}`;
  });

/** `title text !D` */
const parts = (item: string): string[] => {
  const found = /^(\S+) ([\s\S]*?)(?: !(\S+))?$/.exec(item);
  if (!found) throw new Error(`not a result of a story: ${item}`);
  return found.slice(1);
};
