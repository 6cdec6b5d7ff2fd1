/** Bounds of a wait in milliseconds: the first one, and the longest. */
export interface BackoffRange {
  baseMs: number;
  maxMs: number;
}

/** Between attempts at a document or at a platform (reference/storage-and-delivery.md §5.2). */
export const retryRange: BackoffRange = { baseMs: 1_000, maxMs: 300_000 };
/** Between questions after a document that was `received` and is not yet `accepted`. */
export const askRange: BackoffRange = { baseMs: 2_000, maxMs: 60_000 };
/** While the platform waits for the encounter or the patient: what brings it ends the wait at once. */
export const parentRange: BackoffRange = { baseMs: 30_000, maxMs: 300_000 };

const ceiling = (attempt: number, { baseMs, maxMs }: BackoffRange): number =>
  Math.min(maxMs, baseMs * 2 ** Math.min(Math.max(attempt, 1) - 1, 30));

/**
 * Full jitter: anywhere between a tenth of the base and base·2^(attempt-1), at most maxMs. Many agents
 * that lost one platform at the same moment do not come back at the same moment.
 * `attempt` counts from 1; `random` gives [0, 1).
 */
export const fullJitter = (attempt: number, range: BackoffRange, random: () => number): number =>
  Math.max(range.baseMs / 10, Math.round(random() * ceiling(attempt, range)));

/** Half of the wait is certain: for questions that are of no use when asked at once. */
export const halfJitter = (attempt: number, range: BackoffRange, random: () => number): number =>
  Math.round(ceiling(attempt, range) * (0.5 + random() / 2));
