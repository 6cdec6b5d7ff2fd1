import type { SourceRhythm } from '../../../agent/intake/rhythm/keeper.ts';
import { localHours } from '../../../agent/intake/rhythm/local-hour.ts';
import { advance, isSilent, newRhythm, type Rhythm } from '../../../agent/intake/rhythm/rhythm.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** 2026-01-05, a Monday, 00:00 in Shanghai: six weeks before the spring festival (17 February). */
export const start = Date.UTC(2026, 0, 4, 16);

/** A moment of the simulated weeks. Weekdays count from 0 = Monday. */
export const at = (week: number, weekday: number, hour = 0, minute = 0): number =>
  start + (week * 7 + weekday) * DAY + hour * HOUR + minute * MINUTE;

export interface Moment {
  ms: number;
  weekday: number;
  /** With minutes as its fraction. */
  hour: number;
}

/** A sender that usually sends every 3 minutes, and has been silent for 47 at that moment. */
export const silentAt = (ms: number): SourceRhythm => ({
  source: 'lis',
  lastMs: ms - 47 * MINUTE,
  quietMs: 47 * MINUTE,
  usualMs: 3 * MINUTE,
  known: true,
  silent: true,
  types: [{ type: 'ORU^R01', count: 1204 }],
});

/** Messages that come in a minute. */
export type Sender = (moment: Moment, random: () => number) => number;

/** The same numbers for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let n = Math.imul(a ^ (a >>> 15), 1 | a);
    n = (n + Math.imul(n ^ (n >>> 7), 61 | n)) ^ n;
    return ((n ^ (n >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface Told {
  atMs: number;
  lastMs: number;
  /** When it went away again. */
  overMs?: number;
}

/**
 * Plays a sender minute by minute, as the keeper looks: what is told, and when.
 * @param down the agent does not run; what is sent then comes when it runs again.
 * @param wrong how far off the wall clock is.
 */
export function play(
  sender: Sender,
  {
    weeks = 12,
    seed = 1,
    down = () => false,
    wrong = () => 0,
  }: { weeks?: number; seed?: number; down?: (ms: number) => boolean; wrong?: (ms: number) => number } = {},
): { told: Told[]; rhythm: Rhythm } {
  const rhythm = newRhythm();
  const random = randomOf(seed);
  const hourOf = localHours('Asia/Shanghai');
  const told: Told[] = [];
  let queued = 0;
  for (let ms = start; ms < start + weeks * 7 * DAY; ms += MINUTE) {
    const inWeek = ms - start;
    queued += sender({ ms, weekday: Math.floor(inWeek / DAY) % 7, hour: (inWeek % DAY) / HOUR }, random);
    if (down(ms)) continue;
    const wall = ms + wrong(ms);
    const arrivals = queued > 0 ? [{ minuteMs: wall, lastMs: wall + 20_000, count: queued, type: 'ORU^R01' }] : [];
    queued = 0;
    // The first look after an absence has listened to nothing, as after a restart.
    const listenedMs = down(ms - MINUTE) ? 0 : MINUTE;
    advance(rhythm, { nowMs: wall + MINUTE - 1, listenedMs, arrivals }, hourOf);
    const last = told.at(-1);
    const open = last !== undefined && last.overMs === undefined;
    if (isSilent(rhythm) && !open) told.push({ atMs: ms, lastMs: rhythm.lastMs ?? 0 });
    if (!isSilent(rhythm) && last && open) last.overMs = ms;
  }
  return { told, rhythm };
}

/** The same sender, which is dead meanwhile. */
export const silentFrom =
  (sender: Sender, fromMs: number, untilMs = Number.POSITIVE_INFINITY): Sender =>
  (moment, random) => {
    const count = sender(moment, random);
    return moment.ms >= fromMs && moment.ms < untilMs ? 0 : count;
  };

const chance = (perHour: number, random: () => number): number => (random() < perHour / 60 ? 1 : 0);

/** The public holiday as the notice for 2026 has it: 15 to 23 February. */
export const isFestival = (ms: number): boolean => ms >= Date.UTC(2026, 1, 14, 16) && ms < Date.UTC(2026, 1, 23, 16);

/** 08:00 to 17:30, quiet at noon, short on Saturdays, closed on Sundays and over the festival; each day has a pace of its own. */
export const clinic: Sender = ({ ms, weekday, hour }, random) => {
  const close = weekday === 5 ? 12 : 17.5;
  const pace = 0.6 + ((Math.floor(ms / DAY) * 7919) % 100) / 125;
  const draw = chance((hour >= 12 && hour < 13.5 ? 4 : 24) * pace, random);
  if (weekday === 6 || isFestival(ms) || hour < 8 || hour >= close) return 0;
  return draw;
};

/** Day and night: a message every 3 minutes by day, a few an hour at night; weekends half, each day its own pace. */
export const pacs: Sender = ({ ms, weekday, hour }, random) => {
  const byDay = hour >= 8 && hour < 18 ? 20 : hour >= 18 && hour < 23 ? 8 : 3;
  const pace = 0.5 + ((Math.floor(ms / DAY) * 104_729) % 100) / 100;
  return chance(byDay * pace * (weekday > 4 || isFestival(ms) ? 0.5 : 1), random);
};

/** Tuesdays from 9 to 15, a sample about every 7 minutes, in small batches. */
export const tuesdays: Sender = ({ ms, weekday, hour }, random) => {
  const draw = chance(9, random) * 3;
  return weekday === 1 && hour >= 9 && hour < 15 && !isFestival(ms) ? draw : 0;
};
