import type { LabItem, LabReport } from '../../../agent/clinical/records/types.ts';
import { QianzhiError } from '../../../agent/support/errors.ts';
import { el, type XmlElement, type XmlNode } from '../xml.ts';
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
import { diagnosisLines, itemLine, laboratoryText, textElement } from './body/narrative.ts';
import { itemPatterns } from './body/observations.ts';
import { cultureLines } from './body/organisms.ts';
import { realDigits } from './body/quantity.ts';
import { codeOf, wordsOf } from './coded-text.ts';
import { type Draft, must, note, say, stated, timeOf } from './draft.ts';
import { reportTime } from './header/signers.ts';

/**
 * WS/T 500 part 7, 检验报告, as an element tree (formats.md §1.4, §1.8): diagnosis, laboratory with an
 * organizer for each item, report. Throws QianzhiError MAP-… for what holds the document.
 */
export function c0007(draft: Draft<LabReport>): XmlElement {
  const { report, pack } = draft;
  if (report.items.length === 0 && (report.organisms ?? []).length === 0) throw new QianzhiError('MAP-3009', 'items');
  reportTime(draft);
  const quantities = report.items.map((item) => quantity(draft, item));
  return clinicalDocument(draft, [
    section(draft, 'diagnosis', textElement(diagnosisLines(report), pack.form), diagnoses(draft)),
    section(draft, 'studies', laboratoryText(report, pack.form), laboratory(draft, quantities)),
    section(draft, 'report', conclusionText(draft), conclusion(draft, quantities)),
  ]);
}

/** The REAL digits of an item, or undefined when its value goes as text; a number that does not fit is a finding. */
function quantity(draft: Draft<LabReport>, item: LabItem): string | undefined {
  must('items.value', item.value);
  const digits = realDigits(item, draft.pack.form);
  if (digits === undefined && item.numeric) note(draft, 'MAP-3023', 'items.value', 'accuracy');
  return digits;
}

function laboratory(draft: Draft<LabReport>, quantities: Array<string | undefined>): Children {
  const { report, pack } = draft;
  const methods = [...new Set(report.items.flatMap(({ method }) => stated(method) ?? []))];
  const sources = { category: report.category, panel: report.panel };
  const category = pack.categoryFrom.map((from) => wordsOf(sources[from])).find((said) => said !== undefined);
  const specimen = specimenParts(draft);
  return [
    ...(methods.length === 0 ? [say(draft, 'items.method', undefined)] : methods.map((text) => ({ text }))).map(
      (said) => textual(draft, 'method', said),
    ),
    textual(draft, 'category', say(draft, 'category', category)),
    ...report.items.map((item, n) => organizer(draft, item, quantities[n], specimen)),
  ];
}

/** One item: its code with time and specimen, its result code, and its quantity if it is one. */
function organizer(
  draft: Draft<LabReport>,
  item: LabItem,
  digits: string | undefined,
  specimen: XmlElement[],
): XmlNode {
  const patterns = itemPatterns(draft.pack.tables);
  const result = item.interpretation === undefined ? undefined : patterns.result(item.interpretation);
  if (result === undefined) say(draft, 'items.interpretation', undefined);
  const tested = timeOf(draft, 'items.testedAt', item.testedAt);
  if (tested === undefined) say(draft, 'items.testedAt', undefined);
  const code = must('items.item', codeOf(draft.pack, item.item));
  const quantity = digits === undefined ? undefined : patterns.quantity(digits, unit(draft, item));
  return patterns.organizer(dated(draft, 'items.testedAt', tested), code, specimen, result, quantity);
}

function unit(draft: Draft<LabReport>, item: LabItem): XmlNode | undefined {
  const said = say(draft, 'items.unit', item.unit);
  if (said !== undefined && said !== 'null') return itemPatterns(draft.pack.tables).unit(said.text);
  const nothing = textual(draft, 'unit', said);
  return nothing && el('entryRelationship', { typeCode: 'COMP' }, [nothing]);
}

function conclusionText({ report, pack }: Draft<LabReport>): XmlElement {
  const lines = [report.conclusion, ...report.remarks].flatMap((line) => stated(line) ?? []);
  return textElement(lines, pack.form);
}

const conclusion = (draft: Draft<LabReport>, quantities: Array<string | undefined>): Children => [
  textual(draft, 'resultText', say(draft, 'conclusion', resultText(draft, quantities))),
  ...reportedIn(draft),
];

/**
 * 检验报告结果: the conclusion if one was sent, and always every value that no REAL carries and what grew in
 * a culture, for they have no other coded place. Without a conclusion the pack says whether all items are told.
 */
function resultText(draft: Draft<LabReport>, quantities: Array<string | undefined>): string {
  const { report, pack } = draft;
  const conclusion = stated(report.conclusion);
  const all = conclusion === undefined && pack.resultText === 'all-items';
  const items = report.items.filter((_, n) => all || quantities[n] === undefined).map(itemLine);
  return [...(conclusion === undefined ? [] : [conclusion]), ...items, ...cultureLines(report)].join('\n');
}
