import { isRealTime, localTime } from '../../../agent/clinical/records/time.ts';
import type { JournalContent } from '../../../agent/rendering/format.ts';
import { QianzhiError } from '../../../agent/support/errors.ts';
import type { Form } from './elements.ts';

/** The time unchanged if it is a real one in the model's form (yyyyMMdd, …HHmm, …HHmmss), else undefined. */
export const realTime = (value: string | undefined): string | undefined =>
  value !== undefined && isRealTime(value) ? value : undefined;

/** A real time given to the second, else undefined: seconds are never made up. */
export function toTheSecond(value: string | undefined): string | undefined {
  const time = realTime(value);
  return time?.length === 14 ? time : undefined;
}

/**
 * Document time, yyyyMMddHHmmss local: the message's own time, else the report's, else the arrival.
 * Never the wall clock, so that the same version gives the same bytes (DESIGN, replay as then).
 * Throws MAP-3012 when the arrival is no time or the zone is unknown.
 */
export function documentTime(context: JournalContent['context'], reportedAt: string | undefined): string {
  return (
    toTheSecond(context.messageTime) ?? toTheSecond(reportedAt) ?? arrivalTime(context.receivedMs, context.timeZone)
  );
}

function arrivalTime(ms: number, timeZone: string): string {
  try {
    const time = localTime(ms, timeZone);
    if (realTime(time) !== undefined) return time;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new QianzhiError('MAP-3012', 'context.receivedMs');
}

/**
 * Age in completed units at the time of the report. From one year on 岁; below, the base form counts
 * 月 and the strict form, whose schema refuses 月, 周 and in the first week 天 (formats.md §1.8).
 * Undefined when the birth lies after the report or more than 150 years before it.
 */
export function ageAt(birth: string, at: string, form: Form): { value: string; unit: string } | undefined {
  const from = calendar(birth);
  const to = calendar(at);
  const months = (to.year - from.year) * 12 + to.month - from.month - (to.day < from.day ? 1 : 0);
  const days = Math.round((to.utc - from.utc) / 86_400_000);
  if (days < 0) return undefined;
  const years = Math.floor(months / 12);
  if (years > 150) return undefined;
  if (years >= 1) return { value: String(years), unit: '岁' };
  if (form === 'base') return { value: String(months), unit: '月' };
  return days < 7 ? { value: String(days), unit: '天' } : { value: String(Math.floor(days / 7)), unit: '周' };
}

function calendar(time: string): { year: number; month: number; day: number; utc: number } {
  const [year, month, day] = [Number(time.slice(0, 4)), Number(time.slice(4, 6)), Number(time.slice(6, 8))];
  return { year, month, day, utc: new Date(0).setUTCFullYear(year, month - 1, day) };
}
