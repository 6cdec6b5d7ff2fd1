import type { DatabaseSync } from 'node:sqlite';
import type { MessagePort } from 'node:worker_threads';
import type { Vault } from '../../security/vault.ts';
import { codeOf } from '../../support/errors.ts';
import { localDays } from '../../support/local-day.ts';
import { tidyMemory } from '../../support/memory.ts';
import type { Question, Reply } from '../../support/thread.ts';
import type { LookupKind, PlatformFigures, ProblemGroup, State, StoreFigures } from '../contract.ts';
import { type ImageReadRequest, openImagePage } from './images/image-page.ts';
import { type MatchReadRequest, openMatchPage } from './matching/match-page.ts';
import { openMessagePage } from './message-page.ts';
import { unpackDocument } from './requests.ts';
import { openRhythmPage, type RhythmReadRequest } from './rhythm.ts';
import { outboxState } from './schema.ts';

/** What the reader answers: bytes of claimed documents, and the page's short keyset pages. */
export type ReadRequest =
  | { op: 'documents'; numbers: number[] }
  | { op: 'figures'; nowMs: number; freeBytes: number; mode: StoreFigures['mode'] }
  | { op: 'messages'; limit: number; before?: number }
  | { op: 'find-messages'; by: LookupKind; term: string; limit: number; before?: number }
  | { op: 'problems'; limit: number }
  | RhythmReadRequest
  | MatchReadRequest
  | ImageReadRequest;

/** A document's stored bytes, or `damaged` when the seal does not hold (invariant 8). */
export type ReadDocument = { n: number; reportNumber: string; bytes: Uint8Array } | { n: number; damaged: true };

export interface ReaderOptions {
  platforms: string[];
  imagePlatforms?: string[];
  /** As in StageAccess. */
  reportWaitMs?: number;
  timeZone: string;
}

export type Reader = ReturnType<typeof openReader>;

/** Answers the questions of a port, one after the other. */
export function serveReads(port: MessagePort, reader: Reader): void {
  const answer = (request: ReadRequest): unknown => {
    switch (request.op) {
      case 'documents':
        return reader.documents(request.numbers);
      case 'figures':
        return reader.figures(request.nowMs, request.freeBytes, request.mode);
      case 'messages':
        return reader.messages.newest(request.limit, request.before);
      case 'find-messages':
        return reader.messages.find(request.by, request.term, request.limit, request.before);
      case 'problems':
        return reader.problems(request.limit);
      case 'rhythms':
      case 'arrivals':
        return reader.rhythm(request);
      case 'links-of':
      case 'unmatched':
      case 'contradictions':
        return reader.matches(request);
      default:
        return reader.images(request);
    }
  };
  port.on('message', (questions: Question[]) => {
    const replies: Reply[] = questions.map(({ id, request }) => {
      try {
        return { id, ok: answer(request as ReadRequest) };
      } catch (error) {
        return { id, failed: codeOf(error, 'QUE-4003') };
      }
    });
    // Documents are handed over, not copied.
    const handed = replies.flatMap(({ ok }) => (Array.isArray(ok) ? ok.flatMap((d) => documentBuffer(d)) : []));
    port.postMessage(replies, handed);
    tidyMemory();
  });
}

const documentBuffer = (row: unknown): ArrayBuffer[] => {
  const bytes = (row as Partial<{ bytes: unknown }> | null)?.bytes;
  return bytes instanceof Uint8Array && bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [];
};

export function openReader(db: DatabaseSync, vault: Vault, options: ReaderOptions) {
  const dayOf = localDays(options.timeZone);
  const matches = openMatchPage(db, vault, options.reportWaitMs ?? 0);
  const document = db.prepare('SELECT key_id, sealed FROM document WHERE n=?');
  const names = db.prepare('SELECT id, kind, name FROM name');
  const unsent = db.prepare(`SELECT count(*) AS n, ifnull(sum(bytes),0) AS bytes, min(created_ms) AS oldest FROM outbox
    WHERE platform=? AND state < 2`);
  const refused = db.prepare(`SELECT count(*) AS n FROM outbox WHERE platform=? AND state=${outboxState.refused}`);
  const heldNow = db.prepare("SELECT count(*) AS n FROM rendering WHERE platform=? AND state='quarantined'");
  const lastAccepted = db.prepare(
    `SELECT max(done_ms) AS ms FROM outbox WHERE platform=? AND state=${outboxState.accepted}`,
  );
  const cursor = db.prepare('SELECT at FROM cursor WHERE stage=?');
  const lastSeq = db.prepare('SELECT ifnull(max(seq),0) AS seq FROM message');
  const firstUnmapped = db.prepare('SELECT received_ms FROM message WHERE seq > ? ORDER BY seq LIMIT 1');
  const today = db.prepare('SELECT source, platform, state, n FROM balance WHERE day=? AND n > 0');
  const received = db.prepare('SELECT source, messages, retransmissions, last_ms FROM intake_day WHERE day=?');
  const bytesOfDays = db.prepare(
    'SELECT sum(bytes) AS b, count(DISTINCT day) AS d FROM (SELECT day, bytes FROM intake_day ORDER BY day DESC LIMIT 64)',
  );
  const size = db.prepare('SELECT page_count * page_size AS b FROM pragma_page_count(), pragma_page_size()');
  const problemParts =
    db.prepare(`SELECT code, ifnull(place,'') AS place, count(*) AS n, min(p.seq) AS a, max(p.seq) AS b
    FROM part p WHERE state='quarantined' GROUP BY code, place ORDER BY b DESC LIMIT ?`);
  const urgentParts = db.prepare(`SELECT code, ifnull(place,'') AS place, count(*) AS n, min(seq) AS a, max(seq) AS b
    FROM part WHERE state='waiting' AND code='MAP-3031' GROUP BY code, place LIMIT ?`);
  const problemRendering =
    db.prepare(`SELECT r.platform, r.code, ifnull(r.place,'') AS place, count(*) AS n, min(j.seq) AS a, max(j.seq) AS b
    FROM rendering r JOIN journal j ON j.jseq = r.jseq WHERE r.state='quarantined' AND r.platform=?
    GROUP BY r.code, r.place ORDER BY b DESC LIMIT ?`);
  const problemOutbox =
    db.prepare(`SELECT platform, code, ifnull(place,'') AS place, count(*) AS n, min(seq) AS a, max(seq) AS b
    FROM outbox WHERE platform=? AND state=${outboxState.refused} GROUP BY code, place ORDER BY b DESC LIMIT ?`);
  const receivedAt = db.prepare('SELECT received_ms FROM message WHERE seq=?');
  const notices = db.prepare(
    'SELECT code, count(*) AS n, min(at_ms) AS a, max(at_ms) AS b, max(ifnull(first,0)) AS seq FROM notice GROUP BY code',
  );

  const nameOf = (): ((id: number) => string) => {
    const all = new Map((names.all() as unknown as Array<{ id: number; name: string }>).map((r) => [r.id, r.name]));
    return (id) => all.get(id) ?? '';
  };
  const idOf = (platform: string): number =>
    (names.all() as unknown as Array<{ id: number; kind: string; name: string }>).find(
      (r) => r.kind === 'platform' && r.name === platform,
    )?.id ?? -1;
  const number = (row: unknown, key: string): number => Number((row as Record<string, unknown>)[key] ?? 0);

  const platformFigures = (name: string, acceptedToday: number): PlatformFigures => {
    const id = idOf(name);
    const u = unsent.get(id);
    const oldest = (u as { oldest: number | null }).oldest;
    const last = (lastAccepted.get(id) as { ms: number | null }).ms;
    return {
      platform: name,
      unsent: number(u, 'n'),
      unsentBytes: number(u, 'bytes'),
      oldestMs: oldest ?? undefined,
      held: number(refused.get(id), 'n') + number(heldNow.get(id), 'n'),
      lastAcceptedMs: last ?? undefined,
      acceptedToday,
    };
  };

  const ms = (seq: number): number => number(receivedAt.get(seq), 'received_ms');

  return {
    images: openImagePage(db, vault, options.imagePlatforms ?? [], dayOf, matches.problems),
    matches: matches.answer,
    rhythm: openRhythmPage(db),
    messages: openMessagePage(db, vault, nameOf),

    documents(numbers: number[]): ReadDocument[] {
      return numbers.map((n) => {
        try {
          const row = document.get(n) as { key_id: number; sealed: Uint8Array } | undefined;
          if (!row) return { n, damaged: true };
          return { n, ...unpackDocument(vault.open('document', n, row.key_id, row.sealed)) };
        } catch {
          return { n, damaged: true };
        }
      });
    },

    figures(nowMs: number, freeBytes: number, mode: StoreFigures['mode']): StoreFigures {
      const name = nameOf();
      const day = dayOf(nowMs);
      const mapped = number(cursor.get('mapping') ?? {}, 'at');
      const rows = today.all(day) as unknown as Array<{ source: number; platform: number; state: State; n: number }>;
      const todayRows = rows.map((r) => ({
        source: name(r.source),
        platform: name(r.platform),
        state: r.state,
        count: r.n,
      }));
      const delivered = (platform: string) =>
        todayRows.filter((r) => r.platform === platform && r.state === 'delivered').reduce((n, r) => n + r.count, 0);
      const bytes = bytesOfDays.get() as { b: number | null; d: number };
      const unmapped = firstUnmapped.get(mapped) as { received_ms: number } | undefined;
      return {
        mode,
        freeBytes,
        databaseBytes: number(size.get(), 'b'),
        bytesPerDay: bytes.d > 0 ? Math.round((bytes.b ?? 0) / bytes.d) : 0,
        lastSeq: number(lastSeq.get(), 'seq'),
        mappedThrough: mapped,
        oldestUnmappedMs: unmapped?.received_ms,
        platforms: options.platforms.map((p) => platformFigures(p, delivered(p))),
        today: todayRows,
        receivedToday: (
          received.all(day) as unknown as Array<{
            source: number;
            messages: number;
            retransmissions: number;
            last_ms: number;
          }>
        ).map((r) => ({
          source: name(r.source),
          count: r.messages,
          retransmissions: r.retransmissions,
          lastMs: r.last_ms,
        })),
      };
    },

    problems(limit: number): ProblemGroup[] {
      const groups: ProblemGroup[] = [];
      const add = (rows: unknown[], platform: string) => {
        for (const r of rows as Array<{ code: string; place: string; n: number; a: number; b: number }>) {
          groups.push({
            code: r.code,
            platform,
            where: r.place,
            count: r.n,
            firstMs: ms(r.a),
            lastMs: ms(r.b),
            exampleSeq: r.b,
          });
        }
      };
      add(problemParts.all(limit), '');
      add(urgentParts.all(limit), '');
      for (const platform of options.platforms) {
        const id = idOf(platform);
        add(problemRendering.all(id, limit), platform);
        add(problemOutbox.all(id, limit), platform);
      }
      for (const r of notices.all() as unknown as Array<{
        code: string;
        n: number;
        a: number;
        b: number;
        seq: number;
      }>) {
        groups.push({
          code: r.code,
          platform: '',
          where: '',
          count: r.n,
          firstMs: r.a,
          lastMs: r.b,
          exampleSeq: r.seq,
        });
      }
      return groups.sort((a, b) => b.lastMs - a.lastMs).slice(0, limit);
    },
  };
}
