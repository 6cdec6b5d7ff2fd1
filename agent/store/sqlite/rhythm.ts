import type { DatabaseSync } from 'node:sqlite';
import type { Asker } from '../../support/thread.ts';
import type { Arrivals, ArrivalsAfter, KeptRhythms, RhythmStore } from '../contract.ts';
import type { ReadRequest } from './reader.ts';
import type { WriteRequest } from './requests.ts';

/** Read in one go: some 20 ms of the thread that also maps. */
const ROWS = 5_000;
const MINUTE_MS = 60_000;
/** Messages that were not mapped for longer than this are counted as they are. */
const MAPPED_WITHIN_MS = MINUTE_MS;

export type RhythmReadRequest = { op: 'rhythms' } | { op: 'arrivals'; after: ArrivalsAfter; nowMs: number };

/** Cursors, first set by the migration. */
const MESSAGES = 'rhythm-messages';
const INSTANCES = 'rhythm-instances';

/** The reader's part: what came after a place in the inbox, and how far that was read. */
export function openRhythmPage(db: DatabaseSync): (request: RhythmReadRequest) => KeptRhythms | Arrivals {
  const kept = db.prepare('SELECT n.name AS source, kept.state FROM rhythm kept JOIN name n ON n.id = kept.source');
  const cursor = db.prepare('SELECT at FROM cursor WHERE stage=?');
  const tops = db.prepare(`SELECT (SELECT ifnull(max(seq),0) FROM message) AS seq,
    (SELECT ifnull(max(n),0) FROM instance) AS n, ifnull((SELECT at FROM cursor WHERE stage='mapping'),0) AS mapped`);
  const firstUnmapped = db.prepare('SELECT received_ms AS ms FROM message WHERE seq > ? ORDER BY seq LIMIT 1');
  // What a device sends to say that it is there is no message of anybody: mapping has found out.
  const messages = db.prepare(`SELECT m.seq AS at, n.name AS source, m.received_ms AS ms, ifnull(m.type,'') AS type,
      EXISTS(SELECT 1 FROM part p WHERE p.seq = m.seq AND p.rule = 'heartbeat') AS left_out
    FROM message m JOIN name n ON n.id = m.source WHERE m.seq > ? AND m.seq <= ? ORDER BY m.seq LIMIT ${ROWS}`);
  const instances = db.prepare(`SELECT i.n AS at, s.name AS source, i.received_ms AS ms, '' AS type, 0 AS left_out
    FROM instance i JOIN name s ON s.id = i.source WHERE i.n > ? AND i.n <= ? ORDER BY i.n LIMIT ${ROWS}`);
  const at = (stage: string): number => (cursor.get(stage) as { at: number } | undefined)?.at ?? 0;

  return (request) => {
    if (request.op === 'rhythms') {
      return { after: { seq: at(MESSAGES), n: at(INSTANCES) }, states: kept.all() as unknown as KeptRhythms['states'] };
    }
    const { after, nowMs } = request;
    const top = tops.get() as { seq: number; n: number; mapped: number };
    const unmapped = firstUnmapped.get(top.mapped) as { ms: number } | undefined;
    const until = unmapped && nowMs - unmapped.ms > MAPPED_WITHIN_MS ? top.seq : Math.min(top.mapped, top.seq);
    const rows = messages.all(after.seq, until) as unknown as Row[];
    const images = instances.all(after.n, top.n) as unknown as Row[];
    return {
      through: { seq: rows.at(-1)?.at ?? after.seq, n: images.at(-1)?.at ?? after.n },
      more: rows.length === ROWS || images.length === ROWS,
      rows: [...byMinute(rows, false), ...byMinute(images, true)],
    };
  };
}

interface Row {
  at: number;
  source: string;
  ms: number;
  type: string;
  left_out: number;
}

function byMinute(rows: Row[], images: boolean): Arrivals['rows'] {
  const found = new Map<string, Arrivals['rows'][number]>();
  for (const { source, ms, type, left_out } of rows) {
    if (left_out) continue;
    const minuteMs = Math.floor(ms / MINUTE_MS) * MINUTE_MS;
    const key = JSON.stringify([source, minuteMs, type]);
    const row = found.get(key) ?? { source, images, minuteMs, type, lastMs: ms, count: 0 };
    row.count += 1;
    row.lastMs = ms;
    found.set(key, row);
  }
  return [...found.values()];
}

/** The writer's part. Call inside a transaction. `assertRoom` throws while the disk is low. */
export function openRhythmWrites(db: DatabaseSync, sourceId: (name: string) => number, assertRoom: () => void) {
  const put = db.prepare(
    'INSERT INTO rhythm(source, state) VALUES(?,?) ON CONFLICT DO UPDATE SET state=excluded.state',
  );
  const setCursor = db.prepare('INSERT INTO cursor(stage, at) VALUES(?,?) ON CONFLICT DO UPDATE SET at=excluded.at');
  return ({ after, states }: KeptRhythms): void => {
    assertRoom();
    for (const { source, state } of states) put.run(sourceId(source), state);
    setCursor.run(MESSAGES, after.seq);
    setCursor.run(INSTANCES, after.n);
  };
}

/** The same as the main thread sees it. */
export const rhythmStoreThrough = (write: Asker<WriteRequest>, read: Asker<ReadRequest>): RhythmStore => ({
  rhythms: async () => (await read.ask({ op: 'rhythms' })) as KeptRhythms,
  arrivals: async (after, nowMs) => (await read.ask({ op: 'arrivals', after, nowMs })) as Arrivals,
  async keepRhythms(rhythms) {
    await write.ask({ op: 'keep-rhythms', rhythms });
  },
});
