import { institutionOf, keyAt, keyWithin } from '../clinical/institutions.ts';
import {
  completedAnew,
  completeFromIndex,
  contradictsItself,
  filled,
  lackingOf,
  mixes,
  registered,
  rememberLacking,
  withIdentity,
} from '../clinical/patients/completion.ts';
import { admission, residentId } from '../clinical/patients/identity.ts';
import { decideMerge } from '../clinical/patients/merge.ts';
import { applyDemographics, newPatient } from '../clinical/patients/patient-index.ts';
import type { MergeStatement, PatientState, PatientStatement } from '../clinical/patients/types.ts';
import type { ClinicalRecord } from '../clinical/records/types.ts';
import { contentHash } from '../clinical/reports/content.ts';
import type { Arrival, ReportState } from '../clinical/reports/types.ts';
import type { Part, RecordEntry } from '../store/contract.ts';
import { entryOf, type Making, quarantined } from './record-part.ts';

/** Takes a registration into the index; the patient's record is journalled when it changed. */
export function patientPart(said: PatientStatement, arrival: Arrival, making: Making): Part {
  const taken = take(said, making);
  if ('contradicts' in taken) return held(taken.contradicts, said, making);
  if (!taken.changed) return { kind: 'absorbed', reason: 'duplicate' };
  return partOf(toldAnew(taken, said.messageTime, arrival, making));
}

/** A registration of somebody else: decided again when more is told of the patient. */
const held = (where: string, { patientKey }: PatientStatement, { known }: Making): Part =>
  quarantined('MAP-3029', where, known.survivor(patientKey));

/** What a patient of whom something was told anew changes: their record, and reports that went out without it. */
const toldAnew = (
  { patientKey, isReidentified }: Taken,
  messageTime: string | undefined,
  arrival: Arrival,
  making: Making,
): RecordEntry[] => [
  ...journalPatient(patientKey, messageTime, arrival, making),
  ...(isReidentified ? completeAnew(patientKey, true, messageTime, making) : []),
  ...completeLate(patientKey, messageTime, making),
];

/** What changed no record was used for the index only. */
const partOf = (entries: RecordEntry[]): Part =>
  entries.length > 0 ? { kind: 'record', entries, absorbs: [] } : { kind: 'absorbed', reason: 'index-only' };

interface Taken {
  /** The number it is about now. */
  patientKey: string;
  changed: boolean;
  /** The resident ID is another than before, or known for the first time. */
  isReidentified: boolean;
}

/**
 * What a registration says of a number is told of that one. Where it is retired, its survivor's records are completed
 * from it only where nobody told of the survivor: old demographics must not overwrite those that stay.
 */
function take(said: PatientStatement, { known }: Making): Taken | { contradicts: string } {
  const survivor = known.survivor(said.patientKey);
  const personBefore = known.person(survivor);
  const before = known.patient(said.patientKey);
  const admitted = admission(before, said);
  if ('contradicts' in admitted) return admitted;
  const visitOnly: PatientStatement = { ...said, patient: { identifiers: [] }, cleared: [] };
  const after = applyDemographics(before, admitted.takes === 'all' ? said : visitOnly);
  const changed = after !== before;
  if (changed) known.setPatient(after);
  // Who waits for a patient waits for the number that stays.
  const stays = known.patient(survivor);
  if (changed && stays && survivor !== said.patientKey) known.setPatient(stays);
  const person = known.person(survivor);
  const isReidentified = residentOf(person) !== undefined && residentOf(person) !== residentOf(personBefore);
  return { patientKey: survivor, changed, isReidentified };
}

/** As registered. */
const residentOf = (state: PatientState | undefined): string | undefined =>
  state?.toldAt.identifiers === undefined ? undefined : residentId(state.patient);

/** The patient as registered now, as the next version of their record; nothing when it says what it said. */
function journalPatient(
  patientKey: string,
  messageTime: string | undefined,
  { seq }: Arrival,
  { known, context, rules }: Making,
): RecordEntry[] {
  const state = known.person(patientKey);
  if (!state) return [];
  const reportKey = keyOfPatient(patientKey);
  const before = known.report(reportKey);
  const told = registered(state);
  const record: ClinicalRecord = { kind: 'patient', patient: withIdentity(told, { ...state, patient: told }, true) };
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

const keyOfPatient = (patientKey: string): string =>
  keyAt(institutionOf(patientKey), `patient|${keyWithin(patientKey)}`);

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
  if (kind === 'unlink') return unlinkPart(said, arrival, making);
  const taken = patient && take(patient, making);
  if (taken && 'contradicts' in taken) return held(taken.contradicts, patient, making);

  // Decided over what the registration in the same message told.
  const decision = decideMerge(said, known.patient, (key) => known.reportsOf(key).map((state) => state.reportKey));
  const entries: RecordEntry[] = taken?.changed ? toldAnew(taken, messageTime, arrival, making) : [];
  if (decision.do === 'apply') {
    for (const state of decision.next) known.setPatient(state);
    // The record of a number that goes is withdrawn.
    entries.push(...withdrawPatient(decision.from, messageTime, making));
    entries.push(...moveRecords(decision, true, messageTime, making));
  } else if (!taken?.changed) return { kind: 'absorbed', reason: 'duplicate' };
  return partOf(entries);
}

/**
 * Two numbers are two again: each is told of what its own messages say, so the registration in the message is taken
 * after they were taken apart. What was completed from the other is completed anew without it.
 */
function unlinkPart(said: MergeStatement, arrival: Arrival, making: Making): Part {
  const { known } = making;
  const { patient, messageTime } = said;
  const admitted = patient && admission(known.patient(patient.patientKey), patient);
  if (patient && admitted && 'contradicts' in admitted) return held(admitted.contradicts, patient, making);

  const decision = decideMerge(said, known.patient, () => []);
  const entries: RecordEntry[] = [];
  if (decision.do === 'apply') for (const state of decision.next) known.setPatient(state);
  const taken = patient && take(patient, making);
  if (decision.do === 'apply') {
    const { from, to } = decision;
    // The record of a number that is one again comes back, that of the other loses what it had of it.
    for (const key of [from, to]) {
      if (known.report(keyOfPatient(key))) entries.push(...journalPatient(key, messageTime, arrival, making));
    }
    entries.push(...moveRecords(decision, false, messageTime, making));
    entries.push(...completeAnew(from, false, messageTime, making));
  }
  if (taken && 'changed' in taken && taken.changed) entries.push(...toldAnew(taken, messageTime, arrival, making));
  if (decision.do !== 'apply' && entries.length === 0) return { kind: 'absorbed', reason: 'duplicate' };
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
  const target = known.person(to) ?? newPatient(to);
  const identify = (record: ClinicalRecord): ClinicalRecord => ({
    ...record,
    patient: withIdentity(record.patient, target, isOne),
  });
  for (const reportKey of reportKeys) {
    const state = known.report(reportKey);
    if (state?.patientKey !== from || reportKey === keyOfPatient(from)) continue;
    // Who it is about is all of the index now.
    const next: ReportState = { ...state, patientKey: to, completed: undefined };
    if (state.assembling) next.assembling = { ...state.assembling, record: identify(state.assembling.record) };
    if (state.status === 'published' && state.current) {
      entries.push(issueAgain(next, identify(state.current), messageTime, making));
      lacks(next, making);
    } else known.setReport(next);
  }
  return entries;
}

/** Remembers a report that is out without all of its patient. */
function lacks({ reportKey, patientKey }: ReportState, { known }: Making): void {
  const record = known.report(reportKey)?.current;
  if (!record || lackingOf(record).length === 0) return;
  known.setPatient(rememberLacking(known.patient(patientKey), patientKey, reportKey));
}

/**
 * Reports of a patient whose resident ID was corrected, or from whom a number was taken apart: what they have from the
 * index is taken from it anew, and what changed is issued again.
 */
function completeAnew(
  patientKey: string,
  isOne: boolean,
  messageTime: string | undefined,
  making: Making,
): RecordEntry[] {
  const { known } = making;
  const state = known.person(patientKey) ?? newPatient(patientKey);
  const entries: RecordEntry[] = [];
  for (const report of known.reportsOf(patientKey)) {
    if (report.status !== 'published' || report.reportKey === keyOfPatient(patientKey)) continue;
    const record = completedAnew(report, state, isOne);
    if (!record || contentHash(record) === report.contentHash) continue;
    entries.push(issueAgain(report, record, messageTime, making));
    lacks(report, making);
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
 * and issued again. What would contradict the resident ID, or says another name or birth date itself, stays as it is.
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
    const person = known.person(patientKey);
    const { record, lacks } = completeFromIndex(report.current, lacked, person);
    const isOther = contradictsItself(record) !== undefined || mixes(report.current, lacked, person) !== undefined;
    if (lacks.length > 0 || isOther) still.push(reportKey);
    if (lacks.length === lacked.length || isOther) continue;
    const completed = [...(report.completed ?? []), ...filled(lacked, record)];
    entries.push(issueAgain({ ...report, completed }, record, messageTime, making));
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
