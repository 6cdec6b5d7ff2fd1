import type { ClinicalRecord, Finding } from '../records/types.ts';
import { contentHash, placedIn } from './content.ts';
import { endWaiting, keyOf, withArrival } from './interim.ts';
import type { Arrival, LifeCycleRules, ReportDecision, ReportState, ReportStatement } from './types.ts';

/**
 * Senders that send one message a test: what a report says is collected until no test came for the quiet period of
 * the profile, then published at once (MAP-3028). Every message waits as a part of its own, due when the period would
 * end; the first that is read again after its end publishes all and absorbs the others.
 */

/** Whether a statement is one of those collected: read again, it says nothing new. */
export const isCollected = (state: ReportState | undefined, arrival: Arrival): boolean =>
  state?.assembling !== undefined && state.waiting.includes(keyOf(arrival));

/** Whether the period was over before a message came: what was collected goes out first, without that message. */
export const isOver = (state: ReportState | undefined, nowMs: number): boolean =>
  state?.assembling !== undefined && state.assembling.untilMs <= nowMs;

/** Collects a report as it stands with one more test; the quiet period begins anew. */
export function collect(
  state: ReportState,
  record: ClinicalRecord,
  statement: ReportStatement,
  arrival: Arrival,
  { nowMs, quietMs }: LifeCycleRules,
): ReportDecision {
  const { assembling } = state;
  const untilMs = Math.max(assembling?.untilMs ?? 0, nowMs + quietMs);
  const before: Finding[] = assembling ? placedIn(assembling.findings, assembling.record, record) : [];
  const findings = [...before, ...placedIn(statement.findings, statement.report, record)];
  const next: ReportState = {
    ...state,
    waiting: withArrival(state.waiting, arrival),
    assembling: { record, untilMs, findings },
  };
  return { do: 'wait', code: 'MAP-3028', dueMs: untilMs, next };
}

/** What becomes of a collected test that is read again: published with all the others, or it waits on. */
export function endOfQuiet(state: ReportState, arrival: Arrival, nowMs: number): ReportDecision {
  const { assembling } = state;
  if (!assembling || nowMs < assembling.untilMs) {
    return { do: 'wait', code: 'MAP-3028', dueMs: assembling?.untilMs, next: state };
  }
  const { record } = assembling;
  const ended = endWaiting(state);
  const absorbs = ended.absorbs.filter((key) => key !== keyOf(arrival));
  const next: ReportState = { ...state, ...ended.left, assembling: undefined };
  const hash = contentHash(record);
  if (state.status === 'published' && hash === state.contentHash)
    return { do: 'absorb', reason: 'duplicate', next, absorbs };
  return {
    do: 'publish',
    report: record,
    absorbs,
    next: { ...next, status: 'published', version: state.version + 1, current: record, contentHash: hash },
  };
}
