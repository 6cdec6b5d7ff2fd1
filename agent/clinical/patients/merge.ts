import { newPatient } from './patient-index.ts';
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
  const isGiven = (key: string): boolean => given.has(key);
  // What went out without its patient under the number it comes from is completed under its own.
  const lacking = new Set([...(gone.lacking ?? []), ...holders.flatMap((one) => one.lacking ?? []).filter(isGiven)]);
  return {
    do: 'apply',
    from: chain.at(-1) ?? freed,
    to: freed,
    reportKeys,
    next: [
      { ...gone, mergedInto: undefined, lacking: lacking.size > 0 ? [...lacking] : undefined },
      ...holders.map((holder) => ({
        ...holder,
        retired: holder.retired
          .filter(({ patientKey }) => patientKey !== freed)
          .map((one) => ({ ...one, reportKeys: one.reportKeys.filter((key) => !isGiven(key)) })),
        ...(holder.lacking && { lacking: holder.lacking.filter((key) => !isGiven(key)) }),
      })),
    ],
  };
}

/**
 * Remembers, for an unlink, under which number a record came last: those above it give it back, to those below and
 * beside it belongs no longer what came expressly under another number.
 * @returns the states that changed.
 */
export function rememberUnder(patientKey: string, reportKey: string, stateOf: StateOf): PatientState[] {
  const chain = chainOf(patientKey, stateOf);
  const seen = new Set<string>();
  const remember = (holderKey: string, child: string | undefined): PatientState[] => {
    const holder = stateOf(holderKey);
    if (!holder || holder.retired.length === 0 || seen.has(holderKey)) return [];
    seen.add(holderKey);
    let changed = false;
    const below: PatientState[] = [];
    const retired = holder.retired.map((one) => {
      const isHere = one.reportKeys.includes(reportKey);
      const belongs = one.patientKey === child;
      if (!belongs && isHere) below.push(...remember(one.patientKey, undefined));
      if (belongs === isHere) return one;
      changed = true;
      const others = one.reportKeys.filter((key) => key !== reportKey);
      return { ...one, reportKeys: belongs ? [...others, reportKey] : others };
    });
    return changed ? [{ ...holder, retired }, ...below] : below;
  };
  return chain.flatMap((key, i) => remember(key, chain[i - 1]));
}
