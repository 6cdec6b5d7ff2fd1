import {
  applyDemographics,
  completeFromIndex,
  contradiction,
  lackingOf,
  learnFromReport,
  newPatient,
  withIdentity,
} from '../clinical/patients/index.ts';
import { decideMerge } from '../clinical/patients/merge.ts';
import { contradictionOf } from '../clinical/patients/resident-id.ts';
import type { MergeStatement, PatientState, PatientStatement } from '../clinical/patients/types.ts';
import type { ClinicalRecord } from '../clinical/records/types.ts';
import { contentHash } from '../clinical/reports/content.ts';
import type { Arrival } from '../clinical/reports/life-cycle.ts';
import type { ReportState } from '../clinical/reports/types.ts';
import type { Part, RecordEntry } from '../store/contract.ts';
import { entryOf, type Making, quarantined } from './record-part.ts';

/** Takes a registration into the index; the patient's record is journalled when it changed. */
export function patientPart(said: PatientStatement, arrival: Arrival, making: Making): Part {
  const taken = take(said, making);
  if ('contradicts' in taken) return quarantined('MAP-3029', taken.contradicts);
  if (!taken.changed) return { kind: 'absorbed', reason: 'duplicate' };
  return partOf(toldAnew(taken.patientKey, said.messageTime, arrival, making));
}

/** What a patient of whom something was told anew changes: their record, and reports that went out without it. */
const toldAnew = (
  patientKey: string,
  messageTime: string | undefined,
  arrival: Arrival,
  making: Making,
): RecordEntry[] => [
  ...journalPatient(patientKey, messageTime, arrival, making),
  ...completeLate(patientKey, messageTime, making),
];

/** What changed no record was used for the index only. */
const partOf = (entries: RecordEntry[]): Part =>
  entries.length > 0 ? { kind: 'record', entries, absorbs: [] } : { kind: 'absorbed', reason: 'index-only' };

/**
 * What a registration says of a retired number is the survivor's only where nobody else told of it: old demographics
 * must not overwrite those that stay.
 */
function take(
  said: PatientStatement,
  { known }: Making,
): { patientKey: string; changed: boolean } | { contradicts: string } {
  const patientKey = known.survivor(said.patientKey);
  const before = known.patient(patientKey);
  let after: PatientState | undefined;
  if (patientKey === said.patientKey) {
    const contradicts = contradiction(before, said.patient, true);
    if (contradicts) return { contradicts };
    after = applyDemographics(before, said);
  } else {
    const visit = { ...said, patientKey, patient: { identifiers: [] }, cleared: [] };
    after = learnFromReport(applyDemographics(before, visit), patientKey, said.patient);
  }
  const changed = after !== undefined && after !== before;
  if (after && changed) known.setPatient(after);
  return { patientKey, changed };
}

/** The patient as the index knows them now, as the next version of their record; nothing when it says what it said. */
function journalPatient(
  patientKey: string,
  messageTime: string | undefined,
  { seq }: Arrival,
  { known, context, rules }: Making,
): RecordEntry[] {
  const state = known.patient(patientKey);
  if (!state) return [];
  const reportKey = keyOfPatient(patientKey);
  const before = known.report(reportKey);
  const record: ClinicalRecord = { kind: 'patient', patient: withIdentity(state.patient, state, true) };
  const hash = contentHash(record);
  if (before?.status === 'published' && before.contentHash === hash) return [];
  const next: ReportState = {
    reportKey,
    setId: before?.setId ?? rules.setIdOf(reportKey),
    status: 'published',
    version: (before?.version ?? 0) + 1,
    current: record,
    patientKey,
    messageTime: messageTime ?? before?.messageTime,
    appliedSeq: Math.max(seq, before?.appliedSeq ?? 0),
    contentHash: hash,
    waiting: [],
  };
  known.setReport(next);
  return [entryOf(next, { action: 'publish', record, version: next.version, patientKey }, context, messageTime)];
}

const keyOfPatient = (patientKey: string): string => `patient|${patientKey}`;

/**
 * Merges two numbers, or undoes it. One mapper takes messages in the order of arrival, so this stands as a barrier in
 * both lanes: what came before is moved here, what comes after goes to the survivor by the index. What was published
 * is issued again as its next version under the other number; what waits or was withdrawn only changes its number.
 */
export function mergePart(said: MergeStatement, arrival: Arrival, making: Making): Part {
  const { known } = making;
  const verdict = decideMerge(said, known.patient, () => []);
  if (verdict.do === 'hold') return quarantined(verdict.code, verdict.where);
  const { kind, patient, messageTime } = said;
  const taken = patient ? take(patient, making) : undefined;
  if (taken && 'contradicts' in taken) return quarantined('MAP-3029', taken.contradicts);

  // Decided over what the registration in the same message told.
  const decision = decideMerge(said, known.patient, (key) => known.reportsOf(key).map((state) => state.reportKey));
  const entries: RecordEntry[] = [];
  if (decision.do === 'apply') {
    for (const state of decision.next) known.setPatient(state);
    // The record of a number that goes is withdrawn; that of a number that is one again comes back.
    if (kind === 'merge') entries.push(...withdrawPatient(decision.from, messageTime, making));
    else if (known.report(keyOfPatient(decision.to))) {
      entries.push(...journalPatient(decision.to, messageTime, arrival, making));
    }
    entries.push(...moveRecords(decision, kind === 'merge', messageTime, making));
  }
  if (taken?.changed) entries.unshift(...toldAnew(taken.patientKey, messageTime, arrival, making));
  if (decision.do !== 'apply' && !taken?.changed) return { kind: 'absorbed', reason: 'duplicate' };
  return partOf(entries);
}

/**
 * Issues records again under another number, with what the index knows of it.
 * @param isOne after a merge both numbers are one person; what comes back from one must keep nothing of the other.
 */
function moveRecords(
  { from, to, reportKeys }: { from: string; to: string; reportKeys: string[] },
  isOne: boolean,
  messageTime: string | undefined,
  making: Making,
): RecordEntry[] {
  const { known } = making;
  const entries: RecordEntry[] = [];
  const target = known.patient(to) ?? newPatient(to);
  const identify = (record: ClinicalRecord): ClinicalRecord => ({
    ...record,
    patient: withIdentity(record.patient, target, isOne),
  });
  for (const reportKey of reportKeys) {
    const state = known.report(reportKey);
    if (state?.patientKey !== from || reportKey === keyOfPatient(from)) continue;
    const next: ReportState = { ...state, patientKey: to };
    if (state.assembling) next.assembling = { ...state.assembling, record: identify(state.assembling.record) };
    if (state.status === 'published' && state.current) {
      entries.push(issueAgain(next, identify(state.current), messageTime, making));
    } else known.setReport(next);
  }
  return entries;
}

/** A published record as its next version, under the number and with the content it has now. */
function issueAgain(
  state: ReportState,
  record: ClinicalRecord,
  messageTime: string | undefined,
  { known, context }: Making,
): RecordEntry {
  const version = state.version + 1;
  known.setReport({ ...state, version, current: record, contentHash: contentHash(record) });
  return entryOf(state, { action: 'publish', record, version, patientKey: state.patientKey }, context, messageTime);
}

/**
 * Reports that went out without their patient's name, sex or birth date, because nobody told in time: completed now
 * and issued again. What would contradict the resident ID stays as it is.
 */
function completeLate(patientKey: string, messageTime: string | undefined, making: Making): RecordEntry[] {
  const { known } = making;
  const state = known.patient(patientKey);
  if (!state?.lacking) return [];
  const entries: RecordEntry[] = [];
  const still: string[] = [];
  for (const reportKey of state.lacking) {
    const report = known.report(reportKey);
    if (report?.status !== 'published' || report.patientKey !== patientKey || !report.current) continue;
    const lacked = lackingOf(report.current);
    const { record, lacks } = completeFromIndex(report.current, lacked, state);
    const { birthDate, sex, identifiers } = record.patient;
    const resident = identifiers.find(({ kind }) => kind === 'resident-id')?.value;
    const contradicts = resident && contradictionOf(resident, birthDate, sex?.standard?.code);
    if (lacks.length > 0 || contradicts) still.push(reportKey);
    if (lacks.length < lacked.length && !contradicts) entries.push(issueAgain(report, record, messageTime, making));
  }
  known.setPatient({ ...state, lacking: still.length > 0 ? still : undefined });
  return entries;
}

function withdrawPatient(
  patientKey: string,
  messageTime: string | undefined,
  { known, context }: Making,
): RecordEntry[] {
  const state = known.report(keyOfPatient(patientKey));
  if (state?.status !== 'published' || !state.current) return [];
  const version = state.version + 1;
  known.setReport({ ...state, status: 'retracted', version, contentHash: undefined });
  return [entryOf(state, { action: 'retract', record: state.current, version, patientKey }, context, messageTime)];
}
