import type { DatabaseSync } from 'node:sqlite';
import { pack, type Vault } from '../../../security/vault.ts';
import type { Accepted, Incoming } from '../../contract.ts';
import { damage, sqliteCode } from '../open.ts';
import { makeRetransmissionRing, RETRANSMISSION_WINDOW, type RetransmissionRing } from './retransmission-ring.ts';

export interface IntakeWrites {
  /**
   * Writes one message, or finds it stored already among the last of its source, or of the one it continues. What was
   * sent under the other name and made nothing there is new: it was sent again to be read by other rules. Call inside a
   * transaction.
   */
  accept(message: Incoming, sourceId: number, continuesId?: number): Accepted;
  /** The transaction is durable: what it staged is now remembered. */
  committed(): void;
  /** The transaction is gone: so is what it staged. */
  rolledBack(): void;
  lastSeq(): number;
}

/**
 * The one place where a message enters. `seq` follows the order of calls. Control ids and contents are
 * compared as MACs held in memory, which the ring table rebuilds with the first message of a source; nothing else is
 * indexed before the ack.
 */
export function openIntakeWrites(
  db: DatabaseSync,
  vault: Vault,
  dayOf: (ms: number) => number,
  floorSeq: number,
): IntakeWrites {
  const highest = (db.prepare('SELECT max(seq) AS s FROM message').get() as { s: number | null }).s ?? 0;
  // A number that was ever given out is not given out again, even when the tail was lost.
  let seq = Math.max(highest, floorSeq);
  let seqBefore = seq;

  const readRing = db.prepare('SELECT slot, seq, control, content FROM retransmission WHERE source=? ORDER BY seq');
  readRing.setReturnArrays(true);
  const rings = new Map<number, RetransmissionRing>();
  // Read when it is first needed: senders that wait after a start are not made to wait for the rings of all sources.
  const ringOf = (source: number): RetransmissionRing => {
    let ring = rings.get(source);
    if (ring) return ring;
    ring = makeRetransmissionRing();
    try {
      for (const row of readRing.iterate(source)) {
        const [slot, seq, control, content] = row as unknown as [number, number, Uint8Array, Uint8Array];
        if (slot < 0 || slot >= RETRANSMISSION_WINDOW) continue;
        ring.put(slot, seq, control, content);
        ring.next = (slot + 1) % RETRANSMISSION_WINDOW;
      }
    } catch (error) {
      // No trouble of this message: what is stored does not read as it was written.
      throw sqliteCode(error) === undefined ? damage() : error;
    }
    rings.set(source, ring);
    return ring;
  };

  // What the open transaction holds: a duplicate may arrive while the first is still being written.
  let staged: Array<{ ring: RetransmissionRing; slot: number; seq: number; control: Uint8Array; content: Uint8Array }> =
    [];
  const stagedContents = new Map<string, number>();
  const stagedControls = new Set<string>();
  const unstage = () => {
    staged = [];
    stagedContents.clear();
    stagedControls.clear();
  };

  const insertMessage = db.prepare('INSERT INTO message(seq, source, received_ms, day, bytes) VALUES(?,?,?,?,?)');
  const insertBody = db.prepare('INSERT INTO body(seq, key_id, sealed) VALUES(?,?,?)');
  const putRing = db.prepare(
    'INSERT OR REPLACE INTO retransmission(source, slot, seq, control, content) VALUES(?,?,?,?,?)',
  );
  const count =
    db.prepare(`INSERT INTO intake_day(day, source, messages, bytes, retransmissions, last_ms) VALUES(?,?,?,?,?,?)
    ON CONFLICT DO UPDATE SET messages = messages + excluded.messages, bytes = bytes + excluded.bytes,
    retransmissions = retransmissions + excluded.retransmissions, last_ms = excluded.last_ms`);

  const madeNothing = db.prepare(`SELECT 1 FROM message m JOIN part p ON p.seq = m.seq
    WHERE m.seq = ? AND m.source <> ? AND p.state IN ('filtered', 'quarantined') LIMIT 1`);

  return {
    accept(message, source, continues = source) {
      const ring = ringOf(continues);
      const contentMac = vault.mac('content', message.bytes);
      const content = contentMac.toString('latin1');
      const controlMac =
        message.controlId.length === 0 ? Buffer.alloc(0) : vault.mac('control-seen', message.controlId);
      const control = controlMac.toString('latin1');
      const day = dayOf(message.receivedMs);

      const known = stagedContents.get(`${continues} ${content}`) ?? ring.seqOf(contentMac);
      if (known !== undefined && !(continues !== source && madeNothing.get(known, source))) {
        count.run(day, source, 0, 0, 1, message.receivedMs);
        return { seq: known, outcome: 'retransmission', controlIdReused: false };
      }
      const reused =
        known === undefined &&
        control !== '' &&
        (ring.hasControl(controlMac) || stagedControls.has(`${continues} ${control}`));

      seq += 1;
      const { keyId, sealed } = vault.seal('body', seq, pack(message.bytes), message.receivedMs);
      insertMessage.run(seq, source, message.receivedMs, day, message.bytes.length);
      insertBody.run(seq, keyId, sealed);
      const slot = ring.next;
      ring.next = (slot + 1) % RETRANSMISSION_WINDOW;
      putRing.run(continues, slot, seq, controlMac, contentMac);
      count.run(day, source, 1, message.bytes.length, 0, message.receivedMs);
      staged.push({ ring, slot, seq, control: controlMac, content: contentMac });
      stagedContents.set(`${continues} ${content}`, seq);
      if (control !== '') stagedControls.add(`${continues} ${control}`);
      return { seq, outcome: 'stored', controlIdReused: reused };
    },
    committed() {
      for (const s of staged) s.ring.put(s.slot, s.seq, s.control, s.content);
      unstage();
      seqBefore = seq;
    },
    rolledBack() {
      for (const { ring, slot } of staged.reverse()) ring.next = slot;
      unstage();
      seq = seqBefore;
    },
    lastSeq: () => seq,
  };
}
