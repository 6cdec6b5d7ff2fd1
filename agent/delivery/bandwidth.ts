/** One stretch of the day or week with a limit of its own. */
export interface UploadWindow {
  /** ISO days of the week, 1 is Monday, on which it begins; absent: every day. */
  days?: number[];
  /** Minutes after local midnight. Where `to` is not after `from` the window goes on past midnight. */
  fromMinute: number;
  toMinute: number;
  /** 0: nothing is sent. */
  bytesPerSecond: number;
}

/** How much of the line images may take (办公时间限速): the first window that holds, else `bytesPerSecond`. */
export interface UploadSchedule {
  /** Outside all windows; absent: unlimited. */
  bytesPerSecond?: number;
  windows: UploadWindow[];
  /** Urgent studies are sent in windows of 0 as well, then without a limit (images.ts). */
  urgentAlways?: boolean;
}

/** Bytes a second at a time; Infinity when unlimited. */
export type RateAt = (ms: number) => number;

const DAY_MINUTES = 1440;
const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** @param timeZone IANA zone of the site, by whose clock the windows are meant. */
export function rateBySchedule(schedule: UploadSchedule, timeZone: string): RateAt {
  const outside = schedule.bytesPerSecond ?? Infinity;
  if (schedule.windows.length === 0) return () => outside;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  let asked = Number.NaN;
  let rate = outside;
  return (ms) => {
    const minuteOf = Math.floor(ms / 60_000);
    if (minuteOf === asked) return rate;
    asked = minuteOf;
    const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, value]));
    const day = weekdays.indexOf(parts.get('weekday') ?? '') + 1;
    const minute = Number(parts.get('hour')) * 60 + Number(parts.get('minute'));
    rate = schedule.windows.find((w) => holds(w, day, minute))?.bytesPerSecond ?? outside;
    return rate;
  };
}

function holds({ days, fromMinute, toMinute }: UploadWindow, day: number, minute: number): boolean {
  const on = (of: number) => days === undefined || days.includes(of);
  if (toMinute > fromMinute) return on(day) && minute >= fromMinute && minute < Math.min(toMinute, DAY_MINUTES);
  const yesterday = day === 1 ? 7 : day - 1;
  return (on(day) && minute >= fromMinute) || (on(yesterday) && minute < toMinute);
}

/** Lets bytes through at a rate, over all requests of a platform together. */
export interface Bucket {
  /**
   * Takes the bytes at once and says how many milliseconds to wait before they may go: who asks first waits least.
   * @param rate bytes a second, more than 0.
   */
  take(bytes: number, rate: number): number;
}

/** After a pause so much may go at once. */
const BURST_MS = 250;

/** @param monotonic milliseconds that never jump. */
export function createBucket(monotonic: () => number): Bucket {
  /** When all that was taken will have gone. */
  let freeAt = Number.NEGATIVE_INFINITY;
  return {
    take(bytes, rate) {
      if (rate === Infinity) return 0;
      const now = monotonic();
      freeAt = Math.max(freeAt, now - BURST_MS) + (bytes / rate) * 1000;
      return Math.max(0, freeAt - now);
    },
  };
}
