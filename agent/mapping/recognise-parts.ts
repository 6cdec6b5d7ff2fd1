import type { Statement } from './mapper.ts';
import type { Known } from './overlay.ts';

/** Which part of its message a statement is. */
export interface Place {
  part: number;
  /** Decided before, and not again. */
  stands: boolean;
}

/** What is left of the last time a message was read. */
export interface Left {
  seq: number;
  /** Parts that stand. */
  keep: readonly number[];
  /** Parts that made an entry of the record; of any record where none is named. */
  partsOf(seq: number, reportKey?: string): number[];
}

/**
 * Which parts the statements of a message are that is read again. The rules may have changed since, and with them how
 * much a message says and in which order. So a record is known again by its key, among what is journalled and what
 * waits; never by its place, where another report may have stood. What is not known again is decided anew, which the
 * life cycle absorbs where it says nothing new: no report is passed over. Registrations and merges have no such key and
 * keep their place, which no rule changes.
 * @returns a place for each statement, and all parts that stand.
 */
export function placesOf(
  statements: readonly Statement[],
  { seq, keep, partsOf }: Left,
  known: Pick<Known, 'report'>,
): { places: Place[]; keep: number[] } {
  const journalled = partsOf(seq);
  const taken = new Set<number>();
  const take = (part: number): Place => {
    taken.add(part);
    return { part, stands: keep.includes(part) };
  };
  const again = statements.map((statement): Place | undefined => {
    if (!('ok' in statement)) return undefined;
    const { reportKey } = statement.ok;
    const own = [...partsOf(seq, reportKey), ...waitingOf(known, reportKey, seq)].find((part) => !taken.has(part));
    return own === undefined ? undefined : take(own);
  });
  statements.forEach((statement, i) => {
    const hasNoKey = 'patient' in statement || 'merge' in statement;
    if (hasNoKey && keep.includes(i) && !taken.has(i)) again[i] = take(i);
  });
  const isFree = (part: number): boolean => !taken.has(part) && !journalled.includes(part);
  // In the order of the message, which is the order of their entries.
  let next = 0;
  const places = again.map((place): Place => {
    if (place) return place;
    while (!isFree(next)) next += 1;
    return { ...take(next), stands: false };
  });
  const standing = places.flatMap(({ part, stands }) => (stands ? [part] : []));
  return { places, keep: [...new Set([...standing, ...journalled])] };
}

/** Parts of the message that the report remembers as waiting for it. */
const waitingOf = (known: Pick<Known, 'report'>, reportKey: string, seq: number): number[] =>
  (known.report(reportKey)?.waiting ?? []).flatMap((key) => {
    const [of, part] = key.split(':').map(Number);
    return of === seq && part !== undefined ? [part] : [];
  });
