import type { PatientStatement } from '../../../agent/clinical/patients/types.ts';
import { compareTimes, localTime, normaliseTime } from '../../../agent/clinical/records/time.ts';
import type { ClinicalRecord, Encounter, Finding } from '../../../agent/clinical/records/types.ts';
import type { ReportStatement, StatusAction } from '../../../agent/clinical/reports/types.ts';
import type { MappingContext, Statement } from '../../../agent/mapping/mapper.ts';
import { type Hl7Message, type Segment, valueAt } from '../parser.ts';
import type { CompiledProfile } from '../profile/rules.ts';
import type { Scope } from '../profile/scope.ts';
import { readEncounter } from './encounter.ts';
import { type PatientReading, readPatient } from './patient.ts';
import { type Extraction, remark } from './reading.ts';
import type { SearchKeys } from './search-keys.ts';

/** A sender's clock may be ahead by this much before its times count as future. */
const clockTolerance = 5 * 60_000;

/** MSH-7 and the horizon, asked once for all patients of a message: zones are dear. */
export const timesOf = (message: Hl7Message, msh: Segment, timeZone: string, receivedMs: number) => ({
  sentAt: normaliseTime(valueAt(message, msh, 7), timeZone),
  horizon: localTime(receivedMs + clockTolerance, timeZone),
});

/** What a message is read with, whatever it says. */
export interface Circumstances {
  rules: CompiledProfile;
  scope: Scope;
  msh: Segment;
  context: MappingContext;
  keys: SearchKeys;
  /** MSH-7; undefined when it is no time. */
  sentAt: string | undefined;
  /** What is later than this is in the future. */
  horizon: string;
}

/** What a message says of one patient and visit: the ground that every record of them stands on. */
export interface Told {
  x: Extraction;
  source: string;
  keys: SearchKeys;
  patient: PatientReading;
  encounter: Encounter;
  unknownClass: boolean;
  /** Segments of the patient, current wherever no order has its own. */
  segments: Scope['current'];
  /** Remarks about patient and visit; every record of them carries these. */
  findings: Finding[];
  /** MSH-7, else EVN-2; undefined when there is none or it lies in the future. */
  messageTime: string | undefined;
  /** What is later than this is in the future. */
  horizon: string;
}

/** The patient alone, and what a message can be found by: enough for one that is filtered. */
export function enterPatient(
  { rules, scope, msh, keys }: Circumstances,
  segments: Record<string, Segment>,
): { x: Extraction; patient: PatientReading } {
  scope.current = { ...segments, MSH: msh };
  const x: Extraction = { rules, scope, findings: [] };
  const patient = readPatient(x);
  keys.addPatient(patient.patient);
  keys.add('visit', rules.encounter.visitNumber?.(scope));
  return { x, patient };
}

export function readTold(
  circumstances: Circumstances,
  group: { segments: Record<string, Segment>; diagnoses: readonly Segment[] },
): Told {
  const { scope, context, keys, horizon } = circumstances;
  const { x, patient } = enterPatient(circumstances, group.segments);
  const { encounter, unknownClass } = readEncounter(x, group.diagnoses);
  const evn = group.segments.EVN;
  const messageTime = circumstances.sentAt ?? (evn && normaliseTime(valueAt(scope.message, evn, 2), scope.timeZone));
  return {
    x,
    source: context.source,
    keys,
    patient,
    encounter,
    unknownClass,
    segments: scope.current,
    findings: x.findings,
    messageTime: messageTime !== undefined && compareTimes(messageTime, horizon) <= 0 ? messageTime : undefined,
    horizon,
  };
}

export const hold = ({ code, where }: { code: string; where: string }): Statement => ({ held: { code, where } });

export interface RecordReading {
  /** Kind of the record in its key and its number there; of reports the number alone is enough. */
  key: string;
  record: ClinicalRecord;
  action: StatusAction;
  itemActions?: ReportStatement['itemActions'];
  /** Set when it cannot be published as it is; a withdrawal or an interim does not need it. */
  incomplete?: { code: string; where: string } | undefined;
  /** Report time as the sender says. */
  reportTime?: string | undefined;
  /** Whether what is missing of the patient is to be looked for: not of orders, which no platform reads alone. */
  needsPatient: boolean;
}

/**
 * One record as a statement. Held are a patient without in-house number (MAP-3003) or with a resident ID that contradicts
 * (MAP-3004), what is incomplete, and an unknown class (MAP-3005); a withdrawal needs to know record and patient only.
 */
export function stateRecord(told: Told, reading: RecordReading): Statement {
  const { x, patient } = told;
  const { action, record, reportTime } = reading;
  const { patientKey } = patient;
  if (patientKey === undefined) return hold({ code: 'MAP-3003', where: 'patient.in_house' });
  if (!patient.ok && action !== 'retract') return hold(patient);
  if (action === 'publish') {
    if (reading.incomplete !== undefined) return hold(reading.incomplete);
    if (told.unknownClass && reading.needsPatient) return hold({ code: 'MAP-3005', where: 'encounter.class' });
  }
  const inFuture = compareTimes(reportTime, told.horizon) > 0;
  if (inFuture) remark(x, 'MAP-3022', 'reportedAt', 'timeliness');
  const lacks = action === 'publish' && reading.needsPatient ? lacksOf(told) : [];
  return {
    ok: {
      reportKey: reading.key,
      patientKey,
      report: record,
      ...(lacks.length > 0 && { lacks }),
      reportAction: action,
      itemActions: reading.itemActions ?? {},
      ...(reportTime !== undefined && !inFuture && { reportTime }),
      ...(told.messageTime !== undefined && { messageTime: told.messageTime }),
      findings: x.findings,
    },
  };
}

function lacksOf({ patient: { patient }, encounter }: Told): NonNullable<ReportStatement['lacks']> {
  const lacks: NonNullable<ReportStatement['lacks']> = [];
  if (patient.name === undefined) lacks.push('name');
  if (patient.sex === undefined) lacks.push('sex');
  if (patient.birthDate === undefined) lacks.push('birthDate');
  if (encounter.patientClass === undefined) lacks.push('patientClass');
  return lacks;
}

/** Demographics as a message about the patient says them; `visit`: the visit it tells of still stands. */
export function statePatient(told: Told, visit: boolean): { patient: PatientStatement } | undefined {
  const { x, patient, encounter, messageTime } = told;
  if (!patient.ok) return undefined;
  x.scope.current = told.segments;
  const cleared = x.rules.patient.deletes
    .filter(({ field, isNull }) => patient.patient[field] === undefined && isNull(x.scope))
    .map(({ field }) => field);
  return {
    patient: {
      patientKey: patient.patientKey,
      patient: patient.patient,
      cleared,
      ...(visit && encounter.visitNumber !== undefined && { encounter }),
      ...(messageTime !== undefined && { messageTime }),
    },
  };
}
