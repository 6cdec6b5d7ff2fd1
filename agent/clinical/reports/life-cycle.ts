import { compareTimes } from '../records/time.ts';
import type { LabReport } from '../records/types.ts';
import { contentHash, isAmbiguousDelta, mergeDelta, missingItems } from './content.ts';
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
}

/**
 * What becomes of one statement about a report (DESIGN invariant 6; hl7v2.md §5). Pure: the same state,
 * statement and arrival give the same decision, so a replay decides the same. The rules, in order:
 *
 * 1. A report number that was another patient's is held (MAP-3011).
 * 2. Final with equal content is a duplicate: nothing happens but that the clock of the report moves on.
 * 3. What is older than what was applied last is absorbed. Order is report time, then message time,
 *    then arrival; times that are absent, in the future or equal do not order.
 * 4. Interim results wait (MAP-3014); they never replace what was published.
 * 5. A withdrawal retracts what is published; of what never was, it only ends the waiting.
 * 6. A correction without some items of the current version is held (MAP-3007), unless the profile says
 *    that corrections are whole reports (`snapshot`) or changes only (`delta`).
 * 7. A report of which every item was removed is retracted.
 * 8. Everything else is published as the next version and absorbs what waited.
 *
 * @param state the report as remembered, or undefined when it is new; never changed.
 */
export function decide(
  state: ReportState | undefined,
  statement: ReportStatement,
  arrival: Arrival,
  rules: LifeCycleRules,
): ReportDecision {
  if (state !== undefined && state.patientKey !== statement.patientKey) {
    return { do: 'hold', code: 'MAP-3011', where: 'report.number' };
  }
  const before = state ?? newState(statement, rules);
  const older = isOlder(statement, before, arrival);

  if (statement.reportAction === 'retract' || statement.reportAction === 'remove-item') {
    return older ? absorb('older', before) : withdraw(before, statement, arrival);
  }
  if (waits(statement)) {
    return older
      ? absorb('older', before)
      : { do: 'wait', code: 'MAP-3014', next: { ...before, waiting: withArrival(before.waiting, arrival) } };
  }

  const removed = removedItems(statement);
  const current = before.status === 'published' ? before.current : undefined;
  const kept = withoutItems(statement.report, removed);
  const report = current !== undefined && rules.corrections === 'delta' ? mergeDelta(current, kept, removed) : kept;
  const hash = contentHash(report);
  if (before.status === 'published' && hash === before.contentHash) {
    // The same final again ends the waiting of an interim that came between.
    return older
      ? absorb('duplicate', before)
      : absorb('duplicate', { ...applied(before, statement, arrival), waiting: [] }, before.waiting);
  }
  if (older) return absorb('older', before);
  if (current !== undefined && isUnclear(current, statement.report, rules.corrections)) {
    return { do: 'hold', code: 'MAP-3007', where: 'items' };
  }
  if (report.items.length === 0 && (removed.size > 0 || (current?.items.length ?? 0) > 0)) {
    return withdraw(before, statement, arrival);
  }
  return {
    do: 'publish',
    report,
    absorbs: before.waiting,
    next: {
      ...applied(before, statement, arrival),
      status: 'published',
      version: before.version + 1,
      current: report,
      contentHash: hash,
      waiting: [],
    },
  };
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

function isOlder(statement: ReportStatement, state: ReportState, arrival: Arrival): boolean {
  const byReport = compareTimes(statement.reportTime, state.reportTime);
  if (byReport !== 0) return byReport < 0;
  const byMessage = compareTimes(statement.messageTime, state.messageTime);
  if (byMessage !== 0) return byMessage < 0;
  return arrival.seq < (state.appliedSeq ?? 0);
}

/** A final report is complete only when none of its items is still to come. */
const waits = (statement: ReportStatement): boolean =>
  statement.reportAction === 'hold' || Object.values(statement.itemActions).includes('hold');

function removedItems(statement: ReportStatement): Set<string> {
  const removed = new Set<string>();
  for (const [key, action] of Object.entries(statement.itemActions)) if (action === 'remove-item') removed.add(key);
  return removed;
}

const withoutItems = (report: LabReport, removed: ReadonlySet<string>): LabReport =>
  removed.size === 0 ? report : { ...report, items: report.items.filter((item) => !removed.has(item.key)) };

function isUnclear(current: LabReport, statement: LabReport, corrections: CorrectionMode): boolean {
  if (corrections === 'snapshot') return false;
  if (corrections === 'delta') return isAmbiguousDelta(current, statement);
  return missingItems(current, statement).length > 0;
}

function withdraw(before: ReportState, statement: ReportStatement, arrival: Arrival): ReportDecision {
  // Remembered even when nothing was published: a final that left earlier and arrives later stays out.
  const next: ReportState = { ...applied(before, statement, arrival), status: 'retracted', waiting: [] };
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

function withArrival(waiting: string[], arrival: Arrival): string[] {
  const entry = `${arrival.seq}:${arrival.part}`;
  return waiting.includes(entry) ? waiting : [...waiting, entry];
}
