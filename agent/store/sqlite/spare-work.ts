import type { DatabaseSync } from 'node:sqlite';
import { SQLITE_FULL, sqliteCode } from './open.ts';

/** Work that has time until nothing else waits; done in steps, for an acknowledgement may have to wait behind one. */
export interface SpareWork {
  /** One step, in a transaction of its own. False when nothing is left, or when it has to wait for `resume`. */
  step(): boolean;
  resume(): void;
  /** How much there was, once it is done. */
  done(): number | undefined;
}

/**
 * @param some does a step and returns how much that was; undefined when all is done.
 * @param undo rolls back; `failed` is told, and throws, what went wrong, but for a full disk: the ballast is for deliveries, this waits.
 */
export function openSpareWork(
  db: DatabaseSync,
  some: () => number | undefined,
  { undo, failed }: { undo(): void; failed(error: unknown): void },
): SpareWork {
  let sum = 0;
  let done = false;
  let paused = false;
  return {
    step() {
      if (done || paused) return false;
      try {
        db.exec('BEGIN IMMEDIATE');
        const made = some();
        db.exec('COMMIT');
        if (made === undefined) done = true;
        else sum += made;
      } catch (error) {
        if (sqliteCode(error) !== SQLITE_FULL) failed(error);
        undo();
        paused = true;
      }
      return !done && !paused;
    },
    resume() {
      paused = false;
    },
    done: () => (done ? sum : undefined),
  };
}
