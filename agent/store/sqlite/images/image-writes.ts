import type { DatabaseSync } from 'node:sqlite';
import type { ImageFacts } from '../../../images/image-reader.ts';
import { type StudyFacts, seriesOf, withInstance } from '../../../images/study-facts.ts';
import type { InstanceAccepted } from '../../../intake/instance.ts';
import { pack, type Vault } from '../../../security/vault.ts';
import type { Bare } from '../../../support/bare.ts';
import type { IndexedInstance, NewInstance } from '../../image-contract.ts';
import { deletedThere, instanceState, uploadState } from '../schema.ts';
import { openStudyKeys } from './study-keys.ts';

/** MAC fields of what stands for rows. */
export const imageMacs = {
  instance: 'sop-instance-uid',
  content: 'instance-content',
  study: 'study-uid',
  series: 'series-uid',
} as const;

/** What lies sealed beside an instance's row. */
export interface SealedInstance {
  sopClassUid: string;
  sopInstanceUid: string;
  transferSyntaxUid: string;
  /** Key of its file, base64. */
  key: string;
}

const json = (value: unknown) => pack(Buffer.from(JSON.stringify(value)));

/** Platform 0 stands for "none". */
const NO_PLATFORM = 0;

interface Known {
  n: number;
  content: Uint8Array;
  damaged: number;
  kept: number;
}

/** An instance as it stands, with what its study says of it. */
interface Standing {
  state: number;
  code: string | null;
  conflict: number | null;
  study: number;
  bytes: number;
  day: number;
  source: number;
  urgent: number;
  withdrawn: number;
}

/** Writes instances as they come, and what their headers say. Call inside a transaction. */
export function openImageWrites(
  db: DatabaseSync,
  vault: Vault,
  dayOf: (ms: number) => number,
  platforms: readonly number[],
  floorN: number,
) {
  const ofUid = db.prepare('SELECT n, content, damaged, kept FROM instance WHERE mac=? ORDER BY n');
  const highest = db.prepare('SELECT ifnull(max(n),0) AS n FROM instance');
  const insert = db.prepare(
    'INSERT INTO instance(n, source, mac, content, received_ms, day, bytes, file, conflict) VALUES(?,?,?,?,?,?,?,?,?)',
  );
  const putSealed = db.prepare('INSERT OR REPLACE INTO instance_sealed(n, key_id, sealed) VALUES(?,?,?)');
  const insertUpload = db.prepare(
    'INSERT INTO upload(n, platform, state, bytes, code, day, source, study, rank) VALUES(?,?,?,?,?,?,?,?,?)',
  );
  const uploadOf = db.prepare('SELECT 1 FROM upload WHERE n=? AND platform=?');
  const noneAnyMore = db.prepare(`DELETE FROM upload WHERE n=? AND platform=${NO_PLATFORM}`);
  const notDone = db.prepare('UPDATE instance SET done_ms=NULL WHERE n=?');
  const standing = db.prepare(`SELECT i.state, i.code, i.conflict, i.study, i.bytes, i.day, i.source,
    ifnull(s.urgent, 0) AS urgent, ifnull(s.withdrawn, 0) AS withdrawn
    FROM instance i LEFT JOIN study s ON s.id = i.study WHERE i.n=?`);
  const heal =
    db.prepare(`UPDATE instance SET file=?1, bytes=?2, kept=1, damaged=0, done_ms = iif(done_ms IS NULL, NULL, ?4),
    code = CASE WHEN code='QUE-4003' THEN NULL ELSE code END,
    state = CASE WHEN state=${instanceState.unreadable} AND code='QUE-4003' THEN ${instanceState.unread} ELSE state END
    WHERE n=?3`);
  const healUploads = db.prepare(
    `UPDATE upload SET state=?, code=NULL WHERE n=?
      AND (state=${uploadState.held} AND code='QUE-4003' OR state=${uploadState.withdrawn} AND code='${deletedThere}')`,
  );
  const resize = db.prepare('UPDATE upload SET bytes=? WHERE n=?');

  const row = db.prepare('SELECT source, received_ms, state, conflict FROM instance WHERE n=?');
  const unreadable = db.prepare(
    `UPDATE instance SET state=${instanceState.unreadable}, code=?1, damaged = damaged OR ?1='QUE-4003' WHERE n=?2`,
  );
  const holdUploads = db.prepare(
    `UPDATE upload SET state=${uploadState.held}, code=? WHERE n=? AND state IN (${uploadState.unread}, ${uploadState.kept})`,
  );
  const keptAfterAll = db.prepare(
    `UPDATE upload SET state=${uploadState.kept}, code=NULL WHERE n=? AND platform=${NO_PLATFORM} AND state=${uploadState.held}`,
  );
  const study = db.prepare('SELECT id, urgent, withdrawn, key_id, sealed FROM study WHERE mac=?');
  const insertStudy = db.prepare(
    "INSERT INTO study(mac, source, first_ms, last_ms, key_id, sealed) VALUES(?1,?2,?3,?3,0,x'') RETURNING id",
  );
  const sealStudy = db.prepare('UPDATE study SET key_id=?, sealed=?, suspect=?, revision = revision + 1 WHERE id=?');
  // ?2 arrival, ?3 stable age, ?4 hard cap. An instance that came before others that are in an issue counts from now on.
  const arrive = db.prepare(`UPDATE study SET first_ms=min(first_ms, ?2), last_ms=max(last_ms, ?2),
    since_ms=min(ifnull(since_ms, ?2), ?2), instances = instances + 1,
    due_ms=min(max(ifnull(due_ms, 0), ?2 + ?3), min(ifnull(since_ms, ?2), ?2) + ?4) WHERE id=?1`);
  const hurry = db.prepare('UPDATE study SET urgent=1 WHERE id=?');
  const hurryUploads = db.prepare(
    `UPDATE upload SET rank=0 WHERE state < ${uploadState.waiting} AND n IN (SELECT n FROM instance WHERE study=?)`,
  );
  const series = db.prepare('SELECT id FROM series WHERE study=? AND mac=?');
  const insertSeries = db.prepare("INSERT INTO series(study, mac, key_id, sealed) VALUES(?,?,0,x'') RETURNING id");
  const sealSeries = db.prepare('UPDATE series SET key_id=?, sealed=? WHERE id=?');
  const countSeries = db.prepare('UPDATE series SET instances = instances + 1 WHERE id=?');
  const read = db.prepare(`UPDATE instance SET state=${instanceState.read}, study=?, series=?, number=? WHERE n=?`);
  // ?1 state it goes to, ?2 study, ?3 rank.
  const assign = db.prepare(`UPDATE upload SET study=?2, rank=?3,
    state = CASE state WHEN ${uploadState.unread} THEN ?1 ELSE state END WHERE n=?4`);

  const keys = openStudyKeys(db, vault);

  function putSecret(n: number, instance: Bare<NewInstance>): void {
    const secret: SealedInstance = {
      sopClassUid: instance.sopClassUid,
      sopInstanceUid: instance.sopInstanceUid,
      transferSyntaxUid: instance.transferSyntaxUid,
      key: Buffer.from(instance.file.key).toString('base64'),
    };
    const { keyId, sealed } = vault.seal('instance', n, json(secret), instance.receivedMs);
    putSealed.run(n, keyId, sealed);
  }

  const standingOf = (n: number): Standing => standing.get(n) as unknown as Standing;
  const sendable = ({ state, withdrawn }: Standing): number => {
    if (state === instanceState.unread) return uploadState.unread;
    return withdrawn ? uploadState.withdrawn : uploadState.ready;
  };

  /** The same content came again and the file of the first does not open, or is gone: the new one takes its place. */
  function adopt(n: number, instance: Bare<NewInstance>): void {
    const { file, receivedMs } = instance;
    heal.run(file.name, file.bytes, n, receivedMs);
    putSecret(n, instance);
    resize.run(file.bytes, n);
    healUploads.run(sendable(standingOf(n)), n);
  }

  /** It came again: it goes also to the platforms that joined since it came first. */
  function join(n: number): void {
    const joined = platforms.filter((platform) => uploadOf.get(n, platform) === undefined);
    if (joined.length === 0) return;
    const i = standingOf(n);
    const put = (platform: number, state: number, code: string | null = null) =>
      insertUpload.run(n, platform, state, i.bytes, code, i.day, i.source, i.study, i.urgent ? 0 : 1);
    for (const platform of joined) {
      if (i.conflict !== null) put(platform, uploadState.conflict, 'DCM-2291');
      else if (i.state === instanceState.unreadable) put(platform, uploadState.held, i.code);
      else put(platform, sendable(i));
    }
    noneAnyMore.run(n);
    notDone.run(n);
  }

  function studyIdOf(mac: Buffer, source: number, receivedMs: number): { id: number; facts?: StudyFacts } & Flags {
    const known = study.get(mac) as
      | { id: number; urgent: number; withdrawn: number; key_id: number; sealed: Uint8Array }
      | undefined;
    if (!known) {
      return { id: (insertStudy.get(mac, source, receivedMs) as { id: number }).id, urgent: 0, withdrawn: 0 };
    }
    const { id, urgent, withdrawn } = known;
    try {
      const text = vault.open('study', id, known.key_id, known.sealed).toString('utf8');
      return { id, urgent, withdrawn, facts: JSON.parse(text) as StudyFacts };
    } catch {
      // Derived from the headers, which are all there: it is made anew from what comes.
      return { id, urgent, withdrawn };
    }
  }

  function seriesIdOf(studyId: number, facts: ImageFacts, receivedMs: number): number {
    const mac = vault.mac(imageMacs.series, facts.seriesUid);
    const known = series.get(studyId, mac) as { id: number } | undefined;
    if (known) return known.id;
    const { id } = insertSeries.get(studyId, mac) as { id: number };
    const { keyId, sealed } = vault.seal('series', id, json(seriesOf(facts)), receivedMs);
    sealSeries.run(keyId, sealed, id);
    return id;
  }

  return {
    accept(instance: Bare<NewInstance>, source: number): InstanceAccepted {
      const { file, receivedMs } = instance;
      const content = vault.mac(imageMacs.content, file.contentHash);
      // Without a UID only the content can say whether it is the same.
      const mac = instance.sopInstanceUid === '' ? content : vault.mac(imageMacs.instance, instance.sopInstanceUid);
      const known = ofUid.all(mac) as unknown as Known[];
      const same = known.find((k) => content.equals(k.content));
      if (same) {
        const { n, damaged, kept } = same;
        const gone = damaged !== 0 || kept === 0;
        if (gone) adopt(n, instance);
        join(n);
        return { n, outcome: gone ? 'stored' : 'duplicate' };
      }
      const [first] = known;
      // A number that was ever given out is not given out again, even when the tail was lost.
      const n = Math.max((highest.get() as { n: number }).n, floorN) + 1;
      const day = dayOf(receivedMs);
      insert.run(n, source, mac, content, receivedMs, day, file.bytes, file.name, first?.n ?? null);
      putSecret(n, instance);
      const put = (platform: number, state: number) =>
        insertUpload.run(n, platform, state, file.bytes, first ? 'DCM-2291' : null, day, source, 0, 1);
      const state = first ? uploadState.conflict : uploadState.unread;
      for (const platform of platforms) put(platform, state);
      if (platforms.length === 0) put(NO_PLATFORM, first ? uploadState.conflict : uploadState.kept);
      return { n, outcome: first ? 'conflict' : 'stored' };
    },

    index(items: ReadonlyArray<Bare<IndexedInstance>>): void {
      const touched = new Map<
        string,
        { id: number; facts?: StudyFacts; receivedMs: number; keys: Set<string> } & Flags
      >();
      for (const item of items) {
        const i = row.get(item.n) as
          | { source: number; received_ms: number; state: number; conflict: number | null }
          | undefined;
        if (i?.state !== instanceState.unread) continue;
        const receivedMs = i.received_ms;
        if ('code' in item) {
          unreadable.run(item.code, item.n);
          holdUploads.run(item.code, item.n);
          continue;
        }
        const { facts } = item;
        const mac = vault.mac(imageMacs.study, facts.studyUid);
        const key = mac.toString('latin1');
        let s = touched.get(key);
        if (!s) {
          s = { ...studyIdOf(mac, i.source, receivedMs), receivedMs, keys: new Set() };
          touched.set(key, s);
        }
        const seriesId = seriesIdOf(s.id, facts, receivedMs);
        read.run(s.id, seriesId, facts.instanceNumber ?? null, item.n);
        keptAfterAll.run(item.n);
        keys.add(s.id, { ...facts, accessionNumbers: [facts.accessionNumber, ...item.orders] }, s.keys);
        const together = withInstance(s.facts, facts);
        // The other content of a known instance changes nothing of its study, but that it may be somebody else's.
        s.facts = i.conflict === null || !s.facts ? together : { ...s.facts, contradicts: together.contradicts };
        if (i.conflict === null) {
          arrive.run(s.id, receivedMs, item.clock.stableMs, item.clock.hardCapMs);
          countSeries.run(seriesId);
          if (item.urgent && !s.urgent) {
            s.urgent = 1;
            hurry.run(s.id);
            hurryUploads.run(s.id);
          }
        }
        assign.run(s.withdrawn ? uploadState.withdrawn : uploadState.ready, s.id, s.urgent ? 0 : 1, item.n);
      }
      for (const { id, facts, receivedMs } of touched.values()) {
        if (!facts) continue;
        const { keyId, sealed } = vault.seal('study', id, json(facts), receivedMs);
        sealStudy.run(keyId, sealed, facts.contradicts.length > 0 ? 1 : 0, id);
      }
    },
  };
}

interface Flags {
  urgent: number;
  withdrawn: number;
}
