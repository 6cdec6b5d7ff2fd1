import type { DatabaseSync } from 'node:sqlite';
import type { Vault } from '../../../security/vault.ts';
import { lookupKinds } from '../../contract.ts';
import type { Books } from '../books.ts';
import type { PackedEntry, PackedPart, WriteRequest } from '../requests.ts';
import { outboxState } from '../schema.ts';

type MappingRequest = Extract<WriteRequest, { op: 'mapping' }>;
type Message = MappingRequest['batch']['messages'][number];

/** MAC fields of keys that stand for rows. */
export const macFields = { report: 'report-key', patient: 'patient-key', lane: 'lane-token' } as const;
export const lookupField = (kind: string): string => `lookup:${kind}`;

/** Ids of rows that the batch in hand has met: the same patient and report come several times in it. */
interface Met {
  lanes: Map<string, number>;
  reports: Map<string, { id: number; lane: number | null }>;
}

/**
 * Writes what mapping decided: parts, journal, report and patient states, lookups, cursor, books. Call inside a
 * transaction.
 * @param left called with the outbox number of each document that is cancelled.
 */
export function openMappingWrites(db: DatabaseSync, vault: Vault, books: Books, left: (n: number) => void) {
  const reportId = db.prepare('SELECT id, lane FROM report WHERE mac=?');
  const insertReport = db.prepare("INSERT INTO report(mac, lane, key_id, sealed) VALUES(?, ?, 0, x'')");
  const updateReport = db.prepare('UPDATE report SET key_id=?, sealed=? WHERE id=?');
  const setLane = db.prepare('UPDATE report SET lane=? WHERE id=?');
  const setCurrent = db.prepare('UPDATE report SET jseq=? WHERE id=?');
  const patientId = db.prepare('SELECT id FROM patient WHERE mac=?');
  const insertPatient = db.prepare('INSERT INTO patient(mac, since_ms) VALUES(?,?)');
  const updatePatient = db.prepare('UPDATE patient SET key_id=?, sealed=? WHERE id=?');
  const insertPart = db.prepare(
    'INSERT INTO part(seq, part, state, code, place, rule, by_seq, due_ms, awaits) VALUES(?,?,?,?,?,?,?,?,?)',
  );
  const dropOthers = db.prepare('DELETE FROM part WHERE seq=? AND part NOT IN (SELECT value FROM json_each(?))');
  const absorbPart = db.prepare(
    `UPDATE part SET state='absorbed', code=NULL, rule='replaced', by_seq=?, due_ms=NULL, awaits=NULL
     WHERE seq=? AND part=? AND state='waiting'`,
  );
  const toldOf = db.prepare('UPDATE part SET due_ms=0, awaits=NULL WHERE awaits=?');
  // What a later part of the same batch has absorbed waits no more.
  const await_ = db.prepare("UPDATE part SET awaits=? WHERE seq=? AND part=? AND state IN ('waiting', 'quarantined')");
  const unsentOfReport = db.prepare(
    `SELECT n, seq FROM outbox WHERE report=? AND operation<>'retract'
     AND (state <= ${outboxState.ready} OR state = ${outboxState.behind})`,
  );
  const cancel = db.prepare(`UPDATE outbox SET state=${outboxState.cancelled}, by_seq=?, done_ms=? WHERE n=?`);
  const insertJournal = db.prepare(
    'INSERT INTO journal(seq, part, action, kind, report, version, set_id, lane) VALUES(?,?,?,?,?,?,?,?)',
  );
  const insertRecord = db.prepare('INSERT INTO record(jseq, key_id, sealed) VALUES(?,?,?)');
  const insertFinding = db.prepare('INSERT INTO finding(jseq, n, code, place, dimension) VALUES(?,?,?,?,?)');
  const insertLookup = db.prepare('INSERT OR IGNORE INTO lookup(kind, mac, seq) VALUES(?,?,?)');
  const setType = db.prepare('UPDATE message SET type=? WHERE seq=?');
  const setCursor = db.prepare('INSERT INTO cursor(stage, at) VALUES(?,?) ON CONFLICT DO UPDATE SET at=excluded.at');

  const laneOf = (patientKey: string, met: Met, nowMs: number): number => {
    const known = met.lanes.get(patientKey);
    if (known !== undefined) return known;
    const mac = vault.mac(macFields.patient, patientKey);
    const row = patientId.get(mac) as { id: number } | undefined;
    const id = row?.id ?? Number(insertPatient.run(mac, nowMs).lastInsertRowid);
    met.lanes.set(patientKey, id);
    return id;
  };
  /** The report's row, which is made in `lane` when it is new. */
  const reportOf = (reportKey: string, lane: number, met: Met): { id: number; lane: number | null } => {
    const known = met.reports.get(reportKey);
    if (known) return known;
    const mac = vault.mac(macFields.report, reportKey);
    const row = reportId.get(mac) as { id: number; lane: number | null } | undefined;
    const report = row ?? { id: Number(insertReport.run(mac, lane).lastInsertRowid), lane };
    met.reports.set(reportKey, report);
    return report;
  };

  /** Interim parts (`seq:part`) that waited are absorbed by the message that ended their waiting. */
  const absorbAll = (keys: string[], by: number, touched: Set<number>): void => {
    for (const key of keys) {
      const [seq, part] = key.split(':').map(Number);
      if (seq === undefined || part === undefined) continue;
      absorbPart.run(by, seq, part);
      touched.add(seq);
    }
  };

  /**
   * What is known to be wrong is not sent from this moment on, at no platform, also where the retraction itself
   * waits for room or is held (invariant 6). Rendering decides what the retraction then has to do.
   */
  const cancelUnsent = (report: number, by: number, nowMs: number, touched: Set<number>): void => {
    for (const o of unsentOfReport.all(report) as unknown as Array<{ n: number; seq: number }>) {
      cancel.run(by, nowMs, o.n);
      left(o.n);
      touched.add(o.seq);
    }
  };

  const writeEntry = (
    seq: number,
    part: number,
    entry: PackedEntry,
    met: Met,
    nowMs: number,
    touched: Set<number>,
  ): void => {
    const lane = laneOf(entry.patientKey, met, nowMs);
    const report = reportOf(entry.reportKey, lane, met).id;
    const { action, recordKind, version, setId } = entry;
    const jseq = Number(insertJournal.run(seq, part, action, recordKind, report, version, setId, lane).lastInsertRowid);
    const { keyId, sealed } = vault.seal('record', jseq, entry.content, nowMs);
    insertRecord.run(jseq, keyId, sealed);
    if (action === 'publish') setCurrent.run(jseq, report);
    entry.findings.forEach((f, n) => {
      insertFinding.run(jseq, n, f.code, f.where, f.dimension);
    });
    if (action === 'retract') cancelUnsent(report, seq, nowMs, touched);
  };

  /** @returns the patient row that the part awaits. */
  const writePart = (
    seq: number,
    i: number,
    part: PackedPart,
    met: Met,
    nowMs: number,
    touched: Set<number>,
  ): number | undefined => {
    const put = (code: string | null, place: string | null, rule: string | null, by?: number, dueMs?: number) =>
      insertPart.run(seq, i, part.kind, code, place, rule, by ?? null, dueMs ?? null, null);
    switch (part.kind) {
      case 'record':
        for (const entry of part.entries) writeEntry(seq, i, entry, met, nowMs, touched);
        absorbAll(part.absorbs, seq, touched);
        break;
      case 'waiting':
        put(part.code, null, null, undefined, part.dueMs === undefined ? undefined : Math.ceil(part.dueMs));
        return part.awaits === undefined ? undefined : laneOf(part.awaits, met, nowMs);
      case 'absorbed':
        put(null, null, part.reason, part.by);
        absorbAll(part.absorbs ?? [], seq, touched);
        break;
      case 'filtered':
        put(null, null, part.rule);
        break;
      case 'quarantined':
        put(part.code, part.where, null);
        return part.awaits === undefined ? undefined : laneOf(part.awaits, met, nowMs);
    }
    return undefined;
  };

  /** @returns parts that await a patient: [part, patient row]. */
  const writeMessage = (message: Message, met: Met, nowMs: number, touched: Set<number>): Array<[number, number]> => {
    const { seq, keep } = message;
    const awaiting: Array<[number, number]> = [];
    setType.run(message.type, seq);
    if (keep) dropOthers.run(seq, JSON.stringify(keep));
    message.parts.forEach((part, i) => {
      if (keep?.includes(i)) return;
      const patient = writePart(seq, i, part, met, nowMs, touched);
      if (patient !== undefined) awaiting.push([i, patient]);
    });
    for (const key of message.lookups) {
      insertLookup.run(lookupKinds.indexOf(key.kind), vault.mac(lookupField(key.kind), key.value), seq);
    }
    touched.add(seq);
    return awaiting;
  };

  return (request: MappingRequest, nowMs: number): void => {
    const { batch } = request;
    const touched = new Set<number>();
    const met: Met = { lanes: new Map(), reports: new Map() };
    const again: Array<() => void> = [];
    for (const message of batch.messages) {
      for (const [part, patient] of writeMessage(message, met, nowMs, touched)) {
        const wait = () => void await_.run(patient, message.seq, part);
        // What was decided again and waits on knows already what this batch told: it would be due for ever.
        if (message.keep) again.push(wait);
        else wait();
      }
    }
    for (const { reportKey, patientKey, state } of batch.reports) {
      const lane = laneOf(patientKey, met, nowMs);
      const report = reportOf(reportKey, lane, met);
      const { keyId, sealed } = vault.seal('report', report.id, state, nowMs);
      updateReport.run(keyId, sealed, report.id);
      if (report.lane !== lane) setLane.run(lane, report.id);
    }
    for (const { patientKey, state } of batch.patients) {
      const id = laneOf(patientKey, met, nowMs);
      const { keyId, sealed } = vault.seal('patient', id, state, nowMs);
      updatePatient.run(keyId, sealed, id);
      toldOf.run(id);
    }
    for (const wait of again) wait();
    if (batch.through !== undefined) setCursor.run('mapping', batch.through);
    if (batch.mark) setCursor.run(batch.mark.of, batch.mark.fingerprint);
    for (const seq of touched) books.settle(seq, nowMs);
  };
}
