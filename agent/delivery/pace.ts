/** How much goes out at once: requests in flight (AIMD, from 1) and the size of a batch (halved by a 413). */
export interface Pace {
  /** Requests that may be in flight now. */
  concurrency(): number;
  batch(): { documents: number; bytes: number };
  succeeded(): void;
  failed(): void;
  /** Uploads were stopped: the next try is one request. */
  restart(): void;
  /** The platform found `documents` of `bytes` in all too large for one request. */
  tooLarge(documents: number, bytes: number): void;
}

/** Requests in flight at most, where the platform's configuration says nothing of it. */
export const usualConcurrency = 4;
const smallestBatchBytes = 16 * 1024;

/** @param most requests in flight at most. */
export function createPace(limits: { documents: number; bytes: number }, most = usualConcurrency): Pace {
  let window = 1;
  let { documents, bytes } = limits;
  return {
    concurrency: () => Math.floor(window),
    batch: () => ({ documents: Math.floor(documents), bytes: Math.floor(bytes) }),
    succeeded() {
      // One more for each round of successes; the batch grows back slowly, each 413 costs a whole upload.
      window = Math.min(most, window + 1 / Math.floor(window));
      documents = Math.min(limits.documents, documents + 0.25);
      bytes = Math.min(limits.bytes, bytes * 1.01);
    },
    failed() {
      window = Math.max(1, window / 2);
    },
    restart() {
      window = 1;
    },
    tooLarge(count, size) {
      documents = Math.max(1, Math.min(documents, Math.floor(count / 2)));
      bytes = Math.max(smallestBatchBytes, Math.min(bytes, Math.floor(size / 2)));
    },
  };
}
