import type { Person } from '../../../agent/clinical/records/types.ts';
import { QianzhiError } from '../../../agent/support/errors.ts';
import { el, type XmlElement } from '../xml.ts';
import { type Draft, idElement, nameElement, note, type Said, say, signatureTime, stated, timeOf } from './draft.ts';
import { realTime } from './times.ts';

/** The report's own time, which every document must have. Throws QianzhiError MAP-3009 or MAP-3012. */
export function reportTime(draft: Draft): string {
  const given = stated(draft.report.reportedAt);
  if (given === undefined) throw new QianzhiError('MAP-3009', 'reportedAt');
  const time = realTime(given);
  if (time === undefined) throw new QianzhiError('MAP-3012', 'reportedAt');
  return time;
}

/** author: who made the report, and when (strict: the day only). */
export function author(draft: Draft): XmlElement {
  const { pack, report } = draft;
  const at = reportTime(draft);
  const name = say(draft, 'reportedBy', report.reportedBy?.name, 'name');
  return el('author', { contextControlCode: 'OP', typeCode: 'AUT' }, [
    el('time', { value: pack.form === 'strict' ? at.slice(0, 8) : at }),
    el('assignedAuthor', { classCode: 'ASSIGNED' }, [
      idElement(pack.tables.oid.author.oid, say(draft, 'reportedBy', report.reportedBy?.id, 'id')),
      el('assignedPerson', {}, [nameElement(name)]),
    ]),
  ]);
}

/** legalAuthenticator: who audited the report (审核). */
export function legalAuthenticator(draft: Draft): XmlElement | undefined {
  const { report, pack } = draft;
  const at = timeOf(draft, 'auditedAt', report.auditedAt);
  return signature(draft, 'legalAuthenticator', 'auditedBy', auditor(draft), pack.signers.auditor, at);
}

/** The strict schema wants two characters at least; a shorter number cannot be lengthened, so it counts as missing. */
function auditor(draft: Draft): Person | undefined {
  const by = draft.report.auditedBy;
  if (draft.pack.form !== 'strict' || by?.id === undefined || [...by.id].length >= 2) return by;
  note(draft, 'MAP-3020', 'auditedBy.id', 'completeness');
  return { ...by, id: undefined };
}

/** authenticator: the laboratory technician (检验技师). */
export const technician = (draft: Draft): XmlElement | undefined =>
  signature(draft, 'authenticator', 'technician', draft.report.technician, draft.pack.signers.technician, undefined);

/** authenticator: the physician who reported (检验医师); the strict schema wants one signature at least. */
export const reporter = (draft: Draft): XmlElement | undefined =>
  signature(
    draft,
    'authenticator',
    'reportedBy',
    draft.report.reportedBy,
    draft.pack.signers.reporter,
    reportTime(draft),
  );

function signature(
  draft: Draft,
  element: 'legalAuthenticator' | 'authenticator',
  key: 'auditedBy' | 'technician' | 'reportedBy',
  person: Person | undefined,
  title: string,
  at: string | undefined,
): XmlElement | undefined {
  const strict = draft.pack.form === 'strict';
  let id: Said = say(draft, key, person?.id, 'id');
  let name: Said = say(draft, key, person?.name, 'name');
  if (id === undefined && name === undefined) return undefined;
  // Half a person: the schema wants the other half too, so omitting it must be said.
  const nothing: Said = strict ? { text: draft.pack.missingValue } : 'null';
  id ??= nothing;
  name ??= nothing;
  // The strict schema refuses a one-character placeholder for the auditor's number.
  if (strict && element === 'legalAuthenticator' && id !== 'null' && [...id.text].length < 2) id = { text: 'NA' };
  return el(element, {}, [
    signatureTime(draft, at),
    el('signatureCode'),
    el('assignedEntity', {}, [
      idElement(draft.pack.tables.oid.signer.oid, id),
      el('code', { displayName: title }),
      el('assignedPerson', { classCode: 'PSN', determinerCode: 'INSTANCE' }, [nameElement(name)]),
    ]),
  ]);
}
