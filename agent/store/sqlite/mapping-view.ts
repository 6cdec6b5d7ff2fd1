import type { MessagePort } from 'node:worker_threads';
import type { PatientState } from '../../clinical/patients/types.ts';
import type { ClinicalRecord } from '../../clinical/records/types.ts';
import type { ReportState } from '../../clinical/reports/types.ts';
import type { JournalContent } from '../../rendering/format.ts';
import { QianzhiError } from '../../support/errors.ts';
import { phi } from '../../support/phi.ts';
import { askThrough } from '../../support/thread.ts';
import type { JournalEntry, MappingStore, RenderingStore } from '../contract.ts';
import type { IndexingStore } from '../image-contract.ts';
import type { MatchingStore } from '../match-contract.ts';
import { openImageView } from './images/image-view.ts';
import { openMatchView } from './matching/match-view.ts';
import { isDamage, openForReading } from './open.ts';
import { type MessageRow, messageColumns, openStored } from './open-bodies.ts';
import { openReader, serveReads } from './reader.ts';
import { inOneBuffer, packBatch, packRendered, type WriteRequest } from './requests.ts';
import { macFields } from './writes/mapping-writes.ts';

/** What opens the view: plain data and two ports, which go to the thread of the stages. */
export interface StageAccess {
  folder: string;
  keyReference: string;
  platforms: string[];
  /** Those that take images. */
  imagePlatforms?: string[];
  /** How long a report and its images may be apart before that is a problem; 0: for ever. */
  reportWaitMs?: number;
  /** IANA zone whose days the books count by. */
  timeZone: string;
  /** To the store worker, and from the main thread, which reads for the page and for delivery. */
  ports: { write: MessagePort; read: MessagePort };
}

/** The store as the mapping worker sees it: reads on its own connection, writes through the writer. */
export interface MappingView extends MappingStore, RenderingStore, IndexingStore, MatchingStore {
  /** seq of the newest message that is durable. */
  lastSeq(): number;
  close(): void;
}

interface JournalRow {
  jseq: number;
  seq: number;
  action: 'publish' | 'retract';
  kind: string;
  version: number;
  set_id: string;
  received_ms: number;
  source: string;
}

interface ReportRow {
  id: number;
  jseq: number | null;
  key_id: number;
  sealed: Uint8Array;
}

/**
 * Opens the store for the stages, and answers the main thread's reads between their batches (decision
 * 0008): a thread of its own for them would cost some 15 MB for a few reads a second.
 */
export function openMappingView(access: StageAccess): MappingView {
  const { db, vault, close } = openForReading(access.folder, access.keyReference);
  const ask = askThrough<WriteRequest>(access.ports.write);
  access.ports.write.on('close', () => ask.abandon('SYS-6004'));
  serveReads(access.ports.read, openReader(db, vault, access));
  const write = (request: WriteRequest) => ask.ask(request, [inOneBuffer(request)]);
  const cursor = db.prepare('SELECT at FROM cursor WHERE stage=?');
  const stored = openStored(db, vault);
  const after = db.prepare(`${messageColumns} WHERE m.seq > ? ORDER BY m.seq LIMIT ?`);
  const report = db.prepare('SELECT id, jseq, key_id, sealed FROM report WHERE mac=?');
  const reportsOfLane =
    db.prepare(`SELECT r.id, r.jseq, r.key_id, r.sealed FROM patient p JOIN report r ON r.lane = p.id
    WHERE p.mac=? ORDER BY r.id`);
  const patient = db.prepare('SELECT id, key_id, sealed FROM patient WHERE mac=?');
  const record = db.prepare('SELECT key_id, sealed FROM record WHERE jseq=?');
  const newest = db.prepare('SELECT ifnull(max(seq),0) AS s FROM message');
  const platformId = db.prepare("SELECT id FROM name WHERE kind='platform' AND name=?");
  const unsent = db.prepare('SELECT count(*) AS n FROM outbox WHERE platform=? AND state < 2');
  const entries =
    db.prepare(`SELECT j.jseq, j.seq, j.action, j.kind, j.version, j.set_id, m.received_ms, n.name AS source
    FROM journal j JOIN message m ON m.seq = j.seq JOIN name n ON n.id = m.source
    WHERE j.jseq > ? ORDER BY j.jseq LIMIT ?`);

  const held = db.prepare(`SELECT j.jseq, j.seq, j.action, j.kind, j.version, j.set_id, m.received_ms, n.name AS source
    FROM rendering h JOIN journal j ON j.jseq = h.jseq JOIN message m ON m.seq = j.seq
    JOIN name n ON n.id = m.source WHERE h.platform = ? AND h.state = 'quarantined' AND h.jseq > ? ORDER BY h.jseq LIMIT ?`);
  const heldMessages = db.prepare(`SELECT DISTINCT p.seq, m.received_ms, n.name AS source FROM part p
    JOIN message m ON m.seq = p.seq JOIN name n ON n.id = m.source
    WHERE p.state = 'quarantined' AND n.kind = 'source' AND n.name = ? AND p.seq > ? ORDER BY p.seq LIMIT ?`);
  const dueMessages = db.prepare(`SELECT d.seq, m.received_ms, n.name AS source
    FROM (SELECT DISTINCT seq FROM part INDEXED BY part_due WHERE due_ms <= ? ORDER BY seq LIMIT ?) d
    JOIN message m ON m.seq = d.seq JOIN name n ON n.id = m.source ORDER BY d.seq`);
  const isDue = db.prepare('SELECT 1 FROM part WHERE seq = ? AND due_ms <= ? LIMIT 1');
  const partsOfAny = db.prepare('SELECT DISTINCT part FROM journal WHERE seq = ? ORDER BY part');
  const partsOfReport = db.prepare(`SELECT DISTINCT j.part FROM journal j JOIN report r ON r.id = j.report
    WHERE j.seq = ? AND r.mac = ? ORDER BY j.part`);
  // Without a time nothing is due.
  const standing = db.prepare(`SELECT part FROM part WHERE seq = ?1 AND state <> 'quarantined'
    AND (due_ms IS NULL OR due_ms > ?2) UNION SELECT part FROM journal WHERE seq = ?1`);

  // On its way, sent, or held.
  const other = db.prepare(`SELECT 1 FROM journal j WHERE j.jseq = ?2 AND (
    EXISTS (SELECT 1 FROM outbox o WHERE o.report = j.report AND o.platform = ?1) OR
    EXISTS (SELECT 1 FROM rendering r WHERE r.platform = ?1 AND r.report = j.report AND r.state = 'quarantined'))`);

  /**
   * Content of the entries committed last: they are rendered next, and opening them again would cost a fifth of mapping
   * and rendering. At most a batch of mapping.
   */
  const recent = new Map<string, string>();
  const nameOf = (e: { setId: string; version: number; action: string }) => `${e.setId} ${e.version} ${e.action}`;

  const idOf = (platform: string): number => (platformId.get(platform) as { id: number } | undefined)?.id ?? -1;
  const cursorAt = (stage: string): number => (cursor.get(stage) as { at: number } | undefined)?.at ?? 0;

  return {
    *inbox(afterSeq, count) {
      const rows = after.all(afterSeq, count) as unknown as MessageRow[];
      for (const row of rows) yield stored.message(row);
    },
    quarantined(source, afterSeq, count) {
      const rows = heldMessages.all(source, afterSeq, count) as unknown as MessageRow[];
      return rows.map((row) => ({ message: stored.message(row), keep: standingOf(row.seq, -1) }));
    },
    *due(nowMs, count) {
      const now = Math.floor(nowMs);
      const rows = dueMessages.all(now, count) as unknown as MessageRow[];
      for (const row of rows) {
        if (!isDue.get(row.seq, now)) continue;
        yield { message: stored.message(row), keep: standingOf(row.seq, now) };
      }
    },
    partsOf(seq, reportKey) {
      const mac = reportKey === undefined ? undefined : vault.mac(macFields.report, reportKey);
      const rows = (mac ? partsOfReport.all(seq, mac) : partsOfAny.all(seq)) as unknown as Array<{ part: number }>;
      return rows.map(({ part }) => part);
    },
    marked: (of) => (cursor.get(of) as { at: number } | undefined)?.at,
    mappedThrough: () => cursorAt('mapping'),
    report(reportKey) {
      const mac = vault.mac(macFields.report, reportKey);
      const row = orHeld(() => report.get(mac)) as unknown as ReportRow | undefined;
      return row && stateOf(row);
    },
    reportsOf(patientKey, onDamaged) {
      const mac = vault.mac(macFields.patient, patientKey);
      const rows = orHeld(() => reportsOfLane.all(mac)) as unknown as ReportRow[];
      return rows.flatMap((row) => {
        try {
          return stateOf(row) ?? [];
        } catch (error) {
          // One damaged report must not hold all others of its patient: a merge could never be applied.
          if (!onDamaged || isDamage(error)) throw error;
          onDamaged();
          return [];
        }
      });
    },
    patient(patientKey) {
      const mac = vault.mac(macFields.patient, patientKey);
      const row = orHeld(() => patient.get(mac)) as
        | { id: number; key_id: number | null; sealed: Uint8Array | null }
        | undefined;
      if (!row || row.key_id === null || row.sealed === null) return undefined;
      return JSON.parse(vault.open('patient', row.id, row.key_id, row.sealed).toString('utf8')) as PatientState;
    },
    async commitMapping(batch) {
      recent.clear();
      await write({ op: 'mapping', batch: packBatch(batch) });
      for (const { parts } of batch.messages) {
        for (const part of parts) {
          if (part.kind !== 'record') continue;
          for (const entry of part.entries) recent.set(nameOf(entry), entry.content.reveal());
        }
      }
    },
    lastSeq: () => (newest.get() as { s: number }).s,
    ...openImageView(db, vault, ask),
    ...openMatchView(db, vault, ask),

    *journal(platform, count) {
      const rows = entries.all(cursorAt(`render:${idOf(platform)}`), count) as unknown as JournalRow[];
      if (rows.length === 0) recent.clear();
      for (const row of rows) yield openEntry(row);
    },
    held: (platform, afterJseq, count) =>
      (held.all(idOf(platform), afterJseq, count) as unknown as JournalRow[]).map(openEntry),
    hasOther: (platform, jseq) => other.get(idOf(platform), jseq) !== undefined,
    unsent: (platform) => (unsent.get(idOf(platform)) as { n: number }).n,
    async commitRendering(platform, through, results, notBeforeMs, mark) {
      const packed = results.map(({ jseq, rendered }) => ({ jseq, rendered: packRendered(rendered) }));
      await write({ op: 'rendering', platform, through, results: packed, notBeforeMs, mark });
    },
    close() {
      access.ports.write.close();
      access.ports.read.close();
      close();
    },
  };

  function openEntry(r: JournalRow): JournalEntry {
    const { action, version, set_id: setId } = r;
    return {
      jseq: r.jseq,
      seq: r.seq,
      source: r.source,
      receivedMs: r.received_ms,
      action,
      recordKind: r.kind,
      setId,
      version,
      content: phi(recent.get(nameOf({ setId, version, action })) ?? stored.record(r.jseq)),
    };
  }

  /** What is not decided again of a message: neither quarantined nor due. */
  function standingOf(seq: number, nowMs: number): number[] {
    return (standing.all(seq, nowMs) as unknown as Array<{ part: number }>).map(({ part }) => part);
  }

  /** A damaged page lets go of what asks for it, not of the rest. */
  function orHeld<T>(read: () => T): T {
    try {
      return read();
    } catch (cause) {
      throw new QianzhiError('QUE-4003', undefined, { cause });
    }
  }

  /** Damaged content throws: without it nobody can say what a correction lacks (QUE-4003, held). */
  function stateOf(row: ReportRow): ReportState | undefined {
    if (row.sealed.length === 0) return undefined;
    const state = JSON.parse(vault.open('report', row.id, row.key_id, row.sealed).toString('utf8')) as ReportState;
    if (row.jseq !== null && state.status === 'published') state.current = currentOf(row.jseq);
    return state;
  }

  function currentOf(jseq: number): ClinicalRecord {
    const r = record.get(jseq) as { key_id: number; sealed: Uint8Array } | undefined;
    if (!r) throw new QianzhiError('QUE-4003');
    return (JSON.parse(vault.open('record', jseq, r.key_id, r.sealed).toString('utf8')) as JournalContent).record;
  }
}
