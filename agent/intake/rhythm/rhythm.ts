import { z } from 'zod';
import type { LocalHour } from './local-hour.ts';
import { CELLS, type Cell, expectsAnything, usualMinutes, withHour } from './usual-rate.ts';

/**
 * What is learned of one sender, and how long it has been silent. Silence is measured in what should have come meanwhile:
 * an hour that passes counts with as much as this hour of the week usually brings (usual-rate.ts), so that nights,
 * Sundays and a device's days off weigh nothing; and with less on a day that is slower than usual. It is told when it is
 * FACTOR times as long as the longest silences of this sender are on nine days of ten. Only time in which we listened
 * counts: neither our own absence nor a clock that jumps is silence of the sender.
 */
export interface Rhythm {
  /** By hour of the week. */
  cells: Cell[];
  /** The hour that is being watched. `minutes`: of those in which something came; `last`: the last of them. */
  hour?: { key: number; cell: number; holiday: boolean; listenedMs: number; minutes: number; last: number } | undefined;
  lastMs?: number | undefined;
  /** Since the last message: how long we listened in vain, and in how many minutes something should have come. */
  quietMs: number;
  expected: number;
  /** Of late: in how many minutes something came, and in how many it should have. */
  lately: { came: number; expected: number };
  /** The longest silence, as `missedBy`, of each day on which one was ended by a message; newest last. */
  longest: number[];
  /** Today: the longest so far, and messages by type. */
  today?: { day: number; longest: number; types: Record<string, number> } | undefined;
}

/** What came within a minute. */
export interface Arrival {
  minuteMs: number;
  lastMs: number;
  count: number;
  /** As the mapper named it, from a closed list; empty where there is none. */
  type: string;
}

const HOUR_MS = 3_600_000;
/** An hour of which less was watched teaches nothing: what came in the rest nobody knows. */
const WHOLE_HOUR_MS = 55 * 60_000;
/** Days of which the longest silence is remembered. */
const DAYS = 40;
/** Days it takes until silence can be judged. */
const ENOUGH_DAYS = 5;
/** Of the days, how many did not go beyond what counts as usual. */
const QUANTILE = 0.9;
const FACTOR = 2;
/** A silence in which less than this was missed is never told, however regular the sender was. */
const LEAST_MISSED = 8;
/** How much of what was expected tells the pace of the day: when it is more, all of it counts half. */
const PACE_OF = 40;
/** What a single silence tells of it at most: more is no slow day but a silence. */
const PACE_OF_ONE = 10;
/** So much in favour of the usual pace, until more is known. */
const PACE_PRIOR = 4;
/** Types named for a day; the list is closed, and no sender has that many. */
const TYPES = 20;

export const newRhythm = (): Rhythm => ({
  cells: Array.from({ length: CELLS }, () => ''),
  quietMs: 0,
  expected: 0,
  lately: { came: 0, expected: 0 },
  longest: [],
});

/**
 * Goes on to `nowMs`. Changes `rhythm`.
 * @param listenedMs how long we listened since the last call; what is more than that has not been seen.
 * @param arrivals what came since, in order.
 * @param hourOf of localHours.
 */
export function advance(
  rhythm: Rhythm,
  { nowMs, listenedMs, arrivals }: { nowMs: number; listenedMs: number; arrivals: Arrival[] },
  hourOf: (ms: number) => LocalHour,
): void {
  const now = hourOf(nowMs);
  watch(rhythm, now, nowMs, listenedMs, arrivals, hourOf);
  const expected = (usualMinutes(rhythm.cells, now.cell, now.holiday) * listenedMs) / HOUR_MS;
  if (arrivals.length === 0) {
    rhythm.quietMs += listenedMs;
    rhythm.expected += expected;
    return;
  }
  const today = todayOf(rhythm, now.day);
  today.longest = Math.max(today.longest, missedBy(rhythm));
  countTypes(today.types, arrivals);
  const { lately } = rhythm;
  lately.came += new Set(arrivals.map((a) => a.minuteMs)).size;
  lately.expected += Math.min(rhythm.expected + expected, PACE_OF_ONE);
  if (lately.expected > PACE_OF) rhythm.lately = { came: lately.came / 2, expected: lately.expected / 2 };
  const lastMs = Math.max(...arrivals.map((a) => a.lastMs));
  rhythm.lastMs = lastMs;
  rhythm.quietMs = Math.min(Math.max(0, nowMs - lastMs), listenedMs);
  rhythm.expected = 0;
}

function countTypes(types: Record<string, number>, arrivals: Arrival[]): void {
  for (const { type, count } of arrivals) {
    if (type === '' || (!Object.hasOwn(types, type) && Object.keys(types).length >= TYPES)) continue;
    types[type] = (types[type] ?? 0) + count;
  }
}

/** What the sender left out since its last message, at the pace it had until then. */
function missedBy({ expected, lately }: Rhythm): number {
  return expected * Math.min(1, (lately.came + PACE_PRIOR) / (lately.expected + PACE_PRIOR));
}

function watch(
  rhythm: Rhythm,
  now: LocalHour,
  nowMs: number,
  listenedMs: number,
  arrivals: Arrival[],
  hourOf: (ms: number) => LocalHour,
): void {
  const count = (hour: NonNullable<Rhythm['hour']>): void => {
    for (const { minuteMs } of arrivals) {
      if (minuteMs === hour.last || hourOf(minuteMs).key !== hour.key) continue;
      hour.minutes += 1;
      hour.last = minuteMs;
    }
  };
  const ended = rhythm.hour;
  let inThisHour = listenedMs;
  if (ended && ended.key !== now.key) {
    inThisHour = Math.min(listenedMs, nowMs - now.startMs);
    ended.listenedMs += listenedMs - inThisHour;
    count(ended);
    // A holiday is no week like the others.
    if (ended.listenedMs >= WHOLE_HOUR_MS && !ended.holiday) {
      rhythm.cells[ended.cell] = withHour(rhythm.cells[ended.cell] ?? '', ended.minutes);
    }
    rhythm.hour = undefined;
  }
  const { key, cell, holiday } = now;
  rhythm.hour ??= { key, cell, holiday, listenedMs: 0, minutes: 0, last: 0 };
  rhythm.hour.listenedMs += inThisHour;
  count(rhythm.hour);
}

function todayOf(rhythm: Rhythm, day: number): NonNullable<Rhythm['today']> {
  if (rhythm.today?.day !== day) {
    if (rhythm.today) rhythm.longest = [...rhythm.longest, rounded(rhythm.today.longest)].slice(-DAYS);
    rhythm.today = { day, longest: 0, types: {} };
  }
  return rhythm.today;
}
const rounded = (n: number): number => Math.round(n * 10) / 10;

/** How much may be missed before a silence is told; undefined while too little is known of the sender. */
export function mayMiss(rhythm: Rhythm): number | undefined {
  const { longest, cells } = rhythm;
  if (longest.length < ENOUGH_DAYS || !expectsAnything(cells)) return undefined;
  const usual = [...longest].sort((a, b) => a - b)[Math.ceil(QUANTILE * longest.length) - 1] ?? 0;
  return Math.max(LEAST_MISSED, FACTOR * usual);
}

/** Silent for longer than is usual. */
export function isSilent(rhythm: Rhythm): boolean {
  const missed = missedBy(rhythm);
  // Most of the time this alone answers it.
  if (missed < LEAST_MISSED) return false;
  const limit = mayMiss(rhythm);
  return limit !== undefined && missed >= limit;
}

/** Usual time between messages in this hour, to the minute; undefined where there are usually none, or it is not known. */
export function usualGapMs(rhythm: Rhythm, now: LocalHour): number | undefined {
  const minutes = usualMinutes(rhythm.cells, now.cell, now.holiday);
  return minutes > 0 ? Math.max(1, Math.round(60 / minutes)) * 60_000 : undefined;
}

const whole = z.number().int().nonnegative();
const stored = z.object({
  cells: z.array(z.string().regex(/^[0-l]{0,8}$/)).length(CELLS),
  hour: z
    .object({
      key: whole,
      cell: whole.max(CELLS - 1),
      holiday: z.boolean(),
      listenedMs: z.number(),
      minutes: whole,
      last: z.number(),
    })
    .optional(),
  lastMs: z.number().optional(),
  quietMs: z.number().nonnegative(),
  expected: z.number().nonnegative(),
  lately: z.object({ came: z.number().nonnegative(), expected: z.number().nonnegative() }),
  longest: z.array(z.number().nonnegative()).max(DAYS),
  today: z.object({ day: whole, longest: z.number().nonnegative(), types: z.record(z.string(), whole) }).optional(),
});

/** One that was stored; undefined where it cannot be used, and is learned anew. */
export function readRhythm(text: string): Rhythm | undefined {
  try {
    return stored.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
