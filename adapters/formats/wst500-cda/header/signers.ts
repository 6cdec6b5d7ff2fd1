import type { Person } from '../../../../agent/clinical/records/types.ts';
import { QianzhiError } from '../../../../agent/support/errors.ts';
import { el, type XmlElement } from '../../xml.ts';
import {
  type Draft,
  fitting,
  idElement,
  longEnough,
  nameElement,
  type Said,
  say,
  signatureTime,
  stated,
  timeOf,
} from '../draft.ts';
import { realTime } from '../times.ts';

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
  const { report, pack, type } = draft;
  const at = timeOf(draft, 'auditedAt', report.auditedAt);
  const title = pack.signers[type.code].auditor;
  return signature(draft, 'legalAuthenticator', 'auditedBy', report.auditedBy, title, at);
}

/** authenticator: who did the test or examination (检验技师, 检查技师). */
export function technician(draft: Draft): XmlElement | undefined {
  const { report, pack, type } = draft;
  const title = pack.signers[type.code].technician;
  return report.kind === 'lab-report'
    ? signature(draft, 'authenticator', 'technician', report.technician, title, undefined)
    : signature(draft, 'authenticator', 'performedBy', report.performedBy, title, undefined);
}

/** authenticator: the physician who reported (检验医师, 检查医师); the strict schemas want one signature at least. */
export function reporter(draft: Draft): XmlElement | undefined {
  const { report, pack, type } = draft;
  const title = pack.signers[type.code].reporter;
  return signature(draft, 'authenticator', 'reportedBy', report.reportedBy, title, reportTime(draft));
}

function signature(
  draft: Draft,
  element: 'legalAuthenticator' | 'authenticator',
  key: 'auditedBy' | 'technician' | 'performedBy' | 'reportedBy',
  person: Person | undefined,
  title: string,
  at: string | undefined,
): XmlElement | undefined {
  const strict = draft.pack.form === 'strict';
  const lengths = element === 'legalAuthenticator' ? draft.type.strict.auditorId : draft.type.strict.signerId;
  let id: Said = say(draft, key, fitting(draft, `${key}.id`, person?.id, lengths), 'id');
  let name: Said = say(draft, key, person?.name, 'name');
  if (id === undefined && name === undefined) return undefined;
  // Half a person: the schema wants the other half too, so omitting it must be said.
  const nothing: Said = strict ? { text: draft.pack.missingValue } : 'null';
  id = longEnough(draft, id ?? nothing, lengths);
  name ??= nothing;
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
