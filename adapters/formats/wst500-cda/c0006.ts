import type { ExamReport } from '../../../agent/clinical/records/types.ts';
import { QianzhiError } from '../../../agent/support/errors.ts';
import { el, type XmlElement } from '../xml.ts';
import {
  type Children,
  clinicalDocument,
  dated,
  diagnoses,
  reportedIn,
  section,
  specimenParts,
  textual,
} from './body/document-body.ts';
import { examinationLines, reportLines, sectionLine } from './body/exam-narrative.ts';
import { diagnosisLines, textElement } from './body/narrative.ts';
import { component, itemPatterns, observation, textValue } from './body/observations.ts';
import { codeOf, wordsOf } from './coded-text.ts';
import { type Draft, nullValue, say, stated, timeOf } from './draft.ts';
import { reportTime } from './header/signers.ts';
import type { DataElementKey, SectionKey } from './pack/tables.ts';

/**
 * WS/T 500 part 6, 检查报告, as an element tree (formats.md §1.5, §1.8): diagnosis, complaint, symptoms,
 * examination, treatment, report; no message tells of an operation. A section that says nothing is left out.
 * Throws QianzhiError MAP-… for what holds the document.
 */
export function c0006(draft: Draft<ExamReport>): XmlElement {
  const { report } = draft;
  if (!report.sections.some(({ text }) => stated(text) !== undefined)) throw new QianzhiError('MAP-3009', 'sections');
  reportTime(draft);
  const diagnosed = diagnoses(draft);
  const named = diagnosisLines(report);
  // The strict schema has no section without an entry: diagnoses without a code are read in the report's.
  const homeless = strict(draft) && diagnosed.every((child) => child === undefined) ? named : [];
  const lines = [...homeless.map((line) => `诊断：${line}`), ...reportLines(report)];
  return clinicalDocument(draft, [
    told(draft, 'diagnosis', named, diagnosed),
    told(draft, 'chiefComplaint', [], [untold(draft, 'chiefComplaint')]),
    told(draft, 'symptoms', [], [untold(draft, 'symptoms')]),
    told(draft, 'examination', examinationLines(report), examination(draft)),
    told(draft, 'treatment', [], [untold(draft, 'treatment')]),
    told(draft, 'examReport', lines, [
      textual(draft, 'examFindings', say(draft, 'findings', findings(draft))),
      textual(draft, 'examImpression', say(draft, 'impression', sections(report, 'impression').join('\n'))),
      ...reportedIn(draft),
    ]),
  ]);
}

const strict = (draft: Draft<ExamReport>): boolean => draft.pack.form === 'strict';

function told(draft: Draft<ExamReport>, key: SectionKey, lines: string[], entries: Children): XmlElement | undefined {
  const said = entries.some((child) => child !== undefined) || (!strict(draft) && lines.length > 0);
  return said ? section(draft, key, textElement(lines, draft.pack.form), entries) : undefined;
}

/** What no record says: only the pack can put something in its place. */
const untold = (
  draft: Draft<ExamReport>,
  key: DataElementKey & ('specialExamination' | 'chiefComplaint' | 'symptoms' | 'treatment'),
): XmlElement | undefined => textual(draft, key, say(draft, key, undefined));

/** The texts of a role; of several, each under its title. */
function sections(report: ExamReport, role: 'findings' | 'impression' | 'other'): string[] {
  const found = report.sections.filter((one) => one.role === role && stated(one.text) !== undefined);
  return found.length === 1 && role !== 'other' ? found.map(({ text }) => text) : found.map(sectionLine);
}

/** 客观所见. Sections with a title of their own (镜下所见 …) have no coded place, so they follow here unless the pack says no. */
function findings({ report, pack }: Draft<ExamReport>): string {
  const others = pack.titledSections === 'with-findings' ? sections(report, 'other') : [];
  return [...sections(report, 'findings'), ...others].join('\n');
}

function examination(draft: Draft<ExamReport>): Children {
  const { report } = draft;
  return [
    untold(draft, 'specialExamination'),
    textual(draft, 'examMethod', say(draft, 'method', wordsOf(report.method))),
    textual(draft, 'examCategory', say(draft, 'category', wordsOf(report.category))),
    organizer(draft),
  ];
}

/** The item with its time, body part and specimen, and its result code. */
function organizer(draft: Draft<ExamReport>): XmlElement | undefined {
  const { report, pack } = draft;
  const { interpretation } = report;
  const result = interpretation === undefined ? undefined : itemPatterns(pack.tables).examResult(interpretation);
  if (result === undefined) say(draft, 'interpretation', undefined);
  const components = [item(draft), result].filter((found) => found !== undefined);
  if (components.length === 0) return undefined;
  return el('organizer', { classCode: 'CLUSTER', moodCode: 'EVN' }, [el('statusCode'), ...components]);
}

function item(draft: Draft<ExamReport>): XmlElement | undefined {
  const { report, pack } = draft;
  const performed = timeOf(draft, 'performedAt', report.performedAt);
  if (performed === undefined) say(draft, 'performedAt', undefined);
  const at = dated(draft, 'performedAt', performed);
  const specimen = report.specimen === undefined ? [] : specimenParts(draft);
  const said = say(draft, 'item', codeOf(pack, report.item));
  if (said === undefined) return undefined;
  const value = said === 'null' ? nullValue('ST') : textValue(said.text);
  return component(observation(pack.tables, 'examItem', [at, value, bodyPart(draft), ...specimen]));
}

/** 检查部位 as the sender names it, without a code system. The strict schema has no place for it here. */
function bodyPart(draft: Draft<ExamReport>): XmlElement | undefined {
  const { report, pack } = draft;
  const words = wordsOf(report.bodyPart);
  if (words === undefined || strict(draft) || pack.bodyPart === 'readable') return undefined;
  return el('targetSiteCode', { displayName: words });
}
