import { createHash, randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { PatientState } from '../../../clinical/patients/types.ts';
import type { ClinicalRecord } from '../../../clinical/records/types.ts';
import type { ReportState } from '../../../clinical/reports/types.ts';
import { createVault, pack, type Vault, type WrappedKey } from '../../../security/vault.ts';

/** States of reports and patients while a replay goes on: the last used in memory, the rest sealed in a file of its own. */
export interface ScratchStates {
  report(reportKey: string): ReportState | undefined;
  reportsOf(patientKey: string): ReportState[];
  patient(patientKey: string): PatientState | undefined;
  /** @param places where the journal has the content of a report's current version, by report key: it need not be kept. */
  put(reports: readonly ReportState[], patients: readonly PatientState[], places: ReadonlyMap<string, number>): void;
  close(): void;
}

/** So many states stay in memory; each is a few kilobytes. */
const IN_MEMORY = 1_000;

type Kind = 'report' | 'patient';
interface Entry {
  kind: Kind;
  key: string;
  value: ReportState | PatientState;
  /** Number in the journal of the report's content. */
  place: number | undefined;
  /** Its row says the same. */
  stored: boolean;
}
interface Row {
  id: number;
  place: number | null;
  sealed: Uint8Array;
}

/**
 * The file is sealed under keys that only this process ever has, and is removed at the end.
 * @param contentAt the record at a place of the journal.
 */
export function openScratch(folder: string, contentAt: (place: number) => ClinicalRecord | undefined): ScratchStates {
  const path = join(folder, `replay-${process.pid}.db`);
  const remove = () => rmSync(path, { force: true });
  remove();
  const db = new DatabaseSync(path);
  // Never committed: nobody else reads it, and what does not fit into the cache goes to the file as it is.
  db.exec(`PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-16384; BEGIN;
    CREATE TABLE state(id INTEGER PRIMARY KEY, mac BLOB NOT NULL UNIQUE, lane BLOB, place INTEGER, sealed BLOB) STRICT;
    CREATE INDEX state_lane ON state(lane, id) WHERE lane IS NOT NULL`);
  const vault = passingVault();
  const get = db.prepare('SELECT id, place, sealed FROM state WHERE mac=?');
  const ofLane = db.prepare('SELECT id, place, sealed FROM state WHERE lane=? ORDER BY id');
  const insert = db.prepare('INSERT INTO state(mac) VALUES(?) ON CONFLICT DO NOTHING');
  const update = db.prepare('UPDATE state SET lane=?, place=?, sealed=? WHERE id=?');

  const memory = new Map<string, Entry>();
  const nameOf = (kind: Kind, key: string) => `${kind} ${key}`;
  const write = (entry: Entry): void => {
    const { kind, key, value, place } = entry;
    const lane = 'reportKey' in value ? vault.mac('lane', value.patientKey) : null;
    const { id } = get.get(vault.mac(kind, key)) as unknown as Row;
    const kept = place === undefined ? value : { ...value, current: undefined };
    const { sealed } = vault.seal(kind, id, pack(Buffer.from(JSON.stringify(kept))), 0);
    update.run(lane, place ?? null, sealed, id);
    entry.stored = true;
  };
  const evict = (): void => {
    for (const [name, entry] of memory) {
      if (memory.size <= IN_MEMORY) return;
      if (!entry.stored) write(entry);
      memory.delete(name);
    }
  };
  const opened = (kind: Kind, { id, place, sealed }: Row): ReportState | PatientState => {
    const value = JSON.parse(vault.open(kind, id, 1, sealed).toString('utf8')) as ReportState | PatientState;
    if ('reportKey' in value && place !== null) value.current = contentAt(place);
    return value;
  };
  const read = (kind: Kind, key: string): ReportState | PatientState | undefined => {
    const name = nameOf(kind, key);
    const known = memory.get(name);
    if (known) {
      memory.delete(name);
      memory.set(name, known);
      return known.value;
    }
    const row = get.get(vault.mac(kind, key)) as unknown as Row | undefined;
    if (!row) return undefined;
    const value = opened(kind, row);
    memory.set(name, { kind, key, value, place: row.place ?? undefined, stored: true });
    evict();
    return value;
  };
  const keep = (kind: Kind, key: string, value: ReportState | PatientState, place: number | undefined): void => {
    const name = nameOf(kind, key);
    const known = memory.get(name);
    memory.delete(name);
    memory.set(name, { kind, key, value, place, stored: false });
    // A row keeps the order in which reports came up.
    if (!known) insert.run(vault.mac(kind, key));
  };
  const placeOf = (state: ReportState, places: ReadonlyMap<string, number>): number | undefined => {
    const made = places.get(state.reportKey);
    if (made !== undefined) return made;
    const known = memory.get(nameOf('report', state.reportKey));
    // What only its times or its waiting changed of has its content where it was.
    const before = known && 'reportKey' in known.value ? known.value.current : undefined;
    return before !== undefined && before === state.current ? known?.place : undefined;
  };

  return {
    report: (key) => read('report', key) as ReportState | undefined,
    patient: (key) => read('patient', key) as PatientState | undefined,
    reportsOf(patientKey) {
      for (const entry of memory.values()) if (!entry.stored) write(entry);
      const rows = ofLane.all(vault.mac('lane', patientKey)) as unknown as Row[];
      return rows.map((row) => opened('report', row) as ReportState);
    },
    put(reports, patients, places) {
      for (const state of reports) keep('report', state.reportKey, state, placeOf(state, places));
      for (const state of patients) keep('patient', state.patientKey, state, undefined);
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
