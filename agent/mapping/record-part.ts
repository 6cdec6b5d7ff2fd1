import {
  completeFromIndex,
  contradiction,
  type Lacking,
  lackingOf,
  learnFromReport,
  rememberLacking,
  withIdentity,
} from '../clinical/patients/index.ts';
import { rememberUnder } from '../clinical/patients/merge.ts';
import { contradictionOf } from '../clinical/patients/resident-id.ts';
import type { PatientState } from '../clinical/patients/types.ts';
import type { ClinicalRecord, Finding } from '../clinical/records/types.ts';
import { isCollected } from '../clinical/reports/assembly.ts';
import { placedIn } from '../clinical/reports/content.ts';
import { type Arrival, decide, isInterim, type LifeCycleRules } from '../clinical/reports/life-cycle.ts';
import type { ReportState, ReportStatement } from '../clinical/reports/types.ts';
import type { JournalContent } from '../rendering/format.ts';
import type { Part, RecordEntry } from '../store/contract.ts';
import { phi } from '../support/phi.ts';
import type { MappingContext } from './mapper.ts';
import type { Known } from './overlay.ts';

/** What the parts of one message are made with. */
export interface Making {
  known: Known;
  context: MappingContext;
  rules: LifeCycleRules;
  /** How long a report waits for a patient nobody has told of; 0: not at all. */
  parkMs: number;
}

export const quarantined = (code: string, where: string): Part => ({ kind: 'quarantined', code, where });

/** One entry of the journal: a version of a record as it is decided now. Its source is the record's own. */
export function entryOf(
  state: Pick<ReportState, 'reportKey' | 'setId' | 'source'>,
  what: { action: RecordEntry['action']; record: ClinicalRecord; version: number; patientKey: string },
  context: MappingContext,
  messageTime: string | undefined,
  findings: Finding[] = [],
): RecordEntry {
  const { receivedMs, timeZone } = context;
  const source = state.source ?? context.source;
  const content: JournalContent = { record: what.record, context: { receivedMs, source, timeZone, messageTime } };
  return {
    action: what.action,
    recordKind: what.record.kind,
    reportKey: state.reportKey,
    setId: state.setId,
    version: what.version,
    patientKey: what.patientKey,
    content: phi(JSON.stringify(content)),
    findings,
  };
}

/**
 * Decides one record: under the number its patient has now, completed from the index, contradictions held, and what
 * still lacks its patient parked. Then the life cycle decides.
 */
export function recordPart(sent: ReportStatement, arrival: Arrival, making: Making): Part {
  const { known } = making;
  const patientKey = known.survivor(sent.patientKey);
  const patient = known.patient(patientKey);
  const before = underSurvivor(known, known.report(sent.reportKey));
  const collected = isCollected(before, arrival);
  const isFinal = sent.reportAction === 'publish' && !isInterim(sent) && !collected;

  let said: ReportStatement = { ...sent, patientKey };
  if (patientKey !== sent.patientKey) said.report = identified(said.report, patient);
  // Under a retired number its old demographics are no contradiction: the hospital says who it is.
  else if (isFinal) {
    const where = contradiction(patient, said.report.patient);
    if (where) return quarantined('MAP-3029', where);
  }
  const { record, lacks } = completeFromIndex(said.report, sent.lacks ?? [], patient);
  said.report = record;
  if (isFinal && sent.lacks?.length) {
    const lacking = withLacking(said, lacks, making);
    if ('part' in lacking) return lacking.part;
    said = lacking.said;
  }
  return decided(said, sent, before, arrival, making);
}

function decided(
  said: ReportStatement,
  sent: ReportStatement,
  before: ReportState | undefined,
  arrival: Arrival,
  { known, context, rules }: Making,
): Part {
  const decision = decide(before, said, arrival, rules);
  const collected = isCollected(before, arrival);
  if (decision.do === 'hold') return quarantined(decision.code, decision.where);
  const { next } = decision;
  known.setReport({ ...next, source: context.source });
  if (decision.do === 'publish' || decision.do === 'wait' || decision.do === 'move') learn(known, sent);
  if ((decision.do === 'publish' || decision.do === 'move') && lackingOf(decision.report).length > 0) {
    known.setPatient(rememberLacking(known.patient(next.patientKey), next.patientKey, next.reportKey));
  }
  switch (decision.do) {
    case 'wait':
      return { kind: 'waiting', code: decision.code, reportKey: said.reportKey, dueMs: decision.dueMs };
    case 'absorb':
      return { kind: 'absorbed', reason: decision.reason, by: before?.appliedSeq, absorbs: decision.absorbs };
    case 'publish':
    case 'retract': {
      const changed = before !== undefined && before.version > 0 && before.patientKey !== next.patientKey;
      const findings = findingsOf(said, collected ? before : undefined, decision.report);
      if (changed) findings.push(changedPatient);
      const { version, patientKey } = next;
      const what = { action: decision.do, record: decision.report, version, patientKey };
      // A report that was collected is as new as the last of its tests.
      const entry = entryOf(next, what, context, collected ? next.messageTime : said.messageTime, findings);
      return { kind: 'record', entries: [entry], absorbs: decision.absorbs };
    }
    case 'move': {
      const { version, patientKey } = next;
      const there = {
        action: 'retract' as const,
        record: decision.retracts,
        version: version - 1,
        patientKey: decision.from,
      };
      const here = { action: 'publish' as const, record: decision.report, version, patientKey };
      const entries = [
        entryOf(next, there, context, said.messageTime),
        entryOf(next, here, context, said.messageTime, [
          ...findingsOf(said, undefined, decision.report),
          changedPatient,
        ]),
      ];
      return { kind: 'record', entries, absorbs: decision.absorbs };
    }
  }
}

/** What was remarked of a report: by this message, or by all whose tests were collected. */
const findingsOf = (said: ReportStatement, collected: ReportState | undefined, report: ClinicalRecord): Finding[] => [
  ...(collected?.assembling?.findings ?? placedIn(said.findings, said.report, report)),
];

const changedPatient: Finding = { code: 'MAP-3030', where: 'patient', dimension: 'consistency' };

/** A state that a merge did not reach would make of the same patient another one. */
function underSurvivor(known: Known, state: ReportState | undefined): ReportState | undefined {
  if (!state) return undefined;
  const patientKey = known.survivor(state.patientKey);
  return patientKey === state.patientKey ? state : { ...state, patientKey };
}

/** The record as the survivor's, whatever number it was sent under. */
const identified = (record: ClinicalRecord, survivor: PatientState | undefined): ClinicalRecord =>
  survivor ? { ...record, patient: withIdentity(record.patient, survivor, true) } : record;

/**
 * What becomes of a final that still lacks something after completion: it is parked while somebody may yet tell of
 * the patient or the visit; then it goes on with a finding, and the pack says whether it can go out so. A class is
 * never guessed. What was completed must not contradict the resident ID: a newborn may carry its mother's.
 */
function withLacking(
  said: ReportStatement,
  lacks: Lacking,
  { context, rules, parkMs }: Making,
): { said: ReportStatement } | { part: Part } {
  const { patient } = said.report;
  const resident = patient.identifiers.find(({ kind }) => kind === 'resident-id')?.value;
  const contradicts = resident && contradictionOf(resident, patient.birthDate, patient.sex?.standard?.code);
  if (contradicts) return { part: quarantined('MAP-3004', `patient.${contradicts}`) };
  if (lacks.length === 0) return { said };
  const dueMs = context.receivedMs + parkMs;
  if (rules.nowMs < dueMs && lacks.some((what) => mayBeTold(said.report, what))) {
    const { reportKey, patientKey } = said;
    return { part: { kind: 'waiting', code: 'MAP-3026', reportKey, dueMs, awaits: patientKey } };
  }
  if (lacks.includes('patientClass')) return { part: quarantined('MAP-3005', 'encounter.class') };
  if (parkMs === 0) return { said };
  const findings = lacks.map(
    (what): Finding => ({ code: 'MAP-3027', where: `patient.${what}`, dimension: 'completeness' }),
  );
  return { said: { ...said, findings: [...said.findings, ...findings] } };
}

/** The class of a visit can only be told of a visit that has a number. */
const mayBeTold = (record: ClinicalRecord, what: Lacking[number]): boolean =>
  what !== 'patientClass' || ('encounter' in record && record.encounter.visitNumber !== undefined);

/** What a report says of its patient goes to the index, under the number it was sent with: an unlink needs it there. */
function learn(known: Known, { patientKey, reportKey, report }: ReportStatement): void {
  const before = known.patient(patientKey);
  // An interim of somebody else is not held, and must not teach either.
  const after = contradiction(before, report.patient) ? before : learnFromReport(before, patientKey, report.patient);
  if (after && after !== before) known.setPatient(after);
  for (const state of rememberUnder(patientKey, reportKey, known.patient)) known.setPatient(state);
}
