import type { DatabaseSync } from 'node:sqlite';
import type { Vault } from '../../../security/vault.ts';
import type { Operation } from '../../contract.ts';
import type { Books } from '../books.ts';
import type { Aside } from '../outbox-aside.ts';
import type { WriteRequest } from '../requests.ts';
import { mayHold, outboxState } from '../schema.ts';

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
  lane: number;
}
interface Held {
  jseq: number;
  seq: number;
  code: string;
  place: string | null;
  action: string;
  lane: number;
}
/** One journal entry at one platform, and what stands there of its report. */
interface Turn {
  platform: number;
  jseq: number;
  row: JournalRow;
  before: Sibling[];
  notBeforeMs: number;
  nowMs: number;
}
/** Where a document goes. */
interface Place {
  state: number;
  pos?: number;
  code?: string;
  /** Message that withdrew it already. */
  by?: number;
  /** Document that has to leave first. */
  after?: number;
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
  delivery: {
    aside: Aside;
    /** Called when a document went into another place of its lane than the last. */
    reordered(): void;
  },
) {
  const { aside, reordered } = delivery;
  const journal = db.prepare('SELECT seq, action, report, version, set_id, lane FROM journal WHERE jseq=?');
  const siblings = db.prepare(
    'SELECT n, seq, state, attempts, operation, pos, may_hold, lane FROM outbox WHERE platform=? AND report=? ORDER BY n',
  );
  const highest = db.prepare('SELECT max(n) AS n FROM outbox');
  const insert =
    db.prepare(`INSERT INTO outbox(n, platform, jseq, seq, report, version, set_id, lane, pos, operation, type,
    media, epoch, bytes, created_ms, due_ms, state, code, by_seq, done_ms, after_n)
    VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`);
  const dropRendering = db.prepare('DELETE FROM rendering WHERE platform=? AND jseq=?');
  const insertDocument = db.prepare('INSERT INTO document(n, key_id, sealed) VALUES(?,?,?)');
  const cancel = db.prepare(`UPDATE outbox SET state=${outboxState.cancelled}, by_seq=?, done_ms=?, rule=? WHERE n=?`);
  const putRendering = db.prepare(
    'INSERT OR REPLACE INTO rendering(platform, jseq, state, code, place, rule, report) VALUES(?,?,?,?,?,?,?)',
  );
  const heldOfReport = db.prepare(
    "SELECT r.jseq, j.seq, r.code, r.place, j.action, j.lane FROM rendering r JOIN journal j ON j.jseq=r.jseq WHERE r.platform=? AND r.report=? AND r.jseq<? AND r.state='quarantined'",
  );
  const retractionOf = db.prepare(retractionAfter);
  const setCursor = db.prepare('INSERT INTO cursor(stage, at) VALUES(?,?) ON CONFLICT DO UPDATE SET at=excluded.at');

  const nextNumber = (): number => Math.max((highest.get() as { n: number | null }).n ?? 0, floorN) + 1;

  const write = (turn: Turn, doc: Document, operation: Operation, place: Place): void => {
    const { platform, jseq, row, notBeforeMs, nowMs } = turn;
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
      place.code ?? null,
      place.by ?? null,
      place.by === undefined ? null : nowMs,
      place.after ?? null,
    );
    insertDocument.run(n, keyId, sealed);
  };

  const heldBefore = ({ platform, jseq, row }: Turn): Held[] =>
    heldOfReport.all(platform, row.report, jseq) as unknown as Held[];
  /** Older versions held for a missing code are overtaken by a later one, or withdrawn by a retraction. */
  const overtake = ({ platform, row }: Turn, held: Held[], rule: string): number[] => {
    for (const h of held) putRendering.run(platform, h.jseq, 'absorbed', null, null, `${rule}:${row.seq}`, row.report);
    return held.map((h) => h.seq);
  };
  const cancelAll = ({ row, nowMs }: Turn, documents: Sibling[], rule: string | null): number[] => {
    for (const { n } of documents) cancel.run(row.seq, nowMs, rule, n);
    for (const { n } of documents) aside.left(n);
    return documents.map(({ seq }) => seq);
  };
  /** In its lane, or aside of it as long as an older version has to leave another one first. */
  const inTurn = ({ platform, row }: Turn): Place => {
    const after = aside.blocker(platform, row.report, row.lane, Number.MAX_SAFE_INTEGER);
    return after === undefined ? { state: outboxState.ready } : { state: outboxState.after, after };
  };

  return (request: RenderingRequest, platform: number, nowMs: number): void => {
    for (const { jseq, rendered } of request.results) {
      const row = journal.get(jseq) as unknown as JournalRow | undefined;
      if (!row) continue;
      const touched = [row.seq];
      const before = siblings.all(platform, row.report) as unknown as Sibling[];
      const turn: Turn = { platform, jseq, row, before, notBeforeMs: request.notBeforeMs, nowMs };
      if (rendered.kind === 'filtered' && row.action === 'retract') {
        putRendering.run(platform, jseq, 'filtered', null, null, rendered.rule, row.report);
      } else if (rendered.kind === 'filtered' || (rendered.unless !== undefined && toWithdraw(before).length === 0)) {
        const rule = rendered.kind === 'filtered' ? rendered.rule : rendered.unless;
        touched.push(...leaveOut(turn, rule ?? ''));
      } else if (rendered.kind === 'held') {
        putRendering.run(platform, jseq, 'quarantined', rendered.code, rendered.where, null, row.report);
      } else {
        touched.push(...(row.action === 'retract' ? withdraw : publish)(turn, rendered));
      }
      for (const seq of touched) books.settle(seq, nowMs);
    }
    if (request.through !== undefined) setCursor.run(`render:${platform}`, request.through);
    if (request.mark) setCursor.run(request.mark.of, request.mark.fingerprint);
  };

  /** The platform does not want this version, and has no earlier one: those that have not left stay here as well. */
  function leaveOut(turn: Turn, rule: string): number[] {
    const { platform, jseq, row, before } = turn;
    putRendering.run(platform, jseq, 'filtered', null, null, rule, row.report);
    const held = heldBefore(turn).filter(({ action }) => action !== 'retract');
    return [...overtake(turn, held, 'replaced'), ...cancelAll(turn, before.filter(neverLeft), 'replaced')];
  }

  function publish(turn: Turn, doc: Document): number[] {
    const { platform, jseq, row, before } = turn;
    const held = heldBefore(turn);
    const owed = held.findLast((h) => h.action === 'retract' && h.lane !== row.lane);
    if (owed && toWithdraw(before).length > 0) {
      // What the platform has under another patient is withdrawn first, and that is held: so is this.
      putRendering.run(platform, jseq, 'quarantined', owed.code, owed.place, null, row.report);
      return [];
    }
    const touched = overtake(turn, held, 'replaced');
    // Its retraction is known already, though its own turn has not come: it is never sent (invariant 6).
    const by = (retractionOf.get(row.report, jseq) as { seq: number } | undefined)?.seq;
    // After a merge: what was never attempted under the retired number needs not go out under it any more.
    const replaced = by === undefined ? before.filter((s) => s.lane !== row.lane && neverLeft(s)) : [];
    touched.push(...cancelAll(turn, replaced, 'replaced'));
    const left = before.filter((s) => !replaced.includes(s));
    const last = left.findLast((s) => s.may_hold !== mayHold.no || s.state <= outboxState.ready);
    // What the platform knows decides publish or replace; a withdrawn report is published anew.
    const operation: Operation = last && last.operation !== 'retract' ? 'replace' : 'publish';
    const place: Place =
      by !== undefined
        ? { state: outboxState.cancelled, by }
        : left.some((s) => s.state === outboxState.refused)
          ? { state: outboxState.behind, code: 'PLT-1305' }
          : inTurn(turn);
    write(turn, doc, operation, place);
    return touched;
  }

  function withdraw(turn: Turn, doc: Document): number[] {
    const { platform, jseq, row, before } = turn;
    const touched = overtake(turn, heldBefore(turn), 'withdrawn');
    const since = sinceAcceptedRetraction(before);
    const wrong = toWithdraw(before);
    // Never sent again once known to be wrong, and nothing waits behind it any more.
    const unsent = since.filter(
      ({ operation, state }) =>
        operation !== 'retract' &&
        (state <= outboxState.ready || state === outboxState.behind || state === outboxState.refused),
    );
    touched.push(...cancelAll(turn, unsent, null));
    if (wrong.length === 0) {
      putRendering.run(platform, jseq, 'absorbed', null, null, 'nothing-to-withdraw', row.report);
      return touched;
    }
    // What was delivered has given its place up; a place in another lane is none in this one.
    const places = wrong
      .filter((s) => s.state !== outboxState.received && s.state !== outboxState.accepted && s.lane === row.lane)
      .map((s) => s.pos);
    const place: Place = inTurn(turn);
    if (places.length > 0) {
      place.pos = Math.min(...places);
      reordered();
    }
    write(turn, doc, 'retract', place);
    return touched;
  }
}

/** A version that the platform cannot have and that is still to go. */
const neverLeft = (s: Sibling): boolean =>
  s.operation !== 'retract' &&
  s.may_hold === mayHold.no &&
  (s.state <= outboxState.ready || s.state === outboxState.behind);

/** An accepted retraction settles everything before it. */
const sinceAcceptedRetraction = (documents: Sibling[]): Sibling[] =>
  documents.slice(documents.findLastIndex((s) => s.operation === 'retract' && s.state === outboxState.accepted) + 1);

/** What the platform has or may have, and no retraction on its way covers: one that is open covers what came before it. */
function toWithdraw(documents: Sibling[]): Sibling[] {
  const since = sinceAcceptedRetraction(documents);
  const open = since.findLast((s) => s.operation === 'retract' && s.state <= outboxState.received);
  return since.filter((s) => s.operation !== 'retract' && s.may_hold !== mayHold.no && s.n > (open?.n ?? 0));
}
