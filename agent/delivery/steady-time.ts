import type { Clock } from '../support/clock.ts';

/** Corrections of a running clock by less are followed. */
const SMALL_MS = 1_000;

/**
 * The wall clock, except that a jump back is not followed: times already written for a next attempt
 * would lie far ahead, and an old PC that starts with a wrong date and is then corrected would send
 * nothing for years. A jump ahead is followed. In milliseconds, as `clock.now()`.
 */
export function steadyTime(clock: Clock): () => number {
  let at = { wall: clock.now(), monotonic: clock.monotonic() };
  return () => {
    const monotonic = clock.monotonic();
    const expected = at.wall + (monotonic - at.monotonic);
    const wall = clock.now();
    at = { wall: wall < expected - SMALL_MS ? Math.round(expected) : wall, monotonic };
    return at.wall;
  };
}
