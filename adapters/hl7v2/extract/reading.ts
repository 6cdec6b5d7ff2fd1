import { normaliseTime } from '../../../agent/clinical/records/time.ts';
import type { Coded, Finding, Person } from '../../../agent/clinical/records/types.ts';
import type { Evaluate } from '../profile/path-compile.ts';
import type { CodedPaths, CompiledProfile, PersonPaths } from '../profile/rules.ts';
import type { Scope } from '../profile/scope.ts';

/** What extraction works with: the rules, the scope paths look at, and the findings so far. */
export interface Extraction {
  rules: CompiledProfile;
  scope: Scope;
  findings: Finding[];
}

/** More remarks than this say no more; it bounds what a broken message of many thousand items can cost. */
const maxFindings = 200;

export const valueBy = (x: Extraction, path: Evaluate | undefined): string | undefined => path?.(x.scope);

/** Code and name, or undefined when both are absent. */
export function codedOf(x: Extraction, paths: CodedPaths): Coded | undefined {
  const code = paths.code?.(x.scope);
  const name = paths.name?.(x.scope);
  if (code === undefined && name === undefined) return undefined;
  return { ...(code !== undefined && { code }), ...(name !== undefined && { name }) };
}

export function personOf(x: Extraction, paths: PersonPaths): Person | undefined {
  const id = paths.id?.(x.scope);
  const name = paths.name?.(x.scope);
  if (id === undefined && name === undefined) return undefined;
  return { ...(id !== undefined && { id }), ...(name !== undefined && { name }) };
}

/**
 * A date and time in the model's form. What is no date is left out with a finding (MAP-3012), a sentinel
 * of the profile is left out silently: the sender means that it knows none.
 * @param place where in the model it belongs, for the finding.
 */
export function timeOf(x: Extraction, path: Evaluate | undefined, place: string): string | undefined {
  const value = path?.(x.scope);
  if (value === undefined) return undefined;
  const time = normaliseTime(value, x.scope.timeZone);
  if (time === undefined) {
    remark(x, 'MAP-3012', place, 'accuracy');
    return undefined;
  }
  return x.rules.sentinelDates.has(time.slice(0, 8)) ? undefined : time;
}

/** Notes a quality remark once. */
export function remark(x: Extraction, code: string, where: string, dimension: Finding['dimension']): void {
  if (x.findings.length >= maxFindings || x.findings.some((f) => f.code === code && f.where === where)) return;
  x.findings.push({ code, where, dimension });
}

/** A copy without the keys that are undefined, so that "absent" has one form only. */
export const defined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as T;
