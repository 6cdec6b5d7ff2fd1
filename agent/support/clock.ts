/** Where every part takes the time from, so that tests can move it. */
export interface Clock {
  /** Wall clock, milliseconds since 1970 UTC. May jump. */
  now(): number;
  /** Monotonic milliseconds, for measuring durations. Never jumps back. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
