import { createHash, randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { PatientState } from '../../clinical/patients/types.ts';
import type { ReportState } from '../../clinical/reports/types.ts';
import { createVault, pack, type Vault, type WrappedKey } from '../../security/vault.ts';
import { type Phi, phi } from '../../support/phi.ts';
import type { DamagedMessage, InboxMessage } from '../contract.ts';
import { openForReading } from './open.ts';
import { unpackDocument } from './requests.ts';
import { type MessageRow, messageColumns, openStored } from './stored.ts';

/** One entry of the journal as it was made. */
export interface MadeEntry {
  jseq: number;
  seq: number;
  action: 'publish' | 'retract';
  setId: string;
  version: number;
  /** Empty when damaged. */
  content: Phi<string>;
}

/** A store as a replay reads it: beside a running agent, changing nothing. */
export interface ReplayView {
  /** Messages that were mapped, in order of arrival. */
  messages(): Iterable<InboxMessage | DamagedMessage>;
  message(seq: number): InboxMessage | DamagedMessage | undefined;
  /** In the order in which they were made. */
  journal(): Iterable<MadeEntry>;
  /** What was made of an entry for a platform; undefined when no document was. */
  document(platform: string, jseq: number): Phi<Uint8Array> | undefined;
  close(): void;
}

const PAGE = 500;

interface EntryRow {
  jseq: number;
  seq: number;
  action: 'publish' | 'retract';
  set_id: string;
  version: number;
}

export function openReplayView(folder: string, keyReference: string): ReplayView {
  const { db, vault, close } = openForReading(folder, keyReference);
  const through = (db.prepare("SELECT at FROM cursor WHERE stage='mapping'").get() as { at: number } | undefined)?.at;
  const last = (db.prepare('SELECT max(jseq) AS j FROM journal').get() as { j: number | null }).j ?? 0;
  const stored = openStored(db, vault);
  const page = db.prepare(`${messageColumns} WHERE m.seq > ? AND m.seq <= ? ORDER BY m.seq LIMIT ${PAGE}`);
  const one = db.prepare(`${messageColumns} WHERE m.seq = ?`);
  const entries = db.prepare(
    `SELECT jseq, seq, action, set_id, version FROM journal WHERE jseq > ? AND jseq <= ? ORDER BY jseq LIMIT ${PAGE}`,
  );
  const document = db.prepare(`SELECT d.n, d.key_id, d.sealed FROM outbox o JOIN name p ON p.id = o.platform
    JOIN document d ON d.n = o.n WHERE o.jseq=? AND p.kind='platform' AND p.name=?`);

  return {
    *messages() {
      for (let after = 0; ; ) {
        const rows = page.all(after, through ?? 0) as unknown as MessageRow[];
        if (rows.length === 0) return;
        for (const row of rows) yield stored.message(row);
        after = rows.at(-1)?.seq ?? after;
      }
    },
    message(seq) {
      const row = one.get(seq) as unknown as MessageRow | undefined;
      return row && stored.message(row);
    },
    *journal() {
      for (let after = 0; ; ) {
        const rows = entries.all(after, last) as unknown as EntryRow[];
        if (rows.length === 0) return;
        for (const { jseq, seq, action, set_id: setId, version } of rows) {
          yield { jseq, seq, action, setId, version, content: phi(stored.record(jseq)) };
        }
        after = rows.at(-1)?.jseq ?? after;
      }
    },
    document(platform, jseq) {
      const row = document.get(jseq, platform) as { n: number; key_id: number; sealed: Uint8Array } | undefined;
      return row && phi(unpackDocument(vault.open('document', row.n, row.key_id, row.sealed)).bytes);
    },
    close,
  };
}

/** States of reports and patients while a replay goes on: the last used in memory, the rest sealed in a file of its own. */
export interface ScratchStates {
  report(reportKey: string): ReportState | undefined;
  reportsOf(patientKey: string): ReportState[];
  patient(patientKey: string): PatientState | undefined;
  put(reports: readonly ReportState[], patients: readonly PatientState[]): void;
  close(): void;
}

/** So many states stay in memory; each is a few kilobytes. */
const IN_MEMORY = 2_000;

/** The file is sealed under keys that only this process ever has, and is removed at the end. */
export function openScratch(folder: string): ScratchStates {
  const path = join(folder, `replay-${process.pid}.db`);
  const remove = () => rmSync(path, { force: true });
  remove();
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-8192;
    CREATE TABLE state(id INTEGER PRIMARY KEY, mac BLOB NOT NULL UNIQUE, lane BLOB, sealed BLOB NOT NULL) STRICT;
    CREATE INDEX state_lane ON state(lane, id) WHERE lane IS NOT NULL`);
  const vault = passingVault();
  const get = db.prepare('SELECT id, sealed FROM state WHERE mac=?');
  const ofLane = db.prepare('SELECT id, mac, sealed FROM state WHERE lane=? ORDER BY id');
  const insert = db.prepare("INSERT INTO state(mac, lane, sealed) VALUES(?,?,x'')");
  const update = db.prepare('UPDATE state SET lane=?, sealed=? WHERE id=?');

  type Kind = 'report' | 'patient';
  const memory = new Map<string, { kind: Kind; key: string; value: ReportState | PatientState; stored: boolean }>();
  const nameOf = (kind: Kind, key: string) => `${kind} ${key}`;
  const write = (entry: { kind: Kind; key: string; value: ReportState | PatientState }): void => {
    const mac = vault.mac(entry.kind, entry.key);
    const lane = entry.kind === 'report' ? vault.mac('lane', (entry.value as ReportState).patientKey) : null;
    const id = (get.get(mac) as { id: number } | undefined)?.id ?? Number(insert.run(mac, lane).lastInsertRowid);
    update.run(lane, vault.seal(entry.kind, id, pack(Buffer.from(JSON.stringify(entry.value))), 0).sealed, id);
  };
  const evict = (): void => {
    for (const [name, entry] of memory) {
      if (memory.size <= IN_MEMORY) return;
      if (!entry.stored) write(entry);
      memory.delete(name);
    }
  };
  const opened = (kind: Kind, id: number, sealed: Uint8Array) =>
    JSON.parse(vault.open(kind, id, 1, sealed).toString('utf8')) as ReportState | PatientState;
  const read = (kind: Kind, key: string): ReportState | PatientState | undefined => {
    const name = nameOf(kind, key);
    const known = memory.get(name);
    if (known) {
      memory.delete(name);
      memory.set(name, known);
      return known.value;
    }
    const row = get.get(vault.mac(kind, key)) as { id: number; sealed: Uint8Array } | undefined;
    if (!row) return undefined;
    const value = opened(kind, row.id, row.sealed);
    memory.set(name, { kind, key, value, stored: true });
    evict();
    return value;
  };
  const keep = (kind: Kind, key: string, value: ReportState | PatientState): void => {
    const name = nameOf(kind, key);
    memory.delete(name);
    memory.set(name, { kind, key, value, stored: false });
    // A row keeps the order in which reports came up.
    const mac = vault.mac(kind, key);
    if (!get.get(mac)) write({ kind, key, value });
  };

  return {
    report: (key) => read('report', key) as ReportState | undefined,
    patient: (key) => read('patient', key) as PatientState | undefined,
    reportsOf(patientKey) {
      for (const entry of memory.values()) {
        if (entry.stored) continue;
        write(entry);
        entry.stored = true;
      }
      const rows = ofLane.all(vault.mac('lane', patientKey)) as unknown as Array<{ id: number; sealed: Uint8Array }>;
      return rows.map((row) => opened('report', row.id, row.sealed) as ReportState);
    },
    put(reports, patients) {
      for (const state of reports) keep('report', state.reportKey, state);
      for (const state of patients) keep('patient', state.patientKey, state);
      evict();
    },
    close() {
      db.close();
      remove();
    },
  };
}

/** Keys that no file holds: what is sealed with them is gone with the process. */
function passingVault(): Vault {
  const kek = randomBytes(32);
  let made: WrappedKey | undefined;
  return createVault(kek, createHash('sha256').update(kek).digest().subarray(0, 16), randomBytes(32), {
    byId: () => made,
    byDay: () => made,
    insert: (day, wrapped) => {
      made = { id: 1, day, wrapped };
      return 1;
    },
  });
}
