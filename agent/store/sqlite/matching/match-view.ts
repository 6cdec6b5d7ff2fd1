import type { DatabaseSync } from 'node:sqlite';
import type { Vault } from '../../../security/vault.ts';
import { bare } from '../../../support/bare.ts';
import { phi } from '../../../support/phi.ts';
import type { Asker } from '../../../support/thread.ts';
import type { EntryToMatch, MatchingStore, MatchKind } from '../../match-contract.ts';
import { openStored } from '../open-bodies.ts';
import type { WriteRequest } from '../requests.ts';
import { MATCHING, MATCHING_RULES } from './match-keys.ts';

interface Row {
  jseq: number;
  seq: number;
  action: EntryToMatch['action'];
  kind: MatchKind;
  report: number;
  lane: number;
  received_ms: number;
}

/** The store as matching sees it, on the connection of whoever runs it. */
export function openMatchView(db: DatabaseSync, vault: Vault, write: Asker<WriteRequest>): MatchingStore {
  const stored = openStored(db, vault);
  const cursor = db.prepare('SELECT at FROM cursor WHERE stage=?');
  // The words of journal_match: without its index every turn would walk over all the laboratory's entries.
  const entries = db.prepare(`SELECT j.jseq, j.seq, j.action, j.kind, j.report, j.lane, m.received_ms
    FROM journal j INDEXED BY journal_match JOIN message m ON m.seq = j.seq
    WHERE j.jseq > ? AND j.kind IN ('exam-report', 'imaging-study') ORDER BY j.jseq LIMIT ?`);
  const at = (stage: string): number | undefined => (cursor.get(stage) as { at: number } | undefined)?.at;
  return {
    *toMatch(revision, count) {
      const from = at(MATCHING_RULES) === revision ? (at(MATCHING) ?? 0) : 0;
      for (const r of entries.all(from, count) as unknown as Row[]) {
        yield {
          jseq: r.jseq,
          seq: r.seq,
          record: r.report,
          kind: r.kind,
          action: r.action,
          lane: r.lane,
          receivedMs: r.received_ms,
          content: phi(r.action === 'retract' ? '' : stored.record(r.jseq)),
        };
      }
    },
    async commitMatching(revision, matched) {
      await write.ask({ op: 'match', revision, entries: matched.map(bare) });
    },
  };
}
