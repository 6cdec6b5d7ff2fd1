import type { Text } from '../text.ts';

/** How long ago, coarse on purpose: a reader needs the order of magnitude first. */
export function ago(text: Text, ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  if (seconds < 2) return text.justNow;
  if (seconds < 60) return text.secondsAgo(seconds);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return text.minutesAgo(minutes);
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return text.hoursAgo(hours, minutes % 60);
  return text.daysAgo(Math.floor(hours / 24));
}

/** A length of time in the same words. */
export function duration(text: Text, ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  if (seconds < 60) return text.seconds(seconds);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return text.minutes(minutes);
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return text.hours(hours, minutes % 60);
  return text.daysLong(Math.floor(hours / 24));
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const parts = {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'longOffset',
  } as const;
  let made: Intl.DateTimeFormat;
  try {
    made = new Intl.DateTimeFormat('en-US', { ...parts, timeZone });
  } catch {
    // An old browser may not know the zone or the long offset: its own zone is better than none.
    made = new Intl.DateTimeFormat('en-US', { ...parts, timeZoneName: 'short' });
  }
  formats.set(timeZone, made);
  return made;
}

export interface Instant {
  /** YYYY-MM-DD */
  date: string;
  /** HH:mm:ss */
  time: string;
  /** `GMT+08:00` */
  offset: string;
}

/** A moment in the site's time zone. */
export function instant(ms: number, timeZone: string): Instant {
  const found: Record<string, string> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(ms)) found[type] = value;
  return {
    date: `${found.year}-${found.month}-${found.day}`,
    time: `${found.hour}:${found.minute}:${found.second}`,
    offset: found.timeZoneName ?? '',
  };
}

/** 18,204: groups of three, the same in both languages. */
export const whole = (n: number): string => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',');

/** A rate: one decimal below ten, whole above. */
export const rate = (n: number): string => (n > 0 && n < 9.95 ? n.toFixed(1) : whole(n));

/** Bytes in the unit a person would say: B, KB, MB, GB, TB of 1024. */
export function size(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let at = 0;
  while (value >= 1024 && at < units.length - 1) {
    value /= 1024;
    at += 1;
  }
  return `${at === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[at]}`;
}
