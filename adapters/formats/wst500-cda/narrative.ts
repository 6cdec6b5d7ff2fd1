import type { LabItem, LabReport } from '../../../agent/clinical/records/types.ts';
import { el, pattern, type XmlElement, type XmlNode } from '../xml.ts';
import { stated } from './draft.ts';

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
  const { code, name, standard } = item.item;
  const label = stated(name) ?? stated(standard?.name);
  const number = stated(code) ?? stated(standard?.code);
  let line = label === undefined ? (number ?? '') : number === undefined ? label : `${label}(${number})`;
  line += `：${item.value ?? ''}`;
  if (stated(item.unit) !== undefined) line += ` ${item.unit}`;
  for (const { head, cell } of remarks) {
    const said = stated(cell(item));
    if (said !== undefined) line += `；${head} ${said}`;
  }
  return line;
}

function specimenLines({ specimen, panel }: LabReport): string[] {
  const parts: Array<[label: string, said: string | undefined]> = [
    ['检验项目', stated(panel?.name) ?? stated(panel?.code)],
    ['标本类别', stated(specimen.type?.name) ?? stated(specimen.type?.code)],
    ['标本状态', stated(specimen.condition?.name) ?? stated(specimen.condition?.code)],
    ['采集时间', stated(specimen.collectedAt)],
    ['接收时间', stated(specimen.receivedAt)],
  ];
  return parts.flatMap(([label, said]) => (said === undefined ? [] : [`${label}：${said}`]));
}

/** The readable part of the laboratory section: a table (base), or lines, as strict allows no markup. */
export function laboratoryText(report: LabReport, form: 'base' | 'strict'): XmlElement {
  const lines = specimenLines(report);
  if (form === 'strict') return textElement([...lines, ...report.items.map(itemLine)], form);
  const shown = columns.filter(({ always, cell }) => always || report.items.some((i) => stated(cell(i)) !== undefined));
  const row = rows[shown.length - 1];
  return el('text', {}, [
    ...lines.map((line) => el('paragraph', {}, line)),
    el('table', {}, [
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
    ]),
  ]);
}

/** The readable part of the diagnosis section. */
export function diagnosisText(report: LabReport, form: 'base' | 'strict'): XmlElement {
  const lines = report.encounter.diagnoses.flatMap(({ code, name, diagnosedAt }) => {
    const said = [stated(code), stated(name)].filter((part) => part !== undefined).join(' ');
    if (said === '') return [];
    return [stated(diagnosedAt) === undefined ? said : `${said}（${diagnosedAt}）`];
  });
  return textElement(lines, form);
}

/** Lines of text: paragraphs, or in strict one string. */
export function textElement(lines: readonly string[], form: 'base' | 'strict'): XmlElement {
  const children: XmlNode[] = form === 'strict' ? [lines.join('\n')] : lines.map((line) => el('paragraph', {}, line));
  return el('text', {}, children);
}
