import { isPublicHoliday } from './public-holidays.ts';

/** An hour as it is told at the site. */
export interface LocalHour {
  /** yyyymmddhh */
  key: number;
  /** yyyymmdd */
  day: number;
  /** Hour of the week, 0 = Monday 00:00 … 167. */
  cell: number;
  holiday: boolean;
  startMs: number;
}

/** A function that gives the hour of a time in the site's zone. */
export function localHours(timeZone: string): (ms: number) => LocalHour {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    hourCycle: 'h23',
  });
  // As in localDays: zones change at quarter hours at the finest.
  const QUARTER = 900_000;
  let quarter = Number.NaN;
  let hour: LocalHour = { key: 0, day: 0, cell: 0, holiday: false, startMs: 0 };
  return (ms) => {
    const q = Math.floor(ms / QUARTER);
    if (q === quarter) return hour;
    quarter = q;
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(q * QUARTER)) parts[type] = Number(value);
    const { year = 0, month = 0, day: ofMonth = 0, hour: ofDay = 0, minute = 0 } = parts;
    const day = year * 10_000 + month * 100 + ofMonth;
    const weekday = (new Date(Date.UTC(year, month - 1, ofMonth)).getUTCDay() + 6) % 7;
    const holiday = day === hour.day ? hour.holiday : isPublicHoliday(year, month, ofMonth);
    const startMs = q * QUARTER - minute * 60_000;
    hour = { key: day * 100 + ofDay, day, cell: weekday * 24 + ofDay, holiday, startMs };
    return hour;
  };
}
