import type { IdentifierKind, PatientClass } from '../../../../agent/clinical/records/types.ts';
import { QianzhiError } from '../../../../agent/support/errors.ts';
import { el, type XmlElement, type XmlNode } from '../../xml.ts';
import { type Draft, idElement, must, nameElement, note, type Said, say, stated } from '../draft.ts';
import type { NumberSource } from '../pack/config.ts';
import { ageAt, realTime } from '../times.ts';

/** recordTarget: numbers, class, phone and person. Order of children as the schema fixes it (formats.md §1.3). */
export function recordTarget(draft: Draft): XmlElement {
  const { report, pack, type: document } = draft;
  const { patient } = report;
  const { oid } = pack.tables;
  const patientClass = report.encounter.patientClass;
  const type = patientClass === undefined ? undefined : pack.tables.patientType(patientClass);
  if (patientClass === undefined || type === undefined) throw new QianzhiError('MAP-3005', 'encounter.patientClass');
  return el('recordTarget', { contextControlCode: 'OP', typeCode: 'RCT' }, [
    el('patientRole', { classCode: 'PAT' }, [
      ...encounterNumbers(draft, patientClass),
      idElement(oid[document.reportNumber].oid, { text: must('reportNumber', report.reportNumber) }),
      ...orders(draft).map((said) => idElement(oid.order.oid, said)),
      idElement(oid.specimen.oid, specimenNumber(draft)),
      el('patientType', {}, [
        el('patienttypeCode', {
          code: type.code,
          codeSystem: oid.patientType.oid,
          codeSystemName: oid.patientType.name,
          displayName: type.name,
        }),
      ]),
      phone(draft),
      el('patient', { classCode: 'PSN', determinerCode: 'INSTANCE' }, [
        idElement(oid.residentId.oid, say(draft, 'patient.residentId', identifier(draft, 'resident-id'))),
        nameElement({ text: must('patient.name', patient.name) }),
        sex(draft),
        age(draft),
      ]),
    ]),
  ]);
}

const identifier = (draft: Draft, kind: IdentifierKind): string | undefined =>
  draft.report.patient.identifiers.find((id) => id.kind === kind && stated(id.value) !== undefined)?.value;

function numberFrom(draft: Draft, sources: readonly NumberSource[]): string | undefined {
  for (const source of sources) {
    const number =
      (source === 'visit' ? stated(draft.report.encounter.visitNumber) : undefined) ?? identifier(draft, source);
    if (number !== undefined) return number;
  }
  return undefined;
}

/**
 * 门(急)诊号 then 住院号, as in the templates. The number of the patient's own class is identity and
 * may be read from where the pack says; the other one is only ever its own kind of number.
 */
function encounterNumbers(draft: Draft, patientClass: PatientClass): Array<XmlNode | undefined> {
  const { oid } = draft.pack.tables;
  const inpatient = patientClass === 'inpatient';
  const own = { text: must('encounter.number', numberFrom(draft, draft.pack.encounterNumbers[patientClass])) };
  const other = say(draft, 'encounter.otherNumber', identifier(draft, inpatient ? 'outpatient' : 'inpatient'));
  return [
    idElement(oid.outpatientNumber.oid, inpatient ? other : own),
    idElement(oid.inpatientNumber.oid, inpatient ? own : other),
  ];
}

/** One id for each order: both schemas take any number, and a report of several orders belongs to each. */
function orders(draft: Draft) {
  const numbers = [...new Set(draft.report.orderNumbers.filter((number) => stated(number) !== undefined))];
  return numbers.length === 0 ? [say(draft, 'orderNumbers', undefined)] : numbers.map((text) => ({ text }));
}

/** Most examinations have no specimen, and so no number of one: then nothing demands it. */
function specimenNumber(draft: Draft): Said {
  const { specimen } = draft.report;
  if (specimen === undefined && draft.pack.elements['specimen.number'].role === 'identity') return undefined;
  return say(draft, 'specimen.number', specimen?.number, undefined, specimen !== undefined);
}

/** The schema's type is a URI: what can certainly be one. Anything else counts as not given. */
const phoneShape = /^[\p{L}\p{N} +*().,;-][\p{L}\p{N} +*().,;/-]*$/u;

function phone(draft: Draft): XmlElement | undefined {
  const given = stated(draft.report.patient.phone);
  const said = say(draft, 'patient.phone', given !== undefined && phoneShape.test(given) ? given : undefined);
  if (said === undefined) return undefined;
  return said === 'null' ? el('telecom', { nullFlavor: 'NI' }) : el('telecom', { value: said.text });
}

/** The standard code only: a local one could mean the opposite elsewhere, so it is held until it is mapped. */
function sex(draft: Draft): XmlElement {
  const { tables } = draft.pack;
  const given = draft.report.patient.sex;
  const code = stated(given?.standard?.code);
  if (code === undefined && stated(given?.code ?? given?.name) === undefined) must('patient.sex', undefined);
  const row = code === undefined ? undefined : tables.sex(code);
  if (row === undefined) throw new QianzhiError('MAP-3001', 'patient.sex');
  return el('administrativeGenderCode', {
    code: row.code,
    codeSystem: tables.oid.sex.oid,
    codeSystemName: tables.oid.sex.name,
    displayName: row.name,
  });
}

function age(draft: Draft): XmlElement | undefined {
  const { report, pack } = draft;
  const birth = realTime(stated(report.patient.birthDate));
  const at = realTime(stated(report.reportedAt));
  const found = birth === undefined || at === undefined ? undefined : ageAt(birth, at, pack.form);
  if (found !== undefined && pack.form === 'strict' && Number(found.value) < draft.type.strict.leastAge) {
    // An examination on the day of birth: the schema of C0006 has no age of no days, and one day would be untrue.
    throw new QianzhiError('MAP-3002', 'patient.birthDate');
  }
  if (found !== undefined) return el('age', { unit: found.unit, value: found.value });
  if (stated(report.patient.birthDate) !== undefined) note(draft, 'MAP-3012', 'patient.birthDate', 'accuracy');
  // Only `omit` is allowed for it: no text can stand for a number.
  say(draft, 'patient.birthDate', undefined);
  return undefined;
}
