import type { JournalContent } from '../../../agent/rendering/format.ts';
import { QianzhiError } from '../../../agent/support/errors.ts';
import type { Form } from './elements.ts';

const shape = /^(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?$/;
const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** The time unchanged if it is a real one in the model's form (yyyyMMdd, …HHmm, …HHmmss), else undefined. */
export function realTime(value: string | undefined): string | undefined {
  const match = value === undefined ? null : shape.exec(value);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0));
  if (year === undefined || month === undefined || day === undefined || year < 1) return undefined;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const last = month === 2 && leap ? 29 : (monthDays[month - 1] ?? 0);
  const real = day >= 1 && day <= last && (hour ?? 0) < 24 && (minute ?? 0) < 60 && (second ?? 0) < 60;
  return real ? value : undefined;
}

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
  return toTheSecond(context.messageTime) ?? toTheSecond(reportedAt) ?? localTime(context.receivedMs, context.timeZone);
}

const zones = new Map<string, Intl.DateTimeFormat>();

function localTime(ms: number, timeZone: string): string {
  try {
    let zone = zones.get(timeZone);
    if (zone === undefined) {
      zone = new Intl.DateTimeFormat('en-US', {
        timeZone,
        calendar: 'gregory',
        numberingSystem: 'latn',
        hourCycle: 'h23',
        year: 'numeric',
        month: '2-digit',
        day: '2-digit',
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
      });
      zones.set(timeZone, zone);
    }
    const parts: Record<string, string> = {};
    for (const { type, value } of zone.formatToParts(ms)) parts[type] = value;
    const year = (parts.year ?? '').padStart(4, '0');
    const time = `${year}${parts.month}${parts.day}${parts.hour}${parts.minute}${parts.second}`;
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
