import type { DatabaseSync } from 'node:sqlite';
import { pack, type Vault } from '../../security/vault.ts';
import type { Accepted, Incoming } from '../contract.ts';

/**
 * How many of the last messages of a source are remembered to recognise a retransmission: more than one frame can hold (a
 * batch of 10,000), for a sender that got no answer repeats all of it.
 */
export const RETRANSMISSION_WINDOW = 12_288;

interface Remembered {
  seq: number;
  content: string;
  control: string;
}

export interface IntakeWrites {
  /**
   * Writes one message, or finds it stored already among the last of its source, or of the one it continues. Call inside a
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
 * compared as MACs held in memory, which the ring table rebuilds at start; nothing else is indexed
 * before the ack.
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

  const bySource = new Map<
    number,
    { next: number; ring: Remembered[]; contents: Map<string, number>; controls: Map<string, string> }
  >();
  const memoryOf = (source: number) => {
    let memory = bySource.get(source);
    if (!memory) {
      memory = { next: 0, ring: [], contents: new Map(), controls: new Map() };
      bySource.set(source, memory);
    }
    return memory;
  };
  const remember = (source: number, slot: number, entry: Remembered) => {
    const memory = memoryOf(source);
    const old = memory.ring[slot];
    if (old) {
      if (memory.contents.get(old.content) === old.seq) memory.contents.delete(old.content);
      if (memory.controls.get(old.control) === old.content) memory.controls.delete(old.control);
    }
    memory.ring[slot] = entry;
    memory.contents.set(entry.content, entry.seq);
    if (entry.control !== '') memory.controls.set(entry.control, entry.content);
  };
  for (const row of db
    .prepare('SELECT source, slot, seq, control, content FROM retransmission ORDER BY seq')
    .iterate()) {
    const r = row as unknown as { source: number; slot: number; seq: number; control: Uint8Array; content: Uint8Array };
    remember(r.source, r.slot, {
      seq: r.seq,
      content: Buffer.from(r.content).toString('latin1'),
      control: Buffer.from(r.control).toString('latin1'),
    });
    memoryOf(r.source).next = (r.slot + 1) % RETRANSMISSION_WINDOW;
  }

  // What the open transaction holds: a duplicate may arrive while the first is still being written.
  let staged: Array<{ source: number; slot: number; entry: Remembered }> = [];
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

  return {
    accept(message, source, continues = source) {
      const memory = memoryOf(continues);
      const contentMac = vault.mac('content', message.bytes);
      const content = contentMac.toString('latin1');
      const controlMac =
        message.controlId.length === 0 ? Buffer.alloc(0) : vault.mac('control-seen', message.controlId);
      const control = controlMac.toString('latin1');
      const day = dayOf(message.receivedMs);

      const known = stagedContents.get(`${continues} ${content}`) ?? memory.contents.get(content);
      if (known !== undefined) {
        count.run(day, source, 0, 0, 1, message.receivedMs);
        return { seq: known, outcome: 'retransmission', controlIdReused: false };
      }
      const reused = control !== '' && (memory.controls.has(control) || stagedControls.has(`${continues} ${control}`));

      seq += 1;
      const { keyId, sealed } = vault.seal('body', seq, pack(message.bytes), message.receivedMs);
      insertMessage.run(seq, source, message.receivedMs, day, message.bytes.length);
      insertBody.run(seq, keyId, sealed);
      const slot = memory.next;
      memory.next = (slot + 1) % RETRANSMISSION_WINDOW;
      putRing.run(continues, slot, seq, controlMac, contentMac);
      count.run(day, source, 1, message.bytes.length, 0, message.receivedMs);
      staged.push({ source: continues, slot, entry: { seq, content, control } });
      stagedContents.set(`${continues} ${content}`, seq);
      if (control !== '') stagedControls.add(`${continues} ${control}`);
      return { seq, outcome: 'stored', controlIdReused: reused };
    },
    committed() {
      for (const s of staged) remember(s.source, s.slot, s.entry);
      unstage();
      seqBefore = seq;
    },
    rolledBack() {
      for (const s of staged.reverse()) memoryOf(s.source).next = s.slot;
      unstage();
      seq = seqBefore;
    },
    lastSeq: () => seq,
  };
}
