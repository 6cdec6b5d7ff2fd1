import type { DatabaseSync } from 'node:sqlite';
import { outboxState } from './schema.ts';

/** More than one claim takes; after an outage thousands are due, and an acknowledgement may have to wait behind this. */
const AT_ONCE = 256;

interface Waiting {
  n: number;
  platform: number;
  report: number;
  lane: number;
}

/**
 * Documents that stand aside of their lane, so that other reports' documents pass them, and nothing of the same report
 * does. Two kinds: the platform wants the parent of one first (`parent`); or one may not go out before another version
 * of its report has left (`after`), which stands aside itself or lies in the lane of another patient, as after a merge
 * or where a report was another patient's. Call inside a transaction.
 */
export interface Aside {
  /**
   * What a document of the report has to wait for, in `lane`, given that it is newer than all that is below `n`;
   * undefined when it may take its place in the lane.
   */
  blocker(platform: number, report: number, lane: number, n: number): number | undefined;
  /** A document has left (accepted, refused, cancelled, no longer on the wire): what waited for it looks anew. */
  left(n: number): void;
  /** The platform wants its parent first: later versions wait behind it. */
  park(document: Waiting, dueMs: number, nowMs: number): void;
  /** Back to their lanes: those whose time has come, so many at once; whoever claims asks again. */
  unparkDue(platform: number, nowMs: number): void;
  /** Back to their lane at once: something of it was accepted, which may be what they waited for. */
  unparkLane(platform: number, lane: number): void;
  /** After a start nothing is on the wire: what waited for that alone goes on. */
  started(): void;
}

/**
 * @param onWire whether a document was handed out and its verdict is still to come.
 * @param reordered called when a document came back to its lane, or left it.
 */
export function openAside(
  db: DatabaseSync,
  onWire: (platform: number, n: number) => boolean,
  reordered: () => void,
): Aside {
  const { after, parent, ready, received, cancelled } = outboxState;
  // What was cancelled is not sent again, but may be on its way this moment.
  const older = db.prepare(
    `SELECT n, state FROM outbox WHERE report=?1 AND platform=?2 AND n<?3
     AND (state < ${ready} OR (lane <> ?4 AND state IN (${ready}, ${received}, ${cancelled}))) ORDER BY n DESC`,
  );
  const waitingFor = db.prepare(`SELECT n, platform, report, lane FROM outbox WHERE after_n=? AND state=${after}`);
  const waitFor = db.prepare(`UPDATE outbox SET state=${after}, after_n=? WHERE n=?`);
  const toLane = db.prepare(`UPDATE outbox SET state=${ready}, after_n=NULL WHERE n=?`);
  const put = db.prepare(
    `UPDATE outbox SET state=${parent}, due_ms=?, code='PLT-1309', since_parent_ms=ifnull(since_parent_ms, ?) WHERE n=?`,
  );
  const laterInLane = db.prepare(
    `SELECT n FROM outbox WHERE report=? AND platform=? AND n>? AND lane=? AND state=${ready}`,
  );
  const unparkDue = db.prepare(`UPDATE outbox SET state=${ready} WHERE n IN (SELECT n FROM outbox
    WHERE platform=? AND state=${parent} AND due_ms <= ? ORDER BY due_ms LIMIT ${AT_ONCE})`);
  // `state < 2` names the index of what is open.
  const unparkLane = db.prepare(
    `UPDATE outbox SET state=${ready}, due_ms=0 WHERE platform=? AND lane=? AND state < 2 AND state=${parent}`,
  );
  const forNothing = db.prepare(
    `SELECT DISTINCT w.after_n AS n FROM outbox w JOIN outbox o ON o.n = w.after_n
     WHERE w.state=${after} AND o.state > ${received}`,
  );

  const blocker: Aside['blocker'] = (platform, report, lane, n) => {
    const rows = older.all(report, platform, n, lane) as unknown as Array<{ n: number; state: number }>;
    return rows.find((r) => r.state !== cancelled || onWire(platform, r.n))?.n;
  };
  const left: Aside['left'] = (n) => {
    for (const w of waitingFor.all(n) as unknown as Waiting[]) {
      const next = blocker(w.platform, w.report, w.lane, w.n);
      if (next === undefined) {
        toLane.run(w.n);
        reordered();
      } else if (next !== n) waitFor.run(next, w.n);
    }
  };

  return {
    blocker,
    left,
    park({ n, platform, report, lane }, dueMs, nowMs) {
      put.run(dueMs, nowMs, n);
      for (const later of laterInLane.all(report, platform, n, lane) as unknown as Array<{ n: number }>) {
        waitFor.run(n, later.n);
      }
      reordered();
    },
    unparkDue(platform, nowMs) {
      if (unparkDue.run(platform, nowMs).changes > 0) reordered();
    },
    unparkLane(platform, lane) {
      if (unparkLane.run(platform, lane).changes > 0) reordered();
    },
    started() {
      const gone = forNothing.all() as unknown as Array<{ n: number }>;
      for (const { n } of gone) left(n);
    },
  };
}
