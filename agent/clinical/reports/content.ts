import { hash } from 'node:crypto';
import type { LabItem, LabReport } from '../records/types.ts';
import { ordered } from './ordered.ts';

/**
 * SHA-256 (hex) of what a report says. Equal content has an equal hash, whatever the order of keys.
 * Left out are the places values were read from: they say nothing clinical. A message's own time and
 * control id are not part of a report, so a report sent again hashes the same.
 */
export const contentHash = (report: LabReport): string => hash('sha256', JSON.stringify(ordered(report)));

/** Keys that the current version has and the statement does not mention, removed items included. */
export function missingItems(current: LabReport, mentioned: LabReport): string[] {
  const keys = new Set(mentioned.items.map((item) => item.key));
  return current.items.map((item) => item.key).filter((key) => !keys.has(key));
}

/** Key of an item without the `#n` that tells apart items of one code in one report. */
const baseKey = (key: string): string => key.replace(/#\d+$/, '');

function countByBase(items: LabItem[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(baseKey(item.key), (counts.get(baseKey(item.key)) ?? 0) + 1);
  return counts;
}

/**
 * Whether a delta cannot be told apart: it names an item whose code occurs several times in one of the
 * two, and not as often in the other (one of three glucose values).
 */
export function isAmbiguousDelta(current: LabReport, delta: LabReport): boolean {
  const before = countByBase(current.items);
  for (const [key, count] of countByBase(delta.items)) {
    const was = before.get(key) ?? 0;
    if (was > 0 && was !== count && (was > 1 || count > 1)) return true;
  }
  return false;
}

/**
 * The current version with a delta laid over it: items by key (new ones at the end), removed ones gone;
 * of the rest of the report what the delta says, else what was said before.
 */
export function mergeDelta(current: LabReport, delta: LabReport, removed: ReadonlySet<string>): LabReport {
  const changed = new Map(delta.items.map((item) => [item.key, item]));
  const items: LabItem[] = [];
  for (const item of current.items) {
    if (!removed.has(item.key)) items.push(changed.get(item.key) ?? item);
    changed.delete(item.key);
  }
  for (const item of changed.values()) if (!removed.has(item.key)) items.push(item);
  const said = Object.fromEntries(Object.entries(delta).filter(([, value]) => value !== undefined));
  return {
    ...current,
    ...said,
    patient: delta.patient,
    encounter: delta.encounter,
    orderNumbers: delta.orderNumbers.length > 0 ? delta.orderNumbers : current.orderNumbers,
    specimen: { ...current.specimen, ...definedOf(delta.specimen) },
    remarks: delta.remarks.length > 0 ? delta.remarks : current.remarks,
    items,
  };
}

const definedOf = <T extends object>(value: T): Partial<T> =>
  Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as Partial<T>;
