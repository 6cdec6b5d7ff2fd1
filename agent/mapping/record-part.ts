import { institutionOf, keyWithin } from '../clinical/institutions.ts';
import {
  completeFromIndex,
  contradictsItself,
  filled,
  type Lacking,
  lackingOf,
  mixes,
  rememberLacking,
  withIdentity,
} from '../clinical/patients/completion.ts';
import { admission, contradiction, strangerUnder } from '../clinical/patients/identity.ts';
import { chainOf, rememberUnder } from '../clinical/patients/merge.ts';
import { learnFromReport, unlearn } from '../clinical/patients/patient-index.ts';
import type { PatientState } from '../clinical/patients/types.ts';
import type { ClinicalRecord, Finding } from '../clinical/records/types.ts';
import { isCollected } from '../clinical/reports/assembly.ts';
import { placedIn } from '../clinical/reports/content.ts';
import { decide, isInterim, withoutComing } from '../clinical/reports/life-cycle.ts';
import type { Arrival, LifeCycleRules, ReportState, ReportStatement } from '../clinical/reports/types.ts';
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

/** @param awaits in-house number of the patient of whom more may be told that lets it go on. */
export const quarantined = (code: string, where: string, awaits?: string): Part => ({
  kind: 'quarantined',
  code,
  where,
  ...(awaits !== undefined && { awaits }),
});

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
  const institution = institutionOf(state.reportKey);
  const content: JournalContent = {
    record: what.record,
    context: { receivedMs, source, timeZone, messageTime, ...(institution !== undefined && { institution }) },
  };
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
export function recordPart(told: ReportStatement, arrival: Arrival, making: Making): Part {
  const { known } = making;
  if (withdrawsOlder(told, known)) return quarantined('MAP-3044', 'report.number');
  const sent = underStanding(told, known);
  const patientKey = known.survivor(sent.patientKey);
  const patient = known.person(patientKey);
  const before = completedMeanwhile(underSurvivor(known, known.report(sent.reportKey)), known);
  const collected = isCollected(before, arrival);
  const isFinal = sent.reportAction === 'publish' && !isInterim(sent, making.rules) && !collected;

  let said: ReportStatement = { ...withoutComing(sent, making.rules), patientKey };
  let isLate = false;
  if (isFinal) {
    const stranger = strangerIn(sent, patient, making);
    isLate = stranger !== undefined && isLateVisit(sent, making);
    if (stranger && !isLate) return quarantined('MAP-3029', stranger, patientKey);
  }
  if (isLate || patientKey !== sent.patientKey) said.report = identified(said.report, patient);
  const { record, lacks } = completeFromIndex(said.report, sent.lacks ?? [], patient);
  said.report = record;
  if (isFinal && sent.lacks?.length) {
    const lacking = withLacking(said, lacks, making);
    // What is older than what stands need not wait for anybody.
    const isOld = 'part' in lacking && lacking.part.kind === 'waiting' && absorbs(before, said, arrival, making);
    if ('part' in lacking && !isOld) return lacking.part;
    if ('said' in lacking) said = lacking.said;
  }
  return decided(said, sent, before, arrival, making);
}

/**
 * A withdrawal by another institution of what it never published, where the same report stands under the site's own key: it
 * came before institutions were told apart. It would be passed over as of nothing published, and the platform keep the value.
 */
function withdrawsOlder(told: ReportStatement, known: Known): boolean {
  if (told.reportAction !== 'retract' || institutionOf(told.reportKey) === undefined) return false;
  const older = known.report(told.reportKey) ? undefined : known.report(keyWithin(told.reportKey));
  return older?.status === 'published' && keyWithin(older.patientKey) === keyWithin(told.patientKey);
}

/**
 * A study that is taken back is named by its UID, which is nobody else's: whatever its headers and the profile say of the
 * patient by now, what goes is what stands, under the patient it stands under.
 */
function underStanding(told: ReportStatement, known: Known): ReportStatement {
  if (told.report.kind !== 'imaging-study' || told.reportAction !== 'retract') return told;
  const standing = known.report(told.reportKey);
  return standing ? { ...told, patientKey: standing.patientKey } : told;
}

const absorbs = (
  before: ReportState | undefined,
  said: ReportStatement,
  arrival: Arrival,
  { rules }: Making,
): boolean => decide(before, said, arrival, rules).do === 'absorb';

/** A visit whose registration was taken, but says less of the patient than a newer one did: it is that patient's. */
function isLateVisit({ patientKey, report, messageTime }: ReportStatement, { known }: Making): boolean {
  if (report.kind !== 'encounter') return false;
  const said = { patientKey, patient: report.patient, cleared: [], messageTime };
  return 'takes' in admission(known.patient(patientKey), said);
}

/** Where a final is about somebody else than its number, or would be half somebody else's when it is completed. */
function strangerIn(
  { patientKey, report, lacks }: ReportStatement,
  person: PatientState | undefined,
  { known }: Making,
): string | undefined {
  const passed = chainOf(patientKey, known.patient).slice(0, -1);
  if (passed.length > 0) return strangerUnder(passed.map(known.patient), person, report.patient);
  return contradiction(person, report.patient) ?? mixes(report, lacks ?? [], person);
}

/** What is being collected, with what was told of its patient in the meantime. */
function completedMeanwhile(state: ReportState | undefined, known: Known): ReportState | undefined {
  if (!state?.assembling) return state;
  const { record: collected } = state.assembling;
  const lacks = lackingOf(collected);
  const person = known.person(state.patientKey);
  if (lacks.length === 0 || contradiction(person, collected.patient) || mixes(collected, lacks, person)) return state;
  const { record } = completeFromIndex(collected, lacks, person);
  if (contradictsItself(record)) return state;
  const completed = [...new Set([...(state.completed ?? []), ...filled(lacks, record)])];
  return { ...state, completed, assembling: { ...state.assembling, record } };
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
  const made = 'report' in decision ? decision.report : next.assembling?.record;
  const isOwn = made?.patient === said.report.patient;
  const completed = isOwn && !collected ? filled(sent.lacks ?? [], said.report) : next.completed;
  known.setReport({ ...next, source: context.source, completed: completed?.length ? completed : undefined });
  if (decision.do === 'retract') forget(known, next.patientKey, decision.report);
  if (decision.do === 'move') forget(known, decision.from, decision.retracts);
  // A test that was collected, of a report that went to another patient since, teaches nothing.
  const isTheirs = !collected || next.patientKey === said.patientKey;
  if ((decision.do === 'publish' || decision.do === 'move') && isTheirs) learn(known, sent);
  const isApplied = decision.do === 'publish' || decision.do === 'wait' || decision.do === 'move';
  if (isApplied && !collected) remember(known, sent);
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
  const contradicts = contradictsItself(said.report);
  if (contradicts) return { part: quarantined('MAP-3004', `patient.${contradicts}`) };
  if (lacks.length === 0) return { said };
  const dueMs = context.receivedMs + parkMs;
  if (rules.nowMs < dueMs && lacks.some((what) => mayBeTold(said.report, what))) {
    const { reportKey, patientKey } = said;
    return { part: { kind: 'waiting', code: 'MAP-3026', reportKey, dueMs, awaits: patientKey } };
  }
  if (lacks.includes('patientClass')) {
    const awaits = mayBeTold(said.report, 'patientClass') ? said.patientKey : undefined;
    return { part: quarantined('MAP-3005', 'encounter.class', awaits) };
  }
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
function learn(known: Known, { patientKey, report }: ReportStatement): void {
  const before = known.patient(patientKey);
  const after = learnFromReport(before, patientKey, report.patient);
  if (after && after !== before) known.setPatient(after);
}

const remember = (known: Known, { patientKey, reportKey }: ReportStatement): void => {
  for (const state of rememberUnder(patientKey, reportKey, known.patient)) known.setPatient(state);
};

/** What a report taught goes with it when it is withdrawn or another patient's; the other reports teach what they say. */
function forget(known: Known, patientKey: string, { patient }: ClinicalRecord): void {
  const before = known.patient(patientKey);
  const less = before && unlearn(before, patient);
  if (!less || less === before) return;
  let after: PatientState = less;
  for (const { status, current } of known.reportsOf(patientKey)) {
    if (status !== 'published' || !current || current.kind === 'patient') continue;
    after = learnFromReport(after, patientKey, current.patient) ?? after;
  }
  known.setPatient(after);
}
