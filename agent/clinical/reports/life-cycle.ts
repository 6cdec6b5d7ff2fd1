import { compareTimes } from '../records/time.ts';
import type { ClinicalRecord } from '../records/types.ts';
import { collect, endOfQuiet, isCollected, withArrival } from './assembly.ts';
import { contentHash, mergeDelta } from './content.ts';
import { crossing, isOlder, removedParts, toldBy } from './crossing.ts';
import { isAmbiguousDelta, missingParts, partsOf, sharesNothing, withoutParts } from './parts.ts';
import type { CorrectionMode, ReportDecision, ReportState, ReportStatement } from './types.ts';

/** Where a statement stands in the order of arrival: message and part of it. */
export interface Arrival {
  seq: number;
  part: number;
}

export interface LifeCycleRules {
  corrections: CorrectionMode;
  /** Derives the platform-facing set id (32 hex characters) of a report key; called once in a report's life. */
  setIdOf(reportKey: string): string;
  /** How long the tests of one report may come one by one (profile `assembly`), milliseconds; 0: they do not. */
  quietMs: number;
  /** When the message was received, or, when what is due is read again, the time it is read at. */
  nowMs: number;
}

/**
 * What becomes of one statement about a record (DESIGN invariant 6; hl7v2.md §5). Pure: the same state,
 * statement, arrival and time give the same decision, so a replay decides the same. The rules, in order:
 *
 * 1. A test that waited for the others of its report (MAP-3028) is published with them when none came for a while.
 * 2. A number that was another patient's: a newer final moves the report (rule of `ofAnotherPatient`).
 * 3. Final with equal content is a duplicate: nothing happens but that the clock of the report moves on.
 * 4. What is older than what was applied last is absorbed. Order is report time, then message time,
 *    then arrival; times that are absent, in the future or equal do not order. Where messages say only what
 *    changes, an older one still counts for the items nobody has told of since: changes may cross on their way.
 * 5. Interim results wait (MAP-3014); they never replace what was published.
 * 6. A withdrawal retracts what is published; of what never was, it only ends the waiting.
 * 7. A correction without some items of the current version is held (MAP-3007), unless the profile says
 *    that corrections are whole reports (`snapshot`) or changes only (`delta`). One that shares no item with the
 *    current version may be a supplement, which must not replace: it is held in `snapshot` mode too.
 * 8. A report of which every item was removed is retracted.
 * 9. Everything else is published as the next version and absorbs what waited; where tests come one by one it waits.
 *
 * Items are what parts.ts says: items and organisms, or sections. Records without any are told whole.
 *
 * @param state the record as remembered, or undefined when it is new; never changed.
 */
export function decide(
  state: ReportState | undefined,
  statement: ReportStatement,
  arrival: Arrival,
  rules: LifeCycleRules,
): ReportDecision {
  const before = state ?? newState(statement, rules);
  if (isCollected(before, arrival)) return endOfQuiet(before, arrival, rules.nowMs);
  const older = isOlder(statement, before, arrival);
  if (before.patientKey === statement.patientKey) return ofThisPatient(before, statement, arrival, rules, older);
  if (older) return absorb('older', before);
  return ofAnotherPatient(before, statement, arrival, rules);
}

function ofThisPatient(
  before: ReportState,
  statement: ReportStatement,
  arrival: Arrival,
  rules: LifeCycleRules,
  older: boolean,
): ReportDecision {
  if (withdraws(statement)) return older ? absorb('older', before) : withdraw(before, statement, arrival);
  if (isInterim(statement)) return older ? absorb('older', before) : waitForFinal(before, arrival);

  const current = before.assembling?.record ?? (before.status === 'published' ? before.current : undefined);
  const removed = removedParts(statement);
  const kept = withoutParts(statement.report, removed);
  const partial = isPartial(rules) || before.assembling !== undefined;
  if (older) {
    const crossed = current && partial ? crossing(before.told, current, statement, arrival) : undefined;
    const next = crossed ? { ...before, told: crossed.told } : before;
    if (!crossed?.report) return absorb(isPublished(before, kept) ? 'duplicate' : 'older', next);
    if (isEmptied(crossed.report, current, removed)) return withdraw(next, statement, arrival);
    return issue(next, crossed.report, statement, arrival, rules);
  }
  const report = current && partial ? mergeDelta(current, kept, removed) : kept;
  const told = partial ? { ...before.told, ...toldBy(statement, arrival) } : undefined;
  if (before.assembling ? contentHash(report) === contentHash(before.assembling.record) : isPublished(before, report)) {
    const next = { ...applied(before, statement, arrival), told };
    // Its period may be over: nothing else need come that ends it.
    if (before.assembling) {
      return rules.nowMs < before.assembling.untilMs
        ? absorb('duplicate', next)
        : endOfQuiet(next, arrival, rules.nowMs);
    }
    // The same final again ends the waiting of an interim that came between.
    return absorb('duplicate', { ...next, waiting: [] }, before.waiting);
  }
  if (current && isUnclear(current, statement.report, partial ? 'delta' : rules.corrections)) {
    return { do: 'hold', code: 'MAP-3007', where: placeOf(current) };
  }
  if (isEmptied(report, current, removed)) return withdraw(before, statement, arrival);
  return issue({ ...before, told }, report, statement, arrival, rules);
}

/** Whether messages say only what changes. */
const isPartial = (rules: LifeCycleRules): boolean => rules.quietMs > 0 || rules.corrections === 'delta';

/**
 * A report number that was another patient's. What was never published, or is withdrawn, just goes to this patient.
 * Of a published one a final moves the report: withdrawn there, published here as this message alone says it, because
 * nothing of another patient may be merged into it. Interim results wait. Held (MAP-3011) are a withdrawal, which
 * leaves open whose report it means, and everything while tests of the other patient are being collected.
 */
function ofAnotherPatient(
  before: ReportState,
  statement: ReportStatement,
  arrival: Arrival,
  rules: LifeCycleRules,
): ReportDecision {
  const mine: ReportState = { ...before, patientKey: statement.patientKey };
  const held: ReportDecision = { do: 'hold', code: 'MAP-3011', where: 'report.number' };
  if (before.assembling) return held;
  if (before.status !== 'published') return ofThisPatient(mine, statement, arrival, rules, false);
  if (withdraws(statement)) return held;
  if (isInterim(statement)) return waitForFinal(before, arrival);
  const removed = removedParts(statement);
  const report = withoutParts(statement.report, removed);
  if (before.current === undefined || isEmptied(report, undefined, removed)) return held;
  return {
    do: 'move',
    from: before.patientKey,
    retracts: before.current,
    report,
    absorbs: before.waiting,
    next: {
      ...applied(mine, statement, arrival),
      version: before.version + 2,
      current: report,
      contentHash: contentHash(report),
      told: isPartial(rules) ? toldBy(statement, arrival) : undefined,
      waiting: [],
    },
  };
}

/** Publishes the next version, or lets it wait for the other tests of the report. */
function issue(
  before: ReportState,
  report: ClinicalRecord,
  statement: ReportStatement,
  arrival: Arrival,
  rules: LifeCycleRules,
): ReportDecision {
  const now = applied(before, statement, arrival);
  if (rules.quietMs > 0) return collect(now, report, statement, arrival, rules);
  const hash = contentHash(report);
  const next: ReportState = {
    ...now,
    status: 'published',
    version: now.version + 1,
    current: report,
    contentHash: hash,
  };
  return { do: 'publish', report, absorbs: before.waiting, next: { ...next, assembling: undefined, waiting: [] } };
}

function newState(statement: ReportStatement, rules: LifeCycleRules): ReportState {
  return {
    reportKey: statement.reportKey,
    setId: rules.setIdOf(statement.reportKey),
    status: 'waiting',
    version: 0,
    patientKey: statement.patientKey,
    waiting: [],
  };
}

const withdraws = ({ reportAction }: ReportStatement): boolean =>
  reportAction === 'retract' || reportAction === 'remove-item';

/** A final report is complete only when none of its items is still to come. */
export const isInterim = (statement: ReportStatement): boolean =>
  statement.reportAction === 'hold' || Object.values(statement.itemActions).includes('hold');

const waitForFinal = (before: ReportState, arrival: Arrival): ReportDecision => ({
  do: 'wait',
  code: 'MAP-3014',
  next: { ...before, waiting: withArrival(before.waiting, arrival) },
});

const isPublished = (state: ReportState, report: ClinicalRecord): boolean =>
  state.status === 'published' && contentHash(report) === state.contentHash;

function isUnclear(current: ClinicalRecord, statement: ClinicalRecord, corrections: CorrectionMode): boolean {
  // An examination under the number of a laboratory report: neither can be laid over the other.
  if (current.kind !== statement.kind) return true;
  if (corrections === 'snapshot') return sharesNothing(current, statement);
  if (corrections === 'delta') return isAmbiguousDelta(current, statement);
  return missingParts(current, statement).length > 0;
}

const placeOf = (record: ClinicalRecord): string => (record.kind === 'exam-report' ? 'sections' : 'items');

/** Whether nothing of a report is left, once it had parts: a conclusion alone may still stand when none was deleted. */
function isEmptied(report: ClinicalRecord, current: ClinicalRecord | undefined, removed: ReadonlySet<string>): boolean {
  if (partsOf(report).length > 0) return false;
  if (removed.size > 0) return true;
  const says = report.kind === 'lab-report' && report.conclusion !== undefined;
  return !says && current !== undefined && partsOf(current).length > 0;
}

function withdraw(before: ReportState, statement: ReportStatement, arrival: Arrival): ReportDecision {
  // Remembered even when nothing was published: a final that left earlier and arrives later stays out.
  const next: ReportState = {
    ...applied(before, statement, arrival),
    status: 'retracted',
    assembling: undefined,
    told: undefined,
    waiting: [],
  };
  if (before.status === 'retracted') return absorb('duplicate', next, before.waiting);
  if (before.version === 0) return absorb('nothing-published', next, before.waiting);
  // No content is current any more, so the same report can be published again later.
  next.contentHash = undefined;
  next.version = before.version + 1;
  return { do: 'retract', report: before.current ?? statement.report, next, absorbs: before.waiting };
}

const absorb = (
  reason: 'duplicate' | 'older' | 'nothing-published',
  next: ReportState,
  absorbs: string[] = [],
): ReportDecision => ({ do: 'absorb', reason, next, absorbs });

/** The state with its clock moved on to the statement, never back; an absent time leaves the one known. */
function applied(remembered: ReportState, statement: ReportStatement, { seq }: Arrival): ReportState {
  const state = { ...remembered, appliedSeq: Math.max(seq, remembered.appliedSeq ?? 0) };
  const { reportTime, messageTime } = statement;
  const byReport = compareTimes(reportTime, state.reportTime);
  if (byReport > 0 || (state.reportTime === undefined && reportTime !== undefined)) {
    return { ...state, reportTime, messageTime };
  }
  const byMessage = compareTimes(messageTime, state.messageTime);
  return { ...state, messageTime: byMessage < 0 ? state.messageTime : (messageTime ?? state.messageTime) };
}
