import type { DatabaseSync } from 'node:sqlite';
import type { NotResent, Resent, StudyTaken } from '../../image-contract.ts';
import { deletedThere, instanceState, mayHold, uploadState } from '../schema.ts';

const { unread, ready, sending, waiting, delivered, held, conflict, withdrawn } = uploadState;

/** Of what is withdrawn at a platform that a person gave up because it is not configured any more. */
const GIVEN_UP = 'DCM-2297';
const GIVEN_UP_AT_ONCE = 5_000;
/** Each is some 10 µs, with its books; an acknowledgement may have to wait behind all of them. */
const RESENT_AT_ONCE = 2_000;

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
    `UPDATE upload SET state=${withdrawn}, code=NULL WHERE ${ofStudy} AND (state < ${waiting} AND state <> ${sending}
      OR state=${withdrawn} AND code='${deletedThere}')`,
  );
  // Only what has its file can be sent: one that does not open is held as ever, of one that was let go of the PACS has to
  // send it again (image-writes.ts takes it up).
  const restore = db.prepare(`UPDATE upload SET state=s.state, code=s.code FROM (SELECT i.n AS n,
      iif(i.kept = 0, ${withdrawn}, iif(i.damaged = 1, ${held}, ${ready})) AS state,
      iif(i.kept = 0, '${deletedThere}', iif(i.damaged = 1, 'QUE-4003', NULL)) AS code
      FROM instance i WHERE i.study=?1) AS s
    WHERE upload.n = s.n AND upload.state=${withdrawn} AND upload.code IS NOT '${GIVEN_UP}'`);
  const notRestored = db.prepare(`SELECT sum(i.kept = 0) AS gone, sum(i.kept = 1 AND i.damaged = 1) AS damaged
    FROM instance i JOIN upload u ON u.n = i.n AND u.platform=?2
    WHERE i.study=?1 AND u.state=${withdrawn} AND u.code IS NOT '${GIVEN_UP}'`);
  const deleted =
    db.prepare(`UPDATE upload SET state=iif(state=${delivered}, ${withdrawn}, state), may_hold=${mayHold.no},
    done_ms=NULL WHERE ${ofStudy} AND platform=?2 AND (state=${delivered} OR state > ${delivered} AND may_hold > ${mayHold.no})
    AND EXISTS (SELECT 1 FROM study WHERE id=?1 AND withdrawn=1)`);
  // What is sent again: $of is the study or the instance; of a study those after $after up to $last, a step of it. $platform
  // may be null: all.
  const statement = (sql: string) => {
    const prepared = db.prepare(sql);
    prepared.setAllowUnknownNamedParameters(true);
    return prepared;
  };
  const stepOf = (n: string, study: string) => `${study}=$of AND ${n} > $after AND ${n} <= $last`;
  const inStep = `n IN (SELECT n FROM instance WHERE ${stepOf('n', 'study')})`;
  const lastOfStep = db.prepare(`SELECT max(n) AS last, count(*) AS count FROM
    (SELECT n FROM instance WHERE study=? AND n > ? ORDER BY n LIMIT ${RESENT_AT_ONCE})`);
  const resend = (which: string) =>
    statement(`UPDATE upload SET due_ms=0, done_ms=NULL, code=NULL,
      state = (SELECT iif(i.state=${instanceState.read}, ${ready}, ${unread}) FROM instance i WHERE i.n = upload.n)
      WHERE ${which} AND platform = ifnull($platform, platform) AND platform IN (${platforms.join(', ')}) AND (state IN (${delivered}, ${held}, ${conflict}) OR code='${GIVEN_UP}')
      AND EXISTS (SELECT 1 FROM instance i LEFT JOIN study s ON s.id = i.study
        WHERE i.n = upload.n AND i.kept = 1 AND i.damaged = 0 AND ifnull(s.withdrawn, 0) = 0)`);
  // Of a study what is in conflict stays: which content is right is decided instance by instance.
  const resendStudy = resend(`${inStep} AND state <> ${conflict}`);
  const resendOne = resend('n = $of');
  const again = (which: string) =>
    statement(`UPDATE instance SET state=${instanceState.unread}, code=NULL, done_ms=NULL
      WHERE ${which} AND state=${instanceState.unreadable} AND damaged=0 AND kept=1`);
  const readAgain = again('n=$of');
  const readStudyAgain = again(stepOf('n', 'study'));
  // Where it was never to go it goes now.
  const join = (which: string) =>
    statement(`INSERT INTO upload(n, platform, state, rank, study, bytes, day, source)
      SELECT i.n, $platform, iif(i.state=${instanceState.read}, ${ready}, ${unread}), iif(s.urgent=1, 0, 1), i.study, i.bytes, i.day, i.source
      FROM instance i LEFT JOIN study s ON s.id = i.study WHERE ${which} AND i.kept=1 AND i.damaged=0
      AND ifnull(s.withdrawn, 0) = 0 AND NOT EXISTS (SELECT 1 FROM upload u WHERE u.n = i.n AND u.platform=$platform)`);
  const joinStudy = join(`${stepOf('i.n', 'i.study')} AND i.conflict IS NULL`);
  const joinOne = join('i.n=$of');
  // How each stands there before it is sent again.
  const stand = (which: string) =>
    statement(`SELECT u.state, u.code, i.kept, i.damaged, i.conflict IS NOT NULL AS contested,
      ifnull(s.withdrawn, 0) AS withdrawn, count(*) AS n FROM instance i LEFT JOIN upload u ON u.n = i.n AND u.platform=$platform
      LEFT JOIN study s ON s.id = i.study WHERE ${which} GROUP BY 1, 2, 3, 4, 5, 6`);
  const studyStands = stand(stepOf('i.n', 'i.study'));
  const oneStands = stand('i.n=$of');
  const giveUp = db.prepare(`UPDATE upload SET state=${withdrawn}, code='${GIVEN_UP}'
    WHERE n > ?2 AND n <= ?3 AND platform=?1 AND (state < ${waiting} OR state IN (${held}, ${conflict}))`);
  const highest = db.prepare('SELECT ifnull(max(n), 0) AS n FROM instance');
  const platformNamed = db.prepare("SELECT id FROM name WHERE kind='platform' AND name=?");
  const elsewhere = 'EXISTS (SELECT 1 FROM upload o WHERE o.n = upload.n AND o.platform > 0)';
  const noneAnyMore = statement(`DELETE FROM upload WHERE ${inStep} AND platform=0 AND ${elsewhere}`);
  const noneAnyMoreOne = statement(`DELETE FROM upload WHERE n=$of AND platform=0 AND ${elsewhere}`);
  const notDone = db.prepare(`UPDATE instance SET done_ms=NULL WHERE ${ofStudy} AND done_ms IS NOT NULL`);
  const notDoneInStep = statement(
    `UPDATE instance SET done_ms=NULL WHERE ${stepOf('n', 'study')} AND done_ms IS NOT NULL`,
  );
  const notDoneOne = statement('UPDATE instance SET done_ms=NULL WHERE n=$of');
  const forget = db.prepare(`UPDATE instance SET kept=0 WHERE n IN (SELECT n FROM instance
    WHERE kept=1 AND done_ms IS NOT NULL AND done_ms <= ? ORDER BY done_ms LIMIT ?) RETURNING file`);
  const names = db.prepare('SELECT file FROM instance WHERE kept=1 AND file >= ? AND file < ?');
  const lost = db.prepare('UPDATE instance SET damaged=1 WHERE file=? AND kept=1 RETURNING n, state');
  const holdLost = db.prepare(`UPDATE upload SET state=${held}, code='QUE-4003' WHERE n=? AND state < ${waiting}`);
  const cannotRead = db.prepare(`UPDATE instance SET state=${instanceState.unreadable}, code='QUE-4003' WHERE n=?`);

  const ofOneStudy = {
    whole: true,
    read: readStudyAgain,
    join: joinStudy,
    resend: resendStudy,
    none: noneAnyMore,
    open: notDoneInStep,
    stands: studyStands,
  };
  const one = {
    whole: false,
    read: readAgain,
    join: joinOne,
    resend: resendOne,
    none: noneAnyMoreOne,
    open: notDoneOne,
    stands: oneStands,
  };
  interface Step {
    of: number;
    after: number;
    last: number;
  }
  function resendSome(does: typeof one, step: Step, platform: number | null): Resent {
    const named = platform !== null && platforms.includes(platform);
    const rest = configured
      .filter((p) => platform === null || p.id === platform)
      .flatMap((p) =>
        restOf(p.name, does.stands.all({ ...step, platform: p.id }) as unknown as Standing[], does.whole, named),
      );
    const read = does.read.run({ ...step }).changes;
    let changes = Number(does.resend.run({ ...step, platform }).changes);
    if (named) {
      changes += Number(does.join.run({ ...step, platform }).changes);
      does.none.run({ ...step });
    }
    if (changes > 0) does.open.run({ ...step });
    // Where no platform is configured they are read again all the same.
    return { resent: platforms.length === 0 ? Number(read) : changes, rest };
  }

  function notRestoredAt(study: number, platform: number, name: string): StudyTaken['rest'] {
    const { gone, damaged } = notRestored.get(study, platform) as { gone: number | null; damaged: number | null };
    return [
      ...(damaged ? [{ platform: name, why: 'file-damaged' as const, count: damaged }] : []),
      ...(gone ? [{ platform: name, why: 'file-gone' as const, count: gone }] : []),
    ];
  }

  return {
    withdraw(study: number, taken: boolean, nowMs: number): StudyTaken {
      if (setWithdrawn.run(taken ? 1 : 0, nowMs, study).changes === 0) return { changed: false, rest: [] };
      const rest = taken ? [] : configured.flatMap(({ id, name }) => notRestoredAt(study, id, name));
      (taken ? takeBack : restore).run(study);
      return { changed: true, rest };
    },
    deleted(study: number, platform: number): number {
      const { changes } = deleted.run(study, platform);
      // Not delivered any more: its files are not forgotten.
      if (changes > 0) notDone.run(study);
      return Number(changes);
    },
    /** A step of it, so that no acknowledgement waits behind a study of any size; `next` while there is more. */
    resend(
      what: { study: number } | { n: number },
      platform: number | null,
      after: number,
    ): Resent & { next?: number } {
      if ('n' in what) return resendSome(one, { of: what.n, after: 0, last: what.n }, platform);
      const { last, count } = lastOfStep.get(what.study, after) as { last: number | null; count: number };
      if (last === null) return { resent: 0, rest: [] };
      const told = resendSome(ofOneStudy, { of: what.study, after, last }, platform);
      return count < RESENT_AT_ONCE ? told : { ...told, next: last };
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
