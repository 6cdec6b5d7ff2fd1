import type { ExamReport, ReportSection } from '../../../../agent/clinical/records/types.ts';
import { labelled, named, wordsOf } from '../coded-text.ts';
import { stated } from '../draft.ts';
import { specimenLines } from './narrative.ts';

/** What a section is called when its sender gave it no title. */
const titles = { findings: '检查所见', impression: '检查结论', other: undefined };

/** One section under its title: `镜下所见：…`. */
export function sectionLine({ role, title, text }: ReportSection): string {
  const name = wordsOf(title) ?? titles[role];
  return name === undefined ? text : `${name}：${text}`;
}

/** What was examined, how, and when: the readable part of the examination. */
export const examinationLines = (report: ExamReport): string[] => [
  ...labelled([
    ['检查项目', named(report.item)],
    ['检查类别', named(report.category)],
    ['检查部位', named(report.bodyPart)],
    ['检查方法', named(report.method)],
    ['检查时间', report.performedAt],
  ]),
  ...specimenLines(report.specimen),
];

/** Everything the report says in words. */
export const reportLines = (report: ExamReport): string[] => [
  ...report.sections.filter(({ text }) => stated(text) !== undefined).map(sectionLine),
  ...labelled([['危急值', report.critical === true ? '是' : undefined]]),
  ...report.remarks.flatMap((line) => stated(line) ?? []),
];
