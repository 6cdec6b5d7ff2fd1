import { normaliseTime } from '../../../agent/clinical/records/time.ts';
import type { Coded, Finding, Person } from '../../../agent/clinical/records/types.ts';
import type { Statement } from '../../../agent/mapping/mapper.ts';
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
  if (code === undefined) return name === undefined ? undefined : { name };
  return name === undefined ? { code } : { code, name };
}

export function personOf(x: Extraction, paths: PersonPaths): Person | undefined {
  const id = paths.id?.(x.scope);
  const name = paths.name?.(x.scope);
  if (id === undefined) return name === undefined ? undefined : { name };
  return name === undefined ? { id } : { id, name };
}

/** The order numbers of one value that may hold several. */
export function addNumbers(x: Extraction, numbers: Set<string>, path: Evaluate | undefined): void {
  const value = valueBy(x, path);
  if (value === undefined) return;
  for (const one of value.split(x.rules.profile.report.order_number_separator)) {
    const number = one.trim();
    if (number !== '') numbers.add(number);
  }
}

/**
 * A date and time in the model's form. What is no date is left out with a finding (MAP-3012), a sentinel
 * of the profile is left out silently: the sender means that it knows none.
 * @param place where in the model it belongs, for the finding; of an item, within the item.
 * @param item position of the item it belongs to.
 */
export function timeOf(x: Extraction, path: Evaluate | undefined, place: string, item?: number): string | undefined {
  const value = path?.(x.scope);
  if (value === undefined) return undefined;
  const time = normaliseTime(value, x.scope.timeZone);
  if (time === undefined) {
    remark(x, 'MAP-3012', item === undefined ? place : placeOf(item, place), 'accuracy');
    return undefined;
  }
  return x.rules.sentinelDates.has(time.slice(0, 8)) ? undefined : time;
}

/** `items[3].flag`: made only where something is remarked, for a report has many items. */
export const placeOf = (item: number, part: string, list = 'items'): string => `${list}[${item}].${part}`;

/** Notes a quality remark once. */
export function remark(x: Extraction, code: string, where: string, dimension: Finding['dimension']): void {
  if (x.findings.length >= maxFindings || x.findings.some((f) => f.code === code && f.where === where)) return;
  x.findings.push({ code, where, dimension });
}

/** What a family of messages says, or the segment that makes its structure unreadable (HL7-2106). */
export type Said = { statements: Statement[] } | { unreadable: string };
