import type { DatabaseSync } from 'node:sqlite';
import type { Vault } from '../../security/vault.ts';
import { lookupKinds } from '../contract.ts';
import type { Books } from './books.ts';
import type { WriteRequest } from './requests.ts';
import { outboxState } from './schema.ts';

type MappingRequest = Extract<WriteRequest, { op: 'mapping' }>;

/** MAC fields of keys that stand for rows. */
export const macFields = { report: 'report-key', patient: 'patient-key', lane: 'lane-token' } as const;
export const lookupField = (kind: string): string => `lookup:${kind}`;

/** Writes what mapping decided: parts, journal, report states, lookups, cursor, books. Call inside a transaction. */
export function openMappingWrites(db: DatabaseSync, vault: Vault, books: Books) {
  const reportId = db.prepare('SELECT id FROM report WHERE mac=?');
  const insertReport = db.prepare("INSERT INTO report(mac, key_id, sealed) VALUES(?, 0, x'')");
  const updateReport = db.prepare('UPDATE report SET key_id=?, sealed=? WHERE id=?');
  const setCurrent = db.prepare('UPDATE report SET jseq=? WHERE id=?');
  const patientId = db.prepare('SELECT id FROM patient WHERE mac=?');
  const insertPatient = db.prepare('INSERT INTO patient(mac, since_ms) VALUES(?,?)');
  const insertPart = db.prepare('INSERT INTO part(seq, part, state, code, place, rule, by_seq) VALUES(?,?,?,?,?,?,?)');
  const dropQuarantined = db.prepare("DELETE FROM part WHERE seq=? AND state='quarantined'");
  const absorbPart = db.prepare(
    "UPDATE part SET state='absorbed', code=NULL, rule='replaced', by_seq=? WHERE seq=? AND part=? AND state='waiting'",
  );
  const unsentOfReport = db.prepare(
    `SELECT n, seq FROM outbox WHERE report=? AND operation<>'retract' AND state IN (${outboxState.ready},${outboxState.behind})`,
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

  const idOfReport = (reportKey: string): number => {
    const mac = vault.mac(macFields.report, reportKey);
    const row = reportId.get(mac) as { id: number } | undefined;
    return row?.id ?? Number(insertReport.run(mac).lastInsertRowid);
  };
  const idOfLane = (patientKey: string, nowMs: number): number => {
    const mac = vault.mac(macFields.patient, patientKey);
    const row = patientId.get(mac) as { id: number } | undefined;
    return row?.id ?? Number(insertPatient.run(mac, nowMs).lastInsertRowid);
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
      touched.add(o.seq);
    }
  };

  return (request: MappingRequest, nowMs: number): void => {
    const { batch } = request;
    const touched = new Set<number>();
    for (const message of batch.messages) {
      setType.run(message.type, message.seq);
      if (message.keep) dropQuarantined.run(message.seq);
      message.parts.forEach((p, i) => {
        if (message.keep?.includes(i)) return;
        switch (p.kind) {
          case 'record': {
            const lane = idOfLane(p.patientKey, nowMs);
            const report = idOfReport(p.reportKey);
            const { lastInsertRowid } = insertJournal.run(
              message.seq,
              i,
              p.action,
              p.recordKind,
              report,
              p.version,
              p.setId,
              lane,
            );
            const jseq = Number(lastInsertRowid);
            const { keyId, sealed } = vault.seal('record', jseq, p.content, nowMs);
            insertRecord.run(jseq, keyId, sealed);
            if (p.action === 'publish') setCurrent.run(jseq, report);
            p.findings.forEach((f, n) => {
              insertFinding.run(jseq, n, f.code, f.where, f.dimension);
            });
            absorbAll(p.absorbs, message.seq, touched);
            if (p.action === 'retract') cancelUnsent(report, message.seq, nowMs, touched);
            break;
          }
          case 'waiting':
            insertPart.run(message.seq, i, 'waiting', p.code, null, null, null);
            break;
          case 'absorbed':
            insertPart.run(message.seq, i, 'absorbed', null, null, p.reason, p.by ?? null);
            absorbAll(p.absorbs ?? [], message.seq, touched);
            break;
          case 'filtered':
            insertPart.run(message.seq, i, 'filtered', null, null, p.rule, null);
            break;
          case 'quarantined':
            insertPart.run(message.seq, i, 'quarantined', p.code, p.where, null, null);
            break;
        }
      });
      for (const key of message.lookups) {
        insertLookup.run(lookupKinds.indexOf(key.kind), vault.mac(lookupField(key.kind), key.value), message.seq);
      }
      touched.add(message.seq);
    }
    for (const { reportKey, state } of batch.reports) {
      const id = idOfReport(reportKey);
      const { keyId, sealed } = vault.seal('report', id, state, nowMs);
      updateReport.run(keyId, sealed, id);
    }
    if (batch.through !== undefined) setCursor.run('mapping', batch.through);
    if (batch.mark) setCursor.run(batch.mark.of, batch.mark.fingerprint);
    for (const seq of touched) books.settle(seq, nowMs);
  };
}
