import { el, pattern, shared, type XmlElement, type XmlNode } from '../../xml.ts';
import { wordsOf } from '../coded-text.ts';
import { type Draft, must, note, nullValue, type Said, say, stated, timeOf } from '../draft.ts';
import type { ElementKey } from '../elements.ts';
import { header } from '../header/header.ts';
import type { DataElementKey, SectionKey } from '../pack/tables.ts';
import { effectiveTime, observation, textValue } from './observations.ts';

export type Children = Array<XmlNode | undefined>;

/** The whole document: the header, and the sections of its body. */
export function clinicalDocument(draft: Draft, sections: Children): XmlElement {
  // No schema has a place for a file, and addresses of the intranet never leave.
  if (draft.report.attachments !== undefined && draft.report.attachments.length > 0) {
    note(draft, 'MAP-3024', 'attachments', 'completeness');
  }
  const attributes = { xmlns: 'urn:hl7-org:v3', 'xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance' };
  return el('ClinicalDocument', attributes, [
    ...header(draft),
    el('component', {}, [el('structuredBody', {}, sections)]),
  ]);
}

const entry = pattern<[child: XmlNode]>(1, (child) => el('entry', {}, [child]));

export function section(draft: Draft, key: SectionKey, text: XmlElement, entries: Children): XmlElement {
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
export function textual(draft: Draft, key: DataElementKey, said: Said, before?: XmlNode): XmlElement | undefined {
  if (said === undefined) return undefined;
  return observation(draft.pack.tables, key, [before, said === 'null' ? nullValue('ST') : textValue(said.text)]);
}

/** effectiveTime of a diagnosis or an item. Strict takes one precision only, and seconds are never made up. */
export function dated(draft: Draft, key: ElementKey, time: string | undefined): XmlNode | undefined {
  if (time === undefined) return undefined;
  if (draft.pack.form === 'base') return effectiveTime(time);
  if (draft.type.strict.time === 'day') return effectiveTime(time.slice(0, 8));
  if (time.length === 14) return effectiveTime(time);
  note(draft, 'MAP-3020', key, 'completeness');
  return undefined;
}

/**
 * ICD-10 by its shape, in every edition seen (formats.md §2). The record does not say of what code
 * system a diagnosis is: another shape is not claimed to be ICD-10 and stays in the readable part.
 */
const icdShape =
  /^[A-Z]\d{2}(?:\.(?:\d{3}|x\d{2}|\d{1,2})(?:x\d{3})?)?(?:M\d{5}\/\d)?(?:[A-Z]\d{2}\.\d)?(?:\+?[A-Z]\d{2}(?:\.\d{1,3})?\*?)?\*?$/;

export function diagnoses(draft: Draft): Children {
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
      dated(draft, 'encounter.diagnoses', at),
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

/** What an item says of its specimen: 标本类别 and 标本状态. */
export function specimenParts(draft: Draft): XmlElement[] {
  const condition = say(draft, 'specimen.condition', wordsOf(draft.report.specimen?.condition));
  return [specimenType(draft), textual(draft, 'specimenCondition', condition)]
    .filter((found) => found !== undefined)
    .map((found) => shared(el('entryRelationship', { typeCode: 'COMP' }, [found])));
}

/** 标本类别 with 采样 and 接收 as low and high; strict wants both, to the second, or none. */
function specimenType(draft: Draft): XmlElement | undefined {
  const { specimen } = draft.report;
  const [low, high] = (['collectedAt', 'receivedAt'] as const).map((part) => {
    const key: ElementKey = `specimen.${part}`;
    if (stated(specimen?.[part]) === undefined) say(draft, key, undefined);
    const time = timeOf(draft, key, specimen?.[part]);
    if (draft.pack.form === 'base' || time === undefined || time.length === 14) return time;
    note(draft, 'MAP-3020', key, 'completeness');
    return undefined;
  });
  const bounds = [bound('low', low), bound('high', high)].filter((found) => found !== undefined);
  const written = draft.pack.form === 'strict' ? bounds.length === 2 : bounds.length > 0;
  const times = written ? el('effectiveTime', {}, bounds) : undefined;
  return textual(draft, 'specimenType', say(draft, 'specimen.type', wordsOf(specimen?.type)), times);
}

const bound = (name: 'low' | 'high', time: string | undefined): XmlElement | undefined =>
  time === undefined ? undefined : el(name, { value: time });

/** What ends the last section of each document: 报告科室, 报告机构, 备注. */
export function reportedIn(draft: Draft): Children {
  const { report, input, type } = draft;
  const remarks = report.remarks.filter((line) => stated(line) !== undefined).join('\n');
  return [
    textual(draft, type.elements.department, say(draft, 'performingDepartment', wordsOf(report.performingDepartment))),
    textual(draft, type.elements.organization, { text: must('site.name', input.site.name) }),
    textual(draft, type.elements.remarks, say(draft, 'remarks', remarks)),
  ];
}
