import type { DatabaseSync } from 'node:sqlite';
import type { NotResent, Resent } from '../image-contract.ts';
import { instanceState, mayHold, uploadState } from './schema.ts';

const { unread, ready, sending, waiting, delivered, held, conflict, withdrawn } = uploadState;

/** Of what is withdrawn at a platform that a person gave up because it is not configured any more. */
const GIVEN_UP = 'DCM-2297';
const GIVEN_UP_AT_ONCE = 5_000;

interface Standing {
  /** Absent where the instance was never to go there. */
  state: number | null;
  code: string | null;
  kept: number;
  damaged: number;
  contested: number;
  withdrawn: number;
  n: number;
}

/** What a person asks, and what is kept and let go of. Call inside a transaction. */
export function openImageKeeping(db: DatabaseSync, configured: ReadonlyArray<{ id: number; name: string }>) {
  const platforms = configured.map(({ id }) => id);
  const setWithdrawn = db.prepare(
    'UPDATE study SET withdrawn=?1, due_ms=?2, revision = revision + 1 WHERE id=?3 AND withdrawn <> ?1',
  );
  const ofStudy = 'n IN (SELECT n FROM instance WHERE study=?1)';
  // What is on its way is judged by what becomes of it.
  const takeBack = db.prepare(
    `UPDATE upload SET state=${withdrawn}, code=NULL WHERE ${ofStudy} AND state < ${waiting} AND state <> ${sending}`,
  );
  const restore = db.prepare(`UPDATE upload SET state=${ready}
    WHERE ${ofStudy} AND state=${withdrawn} AND code IS NOT '${GIVEN_UP}'`);
  const deleted =
    db.prepare(`UPDATE upload SET state=iif(state=${delivered}, ${withdrawn}, state), may_hold=${mayHold.no},
    done_ms=NULL WHERE ${ofStudy} AND platform=?2 AND (state=${delivered} OR state > ${delivered} AND may_hold > ${mayHold.no})
    AND EXISTS (SELECT 1 FROM study WHERE id=?1 AND withdrawn=1)`);
  // ?1 the study or the instance, ?2 platform or null.
  const resend = (which: string) =>
    db.prepare(`UPDATE upload SET due_ms=0, done_ms=NULL, code=NULL,
      state = (SELECT iif(i.state=${instanceState.read}, ${ready}, ${unread}) FROM instance i WHERE i.n = upload.n)
      WHERE ${which} AND platform = ifnull(?2, platform) AND platform IN (${platforms.join(', ')}) AND (state IN (${delivered}, ${held}, ${conflict}) OR code='${GIVEN_UP}')
      AND EXISTS (SELECT 1 FROM instance i LEFT JOIN study s ON s.id = i.study
        WHERE i.n = upload.n AND i.kept = 1 AND i.damaged = 0 AND ifnull(s.withdrawn, 0) = 0)`);
  // Of a study what is in conflict stays: which content is right is decided instance by instance.
  const resendStudy = resend(`${ofStudy} AND state <> ${conflict}`);
  const resendOne = resend('n = ?1');
  const again = (which: string) =>
    db.prepare(`UPDATE instance SET state=${instanceState.unread}, code=NULL, done_ms=NULL
      WHERE ${which} AND state=${instanceState.unreadable} AND damaged=0 AND kept=1`);
  const readAgain = again('n=?1');
  const readStudyAgain = again('study=?1');
  // ?1 the study or the instance, ?2 platform. Where it was never to go it goes now.
  const join = (which: string) =>
    db.prepare(`INSERT INTO upload(n, platform, state, rank, study, bytes, day, source)
      SELECT i.n, ?2, iif(i.state=${instanceState.read}, ${ready}, ${unread}), iif(s.urgent=1, 0, 1), i.study, i.bytes, i.day, i.source
      FROM instance i LEFT JOIN study s ON s.id = i.study WHERE ${which} AND i.kept=1 AND i.damaged=0
      AND ifnull(s.withdrawn, 0) = 0 AND NOT EXISTS (SELECT 1 FROM upload u WHERE u.n = i.n AND u.platform=?2)`);
  const joinStudy = join('i.study=?1 AND i.conflict IS NULL');
  const joinOne = join('i.n=?1');
  // ?1 the study or the instance, ?2 platform: how each stands there before it is sent again.
  const stand = (which: string) =>
    db.prepare(`SELECT u.state, u.code, i.kept, i.damaged, i.conflict IS NOT NULL AS contested,
      ifnull(s.withdrawn, 0) AS withdrawn, count(*) AS n FROM instance i LEFT JOIN upload u ON u.n = i.n AND u.platform=?2
      LEFT JOIN study s ON s.id = i.study WHERE ${which} GROUP BY 1, 2, 3, 4, 5, 6`);
  const studyStands = stand('i.study=?1');
  const oneStands = stand('i.n=?1');
  const giveUp = db.prepare(`UPDATE upload SET state=${withdrawn}, code='${GIVEN_UP}'
    WHERE n > ?2 AND n <= ?3 AND platform=?1 AND (state < ${waiting} OR state IN (${held}, ${conflict}))`);
  const highest = db.prepare('SELECT ifnull(max(n), 0) AS n FROM instance');
  const platformNamed = db.prepare("SELECT id FROM name WHERE kind='platform' AND name=?");
  const elsewhere = 'EXISTS (SELECT 1 FROM upload o WHERE o.n = upload.n AND o.platform > 0)';
  const noneAnyMore = db.prepare(`DELETE FROM upload WHERE ${ofStudy} AND platform=0 AND ${elsewhere}`);
  const noneAnyMoreOne = db.prepare(`DELETE FROM upload WHERE n=?1 AND platform=0 AND ${elsewhere}`);
  const notDone = db.prepare(`UPDATE instance SET done_ms=NULL WHERE ${ofStudy} AND done_ms IS NOT NULL`);
  const notDoneOne = db.prepare('UPDATE instance SET done_ms=NULL WHERE n=?');
  const forget = db.prepare(`UPDATE instance SET kept=0 WHERE n IN (SELECT n FROM instance
    WHERE kept=1 AND done_ms IS NOT NULL AND done_ms <= ? ORDER BY done_ms LIMIT ?) RETURNING file`);
  const names = db.prepare('SELECT file FROM instance WHERE kept=1 AND file >= ? AND file < ?');
  const lost = db.prepare('UPDATE instance SET damaged=1 WHERE file=? AND kept=1 RETURNING n, state');
  const holdLost = db.prepare(`UPDATE upload SET state=${held}, code='QUE-4003' WHERE n=? AND state < ${waiting}`);
  const cannotRead = db.prepare(`UPDATE instance SET state=${instanceState.unreadable}, code='QUE-4003' WHERE n=?`);

  return {
    withdraw(study: number, taken: boolean, nowMs: number): boolean {
      if (setWithdrawn.run(taken ? 1 : 0, nowMs, study).changes === 0) return false;
      (taken ? takeBack : restore).run(study);
      return true;
    },
    deleted(study: number, platform: number): number {
      const { changes } = deleted.run(study, platform);
      // Not delivered any more: its files are not forgotten.
      if (changes > 0) notDone.run(study);
      return Number(changes);
    },
    resend(what: { study: number } | { n: number }, platform: number | null): Resent {
      const [id, rereads, joins, resends, none, open, stands] =
        'study' in what
          ? [what.study, readStudyAgain, joinStudy, resendStudy, noneAnyMore, notDone, studyStands]
          : [what.n, readAgain, joinOne, resendOne, noneAnyMoreOne, notDoneOne, oneStands];
      const named = platform !== null && platforms.includes(platform);
      const rest = configured
        .filter((p) => platform === null || p.id === platform)
        .flatMap((p) => restOf(p.name, stands.all(id, p.id) as unknown as Standing[], 'study' in what, named));
      const read = rereads.run(id).changes;
      let changes = Number(resends.run(id, platform).changes);
      if (named) {
        changes += Number(joins.run(id, platform).changes);
        none.run(id);
      }
      if (changes > 0) open.run(id);
      // Where no platform is configured they are read again all the same.
      return { resent: platforms.length === 0 ? Number(read) : changes, rest };
    },
    /** A step of it, so that no acknowledgement waits behind millions of rows; `next` while there is more. */
    forgetPlatform(name: string, after: number): { given: number; next?: number } {
      const known = platformNamed.get(name) as { id: number } | undefined;
      if (!known || platforms.includes(known.id)) return { given: 0 };
      const next = after + GIVEN_UP_AT_ONCE;
      const given = Number(giveUp.run(known.id, after, next).changes);
      return next < (highest.get() as { n: number }).n ? { given, next } : { given };
    },
    forget: (beforeMs: number, max: number): string[] =>
      (forget.all(beforeMs, max) as unknown as Array<{ file: string }>).map(({ file }) => file),
    names: (prefix: string): string[] =>
      (names.all(prefix, `${prefix}g`) as unknown as Array<{ file: string }>).map(({ file }) => file),
    lost(files: string[]): void {
      for (const file of files) {
        for (const { n, state } of lost.all(file) as unknown as Array<{ n: number; state: number }>) {
          holdLost.run(n);
          if (state === instanceState.unread) cannotRead.run(n);
        }
      }
    },
  };
}

/** What of it is not sent again, by the conditions under which it is. */
function restOf(platform: string, rows: Standing[], wholeStudy: boolean, named: boolean): Resent['rest'] {
  const counts = new Map<NotResent, number>();
  for (const row of rows) {
    const why = whyNot(row, wholeStudy, named);
    if (why) counts.set(why, (counts.get(why) ?? 0) + row.n);
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([why, count]) => ({ platform, why, count }));
}

function whyNot(row: Standing, wholeStudy: boolean, named: boolean): NotResent | undefined {
  if (row.withdrawn) return 'withdrawn';
  if (row.state !== null && row.state < waiting) return 'waiting';
  if (row.state === null && !named) return 'not-for-it';
  if (!row.kept) return 'file-gone';
  if (row.damaged) return 'file-damaged';
  const contested = row.state === null ? row.contested === 1 : row.state === conflict;
  return wholeStudy && contested ? 'conflict' : undefined;
}
