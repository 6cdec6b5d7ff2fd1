import type { ClinicalRecord, Organism, Susceptibility } from '../records/types.ts';

/**
 * The parts of a record that have a key of their own and can be corrected, deleted and added one by one: items,
 * organisms and the drugs each was tested with of a laboratory report (their keys share one space), sections of an
 * examination report. Records of other kinds have none: they are always told whole.
 */
export function partsOf(record: ClinicalRecord): ReadonlyArray<{ key: string }> {
  if (record.kind === 'lab-report') {
    return record.organisms ? [...record.items, ...record.organisms.flatMap(partsOfOrganism)] : record.items;
  }
  return record.kind === 'exam-report' ? record.sections : [];
}

const partsOfOrganism = (organism: Organism): Array<{ key: string }> => [organism, ...drugsOf(organism)];

/** The drugs of an organism with their keys; one tested twice is told apart by `#2`, as items of one code are. */
export function drugsOf(organism: Organism): Array<{ key: string; tested: Susceptibility }> {
  const counts = new Map<string, number>();
  return organism.susceptibilities.map((tested) => {
    const key = keyOfDrug(organism.key, tested);
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return { key: count === 1 ? key : `${key}#${count}`, tested };
  });
}

/** Key of a drug in a report: `ECO/1|AMP`. */
const keyOfDrug = (organismKey: string, { drug }: Susceptibility): string =>
  `${organismKey}|${drug.code ?? drug.name ?? ''}`;

/** Key that says, when it is removed, that an organism goes with the last of its drugs. */
export const keyOfLastDrug = (organismKey: string): string => `${organismKey}|`;
export const isLastDrug = (key: string): boolean => key.endsWith('|');

/** The record with only those parts whose key passes. An organism also stays for a drug that passes. */
export function filterParts<R extends ClinicalRecord>(record: R, passes: (key: string) => boolean): R {
  const some = <T extends { key: string }>(parts: T[]): T[] => parts.filter(({ key }) => passes(key));
  if (record.kind === 'lab-report') {
    const organisms = record.organisms?.flatMap((organism) => {
      const susceptibilities = testedOf(organism, passes);
      if (passes(organism.key)) return [{ ...organism, susceptibilities }];
      const { key, organism: what } = organism;
      return susceptibilities.length > 0 ? [{ key, organism: what, susceptibilities }] : [];
    });
    return { ...record, items: some(record.items), ...(organisms && { organisms }) };
  }
  return record.kind === 'exam-report' ? { ...record, sections: some(record.sections) } : record;
}

/** The record without the parts of these keys. */
export function withoutParts<R extends ClinicalRecord>(record: R, removed: ReadonlySet<string>): R {
  if (removed.size === 0) return record;
  const kept = filterParts(record, (key) => !removed.has(key));
  if (kept.kind !== 'lab-report' || record.kind !== 'lab-report' || !record.organisms) return kept;
  const organisms = record.organisms.flatMap((organism) => {
    if (removed.has(organism.key)) return [];
    const susceptibilities = testedOf(organism, (key) => !removed.has(key));
    const lostAll = susceptibilities.length === 0 && organism.susceptibilities.length > 0;
    return lostAll && removed.has(keyOfLastDrug(organism.key)) ? [] : [{ ...organism, susceptibilities }];
  });
  return { ...kept, organisms };
}

const testedOf = (organism: Organism, passes: (key: string) => boolean): Susceptibility[] =>
  drugsOf(organism).flatMap(({ key, tested }) => (passes(key) ? [tested] : []));

/** Both by key: of an organism both have, the drugs of the second for those of the first, new ones at the end. */
export function joinOrganisms(current: readonly Organism[], changes: readonly Organism[]): Organism[] {
  const changed = new Map(changes.map((organism) => [organism.key, organism]));
  const joined = current.map((organism) => {
    const change = changed.get(organism.key);
    changed.delete(organism.key);
    if (!change) return organism;
    const drugs = new Map(drugsOf(organism).map(({ key, tested }) => [key, tested]));
    for (const { key, tested } of drugsOf(change)) drugs.set(key, tested);
    const quantity = change.quantity ?? organism.quantity;
    return {
      key: organism.key,
      organism: change.organism,
      ...(quantity !== undefined && { quantity }),
      susceptibilities: [...drugs.values()],
    };
  });
  return [...joined, ...changed.values()];
}

/** Keys that the current version has and the statement does not mention, removed parts included. */
export function missingParts(current: ClinicalRecord, mentioned: ClinicalRecord): string[] {
  const keys = new Set(partsOf(mentioned).map(({ key }) => key));
  return partsOf(current).flatMap(({ key }) => (keys.has(key) ? [] : [key]));
}

/**
 * Whether the statement has parts and the current version too, and none of them is the same; or an organism of both was
 * tested with quite other drugs.
 */
export function sharesNothing(current: ClinicalRecord, mentioned: ClinicalRecord): boolean {
  const parts = partsOf(current).length;
  if (parts > 0 && partsOf(mentioned).length > 0 && missingParts(current, mentioned).length === parts) return true;
  if (current.kind !== 'lab-report' || mentioned.kind !== 'lab-report') return false;
  return (mentioned.organisms ?? []).some((organism) => {
    const known = current.organisms?.find(({ key }) => key === organism.key)?.susceptibilities ?? [];
    const drugs = new Set(known.map((tested) => keyOfDrug(organism.key, tested)));
    const { susceptibilities } = organism;
    return (
      drugs.size > 0 &&
      susceptibilities.length > 0 &&
      !susceptibilities.some((tested) => drugs.has(keyOfDrug(organism.key, tested)))
    );
  });
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
  // A drug nobody has told of does not bring back an organism that is deleted.
  if (additions.kind === 'lab-report' && additions.organisms) {
    additions.organisms = additions.organisms.filter(({ key }) => known.has(baseKey(key)) || !(key in told));
  }
  return partsOf(additions).length > 0 ? additions : undefined;
}
