import type { DatabaseSync } from 'node:sqlite';
import { pack, type Vault } from '../../../security/vault.ts';
import { lookupKinds, type Operation, type Verdict } from '../../contract.ts';
import type { Books } from '../books.ts';
import { openAside } from '../outbox-aside.ts';
import type { Claimed } from '../requests.ts';
import { mayHold, outboxState } from '../schema.ts';
import { lookupField, macFields } from './mapping-writes.ts';
import { retractionAfter } from './rendering-writes.ts';

interface Head {
  n: number;
  lane: number;
  bytes: number;
}
/** Heads found by one scan, which costs a pass over all that is open: enough for many claims. */
const HEADS = 256;
interface OutboxRow {
  n: number;
  jseq: number;
  seq: number;
  report: number;
  state: number;
  attempts: number;
  may_hold: number;
  due_ms: number;
  lane: number;
  operation: Operation;
  type: string;
  media: string;
  set_id: string;
  version: number;
  created_ms: number;
  since_parent_ms: number | null;
  epoch: number;
  nonce: string;
}

/** A platform's own code for a person to look up; anything that could be data from a document is left out. */
const safeCode = (code: string | undefined): string | null =>
  code !== undefined && /^[A-Za-z][\w.:-]{0,39}$/.test(code) && !/\d{6}/.test(code) ? code : null;

/** The cursor row that counts attempts ever begun. */
export const CLAIMS = 'claims';

/** Claims lane heads and books receipts. In flight is memory only: after a restart everything open is sendable again. */
export function openDeliveryWrites(db: DatabaseSync, vault: Vault, books: Books, agentId: string) {
  // The head of each lane: SQLite takes the other columns from the row that has the minimum. Covered by its index;
  // the outbox is bounded, and so is this scan. ?2: lanes with something in flight, as a JSON array.
  const free = 'lane NOT IN (SELECT value FROM json_each(?2))';
  const lanes = `SELECT n, lane, due_ms, bytes, min(pos) FROM outbox WHERE platform=?1 AND state < 2
    AND state >= ${outboxState.ready} AND ${free} GROUP BY lane`;
  const dueHeads = db.prepare(`SELECT n, lane, bytes FROM (${lanes}) WHERE due_ms <= ?3 ORDER BY n LIMIT ?4`);
  const nextDue = db.prepare(`SELECT min(due_ms) AS due FROM (SELECT due_ms FROM (${lanes}) UNION ALL
    SELECT min(due_ms) FROM outbox WHERE platform=?1 AND state=${outboxState.parent} AND ${free})`);
  const row = db.prepare(`SELECT o.*, e.nonce FROM outbox o JOIN epoch e ON e.id = o.epoch WHERE o.n=?`);
  const attempt = db.prepare(`UPDATE outbox SET attempts = attempts + 1,
    may_hold = CASE may_hold WHEN ${mayHold.no} THEN ${mayHold.sentBack} ELSE ${mayHold.yes} END WHERE n=?`);
  const countAttempts = db.prepare(
    `INSERT INTO cursor(stage, at) VALUES('${CLAIMS}', ?1) ON CONFLICT DO UPDATE SET at = at + ?1 RETURNING at`,
  );
  let durable = (
    db.prepare(`SELECT ifnull(max(at),0) AS at FROM cursor WHERE stage='${CLAIMS}'`).get() as { at: number }
  ).at;
  let claims = durable;
  const finish = db.prepare('UPDATE outbox SET state=?, code=?, place=?, done_ms=?, may_hold=? WHERE n=?');
  const again = db.prepare('UPDATE outbox SET state=?, due_ms=?, code=? WHERE n=?');
  // What came after a retraction is a new beginning and does not wait for what was refused before it.
  const laterOfReport = db.prepare(
    `SELECT n, seq FROM outbox WHERE platform=?1 AND report=?2 AND n>?3 AND state<=${outboxState.ready}
     AND n < ifnull((SELECT min(n) FROM outbox WHERE platform=?1 AND report=?2 AND n>?3 AND operation='retract'), 9e15)`,
  );
  const putReceipt = db.prepare('INSERT OR REPLACE INTO receipt(n, key_id, sealed) VALUES(?,?,?)');
  const insertLookup = db.prepare('INSERT OR IGNORE INTO lookup(kind, mac, seq) VALUES(?,?,?)');

  const holdsNothing = db.prepare(`UPDATE outbox SET may_hold=${mayHold.no} WHERE n=?`);
  const holdsIt = db.prepare(`UPDATE outbox SET may_hold=${mayHold.yes} WHERE n=?`);
  // Issued again under another number, as after a merge: what never reached the platform needs not go out before it.
  const issuedElsewhere = db.prepare(
    `SELECT seq FROM outbox WHERE report=? AND platform=? AND n>? AND lane<>? AND operation<>'retract'
     AND state=${outboxState.after} ORDER BY n LIMIT 1`,
  );
  const replace = db.prepare(
    `UPDATE outbox SET state=${outboxState.cancelled}, by_seq=?, done_ms=?, rule='replaced' WHERE n=?`,
  );

  const stateOf = db.prepare('SELECT state FROM outbox WHERE n=?');
  const retraction = db.prepare(retractionAfter);
  const cancel = db.prepare(
    `UPDATE outbox SET state=${outboxState.cancelled}, by_seq=?, done_ms=?, may_hold=? WHERE n=?`,
  );
  const withdrawn = (r: OutboxRow): number | undefined =>
    r.operation === 'retract' ? undefined : (retraction.get(r.report, r.jseq) as { seq: number } | undefined)?.seq;

  /** Settled in the open transaction: they leave the flight when it holds. */
  let landed: Array<{ platform: number; n: number }> = [];
  /** Claims of the open transaction: undone with it. */
  let staged: Array<{ platform: number; claimed: Claimed[] }> = [];
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

  /** Lane heads by platform, the next one last: valid until something but an acceptance happens to a lane. */
  const known = new Map<number, Head[]>();
  const inLane = (flight: Map<number, number>, lane: number): boolean => {
    for (const other of flight.values()) if (other === lane) return true;
    return false;
  };

  /** Numbers whose verdicts are being written. */
  let landing = new Set<number>();
  const onWire = (platform: number, n: number): boolean =>
    flightOf(platform).has(n) && !landing.has(n) && !landed.some((l) => l.n === n);
  const aside = openAside(db, onWire, () => known.clear());
  db.exec('BEGIN IMMEDIATE');
  aside.started();
  db.exec('COMMIT');

  const busy = (platform: number): string => JSON.stringify([...new Set(flightOf(platform).values())]);

  return {
    claim(platform: number, max: number, maxBytes: number, nowMs: number): Claimed[] {
      const flight = flightOf(platform);
      const claimed: Claimed[] = [];
      staged.push({ platform, claimed });
      aside.unparkDue(platform, Math.floor(nowMs));
      let bytes = 0;
      let scanned = false;
      while (claimed.length < max) {
        let heads = known.get(platform) ?? [];
        if (heads.length === 0) {
          if (scanned) break;
          scanned = true;
          heads = dueHeads.all(platform, busy(platform), Math.floor(nowMs), Math.max(max, HEADS)) as unknown as Head[];
          known.set(platform, heads.reverse());
          if (heads.length === 0) break;
        }
        const head = heads.at(-1) as Head;
        if (claimed.length > 0 && bytes + head.bytes > maxBytes) break;
        heads.pop();
        const r = row.get(head.n) as unknown as OutboxRow;
        // Since the scan it may have been withdrawn or set aside, or another of its lane have gone out.
        if (
          r.state < outboxState.ready ||
          r.state >= outboxState.accepted ||
          r.due_ms > nowMs ||
          inLane(flight, head.lane)
        )
          continue;
        bytes += head.bytes;
        const received = r.state === outboxState.received;
        if (!received) attempt.run(head.n);
        flight.set(r.n, r.lane);
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
          ...(r.since_parent_ms !== null && { parentSinceMs: r.since_parent_ms }),
        });
      }
      const attempts = claimed.filter((c) => !c.received).length;
      if (attempts > 0) claims = (countAttempts.get(attempts) as { at: number }).at;
      return claimed;
    },

    /** The order within some lane changed, by a retraction that takes another's place: heads are looked for anew. */
    reordered(): void {
      known.clear();
    },
    /** Documents that stand aside of their lane. */
    aside,

    settle(platform: number, verdicts: Verdict[], nowMs: number): void {
      landing = new Set(verdicts.map(({ n }) => n));
      try {
        for (const v of verdicts) settleOne(platform, v, nowMs);
        for (const { n } of verdicts) aside.left(n);
      } finally {
        landing = new Set();
      }
      // Last: a verdict that cannot be written takes all of them back, and what was claimed stays claimed.
      for (const { n } of verdicts) landed.push({ platform, n });
    },

    nextDue(platform: number): number | undefined {
      return (nextDue.get(platform, busy(platform)) as { due: number | null }).due ?? undefined;
    },

    /** Those of the given documents that are withdrawn by now and must not be sent. */
    withdrawn(numbers: number[]): number[] {
      return numbers.filter((n) => (stateOf.get(n) as { state: number } | undefined)?.state === outboxState.cancelled);
    },

    /** Attempts ever begun, of the last transaction that holds. */
    claims: () => claims,

    committed(): void {
      durable = claims;
      for (const { platform, n } of landed) flightOf(platform).delete(n);
      landed = [];
      staged = [];
    },
    rolledBack(): void {
      claims = durable;
      known.clear();
      landed = [];
      for (const s of staged) for (const { n } of s.claimed) flightOf(s.platform).delete(n);
      staged = [];
    },
  };

  function settleOne(platform: number, v: Verdict, nowMs: number): void {
    const r = row.get(v.n) as unknown as OutboxRow | undefined;
    if (!r) return;
    const touched = [r.seq];
    if ((v.outcome === 'accepted' || v.outcome === 'received') && v.receipt !== undefined) {
      const { keyId, sealed } = vault.seal('receipt', v.n, pack(Buffer.from(v.receipt)), nowMs);
      putReceipt.run(v.n, keyId, sealed);
      insertLookup.run(lookupKinds.indexOf('receipt'), vault.mac(lookupField('receipt'), v.receipt), r.seq);
    }
    // Withdrawn while it was on the wire: its retraction follows it, whatever became of it.
    // And a verdict that comes twice, or late, never reopens what is settled.
    if (r.state >= outboxState.accepted) return;
    if (v.outcome !== 'accepted') known.clear();
    switch (v.outcome) {
      case 'accepted':
        finish.run(outboxState.accepted, null, null, nowMs, mayHold.yes, v.n);
        aside.unparkLane(platform, r.lane);
        break;
      case 'received':
        again.run(outboxState.received, Math.ceil(v.retryAtMs), null, v.n);
        // Said after all of what it had sent back: it has it.
        if (r.may_hold === mayHold.no) holdsIt.run(v.n);
        break;
      case 'refused': {
        // A refusal of the first attempt is the platform's word that it has nothing; later ones leave it open.
        const holds = r.may_hold === mayHold.yes ? mayHold.yes : mayHold.no;
        const by = withdrawn(r);
        if (by !== undefined) {
          // Nobody needs to mend what is withdrawn, and what was issued anew does not wait for it.
          cancel.run(by, nowMs, holds, v.n);
          break;
        }
        finish.run(outboxState.refused, v.code, safeCode(v.platformCode), nowMs, holds, v.n);
        for (const later of laterOfReport.all(platform, r.report, v.n) as unknown as Array<{
          n: number;
          seq: number;
        }>) {
          again.run(outboxState.behind, 0, 'PLT-1305', later.n);
          touched.push(later.seq);
        }
        break;
      }
      case 'retry':
      case 'wait-for-parent': {
        const by = withdrawn(r);
        // Withdrawn meanwhile: never sent again, its retraction follows.
        if (by !== undefined) cancel.run(by, nowMs, r.may_hold, v.n);
        else if (v.outcome === 'retry') again.run(outboxState.ready, Math.ceil(v.retryAtMs), v.code, v.n);
        else sendBack(platform, r, v, nowMs);
        break;
      }
    }
    for (const seq of touched) books.settle(seq, nowMs);
  }

  /** The platform wants its parent first: it has not taken it. */
  function sendBack(platform: number, r: OutboxRow, v: { n: number; retryAtMs: number }, nowMs: number): void {
    // Of what it said `received` to nobody knows what it kept.
    if (r.state !== outboxState.received && r.may_hold === mayHold.sentBack) {
      holdsNothing.run(v.n);
      const later = issuedElsewhere.get(r.report, platform, v.n, r.lane) as { seq: number } | undefined;
      if (later && r.operation !== 'retract') {
        replace.run(later.seq, nowMs, v.n);
        return;
      }
    }
    aside.park({ ...r, platform }, Math.ceil(v.retryAtMs), nowMs);
  }
}
