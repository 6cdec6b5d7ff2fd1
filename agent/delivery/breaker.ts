import { type BackoffRange, fullJitter } from './backoff.ts';

/**
 * One breaker for a platform: after a whole request failed nothing is claimed until the wait is over;
 * then it is half open and lets one batch through, whose success closes it.
 */
export interface Breaker {
  /** Milliseconds until a batch may be tried; 0 when now. */
  remainingMs(): number;
  /** True from a failure until the next success. */
  halfOpen(): boolean;
  /** Failures in a row. */
  failures(): number;
  /** Stands for the state in which a request is started; give it back with its failure. */
  generation(): number;
  /**
   * A request failed as a whole. Requests that were under way together fail together and count once:
   * those of an earlier generation lengthen nothing but a Retry-After. Returns remainingMs().
   */
  failed(generation: number, retryAfterMs?: number): number;
  succeeded(): void;
  /** Ends the wait, not the suspicion. */
  tryNow(): void;
}

/** @param monotonic milliseconds that never jump; a wall clock set back must not keep the breaker open. */
export function createBreaker(monotonic: () => number, range: BackoffRange, random: () => number): Breaker {
  let failures = 0;
  let generation = 0;
  let opensAt = 0;
  const remainingMs = (): number => Math.max(0, Math.ceil(opensAt - monotonic()));
  return {
    remainingMs,
    halfOpen: () => failures > 0,
    failures: () => failures,
    generation: () => generation,
    failed(of, retryAfterMs = 0) {
      if (of === generation) {
        failures++;
        generation++;
        opensAt = monotonic() + fullJitter(failures, range, random);
      }
      opensAt = Math.max(opensAt, monotonic() + retryAfterMs);
      return remainingMs();
    },
    succeeded() {
      failures = 0;
      opensAt = 0;
    },
    tryNow() {
      opensAt = 0;
    },
  };
}
