import type { DatabaseSync } from 'node:sqlite';

/** Longest pause between attempts (Retry-After is capped at an hour), and the longest hold. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

/**
 * Once at a start, after its epoch is written. The clock may have been corrected since: nothing waits longer than the longest
 * wait there is, and where something bears a later time than now it was set back: no wait is believed then. Returns whether
 * it was.
 */
export function correctWaits(db: DatabaseSync, epoch: number, startMs: number): boolean {
  const { ahead } = db
    .prepare(
      'SELECT max((SELECT max(started_ms) FROM epoch WHERE id < ?1), (SELECT ifnull(max(created_ms),0) FROM outbox WHERE state < 2)) > ?2 AS ahead',
    )
    .get(epoch, startMs) as { ahead: number | null };
  db.prepare('UPDATE outbox SET due_ms=?1 WHERE state < 2 AND due_ms > ?2').run(
    startMs,
    ahead ? startMs : startMs + LONGEST_WAIT_MS,
  );
  if (ahead) {
    db.prepare('UPDATE outbox SET since_parent_ms=?1 WHERE platform > 0 AND state < 2 AND since_parent_ms > ?1').run(
      startMs,
    );
    db.prepare('UPDATE part SET due_ms=?1 WHERE due_ms > ?1').run(startMs);
  }
  return ahead !== 0 && ahead !== null;
}
