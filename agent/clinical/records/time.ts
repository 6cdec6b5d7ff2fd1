import { unitAt } from '../../support/code-units.ts';

/**
 * Date and time of the clinical model: `yyyyMMdd`, `yyyyMMddHHmm` or `yyyyMMddHHmmss`, local to the
 * site, without zone (see types.ts).
 */

const compact = /^(\d{4})(\d{2})(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.?\d{1,6})?)?)?)?(Z|[+-]\d{2}:?\d{2})?$/;
const written =
  /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,6})?)?)? ?(Z|[+-]\d{2}:?\d{2})?$/;

/**
 * Normalises a date and time as senders write it: HL7 `yyyyMMdd[HHmm[ss[.S]]][±zzzz]`, milliseconds
 * without a dot too, and `yyyy-MM-dd[ HH:mm[:ss]]`. Fractions of a second are cut; an hour without
 * minutes is cut to its day; a value with an offset is converted to `timeZone`.
 * @returns undefined when it is not a real date, or is coarser than a day: nothing is made up.
 */
export function normaliseTime(text: string, timeZone: string): string | undefined {
  const trimmed = text.trim();
  if (isRealTime(trimmed)) return trimmed; // as most senders write it: nothing to convert
  if (trimmed.length > longestTime) return readTime(trimmed, timeZone);
  const asked = `${timeZone} ${trimmed}`;
  if (normalised.has(asked)) return normalised.get(asked);
  if (normalised.size >= mostHours) normalised.clear();
  const time = readTime(trimmed, timeZone);
  normalised.set(asked, time);
  return time;
}

const longestTime = 64;
/** Asked for last: of many patients in one message each is read with the same times of its header and visit. */
const normalised = new Map<string, string | undefined>();

function readTime(trimmed: string, timeZone: string): string | undefined {
  const match = compact.exec(trimmed) ?? written.exec(trimmed);
  if (match === null) return undefined;
  const [, year = '', month = '', day = '', hour, minute, second, offset] = match;
  const date = year + month.padStart(2, '0') + day.padStart(2, '0');
  if (!isCalendarDate(date)) return undefined;
  if (hour === undefined) return date;
  if (Number(hour) > 23) return undefined;
  if (minute === undefined) return date;
  if (Number(minute) > 59 || Number(second ?? 0) > 59) return undefined;
  const local = date + hour.padStart(2, '0') + minute + (second ?? '');
  return offset === undefined ? local : convert(local, offset, timeZone);
}

/** Whether eight digits name a day that exists. */
export const isCalendarDate = (date: string): boolean => date.length === 8 && isDay(date);

/** Whether a text is a time in the model's form (`yyyyMMdd`, `…HHmm`, `…HHmmss`) that exists. */
export function isRealTime(text: string): boolean {
  const { length } = text;
  if (length === 8) return isDay(text);
  if ((length !== 12 && length !== 14) || !isDay(text)) return false;
  return below(text, 8, 24) && below(text, 10, 60) && (length === 12 || below(text, 12, 60));
}

/** Whether the two digits at a place are a number below a limit. */
function below(text: string, at: number, limit: number): boolean {
  const value = digits(text, at, at + 2);
  return value >= 0 && value < limit;
}

function isDay(text: string): boolean {
  const year = digits(text, 0, 4);
  const month = digits(text, 4, 6);
  const day = digits(text, 6, 8);
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  if (day <= 28) return true;
  if (month !== 2) return day <= (month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31);
  return day === 29 && ((year % 4 === 0 && year % 100 !== 0) || year % 400 === 0);
}

/** The number that a stretch of ASCII digits says, -1 when it holds anything else. By code unit: every item has a time. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = unitAt(text, at) - 48;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function convert(local: string, offset: string, timeZone: string): string | undefined {
  const minutes =
    offset === 'Z' ? 0 : (offset[0] === '-' ? -1 : 1) * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(-2)));
  if (Math.abs(minutes) > 14 * 60) return undefined;
  const utc = Date.UTC(
    Number(local.slice(0, 4)),
    Number(local.slice(4, 6)) - 1,
    Number(local.slice(6, 8)),
    Number(local.slice(8, 10)),
    Number(local.slice(10, 12)),
    Number(local.slice(12, 14) || 0),
  );
  return localTime(utc - minutes * 60_000, timeZone).slice(0, local.length);
}

const formatters = new Map<string, Intl.DateTimeFormat>();

const HOUR_MS = 3_600_000;
/** Up to year 9999, after 1970: where a date has the four digits of its year, and zones whole hours of calm. */
const LAST_PLAIN_MS = Date.UTC(9999, 11, 30);

/** What each zone adds to UTC in the hours asked for last: its rules cost more than reading the rest of a segment. */
const hours = new Map<string, Map<number, number>>();
/** A message speaks of few hours, but of more than one: with only the last kept, 9,000 patients took 500 ms. */
const mostHours = 512;

/** Milliseconds since 1970 UTC as `yyyyMMddHHmmss` in an IANA zone. Throws RangeError on an unknown zone. */
export function localTime(ms: number, timeZone: string): string {
  if (!(ms >= HOUR_MS * 24 && ms < LAST_PLAIN_MS)) return askZone(ms, timeZone);
  const hour = Math.floor(ms / HOUR_MS);
  let known = hours.get(timeZone);
  if (known === undefined) {
    known = new Map();
    hours.set(timeZone, known);
  }
  let offsetMs = known.get(hour);
  if (offsetMs === undefined) {
    offsetMs = offsetAt(hour * HOUR_MS, timeZone);
    // The clocks change within this hour: what holds for one part of it does not for the other.
    if (offsetAt((hour + 1) * HOUR_MS, timeZone) !== offsetMs) return askZone(ms, timeZone);
    if (known.size >= mostHours) known.clear();
    known.set(hour, offsetMs);
  }
  return plainTime(ms + offsetMs);
}

/** What a zone adds to UTC at a whole second. */
function offsetAt(ms: number, timeZone: string): number {
  const local = askZone(ms, timeZone);
  const at = (from: number, to: number) => Number(local.slice(from, to));
  return Date.UTC(at(0, 4), at(4, 6) - 1, at(6, 8), at(8, 10), at(10, 12), at(12, 14)) - ms;
}

/** `yyyyMMddHHmmss` of a UTC time of a four-digit year. */
function plainTime(ms: number): string {
  const iso = new Date(ms).toISOString();
  return (
    iso.slice(0, 4) + iso.slice(5, 7) + iso.slice(8, 10) + iso.slice(11, 13) + iso.slice(14, 16) + iso.slice(17, 19)
  );
}

function askZone(ms: number, timeZone: string): string {
  let formatter = formatters.get(timeZone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-CA', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formatters.set(timeZone, formatter);
  }
  // The text whole and not in parts, which take three times as long to make.
  const [year = '', ...rest] = formatter.format(ms).match(/\d+/g) ?? [];
  return year.padStart(4, '0') + rest.join('');
}

/** Whether the runtime knows an IANA zone. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-CA', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/**
 * Order of two normalised times: negative when `a` is earlier, positive when later, 0 when they do not
 * order. A coarser time covers the finer ones within it, so these do not order; an absent one never does.
 */
export function compareTimes(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return 0;
  const length = Math.min(a.length, b.length);
  const left = a.slice(0, length);
  const right = b.slice(0, length);
  return left < right ? -1 : left > right ? 1 : 0;
}
