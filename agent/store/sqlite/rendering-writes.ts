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

/** The message that withdrew a report's document, known from the journal whatever became of it at a platform. */
export const retractionAfter =
  "SELECT seq FROM journal WHERE report=? AND jseq>? AND action='retract' ORDER BY jseq LIMIT 1";

/**
 * Writes what a platform's rendering made: documents with their keys, the cursor, the books. What a
 * retraction does is decided here, in the same transaction that sees which documents were ever
 * attempted (invariant 6). Call inside a transaction.
 */
export function openRenderingWrites(
  db: DatabaseSync,
  vault: Vault,
  books: Books,
  epoch: () => number,
  floorN: number,
  /** Called when a document went into another place of its lane than the last. */
  reordered: () => void,
) {
  const journal = db.prepare('SELECT seq, action, report, version, set_id, lane FROM journal WHERE jseq=?');
  const siblings = db.prepare(
    'SELECT n, seq, state, attempts, operation, pos, may_hold FROM outbox WHERE platform=? AND report=? ORDER BY n',
  );
  const highest = db.prepare('SELECT max(n) AS n FROM outbox');
  const insert =
    db.prepare(`INSERT INTO outbox(n, platform, jseq, seq, report, version, set_id, lane, pos, operation, type,
    media, epoch, bytes, created_ms, due_ms, state, code, by_seq, done_ms)
    VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`);
  const dropRendering = db.prepare('DELETE FROM rendering WHERE platform=? AND jseq=?');
  const insertDocument = db.prepare('INSERT INTO document(n, key_id, sealed) VALUES(?,?,?)');
  const cancel = db.prepare(`UPDATE outbox SET state=${outboxState.cancelled}, by_seq=?, done_ms=? WHERE n=?`);
  const putRendering = db.prepare(
    'INSERT OR REPLACE INTO rendering(platform, jseq, state, code, place, rule, report) VALUES(?,?,?,?,?,?,?)',
  );
  const heldOfReport = db.prepare(
    "SELECT r.jseq, j.seq FROM rendering r JOIN journal j ON j.jseq=r.jseq WHERE r.platform=? AND r.report=? AND r.jseq<? AND r.state='quarantined'",
  );
  const retractionOf = db.prepare(retractionAfter);
  const setCursor = db.prepare('INSERT INTO cursor(stage, at) VALUES(?,?) ON CONFLICT DO UPDATE SET at=excluded.at');

  const nextNumber = (): number => Math.max((highest.get() as { n: number | null }).n ?? 0, floorN) + 1;

  const write = (
    platform: number,
    jseq: number,
    row: JournalRow,
    doc: Document,
    operation: Operation,
    place: { pos?: number; state: number; code: string | null; by?: number },
    notBeforeMs: number,
    nowMs: number,
  ): void => {
    dropRendering.run(platform, jseq);
    const n = nextNumber();
    const { keyId, sealed } = vault.seal('document', n, doc.stored, nowMs);
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
      doc.bytes,
      nowMs,
      notBeforeMs,
      place.state,
      place.code,
      place.by ?? null,
      place.by === undefined ? null : nowMs,
    );
    insertDocument.run(n, keyId, sealed);
  };

  /** Older versions held for a missing code are overtaken by a later one, or withdrawn by a retraction. */
  const overtakeHeld = (platform: number, jseq: number, row: JournalRow, rule: string, by: number): number[] => {
    const held = heldOfReport.all(platform, row.report, jseq) as unknown as Array<{ jseq: number; seq: number }>;
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
          touched.push(...overtakeHeld(platform, jseq, row, 'replaced', row.seq));
          const refused = before.find((s) => s.state === outboxState.refused);
          const last = before.findLast((s) => s.may_hold === 1 || s.state === outboxState.ready);
          // What the platform knows decides publish or replace; a withdrawn report is published anew.
          const operation: Operation = last && last.operation !== 'retract' ? 'replace' : 'publish';
          // Its retraction is known already, though its own turn has not come: it is never sent (invariant 6).
          const by = (retractionOf.get(row.report, jseq) as { seq: number } | undefined)?.seq;
          const place =
            by !== undefined
              ? { state: outboxState.cancelled, code: null, by }
              : refused
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
    const touched = overtakeHeld(platform, jseq, row, 'withdrawn', row.seq);
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
    // What was delivered has given its place up.
    const places = toWithdraw
      .filter((s) => s.state !== outboxState.received && s.state !== outboxState.accepted)
      .map((s) => s.pos);
    const place = { pos: places.length > 0 ? Math.min(...places) : undefined, state: outboxState.ready, code: null };
    if (place.pos !== undefined) reordered();
    write(platform, jseq, row, doc, 'retract', place, request.notBeforeMs, nowMs);
    return touched;
  }
}
