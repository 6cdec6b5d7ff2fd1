import type { DatabaseSync } from 'node:sqlite';
import type { SeriesFacts, StudyFacts } from '../../../images/study-facts.ts';
import type { Vault } from '../../../security/vault.ts';
import { bare } from '../../../support/bare.ts';
import { codeOf } from '../../../support/errors.ts';
import { phi } from '../../../support/phi.ts';
import type { Asker } from '../../../support/thread.ts';
import { type DamagedInstance, type IndexingStore, mostSeries, type StudyToIssue } from '../../image-contract.ts';
import type { WriteRequest, WriteResults } from '../requests.ts';
import { instanceState } from '../schema.ts';
import type { SealedInstance } from './image-writes.ts';

/** No study is due later than this from now; where one is, the clock was set back. */
const FURTHEST_MS = 24 * 3_600_000;

interface StudyRow {
  id: number;
  source: string;
  revision: number;
  issue: number;
  instances: number;
  withdrawn: number;
  key_id: number;
  sealed: Uint8Array;
}

/** The store as indexing and study assembly see it, on the connection of whoever runs them. */
export function openImageView(db: DatabaseSync, vault: Vault, write: Asker<WriteRequest>): IndexingStore {
  const unread = db.prepare(`SELECT i.n, n.name AS source, i.received_ms, i.file, i.bytes, s.key_id, s.sealed
    FROM instance i JOIN name n ON n.id = i.source LEFT JOIN instance_sealed s ON s.n = i.n
    WHERE i.state=${instanceState.unread} AND i.n > ? ORDER BY i.n LIMIT ?`);
  const oldestUnread = db.prepare(
    `SELECT received_ms AS ms FROM instance WHERE state=${instanceState.unread} ORDER BY n LIMIT 1`,
  );
  const due = (when: string) =>
    db.prepare(`SELECT s.id, n.name AS source, s.revision, s.issue, s.instances, s.withdrawn, s.key_id, s.sealed
    FROM study s JOIN name n ON n.id = s.source WHERE s.due_ms ${when} ? ORDER BY s.due_ms LIMIT ?`);
  const [dueBefore, dueAfter] = [due('<='), due('>')];
  const seriesOf = db.prepare('SELECT id, instances, key_id, sealed FROM series WHERE study=? ORDER BY mac LIMIT ?');
  const seriesCount = db.prepare('SELECT count(*) AS n FROM series WHERE study=?');

  function studyToIssue(r: StudyRow): StudyToIssue | { study: number; damaged: true } {
    try {
      const facts = JSON.parse(vault.open('study', r.id, r.key_id, r.sealed).toString('utf8')) as StudyFacts;
      const rows = seriesOf.all(r.id, mostSeries) as unknown as Array<Omit<StudyRow, 'source'>>;
      const series = rows.map(({ id, instances, key_id, sealed }) => {
        const text = vault.open('series', id, key_id, sealed).toString('utf8');
        return { instances, facts: phi(JSON.parse(text) as SeriesFacts) };
      });
      return {
        study: r.id,
        source: r.source,
        issue: r.issue + 1,
        revision: r.revision,
        withdrawn: r.withdrawn === 1,
        instances: r.instances,
        facts: phi(facts),
        series,
        seriesInAll: (seriesCount.get(r.id) as { n: number }).n,
      };
    } catch {
      return { study: r.id, damaged: true };
    }
  }

  return {
    unindexed(max, after = 0) {
      const rows = unread.all(after, max) as unknown as Array<{
        n: number;
        source: string;
        received_ms: number;
        file: string;
        bytes: number;
        key_id: number | null;
        sealed: Uint8Array | null;
      }>;
      return rows.map((r) => {
        try {
          if (r.key_id === null || r.sealed === null) return { n: r.n, damaged: 'QUE-4003' };
          const text = vault.open('instance', r.n, r.key_id, r.sealed).toString('utf8');
          const { sopInstanceUid, key } = JSON.parse(text) as SealedInstance;
          return {
            n: r.n,
            source: r.source,
            receivedMs: r.received_ms,
            sopInstanceUid: phi(sopInstanceUid),
            file: { name: r.file, key: Buffer.from(key, 'base64'), bytes: r.bytes },
          };
        } catch (error) {
          return { n: r.n, damaged: codeOf(error, 'QUE-4003') } satisfies DamagedInstance;
        }
      });
    },
    async commitIndex(items) {
      await write.ask({ op: 'index-instances', items: items.map(bare) });
    },
    dueStudies(nowMs, max) {
      const now = Math.floor(nowMs);
      // What came before a study's time and was not read yet may be of it.
      const unreadSince = (oldestUnread.get() as { ms: number } | undefined)?.ms ?? now;
      const rows = dueBefore.all(Math.min(now, unreadSince), max) as unknown as StudyRow[];
      if (rows.length < max) {
        rows.push(...(dueAfter.all(now + FURTHEST_MS, max - rows.length) as unknown as StudyRow[]));
      }
      return rows.map(studyToIssue);
    },
    async issueStudy({ study, issue, revision, manifest }) {
      const request = { op: 'study-issued', study, issue, revision, manifest } as const;
      return (await write.ask(request)) as WriteResults['study-issued'];
    },
    async setStudyAside(study) {
      await write.ask({ op: 'study-aside', study });
    },
  };
}
