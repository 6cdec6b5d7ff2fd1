import type { DatabaseSync } from 'node:sqlite';
import type { Vault } from '../../security/vault.ts';
import type { Operation } from '../contract.ts';
import type { Books } from './books.ts';
import type { WriteRequest } from './requests.ts';
import { outboxState } from './schema.ts';

type RenderingRequest = Extract<WriteRequest, { op: 'rendering' }>;
type Document = Extract<RenderingRequest['results'][number]['rendered'], { kind: 'document' }>;

interface JournalRow {
  seq: number;
  action: string;
  report: number;
  version: number;
  set_id: string;
  lane: number;
}
interface Sibling {
  n: number;
  seq: number;
  state: number;
  attempts: number;
  operation: Operation;
  pos: number;
  may_hold: number;
}

/** A stored document: one line of JSON about it, then its bytes. */
export function packDocument(reportNumber: string, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify({ reportNumber })}\n`), bytes]);
}
export function unpackDocument(stored: Buffer): { reportNumber: string; bytes: Uint8Array } {
  const end = stored.indexOf(0x0a);
  const { reportNumber } = JSON.parse(stored.toString('utf8', 0, end)) as { reportNumber: string };
  return { reportNumber, bytes: new Uint8Array(stored.subarray(end + 1)) };
}

/**
 * Writes what a platform's rendering made: documents with their keys, the cursor, the books. What a
 * retraction does is decided here, in the same transaction that sees which documents were ever
 * attempted (invariant 6). Call inside a transaction.
 */
export function openRenderingWrites(db: DatabaseSync, vault: Vault, books: Books, epoch: () => number, floorN: number) {
  const journal = db.prepare('SELECT seq, action, report, version, set_id, lane FROM journal WHERE jseq=?');
  const siblings = db.prepare(
    'SELECT n, seq, state, attempts, operation, pos, may_hold FROM outbox WHERE platform=? AND report=? ORDER BY n',
  );
  const highest = db.prepare('SELECT max(n) AS n FROM outbox');
  const insert =
    db.prepare(`INSERT INTO outbox(n, platform, jseq, seq, report, version, set_id, lane, pos, operation, type,
    media, epoch, bytes, created_ms, due_ms, state, code) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`);
  const dropRendering = db.prepare('DELETE FROM rendering WHERE platform=? AND jseq=?');
  const insertDocument = db.prepare('INSERT INTO document(n, key_id, sealed) VALUES(?,?,?)');
  const cancel = db.prepare(`UPDATE outbox SET state=${outboxState.cancelled}, by_seq=?, done_ms=? WHERE n=?`);
  const putRendering = db.prepare(
    'INSERT OR REPLACE INTO rendering(platform, jseq, state, code, place, rule, report) VALUES(?,?,?,?,?,?,?)',
  );
  const heldOfReport = db.prepare(
    "SELECT r.jseq, j.seq FROM rendering r JOIN journal j ON j.jseq=r.jseq WHERE r.platform=? AND r.report=? AND r.state='quarantined'",
  );
  const setCursor = db.prepare('INSERT INTO cursor(stage, at) VALUES(?,?) ON CONFLICT DO UPDATE SET at=excluded.at');

  const nextNumber = (): number => Math.max((highest.get() as { n: number | null }).n ?? 0, floorN) + 1;

  const write = (
    platform: number,
    jseq: number,
    row: JournalRow,
    doc: Document,
    operation: Operation,
    place: { pos?: number; state: number; code: string | null },
    notBeforeMs: number,
    nowMs: number,
  ): void => {
    dropRendering.run(platform, jseq);
    const n = nextNumber();
    const stored = packDocument(doc.reportNumber, doc.bytes);
    const { keyId, sealed } = vault.seal('document', n, stored, nowMs);
    insert.run(
      n,
      platform,
      jseq,
      row.seq,
      row.report,
      row.version,
      row.set_id,
      row.lane,
      place.pos ?? n,
      operation,
      doc.type,
      doc.mediaType,
      epoch(),
      doc.bytes.length,
      nowMs,
      notBeforeMs,
      place.state,
      place.code,
    );
    insertDocument.run(n, keyId, sealed);
  };

  /** Documents held for a missing code are overtaken by a later version, or withdrawn by a retraction. */
  const overtakeHeld = (platform: number, row: JournalRow, rule: string, by: number): number[] => {
    const held = heldOfReport.all(platform, row.report) as unknown as Array<{ jseq: number; seq: number }>;
    for (const h of held) putRendering.run(platform, h.jseq, 'absorbed', null, null, `${rule}:${by}`, row.report);
    return held.map((h) => h.seq);
  };

  return (request: RenderingRequest, platform: number, nowMs: number): void => {
    for (const { jseq, rendered } of request.results) {
      const row = journal.get(jseq) as unknown as JournalRow | undefined;
      if (!row) continue;
      const touched = [row.seq];
      if (rendered.kind === 'filtered') {
        putRendering.run(platform, jseq, 'filtered', null, null, rendered.rule, row.report);
      } else if (rendered.kind === 'held') {
        putRendering.run(platform, jseq, 'quarantined', rendered.code, rendered.where, null, row.report);
      } else {
        const before = siblings.all(platform, row.report) as unknown as Sibling[];
        if (row.action === 'retract') touched.push(...withdraw(platform, jseq, row, rendered, before, request, nowMs));
        else {
          touched.push(...overtakeHeld(platform, row, 'replaced', row.seq));
          const refused = before.find((s) => s.state === outboxState.refused);
          const last = before.findLast((s) => s.may_hold === 1 || s.state === outboxState.ready);
          // What the platform knows decides publish or replace; a withdrawn report is published anew.
          const operation: Operation = last && last.operation !== 'retract' ? 'replace' : 'publish';
          const place = refused
            ? { state: outboxState.behind, code: 'PLT-1305' }
            : { state: outboxState.ready, code: null };
          write(platform, jseq, row, rendered, operation, place, request.notBeforeMs, nowMs);
        }
      }
      for (const seq of touched) books.settle(seq, nowMs);
    }
    if (request.through !== undefined) setCursor.run(`render:${platform}`, request.through);
    if (request.mark) setCursor.run(request.mark.of, request.mark.fingerprint);
  };

  function withdraw(
    platform: number,
    jseq: number,
    row: JournalRow,
    doc: Document,
    before: Sibling[],
    request: RenderingRequest,
    nowMs: number,
  ): number[] {
    const touched = overtakeHeld(platform, row, 'withdrawn', row.seq);
    // An accepted retraction settles everything before it; one that is still open covers what came before it.
    const since = before.slice(
      before.findLastIndex((s) => s.operation === 'retract' && s.state === outboxState.accepted) + 1,
    );
    const open = since.findLast((s) => s.operation === 'retract' && s.state <= outboxState.received);
    const published = since.filter((s) => s.operation !== 'retract');
    // Never sent again once known to be wrong, and nothing waits behind it any more.
    for (const s of published) {
      if (s.state !== outboxState.ready && s.state !== outboxState.behind && s.state !== outboxState.refused) continue;
      cancel.run(row.seq, nowMs, s.n);
      touched.push(s.seq);
    }
    const toWithdraw = published.filter((s) => s.may_hold === 1 && s.n > (open?.n ?? 0));
    if (toWithdraw.length === 0) {
      putRendering.run(platform, jseq, 'absorbed', null, null, 'nothing-to-withdraw', row.report);
      return touched;
    }
    const places = toWithdraw
      .filter((s) => s.state === outboxState.ready || s.state === outboxState.cancelled)
      .map((s) => s.pos);
    const place = { pos: places.length > 0 ? Math.min(...places) : undefined, state: outboxState.ready, code: null };
    write(platform, jseq, row, doc, 'retract', place, request.notBeforeMs, nowMs);
    return touched;
  }
}
