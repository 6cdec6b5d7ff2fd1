import type { LabItem, LabReport, Specimen } from '../../../../agent/clinical/records/types.ts';
import { el, pattern, type XmlElement, type XmlNode } from '../../xml.ts';
import { labelled, named, wordsOf } from '../coded-text.ts';
import type { Report } from '../document-types.ts';
import { stated } from '../draft.ts';
import type { Form } from '../elements.ts';
import { cultureLines, cultureTable } from './organisms.ts';

/**
 * What a person reads. C0007 has no coded place for an item's name, reference range or a value that
 * is no number (formats.md §1.4), so everything the laboratory said of an item stands here.
 */
const columns: Array<{ head: string; always?: true; cell(item: LabItem): string | undefined }> = [
  { head: '项目代码', always: true, cell: (item) => stated(item.item.code) ?? stated(item.item.standard?.code) },
  { head: '项目名称', always: true, cell: (item) => stated(item.item.name) ?? stated(item.item.standard?.name) },
  { head: '结果', always: true, cell: (item) => item.value },
  { head: '单位', always: true, cell: (item) => item.unit },
  { head: '参考范围', always: true, cell: (item) => item.referenceRange },
  { head: '提示', always: true, cell: (item) => item.flag },
  { head: '危急值', cell: (item) => (item.critical === true ? '是' : undefined) },
  { head: '检验时间', cell: (item) => item.testedAt },
  { head: '检验方法', cell: (item) => item.method },
  { head: '仪器', cell: (item) => item.instrument },
  { head: '说明', cell: (item) => notes(item.notes) },
];

/** What a line of text says beside the value itself. */
const remarks = columns.slice(4);

/** A row of the table, by its number of cells. */
const rows = columns.map((_, n) =>
  pattern(n + 1, (...cells) =>
    el(
      'tr',
      {},
      cells.map((cell) => el('td', {}, cell)),
    ),
  ),
);

const notes = (lines: readonly string[]): string | undefined =>
  lines.length === 0 ? undefined : stated(lines.filter((line) => stated(line) !== undefined).join('\n'));

/** One item on one line: `白细胞计数(WBC)：12.5 10^9/L；参考范围 3.5-9.5；提示 H`. */
export function itemLine(item: LabItem): string {
  let line = `${named(item.item) ?? ''}：${item.value ?? ''}`;
  if (stated(item.unit) !== undefined) line += ` ${item.unit}`;
  for (const { head, cell } of remarks) {
    const said = stated(cell(item));
    if (said !== undefined) line += `；${head} ${said}`;
  }
  return line;
}

/** What a person reads of a specimen. */
export const specimenLines = (specimen: Specimen | undefined): string[] =>
  labelled([
    ['标本类别', wordsOf(specimen?.type)],
    ['标本状态', wordsOf(specimen?.condition)],
    ['采集时间', specimen?.collectedAt],
    ['接收时间', specimen?.receivedAt],
  ]);

/** The readable part of the laboratory section: a table (base), or lines, as strict allows no markup. */
export function laboratoryText(report: LabReport, form: Form): XmlElement {
  const lines = [...labelled([['检验项目', wordsOf(report.panel)]]), ...specimenLines(report.specimen)];
  if (form === 'strict') return textElement([...lines, ...report.items.map(itemLine), ...cultureLines(report)], form);
  return el('text', {}, [
    ...lines.map((line) => el('paragraph', {}, line)),
    report.items.length === 0 ? undefined : itemTable(report),
    cultureTable(report),
  ]);
}

function itemTable(report: LabReport): XmlElement {
  const shown = columns.filter(({ always, cell }) => always || report.items.some((i) => stated(cell(i)) !== undefined));
  const row = rows[shown.length - 1];
  return el('table', {}, [
    el('thead', {}, [
      el(
        'tr',
        {},
        shown.map(({ head }) => el('th', {}, head)),
      ),
    ]),
    el(
      'tbody',
      {},
      report.items.map((item) => row?.(...shown.map(({ cell }) => cell(item)))),
    ),
  ]);
}

/** What a person reads of the diagnoses, a line for each. */
export const diagnosisLines = (report: Report): string[] =>
  report.encounter.diagnoses.flatMap(({ code, name, diagnosedAt }) => {
    const said = [stated(code), stated(name)].filter((part) => part !== undefined).join(' ');
    if (said === '') return [];
    return [stated(diagnosedAt) === undefined ? said : `${said}（${diagnosedAt}）`];
  });

/** Lines of text: paragraphs, or in strict one string. */
export function textElement(lines: readonly string[], form: Form): XmlElement {
  const children: XmlNode[] = form === 'strict' ? [lines.join('\n')] : lines.map((line) => el('paragraph', {}, line));
  return el('text', {}, children);
}
