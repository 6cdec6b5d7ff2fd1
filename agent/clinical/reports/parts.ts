import type { ClinicalRecord } from '../records/types.ts';

/**
 * The parts of a record that have a key of their own and can be corrected, deleted and added one by one: items and
 * organisms of a laboratory report (their keys share one space), sections of an examination report. Records of other
 * kinds have none: they are always told whole.
 */
export function partsOf(record: ClinicalRecord): ReadonlyArray<{ key: string }> {
  if (record.kind === 'lab-report') return record.organisms ? [...record.items, ...record.organisms] : record.items;
  return record.kind === 'exam-report' ? record.sections : [];
}

/** The record with only those parts whose key passes. */
export function filterParts<R extends ClinicalRecord>(record: R, passes: (key: string) => boolean): R {
  const some = <T extends { key: string }>(parts: T[]): T[] => parts.filter(({ key }) => passes(key));
  if (record.kind === 'lab-report') {
    const organisms = record.organisms && some(record.organisms);
    return { ...record, items: some(record.items), ...(organisms && { organisms }) };
  }
  return record.kind === 'exam-report' ? { ...record, sections: some(record.sections) } : record;
}

/** The record without the parts of these keys. */
export const withoutParts = <R extends ClinicalRecord>(record: R, removed: ReadonlySet<string>): R =>
  removed.size === 0 ? record : filterParts(record, (key) => !removed.has(key));

/** Keys that the current version has and the statement does not mention, removed parts included. */
export function missingParts(current: ClinicalRecord, mentioned: ClinicalRecord): string[] {
  const keys = new Set(partsOf(mentioned).map(({ key }) => key));
  return partsOf(current).flatMap(({ key }) => (keys.has(key) ? [] : [key]));
}

/** Whether the statement has parts and the current version too, and none of them is the same. */
export function sharesNothing(current: ClinicalRecord, mentioned: ClinicalRecord): boolean {
  const parts = partsOf(current).length;
  return parts > 0 && partsOf(mentioned).length > 0 && missingParts(current, mentioned).length === parts;
}

/** Key of a part without the `#n` that tells apart items of one code in one report. */
const baseKey = (key: string): string => key.replace(/#\d+$/, '');

function countByBase(record: ClinicalRecord): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { key } of partsOf(record)) counts.set(baseKey(key), (counts.get(baseKey(key)) ?? 0) + 1);
  return counts;
}

/**
 * Whether a delta cannot be told apart: it names an item whose code occurs several times in one of the
 * two, and not as often in the other (one of three glucose values).
 */
export function isAmbiguousDelta(current: ClinicalRecord, delta: ClinicalRecord): boolean {
  const before = countByBase(current);
  for (const [key, count] of countByBase(delta)) {
    const was = before.get(key) ?? 0;
    if (was > 0 && was !== count && (was > 1 || count > 1)) return true;
  }
  return false;
}

/**
 * What a statement has and the current version has nothing of, by code; undefined when that is nothing.
 * @param told keys that somebody has told of, among them what is deleted.
 */
export function additionsTo<R extends ClinicalRecord>(
  current: ClinicalRecord,
  statement: R,
  told: object,
): R | undefined {
  const known = countByBase(current);
  const additions = filterParts(statement, (key) => !known.has(baseKey(key)) && !(key in told));
  return partsOf(additions).length > 0 ? additions : undefined;
}
