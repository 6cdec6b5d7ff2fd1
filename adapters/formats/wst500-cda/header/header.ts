import { QianzhiError } from '../../../../agent/support/errors.ts';
import { el, type XmlElement } from '../../xml.ts';
import {
  type Draft,
  fitting,
  hospital,
  idElement,
  longEnough,
  nameElement,
  note,
  say,
  stated,
  timeOf,
} from '../draft.ts';
import { toTheSecond } from '../times.ts';
import { documentId } from './document-id.ts';
import { location } from './location.ts';
import { recordTarget } from './patient.ts';
import { author, legalAuthenticator, reporter, technician } from './signers.ts';

/** Every element before the body, in the order the schema fixes (formats.md §1.1). */
export function header(draft: Draft): Array<XmlElement | undefined> {
  const { pack, type, input } = draft;
  const { oid } = pack.tables;
  const { setId, version } = input;
  return [
    el('realmCode', { code: 'CN' }),
    el('typeId', { root: oid.typeId.oid, extension: 'POCD_MT000040' }),
    el('templateId', { root: oid[type.template].oid }),
    el('id', { root: oid.documentId.oid, extension: documentId(setId, version) }),
    el('code', { code: type.code, codeSystem: oid.documentCodes.oid, codeSystemName: oid.documentCodes.name }),
    el('title', {}, pack.titles[type.code]),
    el('effectiveTime', { value: draft.time }),
    el('confidentialityCode', {
      code: 'N',
      codeSystem: oid.confidentiality.oid,
      codeSystemName: oid.confidentiality.name,
      displayName: '正常访问保密级别',
    }),
    el('languageCode', { code: 'zh-CN' }),
    ...chain(draft, version),
    recordTarget(draft),
    author(draft),
    custodian(draft),
    legalAuthenticator(draft),
    technician(draft),
    reporter(draft),
    orderedIn(draft),
    related(draft),
    location(draft),
  ];
}

/** setId and versionNumber; strict wants them present and without attributes. */
function chain(draft: Draft, version: number): XmlElement[] {
  if (draft.pack.form === 'strict') return [el('setId'), el('versionNumber')];
  return [
    el('setId', { root: draft.pack.setIdRoot, extension: draft.input.setId }),
    el('versionNumber', { value: String(version) }),
  ];
}

/**
 * relatedDocument: in the base form from the second version on, naming the one before. Strict
 * demands it in every version and forbids it to say anything; there the chain is the platform
 * protocol's to carry.
 */
function related(draft: Draft): XmlElement | undefined {
  const { input, pack } = draft;
  const strict = pack.form === 'strict';
  if (!strict && input.version < 2) return undefined;
  const before = input.version - 1;
  const id = strict
    ? el('id')
    : el('id', { root: pack.tables.oid.documentId.oid, extension: documentId(input.setId, before) });
  return el('relatedDocument', { typeCode: 'RPLC' }, [el('parentDocument', {}, [id, ...chain(draft, before)])]);
}

function custodian(draft: Draft): XmlElement {
  return el('custodian', { typeCode: 'CST' }, [
    el('assignedCustodian', { classCode: 'ASSIGNED' }, [
      el('representedCustodianOrganization', { classCode: 'ORG', determinerCode: 'INSTANCE' }, hospital(draft)),
    ]),
  ]);
}

/** participant PRF: the department and organisation that ordered (检查、检验申请机构及科室). */
function orderedIn(draft: Draft): XmlElement | undefined {
  const { pack, type, report } = draft;
  const lengths = type.strict.departmentId;
  const code = fitting(draft, 'orderingDepartment.code', report.orderingDepartment?.code, lengths);
  const id = longEnough(draft, say(draft, 'orderingDepartment', code, 'code'), lengths);
  const name = say(draft, 'orderingDepartment', report.orderingDepartment?.name, 'name');
  if (id === undefined && name === undefined) return undefined;
  return el('participant', { typeCode: 'PRF' }, [
    el('time', { value: orderedAt(draft) }),
    el('associatedEntity', { classCode: 'ASSIGNED' }, [
      el('scopingOrganization', {}, [
        idElement(pack.tables.oid.department.oid, id),
        nameElement(name),
        el('asOrganizationPartOf', {}, [el('wholeOrganization', {}, hospital(draft))]),
      ]),
    ]),
  ]);
}

/**
 * When it was ordered: only examinations are told it. The strict schema demands a time to the second, for which
 * the pack names what may stand. Throws QianzhiError MAP-3009 when none of it is there.
 */
function orderedAt(draft: Draft): string | undefined {
  const { pack, report } = draft;
  if (report.kind !== 'exam-report') return undefined;
  const given = timeOf(draft, 'orderedAt', report.orderedAt);
  if (pack.form === 'base') {
    if (given === undefined) say(draft, 'orderedAt', undefined);
    return given;
  }
  const times = { ...report, documentTime: draft.time };
  const found = pack.orderedAtFrom.flatMap((from) => toTheSecond(stated(times[from])) ?? [])[0];
  if (found === undefined) throw new QianzhiError('MAP-3009', 'orderedAt');
  if (found !== given) note(draft, 'MAP-3020', 'orderedAt', 'completeness');
  return found;
}
