import { el, type XmlElement } from '../xml.ts';
import { documentId } from './document-id.ts';
import { type Draft, hospital, idElement, nameElement, say } from './draft.ts';
import { location } from './location.ts';
import { recordTarget } from './patient.ts';
import { author, legalAuthenticator, reporter, technician } from './signers.ts';

/** Every element before the body, in the order the schema fixes (formats.md §1.1). */
export function header(draft: Draft): Array<XmlElement | undefined> {
  const { pack, input } = draft;
  const { oid } = pack.tables;
  const { setId, version } = input;
  return [
    el('realmCode', { code: 'CN' }),
    el('typeId', { root: oid.typeId.oid, extension: 'POCD_MT000040' }),
    el('templateId', { root: oid.templateC0007.oid }),
    el('id', { root: oid.documentId.oid, extension: documentId(setId, version) }),
    el('code', { code: 'C0007', codeSystem: oid.documentCodes.oid, codeSystemName: oid.documentCodes.name }),
    el('title', {}, pack.title),
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

/** participant PRF: the department and organisation that ordered (检验申请机构及科室). */
function orderedIn(draft: Draft): XmlElement | undefined {
  const { pack, report } = draft;
  const id = say(draft, 'orderingDepartment', report.orderingDepartment?.code, 'code');
  const name = say(draft, 'orderingDepartment', report.orderingDepartment?.name, 'name');
  if (id === undefined && name === undefined) return undefined;
  return el('participant', { typeCode: 'PRF' }, [
    el('time'),
    el('associatedEntity', { classCode: 'ASSIGNED' }, [
      el('scopingOrganization', {}, [
        idElement(pack.tables.oid.department.oid, id),
        nameElement(name),
        el('asOrganizationPartOf', {}, [el('wholeOrganization', {}, hospital(draft))]),
      ]),
    ]),
  ]);
}
