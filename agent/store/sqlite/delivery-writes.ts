import type { DatabaseSync } from 'node:sqlite';
import type { Vault } from '../../security/vault.ts';
import { lookupKinds, type Operation, type Verdict } from '../contract.ts';
import type { Books } from './books.ts';
import { lookupField, macFields } from './mapping-writes.ts';
import type { Claimed } from './requests.ts';
import { outboxState } from './schema.ts';

interface Head {
  n: number;
  lane: number;
  bytes: number;
}
interface OutboxRow {
  n: number;
  seq: number;
  report: number;
  state: number;
  attempts: number;
  lane: number;
  operation: Operation;
  type: string;
  media: string;
  set_id: string;
  version: number;
  created_ms: number;
  epoch: number;
  nonce: string;
}

/** A platform's own code for a person to look up; anything that could be data from a document is left out. */
const safeCode = (code: string | undefined): string | null =>
  code !== undefined && /^[A-Za-z][\w.:-]{0,39}$/.test(code) && !/\d{6}/.test(code) ? code : null;

/** Claims lane heads and books receipts. In flight is memory only: after a restart everything open is sendable again. */
export function openDeliveryWrites(db: DatabaseSync, vault: Vault, books: Books, agentId: string) {
  // The head of each lane: SQLite takes the other columns from the row that has the minimum. Covered by its index;
  // the outbox is bounded, and so is this scan. ?2: lanes with something in flight, as a JSON array.
  const lanes = `SELECT n, lane, due_ms, bytes, min(pos) FROM outbox WHERE platform=?1 AND state < 2
    AND lane NOT IN (SELECT value FROM json_each(?2)) GROUP BY lane`;
  const dueHeads = db.prepare(`SELECT n, lane, bytes FROM (${lanes}) WHERE due_ms <= ?3 ORDER BY n LIMIT ?4`);
  const nextDue = db.prepare(`SELECT min(due_ms) AS due FROM (${lanes})`);
  const row = db.prepare(`SELECT o.*, e.nonce FROM outbox o JOIN epoch e ON e.id = o.epoch WHERE o.n=?`);
  const attempt = db.prepare('UPDATE outbox SET attempts = attempts + 1, may_hold = 1 WHERE n=?');
  const finish = db.prepare('UPDATE outbox SET state=?, code=?, place=?, done_ms=?, may_hold=? WHERE n=?');
  const again = db.prepare('UPDATE outbox SET state=?, due_ms=?, code=? WHERE n=?');
  // What came after a retraction is a new beginning and does not wait for what was refused before it.
  const laterOfReport = db.prepare(
    `SELECT n, seq FROM outbox WHERE platform=?1 AND report=?2 AND n>?3 AND state=${outboxState.ready}
     AND n < ifnull((SELECT min(n) FROM outbox WHERE platform=?1 AND report=?2 AND n>?3 AND operation='retract'), 9e15)`,
  );
  const putReceipt = db.prepare('INSERT OR REPLACE INTO receipt(n, key_id, sealed) VALUES(?,?,?)');
  const insertLookup = db.prepare('INSERT OR IGNORE INTO lookup(kind, mac, seq) VALUES(?,?,?)');

  const stateOf = db.prepare('SELECT state FROM outbox WHERE n=?');
  const retraction = db.prepare(
    "SELECT seq FROM outbox WHERE platform=? AND report=? AND n>? AND operation='retract' ORDER BY n LIMIT 1",
  );
  const cancel = db.prepare(`UPDATE outbox SET state=${outboxState.cancelled}, by_seq=?, done_ms=? WHERE n=?`);
  const withdrawn = (platform: number, r: OutboxRow): number | undefined =>
    r.operation === 'retract'
      ? undefined
      : (retraction.get(platform, r.report, r.n) as { seq: number } | undefined)?.seq;

  /** Settled in the open transaction: they leave the flight when it holds. */
  let landed: Array<{ platform: number; n: number }> = [];
  /** Claims of the open transaction: undone with it. */
  let staged: Array<{ platform: number; claimed: number[] }> = [];
  /** n → lane of what was claimed and not settled, by platform. */
  const inFlight = new Map<number, Map<number, number>>();
  const flightOf = (platform: number): Map<number, number> => {
    let flight = inFlight.get(platform);
    if (!flight) {
      flight = new Map();
      inFlight.set(platform, flight);
    }
    return flight;
  };

  const busy = (platform: number): string => JSON.stringify([...new Set(flightOf(platform).values())]);

  return {
    claim(platform: number, max: number, maxBytes: number, nowMs: number): Claimed[] {
      const due = dueHeads.all(platform, busy(platform), Math.floor(nowMs), max) as unknown as Head[];
      const claimed: Claimed[] = [];
      let bytes = 0;
      for (const head of due) {
        if (claimed.length >= max || (claimed.length > 0 && bytes + head.bytes > maxBytes)) break;
        bytes += head.bytes;
        const r = row.get(head.n) as unknown as OutboxRow;
        const received = r.state === outboxState.received;
        if (!received) attempt.run(head.n);
        claimed.push({
          n: r.n,
          key: `${agentId}-${r.epoch}.${r.nonce}-${r.n}`,
          operation: r.operation,
          type: r.type,
          mediaType: r.media,
          setId: r.set_id,
          version: r.version,
          lane: vault.mac(macFields.lane, String(r.lane)).toString('hex'),
          attempt: r.attempts + (received ? 0 : 1),
          createdMs: r.created_ms,
          received,
        });
      }
      staged.push({ platform, claimed: claimed.map((c) => c.n) });
      for (const c of claimed) {
        const lane = due.find((h) => h.n === c.n)?.lane;
        if (lane !== undefined) flightOf(platform).set(c.n, lane);
      }
      return claimed;
    },

    settle(platform: number, verdicts: Verdict[], nowMs: number): void {
      for (const v of verdicts) {
        landed.push({ platform, n: v.n });
        const r = row.get(v.n) as unknown as OutboxRow | undefined;
        if (!r) continue;
        const touched = [r.seq];
        if ((v.outcome === 'accepted' || v.outcome === 'received') && v.receipt !== undefined) {
          const { keyId, sealed } = vault.seal('receipt', v.n, Buffer.from(v.receipt), nowMs);
          putReceipt.run(v.n, keyId, sealed);
          insertLookup.run(lookupKinds.indexOf('receipt'), vault.mac(lookupField('receipt'), v.receipt), r.seq);
        }
        // Withdrawn while it was on the wire: its retraction follows it, whatever became of it.
        // And a verdict that comes twice, or late, never reopens what is settled.
        if (r.state >= outboxState.accepted) continue;
        switch (v.outcome) {
          case 'accepted':
            finish.run(outboxState.accepted, null, null, nowMs, 1, v.n);
            break;
          case 'received':
            again.run(outboxState.received, Math.ceil(v.retryAtMs), null, v.n);
            break;
          case 'refused': {
            // A refusal of the first attempt is the platform's word that it has nothing; later ones leave it open.
            finish.run(outboxState.refused, v.code, safeCode(v.platformCode), nowMs, r.attempts > 1 ? 1 : 0, v.n);
            for (const later of laterOfReport.all(platform, r.report, v.n) as unknown as Array<{
              n: number;
              seq: number;
            }>) {
              again.run(outboxState.behind, 0, 'PLT-1305', later.n);
              touched.push(later.seq);
            }
            break;
          }
          case 'retry': {
            const by = withdrawn(platform, r);
            // Withdrawn meanwhile: never sent again, its retraction follows.
            if (by !== undefined) cancel.run(by, nowMs, v.n);
            else again.run(outboxState.ready, Math.ceil(v.retryAtMs), v.code, v.n);
            break;
          }
          case 'wait-for-parent':
            again.run(outboxState.ready, Math.ceil(v.retryAtMs), 'PLT-1309', v.n);
            break;
        }
        for (const seq of touched) books.settle(seq, nowMs);
      }
    },

    nextDue(platform: number): number | undefined {
      return (nextDue.get(platform, busy(platform)) as { due: number | null }).due ?? undefined;
    },

    /** Those of the given documents that are withdrawn by now and must not be sent. */
    withdrawn(numbers: number[]): number[] {
      return numbers.filter((n) => (stateOf.get(n) as { state: number } | undefined)?.state === outboxState.cancelled);
    },

    committed(): void {
      for (const { platform, n } of landed) flightOf(platform).delete(n);
      landed = [];
      staged = [];
    },
    rolledBack(): void {
      landed = [];
      for (const s of staged) for (const n of s.claimed) flightOf(s.platform).delete(n);
      staged = [];
    },
  };
}
