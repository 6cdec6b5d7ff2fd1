import { newPatient } from './index.ts';
import type { MergeDecision, MergeStatement, PatientState } from './types.ts';

/** Merges follow one another at most so often; more is damage, not a patient. */
const LONGEST_CHAIN = 32;

type StateOf = (patientKey: string) => PatientState | undefined;

/** A number and those it was merged into, one after the other: the last is the survivor. */
export function chainOf(patientKey: string, stateOf: StateOf): string[] {
  const chain = [patientKey];
  for (let at = stateOf(patientKey)?.mergedInto; at !== undefined && chain.length < LONGEST_CHAIN; ) {
    if (chain.includes(at)) break;
    chain.push(at);
    at = stateOf(at)?.mergedInto;
  }
  return chain;
}

/** The number under which everything of a patient goes now. */
export const survivorOf = (patientKey: string, stateOf: StateOf): string =>
  chainOf(patientKey, stateOf).at(-1) ?? patientKey;

/**
 * What becomes of a merge or an unlink. Only the hospital merges numbers, never an equal resident ID: families share
 * one, newborns carry their mother's. A merge that is so already is absorbed. One that names a number twice, turns an
 * earlier one round, closes a circle, or gives a retired number to somebody else contradicts what stands and is held
 * (MAP-3025). An unlink gives back what moved, and what came under the retired number since.
 * @param reportKeysOf keys of the records a number has.
 */
export function decideMerge(
  statement: MergeStatement,
  stateOf: StateOf,
  reportKeysOf: (patientKey: string) => string[],
): MergeDecision {
  if (statement.retired === statement.survivor) return { do: 'hold', code: 'MAP-3025', where: 'merge.retired' };
  return statement.kind === 'merge' ? merge(statement, stateOf, reportKeysOf) : unlink(statement, stateOf);
}

function merge(
  { retired, survivor }: MergeStatement,
  stateOf: StateOf,
  reportKeysOf: (patientKey: string) => string[],
): MergeDecision {
  const upward = chainOf(survivor, stateOf);
  if (upward.includes(retired)) return { do: 'hold', code: 'MAP-3025', where: 'merge.survivor' };
  const to = upward.at(-1) ?? survivor;
  const chain = chainOf(retired, stateOf);
  if (chain.at(-1) === to) return { do: 'absorb', reason: 'duplicate' };
  if (chain.length > 1) return { do: 'hold', code: 'MAP-3025', where: 'merge.retired' };
  const gone = stateOf(retired) ?? newPatient(retired);
  const stays = stateOf(to) ?? newPatient(to);
  const reportKeys = reportKeysOf(retired);
  return {
    do: 'apply',
    from: retired,
    to,
    reportKeys,
    next: [
      { ...gone, mergedInto: to },
      {
        ...stays,
        // Reports of the visits of either may come yet.
        encounters: [
          ...gone.encounters.filter((a) => !stays.encounters.some((b) => a.visitNumber === b.visitNumber)),
          ...stays.encounters,
        ],
        retired: [...stays.retired, { patientKey: retired, reportKeys }],
        ...(gone.lacking && { lacking: [...(stays.lacking ?? []), ...gone.lacking] }),
      },
    ],
  };
}

/** The two numbers of an unlink (A37) stand side by side: which of them had been retired, the index knows. */
function unlink({ retired, survivor }: MergeStatement, stateOf: StateOf): MergeDecision {
  const isUnder = (one: string, other: string): boolean => chainOf(one, stateOf).slice(1).includes(other);
  const freed = isUnder(retired, survivor) ? retired : isUnder(survivor, retired) ? survivor : undefined;
  if (freed === undefined) return { do: 'absorb', reason: 'duplicate' };
  const chain = chainOf(freed, stateOf);
  const gone = stateOf(freed) ?? newPatient(freed);
  const holders = chain.slice(1).map((key) => stateOf(key) ?? newPatient(key));
  const reportKeys = holders[0]?.retired.find(({ patientKey }) => patientKey === freed)?.reportKeys ?? [];
  const given = new Set(reportKeys);
  return {
    do: 'apply',
    from: chain.at(-1) ?? freed,
    to: freed,
    reportKeys,
    next: [
      { ...gone, mergedInto: undefined },
      ...holders.map((holder) => ({
        ...holder,
        retired: holder.retired
          .filter(({ patientKey }) => patientKey !== freed)
          .map((one) => ({ ...one, reportKeys: one.reportKeys.filter((key) => !given.has(key)) })),
      })),
    ],
  };
}

/**
 * Remembers, for an unlink, that a record came under a retired number.
 * @returns the states that changed: those the number was merged into, step by step.
 */
export function rememberUnder(patientKey: string, reportKey: string, stateOf: StateOf): PatientState[] {
  const chain = chainOf(patientKey, stateOf);
  return chain.slice(1).flatMap((holderKey, i) => {
    const holder = stateOf(holderKey);
    const child = chain[i];
    const entry = holder?.retired.find((one) => one.patientKey === child);
    if (!holder || !entry || entry.reportKeys.includes(reportKey)) return [];
    const changed = { ...entry, reportKeys: [...entry.reportKeys, reportKey] };
    return [{ ...holder, retired: holder.retired.map((one) => (one === entry ? changed : one)) }];
  });
}
