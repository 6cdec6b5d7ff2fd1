import { compareTimes } from '../records/time.ts';
import type { ClinicalRecord } from '../records/types.ts';
import { contentHash, withAdditions, withParts } from './content.ts';
import { additionsTo, filterParts, isAmbiguousDelta, isLastDrug, partsOf, withoutParts } from './parts.ts';
import type { Arrival, ReportState, ReportStatement, ToldAt } from './types.ts';

/**
 * The order of what is said of a report, and what an older word still counts for. Where messages say only what changes,
 * two of them may cross on their way: of each item or section the later word counts, not that of the later message.
 */

/** Whether a statement stands before what was told: by report time, then message time, then arrival. */
export function isOlder(statement: ReportStatement, told: ToldAt, arrival: Arrival): boolean {
  const byReport = compareTimes(statement.reportTime, told.reportTime);
  if (byReport !== 0) return byReport < 0;
  const byMessage = compareTimes(statement.messageTime, told.messageTime);
  if (byMessage !== 0) return byMessage < 0;
  return arrival.seq < (told.appliedSeq ?? 0);
}

/** Keys of the items, organisms, drugs and sections that a statement deletes. */
export function removedParts(statement: ReportStatement): Set<string> {
  const removed = new Set<string>();
  for (const [key, action] of Object.entries(statement.itemActions)) if (action === 'remove-item') removed.add(key);
  return removed;
}

type Told = NonNullable<ReportState['told']>;

/** When the parts of a statement were told of, by this statement. */
export function toldBy({ report, reportTime, messageTime }: ReportStatement, { seq }: Arrival): Told {
  const at: ToldAt = { reportTime, messageTime, appliedSeq: seq };
  return Object.fromEntries(partsOf(report).map(({ key }) => [key, at]));
}

/**
 * What an older statement still changes: parts nobody has told of since, and parts nobody has told of at all. Which of
 * several equal items is meant nobody can tell: of those it changes none.
 * @returns the report with it, undefined when it stays as it is, and when each part was told of.
 */
export function crossing(
  before: Told = {},
  current: ClinicalRecord,
  statement: ReportStatement,
  arrival: Arrival,
): { report: ClinicalRecord | undefined; told: Told } {
  const ambiguous = isAmbiguousDelta(current, statement.report);
  const isLater = (key: string): boolean => {
    const at = before[key];
    return at !== undefined && !ambiguous && !isOlder(statement, at, arrival);
  };
  const unheard = additionsTo(current, statement.report, before);
  const known = new Set(partsOf(current).map(({ key }) => key));
  const isUnheard = new Set((unheard ? partsOf(unheard) : []).flatMap(({ key }) => (known.has(key) ? [] : [key])));
  const removed = removedParts(statement);
  const kept = withoutParts(statement.report, removed);
  const additions = additionsTo(current, kept, before);
  const changed = withParts(current, filterParts(kept, isLater));
  const gone = new Set([...removed].filter((key) => isLater(key) || isLastDrug(key)));
  const report = withoutParts(additions ? withAdditions(changed, additions) : changed, gone);
  const told = Object.entries(toldBy(statement, arrival)).filter(([key]) => isLater(key) || isUnheard.has(key));
  return {
    report: contentHash(report) === contentHash(current) ? undefined : report,
    told: { ...before, ...Object.fromEntries(told) },
  };
}
