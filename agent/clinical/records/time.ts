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
export function isCalendarDate(date: string): boolean {
  if (!/^\d{8}$/.test(date)) return false;
  const year = Number(date.slice(0, 4));
  const month = Number(date.slice(4, 6));
  const day = Number(date.slice(6, 8));
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return day <= days;
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

/** Milliseconds since 1970 UTC as `yyyyMMddHHmmss` in an IANA zone. Throws RangeError on an unknown zone. */
export function localTime(ms: number, timeZone: string): string {
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
  let digits = '';
  for (const part of formatter.formatToParts(ms)) {
    if (part.type === 'year') digits += part.value.padStart(4, '0');
    else if (part.type !== 'literal') digits += part.value;
  }
  return digits;
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
