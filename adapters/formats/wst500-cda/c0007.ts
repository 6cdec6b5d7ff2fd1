import type { LabItem } from '../../../agent/clinical/records/types.ts';
import { QianzhiError } from '../../../agent/support/errors.ts';
import { el, pattern, shared, type XmlElement, type XmlNode } from '../xml.ts';
import { type Draft, must, note, nullValue, type Said, say, stated, timeOf } from './draft.ts';
import type { ElementKey } from './elements.ts';
import { header } from './header.ts';
import { diagnosisText, itemLine, laboratoryText, textElement } from './narrative.ts';
import { effectiveTime, itemPatterns, observation, textValue } from './observations.ts';
import { realDigits } from './quantity.ts';
import { reportTime } from './signers.ts';
import type { DataElementKey, SectionKey } from './tables.ts';

type Children = Array<XmlNode | undefined>;

/**
 * WS/T 500 part 7, 检验报告, as an element tree (formats.md §1.4, §1.8): diagnosis, laboratory with an
 * organizer for each item, report. Throws QianzhiError MAP-… for what holds the document.
 */
export function c0007(draft: Draft): XmlElement {
  const { report } = draft;
  if (report.items.length === 0) throw new QianzhiError('MAP-3009', 'items');
  reportTime(draft);
  const quantities = report.items.map((item) => quantity(draft, item));
  const attributes = { xmlns: 'urn:hl7-org:v3', 'xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance' };
  return el('ClinicalDocument', attributes, [
    ...header(draft),
    el('component', {}, [
      el('structuredBody', {}, [
        section(draft, 'diagnosis', diagnosisText(report, draft.pack.form), diagnoses(draft)),
        section(draft, 'studies', laboratoryText(report, draft.pack.form), laboratory(draft, quantities)),
        section(draft, 'report', conclusionText(draft), conclusion(draft, quantities)),
      ]),
    ]),
  ]);
}

const entry = pattern<[child: XmlNode]>(1, (child) => el('entry', {}, [child]));

function section(draft: Draft, key: SectionKey, text: XmlElement, entries: Children): XmlElement {
  const { section: sections, oid } = draft.pack.tables;
  const { code, name } = sections[key];
  const coded =
    code === ''
      ? { displayName: name }
      : { code, codeSystem: oid.loinc.oid, codeSystemName: oid.loinc.name, displayName: name };
  return el('component', {}, [
    el('section', {}, [el('code', coded), text, ...entries.map((child) => child && entry(child))]),
  ]);
}

/** An observation that holds a text, or whatever the pack says when there is none. */
function textual(draft: Draft, key: DataElementKey, said: Said, before?: XmlNode): XmlElement | undefined {
  if (said === undefined) return undefined;
  return observation(draft.pack.tables, key, [before, said === 'null' ? nullValue('ST') : textValue(said.text)]);
}

/**
 * ICD-10 by its shape, in every edition seen (formats.md §2). The record does not say of what code
 * system a diagnosis is: another shape is not claimed to be ICD-10 and stays in the readable part.
 */
const icdShape =
  /^[A-Z]\d{2}(?:\.(?:\d{3}|x\d{2}|\d{1,2})(?:x\d{3})?)?(?:M\d{5}\/\d)?(?:[A-Z]\d{2}\.\d)?(?:\+?[A-Z]\d{2}(?:\.\d{1,3})?\*?)?\*?$/;

function diagnoses(draft: Draft): Children {
  const { report, pack } = draft;
  const given = report.encounter.diagnoses;
  if (given.length === 0) say(draft, 'encounter.diagnoses', undefined);
  return given.map((diagnosis) => {
    const code = stated(diagnosis.standard?.code) ?? stated(diagnosis.code);
    const name = stated(diagnosis.standard?.name) ?? stated(diagnosis.name);
    if (code === undefined || !icdShape.test(code)) {
      note(draft, 'MAP-3001', 'encounter.diagnoses', 'accuracy');
      return undefined;
    }
    const at = timeOf(draft, 'encounter.diagnoses', diagnosis.diagnosedAt);
    return observation(pack.tables, 'diagnosis', [
      dated(draft, at),
      el('value', {
        'xsi:type': 'CD',
        code,
        codeSystem: pack.icd.oid,
        codeSystemName: pack.icd.name,
        displayName: name ?? (pack.form === 'strict' ? pack.missingValue : undefined),
      }),
    ]);
  });
}

/** effectiveTime of an observation: strict takes the day only. */
const dated = (draft: Draft, time: string | undefined): XmlNode | undefined =>
  time === undefined ? undefined : effectiveTime(draft.pack.form === 'strict' ? time.slice(0, 8) : time);

/** The REAL digits of an item, or undefined when its value goes as text; a number that does not fit is a finding. */
function quantity(draft: Draft, item: LabItem): string | undefined {
  must('items.value', item.value);
  const digits = realDigits(item, draft.pack.form);
  if (digits === undefined && item.numeric) note(draft, 'MAP-3023', 'items.value', 'accuracy');
  return digits;
}

function laboratory(draft: Draft, quantities: Array<string | undefined>): Children {
  const { report, pack } = draft;
  const methods = [...new Set(report.items.flatMap(({ method }) => stated(method) ?? []))];
  const sources = { category: report.category, panel: report.panel };
  const category = pack.categoryFrom
    .map((from) => stated(sources[from]?.name) ?? stated(sources[from]?.code))
    .find((said) => said !== undefined);
  const specimen = [specimenType(draft), textual(draft, 'specimenCondition', coded(draft, 'specimen.condition'))]
    .filter((found) => found !== undefined)
    .map((found) => shared(el('entryRelationship', { typeCode: 'COMP' }, [found])));
  return [
    ...(methods.length === 0 ? [say(draft, 'items.method', undefined)] : methods.map((text) => ({ text }))).map(
      (said) => textual(draft, 'method', said),
    ),
    textual(draft, 'category', say(draft, 'category', category)),
    ...report.items.map((item, n) => organizer(draft, item, quantities[n], specimen)),
  ];
}

function coded(draft: Draft, key: 'specimen.type' | 'specimen.condition'): Said {
  const value = key === 'specimen.type' ? draft.report.specimen.type : draft.report.specimen.condition;
  return say(draft, key, stated(value?.name) ?? stated(value?.code));
}

/** 标本类别 with 采样 and 接收 as low and high; strict wants both, to the second, or none. */
function specimenType(draft: Draft): XmlElement | undefined {
  const { specimen } = draft.report;
  const [low, high] = (['collectedAt', 'receivedAt'] as const).map((part) => {
    const key: ElementKey = `specimen.${part}`;
    if (stated(specimen[part]) === undefined) say(draft, key, undefined);
    const time = timeOf(draft, key, specimen[part]);
    if (draft.pack.form === 'base' || time === undefined || time.length === 14) return time;
    note(draft, 'MAP-3020', key, 'completeness');
    return undefined;
  });
  const bounds = [bound('low', low), bound('high', high)].filter((found) => found !== undefined);
  const written = draft.pack.form === 'strict' ? bounds.length === 2 : bounds.length > 0;
  const times = written ? el('effectiveTime', {}, bounds) : undefined;
  return textual(draft, 'specimenType', coded(draft, 'specimen.type'), times);
}

const bound = (name: 'low' | 'high', time: string | undefined): XmlElement | undefined =>
  time === undefined ? undefined : el(name, { value: time });

/** One item: its code with time and specimen, its result code, and its quantity if it is one. */
function organizer(draft: Draft, item: LabItem, digits: string | undefined, specimen: XmlElement[]): XmlNode {
  const patterns = itemPatterns(draft.pack.tables);
  const result = item.interpretation === undefined ? undefined : patterns.result(item.interpretation);
  if (result === undefined) say(draft, 'items.interpretation', undefined);
  const tested = timeOf(draft, 'items.testedAt', item.testedAt);
  if (tested === undefined) say(draft, 'items.testedAt', undefined);
  const code = itemCode(draft, item);
  const quantity = digits === undefined ? undefined : patterns.quantity(digits, unit(draft, item));
  return patterns.organizer(dated(draft, tested), code, specimen, result, quantity);
}

function unit(draft: Draft, item: LabItem): XmlNode | undefined {
  const said = say(draft, 'items.unit', item.unit);
  if (said !== undefined && said !== 'null') return itemPatterns(draft.pack.tables).unit(said.text);
  const nothing = textual(draft, 'unit', said);
  return nothing && el('entryRelationship', { typeCode: 'COMP' }, [nothing]);
}

/** 检验项目代码: the code as the laboratory sent it unless the pack prefers the standard one; the name if there is no code. */
function itemCode(draft: Draft, { item }: LabItem): string {
  const standard = stated(item.standard?.code);
  const local = stated(item.code);
  const code = draft.pack.itemCode === 'standard' ? (standard ?? local) : (local ?? standard);
  return must('items.item', code ?? stated(item.name) ?? stated(item.standard?.name));
}

function conclusionText({ report, pack }: Draft): XmlElement {
  const lines = [report.conclusion, ...report.remarks].flatMap((line) => stated(line) ?? []);
  return textElement(lines, pack.form);
}

function conclusion(draft: Draft, quantities: Array<string | undefined>): Children {
  const { report, input } = draft;
  const department = stated(report.performingDepartment?.name) ?? stated(report.performingDepartment?.code);
  const remarks = report.remarks.filter((line) => stated(line) !== undefined).join('\n');
  return [
    textual(draft, 'resultText', say(draft, 'conclusion', resultText(draft, quantities))),
    textual(draft, 'reportDepartment', say(draft, 'performingDepartment', department)),
    textual(draft, 'reportOrganization', { text: must('site.name', input.site.name) }),
    textual(draft, 'remarks', say(draft, 'remarks', remarks)),
  ];
}

/**
 * 检验报告结果: the conclusion if one was sent, and always every value that no REAL carries, for it
 * has no other coded place. Without a conclusion the pack says whether all items are told.
 */
function resultText(draft: Draft, quantities: Array<string | undefined>): string {
  const { report, pack } = draft;
  const conclusion = stated(report.conclusion);
  const all = conclusion === undefined && pack.resultText === 'all-items';
  const items = report.items.filter((_, n) => all || quantities[n] === undefined).map(itemLine);
  return [...(conclusion === undefined ? [] : [conclusion]), ...items].join('\n');
}
