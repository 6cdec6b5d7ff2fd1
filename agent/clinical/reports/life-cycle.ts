import { compareTimes } from '../records/time.ts';
import type { ClinicalRecord } from '../records/types.ts';
import { collect, endOfQuiet, isCollected } from './assembly.ts';
import { contentHash, mergeDelta, placedIn } from './content.ts';
import { endWaiting, mention, waitForFinal } from './interim.ts';
import { crossing, isOlder, removedParts, toldBy } from './out-of-order.ts';
import { isAmbiguousDelta, missingParts, partsOf, sharesNothing, withoutParts } from './parts.ts';
import type { Arrival, CorrectionMode, LifeCycleRules, ReportDecision, ReportState, ReportStatement } from './types.ts';

/**
 * What becomes of one statement about a record (DESIGN invariant 6; hl7v2.md §5). Pure: the same state,
 * statement, arrival and time give the same decision, so a replay decides the same. The rules, in order:
 *
 * 1. A test that waited for the others of its report (MAP-3028) is published with them when none came for a while.
 * 2. An examination under the number of a laboratory report, or the other way round, is held (MAP-3011). Of a number
 *    that was another patient's, a newer final moves the report (rule of `ofAnotherPatient`).
 * 3. Final with equal content is a duplicate: nothing happens but that the clock of the report moves on.
 * 4. What is older than what was applied last is absorbed. Order is report time, then message time,
 *    then arrival; times that are absent, in the future or equal do not order. Where messages say only what
 *    changes, an older one still counts for the items nobody has told of since: changes may cross on their way.
 * 5. Interim results wait (MAP-3014, MAP-3031); they never replace what was published. Where messages say only what changes, the
 *    finished items of one that has others to come count at once. Elsewhere a final must say them too (MAP-3007).
 * 6. A withdrawal retracts what is published; of what never was, it only ends the waiting. One that repeats an older
 *    report time and was sent later is held (MAP-3007): which version it means nobody can tell.
 * 7. A correction without some items of the current version is held (MAP-3007), unless the profile says
 *    that corrections are whole reports (`snapshot`) or changes only (`delta`). One that shares no item with the
 *    current version may be a supplement, which must not replace: it is held in `snapshot` mode too.
 * 8. A report of which every item was removed is retracted.
 * 9. Everything else is published as the next version and absorbs what waited; where tests come one by one it waits.
 *
 * Items are what parts.ts says: items, organisms and their drugs, or sections. Records without any are told whole.
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
  const standing = standingOf(before);
  if (standing && isOfAnotherKind(standing, statement)) return heldForNumber;
  const older = isOlder(statement, before, arrival);
  if (older && standing && withdraws(statement) && compareTimes(statement.messageTime, before.messageTime) > 0) {
    return { do: 'hold', code: 'MAP-3007', where: 'report.reportedAt' };
  }
  const said = withoutComing(statement, rules);
  if (before.patientKey === said.patientKey) return ofThisPatient(before, said, arrival, rules, older);
  if (older) return absorb('older', before);
  return ofAnotherPatient(before, said, arrival, rules);
}

const heldForNumber: ReportDecision = { do: 'hold', code: 'MAP-3011', where: 'report.number' };

/** What counts of a report now: what is being collected, else what is published. */
const standingOf = (state: ReportState): ClinicalRecord | undefined =>
  state.assembling?.record ?? (state.status === 'published' ? state.current : undefined);

/** A withdrawal that tells of no result may not know what it withdraws: a report is an examination by its titles. */
const isOfAnotherKind = (standing: ClinicalRecord, statement: ReportStatement): boolean =>
  standing.kind !== statement.report.kind &&
  !(withdraws(statement) && statement.report.kind === 'lab-report' && partsOf(statement.report).length === 0);

function ofThisPatient(
  before: ReportState,
  statement: ReportStatement,
  arrival: Arrival,
  rules: LifeCycleRules,
  older: boolean,
): ReportDecision {
  if (withdraws(statement)) return older ? absorb('older', before) : withdraw(before, statement, arrival);
  if (isInterim(statement, rules)) return older ? absorb('older', before) : waitForFinal(before, statement, arrival);

  const current = standingOf(before);
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
  // What waiting messages said is finished and this final says too; what it leaves out must not go with them.
  const heard = mention(before, statement.report);
  const report = current && partial ? mergeDelta(current, kept, removed) : kept;
  const told = partial ? { ...before.told, ...toldBy(statement, arrival) } : undefined;
  if (before.assembling ? contentHash(report) === contentHash(before.assembling.record) : isPublished(before, report)) {
    const next = { ...applied(heard, statement, arrival), told };
    // Its period may be over: nothing else need come that ends it.
    if (before.assembling) {
      return rules.nowMs < before.assembling.untilMs
        ? absorb('duplicate', next)
        : endOfQuiet(next, arrival, rules.nowMs);
    }
    // The same final again ends the waiting of an interim that came between.
    const { absorbs, left } = endWaiting(heard);
    return absorb('duplicate', { ...next, finished: undefined, ...left }, absorbs);
  }
  if (current && isUnclear(current, statement.report, partial ? 'delta' : rules.corrections)) {
    return { do: 'hold', code: 'MAP-3007', where: placeOf(current) };
  }
  if (!partial && leavesOutFinished(before, heard, rules)) {
    return { do: 'hold', code: 'MAP-3007', where: placeOf(report) };
  }
  if (isEmptied(report, current, removed)) return withdraw(before, statement, arrival);
  return issue({ ...(partial ? heard : allHeard(heard)), told }, report, statement, arrival, rules);
}

/** Whether a final leaves out what waiting messages said is finished; one that is a whole report, all of it. */
const leavesOutFinished = (before: ReportState, heard: ReportState, { corrections }: LifeCycleRules): boolean =>
  heard.finished !== undefined &&
  (corrections !== 'snapshot' || countOf(heard.finished) === countOf(before.finished ?? {}));

const countOf = (finished: Record<string, string[]>): number => Object.values(finished).flat().length;

/** A whole report ends the waiting of all. */
const allHeard = (state: ReportState): ReportState => ({ ...state, finished: undefined });

/** Whether messages say only what changes. */
const isPartial = (rules: LifeCycleRules): boolean => rules.quietMs > 0 || rules.corrections === 'delta';

/**
 * A report number that was another patient's. What was never published, or is withdrawn, just goes to this patient,
 * tests that are being collected too: none of them may go out under the other one any more. Of a published one a final
 * moves the report: withdrawn there, published here as this message alone says it, because nothing of another patient
 * may be merged into it. Interim results wait. Held (MAP-3011) are a withdrawal, which leaves open whose report it means,
 * and interim results while tests of the other patient are being collected.
 */
function ofAnotherPatient(
  before: ReportState,
  statement: ReportStatement,
  arrival: Arrival,
  rules: LifeCycleRules,
): ReportDecision {
  const mine: ReportState = { ...before, patientKey: statement.patientKey, assembling: undefined, told: undefined };
  if (before.assembling && (withdraws(statement) || isInterim(statement, rules))) return heldForNumber;
  if (before.status !== 'published') return ofThisPatient(mine, statement, arrival, rules, false);
  if (withdraws(statement)) return heldForNumber;
  if (isInterim(statement, rules)) return waitForFinal(before, statement, arrival);
  const removed = removedParts(statement);
  const report = withoutParts(statement.report, removed);
  if (before.current === undefined || isEmptied(report, undefined, removed)) return heldForNumber;
  const heard = mention(mine, statement.report);
  if (!isPartial(rules) && leavesOutFinished(before, heard, rules)) {
    return { do: 'hold', code: 'MAP-3007', where: placeOf(report) };
  }
  const { absorbs, left } = endWaiting(isPartial(rules) ? heard : allHeard(heard));
  return {
    do: 'move',
    from: before.patientKey,
    retracts: before.current,
    report,
    absorbs,
    next: {
      ...applied(allHeard(mine), statement, arrival),
      version: before.version + 2,
      current: report,
      contentHash: contentHash(report),
      told: isPartial(rules) ? toldBy(statement, arrival) : undefined,
      ...left,
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
  const { absorbs, left } = endWaiting(now);
  return { do: 'publish', report, absorbs, next: { ...next, assembling: undefined, finished: undefined, ...left } };
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

/**
 * A final report is complete only when none of its items is still to come. Where messages say only what changes, it is
 * one as soon as any of its items is not.
 */
export function isInterim({ reportAction, report, itemActions }: ReportStatement, rules: LifeCycleRules): boolean {
  if (reportAction === 'hold') return true;
  if (!Object.values(itemActions).includes('hold')) return false;
  return !isPartial(rules) || partsOf(withoutParts(report, comingParts(itemActions))).length === 0;
}

/** A statement of changes without its items that are still to come: these have said nothing yet. */
export function withoutComing(statement: ReportStatement, rules: LifeCycleRules): ReportStatement {
  const coming = comingParts(statement.itemActions);
  if (coming.size === 0 || statement.reportAction !== 'publish' || isInterim(statement, rules)) return statement;
  const report = withoutParts(statement.report, coming);
  const itemActions = Object.fromEntries(Object.entries(statement.itemActions).filter(([key]) => !coming.has(key)));
  return { ...statement, report, itemActions, findings: placedIn(statement.findings, statement.report, report) };
}

const comingParts = (itemActions: ReportStatement['itemActions']): Set<string> =>
  new Set(Object.entries(itemActions).flatMap(([key, action]) => (action === 'hold' ? [key] : [])));

const isPublished = (state: ReportState, report: ClinicalRecord): boolean =>
  state.status === 'published' && contentHash(report) === state.contentHash;

function isUnclear(current: ClinicalRecord, statement: ClinicalRecord, corrections: CorrectionMode): boolean {
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
    finished: undefined,
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
