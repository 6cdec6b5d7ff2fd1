import type { DatabaseSync } from 'node:sqlite';
import type { StudyFacts } from '../../../images/study-facts.ts';
import type { Vault } from '../../../security/vault.ts';
import type { Bare } from '../../../support/bare.ts';
import type { ErrorCode } from '../../../support/errors.ts';
import type { ClaimedInstance, ClaimLimits, InstanceVerdict, StudyToVerify } from '../../image-contract.ts';
import { mayHold, uploadState } from '../schema.ts';
import type { SealedInstance } from './image-writes.ts';

/** More than one claim takes; after an outage thousands are due, and an acknowledgement may have to wait behind this. */
const AT_ONCE = 256;
/** Codes after which surely nothing of what was tried is at the platform: it never got there, or says it had no room. */
const tookNothing: ReadonlySet<string> = new Set<ErrorCode>(['NET-1001', 'NET-1002', 'DCM-2272']);
/** Refusals that are not the platform's word about the image. */
const notItsWord: ReadonlySet<string> = new Set<ErrorCode>(['PLT-1307', 'QUE-4003']);
/** Longest pause between attempts, with room for a clock that was corrected. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

const { ready, later, sending, waiting, delivered, held, withdrawn } = uploadState;

/** Whether the attempt surely left nothing at the platform; of an unknown outcome it may have (invariant 6). */
function tookNone(verdict: InstanceVerdict): boolean {
  switch (verdict.outcome) {
    case 'accepted':
      return false;
    case 'refused':
      return !notItsWord.has(verdict.code);
    case 'retry':
      return verdict.unsent === true || tookNothing.has(verdict.code) || verdict.code.startsWith('TLS-');
  }
}

interface Ready {
  n: number;
  bytes: number;
  study: number;
}

/**
 * Hands instances out, books what the platform said. On its way is a state of the row, so
 * that a transaction that is undone takes it with it; at a start all of it is ready again. Call inside a transaction.
 */
export function openUploadWrites(db: DatabaseSync, vault: Vault, platforms: readonly number[]) {
  const configured = `(${platforms.join(', ')})`;
  const due = db.prepare(`UPDATE upload SET state=${ready} WHERE (n, platform) IN (SELECT n, platform FROM upload
    WHERE platform=?1 AND state=${later} AND due_ms <= ?2 ORDER BY due_ms LIMIT ${AT_ONCE})`);
  const heads = db.prepare(`SELECT n, bytes, study FROM upload WHERE platform=?1 AND state=${ready} AND rank <= ?2
    ORDER BY rank, study, n LIMIT ?3`);
  const anyReady = db.prepare(`SELECT 1 FROM upload WHERE platform=?1 AND state=${ready} AND rank <= ?2 LIMIT 1`);
  const nextLater = db.prepare(
    `SELECT due_ms AS due FROM upload WHERE platform=?1 AND state=${later} AND rank <= ?2 ORDER BY due_ms LIMIT 1`,
  );
  const row = db.prepare(`SELECT i.file, i.bytes, i.kept, i.damaged, s.key_id, s.sealed,
    EXISTS (SELECT 1 FROM instance o WHERE o.mac = i.mac AND o.n <> i.n) AS contested FROM instance i
    LEFT JOIN instance_sealed s ON s.n = i.n WHERE i.n=?`);
  const studyRow = db.prepare('SELECT urgent, key_id, sealed FROM study WHERE id=?');
  const send = db.prepare(
    `UPDATE upload SET state=${sending}, attempts = attempts + 1, may_hold = iif(may_hold=${mayHold.yes}, ${mayHold.yes}, ${mayHold.sentBack})
      WHERE n=? AND platform=? RETURNING attempts`,
  );
  const of = db.prepare(`SELECT u.state, u.study, s.withdrawn FROM upload u LEFT JOIN study s ON s.id = u.study
    WHERE u.n=? AND u.platform=?`);
  const takeBack = db.prepare(`UPDATE upload SET state=${withdrawn}, code=NULL WHERE n=? AND platform=?`);
  const done = db.prepare(`UPDATE upload SET state=${delivered}, may_hold=${mayHold.yes}, code=NULL, done_ms=?
    WHERE n=? AND platform=?`);
  // What an earlier attempt may have left there is not undone by a later answer.
  const holdsNothing = db.prepare(
    `UPDATE upload SET may_hold=${mayHold.no} WHERE n=? AND platform=? AND may_hold=${mayHold.sentBack}`,
  );
  const mayHoldIt = db.prepare(`UPDATE upload SET may_hold=${mayHold.yes} WHERE n=? AND platform=?`);
  const again = db.prepare(`UPDATE upload SET state=${later}, due_ms=?, code=? WHERE n=? AND platform=?`);
  const hold = db.prepare(`UPDATE upload SET state=${held}, code=? WHERE n=? AND platform=?`);
  const damage = db.prepare('UPDATE instance SET damaged=1 WHERE n=?');
  const elsewhere = db.prepare(`SELECT 1 FROM upload WHERE n=? AND state <> ${delivered}
    AND platform IN ${configured} LIMIT 1`);
  const finish = db.prepare('UPDATE instance SET done_ms=? WHERE n=?');
  const takenBack = db.prepare('SELECT 1 FROM instance i JOIN study s ON s.id = i.study WHERE i.n=? AND s.withdrawn=1');
  const balance = db.prepare(
    'SELECT ifnull(sum(n),0) AS n FROM study_balance WHERE study=? AND platform=? AND state=?',
  );
  const toCheck = db.prepare(`INSERT INTO study_check(platform, study, delivered) VALUES(?,?,?)
    ON CONFLICT DO UPDATE SET delivered=excluded.delivered, counted=NULL`);
  const uncounted = db.prepare(`SELECT c.study, c.delivered, s.key_id, s.sealed FROM study_check c
    JOIN study s ON s.id = c.study WHERE c.platform=? AND c.counted IS NULL AND s.due_ms IS NULL
    ORDER BY c.study LIMIT ?`);
  const counted = db.prepare(
    'UPDATE study_check SET counted=? WHERE platform=? AND study=? AND delivered=? AND counted IS NULL',
  );

  const studyOf = (study: number): { uid: string; urgent: boolean } | undefined => {
    const s = studyRow.get(study) as { urgent: number; key_id: number; sealed: Uint8Array } | undefined;
    if (!s) return undefined;
    try {
      const facts = JSON.parse(vault.open('study', study, s.key_id, s.sealed).toString('utf8')) as StudyFacts;
      return { uid: facts.studyUid, urgent: s.urgent === 1 };
    } catch {
      return undefined;
    }
  };
  const holdDamaged = (n: number, platform: number): void => {
    hold.run('QUE-4003', n, platform);
    damage.run(n);
  };

  function claimOne(
    { n, study }: Ready,
    platform: number,
    { uid, urgent }: { uid: string; urgent: boolean },
  ): Bare<ClaimedInstance> | undefined {
    const i = row.get(n) as unknown as {
      file: string;
      bytes: number;
      kept: number;
      damaged: number;
      key_id: number | null;
      sealed: Uint8Array | null;
      contested: number;
    };
    if (!i.kept || i.damaged || i.key_id === null || i.sealed === null) return undefined;
    let secret: SealedInstance;
    try {
      secret = JSON.parse(vault.open('instance', n, i.key_id, i.sealed).toString('utf8')) as SealedInstance;
    } catch {
      return undefined;
    }
    const { attempts } = send.get(n, platform) as { attempts: number };
    const { key, ...uids } = secret;
    const file = { name: i.file, key: new Uint8Array(Buffer.from(key, 'base64')), bytes: i.bytes };
    return { n, study, attempt: attempts, urgent, contested: i.contested === 1, studyUid: uid, ...uids, file };
  }

  /** What waits at a platform that is not configured any more keeps no file of what all the others have. */
  function forgetPlatforms(nowMs: number): void {
    const left = `SELECT 1 FROM image_balance WHERE platform > 0 AND platform NOT IN ${configured}
      AND state <> ${delivered} AND n > 0 LIMIT 1`;
    if (db.prepare(left).get() === undefined) return;
    db.prepare(`UPDATE instance SET done_ms=?1 WHERE kept=1 AND done_ms IS NULL
      AND EXISTS (SELECT 1 FROM upload u WHERE u.n = instance.n AND u.platform IN ${configured})
      AND NOT EXISTS (SELECT 1 FROM upload u WHERE u.n = instance.n AND u.platform IN ${configured}
        AND u.state <> ${delivered})`).run(nowMs);
  }

  return {
    claim(platform: number, limits: ClaimLimits): Array<Bare<ClaimedInstance>> {
      due.run(platform, Math.floor(limits.nowMs));
      const rows = heads.all(platform, limits.urgentOnly ? 0 : 1, limits.instances) as unknown as Ready[];
      const claimed: Array<Bare<ClaimedInstance>> = [];
      const studies = new Map<number, ReturnType<typeof studyOf>>();
      let bytes = 0;
      for (const head of rows) {
        if (claimed.length > 0 && bytes + head.bytes > limits.bytes) break;
        if (!studies.has(head.study)) studies.set(head.study, studyOf(head.study));
        const study = studies.get(head.study);
        const one = study && claimOne(head, platform, study);
        // Set aside and named; its neighbours go on (invariant 8).
        if (!study) hold.run('QUE-4003', head.n, platform);
        else if (!one) holdDamaged(head.n, platform);
        else {
          bytes += head.bytes;
          claimed.push(one);
        }
      }
      return claimed;
    },

    settle(platform: number, verdicts: InstanceVerdict[], nowMs: number): void {
      const studies = new Set<number>();
      for (const v of verdicts) {
        const u = of.get(v.n, platform) as { state: number; study: number; withdrawn: number | null } | undefined;
        // Late or twice: it is settled already.
        if (u?.state !== sending) continue;
        if (tookNone(v)) holdsNothing.run(v.n, platform);
        else mayHoldIt.run(v.n, platform);
        if (v.outcome === 'retry') {
          // Its study was taken back while it was on its way.
          if (u.withdrawn) takeBack.run(v.n, platform);
          else again.run(Math.ceil(v.retryAtMs), v.code, v.n, platform);
          continue;
        }
        studies.add(u.study);
        if (v.outcome === 'accepted') {
          // Also of a study taken back meanwhile: the books say what is (DCM-2294).
          done.run(nowMs, v.n, platform);
          if (elsewhere.get(v.n) === undefined) finish.run(nowMs, v.n);
        } else if (v.code === 'QUE-4003') holdDamaged(v.n, platform);
        else hold.run(v.code, v.n, platform);
      }
      for (const study of studies) {
        const count = (state: number) => (balance.get(study, platform, state) as { n: number }).n;
        if (count(waiting) === 0 && count(delivered) > 0) toCheck.run(platform, study, count(delivered));
      }
    },

    withdrawn: (numbers: number[]): number[] => numbers.filter((n) => takenBack.get(n) !== undefined),

    nextDue(platform: number, nowMs: number, urgentOnly: boolean): number | undefined {
      const rank = urgentOnly ? 0 : 1;
      if (anyReady.get(platform, rank)) return nowMs;
      return (nextLater.get(platform, rank) as { due: number } | undefined)?.due;
    },

    toVerify(platform: number, max: number): Array<Bare<StudyToVerify>> {
      const rows = uncounted.all(platform, max) as unknown as Array<{ study: number; delivered: number }>;
      return rows.flatMap((r) => {
        const study = studyOf(r.study);
        if (study) return { study: r.study, delivered: r.delivered, studyUid: study.uid };
        counted.run(-1, platform, r.study, r.delivered);
        return [];
      });
    },
    counted(platform: number, study: number, count: number, of: number | undefined): void {
      counted.run(of ?? -1, platform, study, count);
    },

    /** Once, before anything else: nothing is on the wire, and no time is believed that lies too far ahead. */
    started(nowMs: number, believeNone: boolean): void {
      db.prepare(`UPDATE upload SET may_hold=${mayHold.yes}, state = CASE (SELECT withdrawn FROM study s WHERE s.id = upload.study)
        WHEN 1 THEN ${withdrawn} ELSE ${ready} END
        WHERE state=${sending} AND platform IN (SELECT id FROM name WHERE kind='platform')`).run();
      forgetPlatforms(nowMs);
      const limit = believeNone ? nowMs : nowMs + LONGEST_WAIT_MS;
      db.prepare(`UPDATE upload SET due_ms=?1 WHERE state=${later} AND platform IN
        (SELECT id FROM name WHERE kind='platform') AND due_ms > ?2`).run(nowMs, limit);
      db.prepare('UPDATE study SET due_ms=?1 WHERE due_ms > ?2').run(nowMs, limit);
    },
  };
}
