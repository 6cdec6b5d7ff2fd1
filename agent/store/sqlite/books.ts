import type { DatabaseSync } from 'node:sqlite';
import type { State } from '../contract.ts';
import { outboxState } from './schema.ts';

/** One message's state at one platform as the books keep it. */
export interface Entry {
  state: State;
  code?: string | null;
  rule?: string | null;
  by?: number | null;
}

/** A message says several things: the state that needs most attention stands for all. */
const weight: Record<State, number> = { quarantined: 5, waiting: 4, delivered: 3, filtered: 2, absorbed: 1 };

/** Platform 0 stands for "none": a message that made no record counts once under it. */
export const NO_PLATFORM = 0;

export interface Books {
  /** Recomputes and writes the state of a message at every platform, after anything about it changed. */
  settle(seq: number, nowMs: number): void;
}

/** `start`: position in the journal at which the platform joined; what came before is not its business. */
export interface BookedPlatform {
  id: number;
  start: number;
}

/** The books (invariant 3): state derived from parts, journal, rendering and outbox, never set by hand. */
export function openBooks(db: DatabaseSync, platforms: readonly BookedPlatform[]): Books {
  const message = db.prepare('SELECT source, day FROM message WHERE seq=?');
  const parts = db.prepare('SELECT state, code, rule, by_seq FROM part WHERE seq=?');
  const journal = db.prepare('SELECT jseq FROM journal WHERE seq=?');
  const outbox = db.prepare('SELECT state, code, by_seq, rule FROM outbox WHERE jseq=? AND platform=?');
  const rendering = db.prepare('SELECT state, code, rule FROM rendering WHERE platform=? AND jseq=?');
  const put = db.prepare(`INSERT INTO disposition(seq, platform, state, code, rule, by_seq, since_ms, day, source)
    VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET
    since_ms = CASE WHEN state = excluded.state THEN since_ms ELSE excluded.since_ms END,
    state = excluded.state, code = excluded.code, rule = excluded.rule, by_seq = excluded.by_seq`);
  const dropNone = db.prepare(`DELETE FROM disposition WHERE seq=? AND platform=${NO_PLATFORM}`);

  const ofRecord = (jseq: number, platform: number): Entry => {
    const sent = outbox.get(jseq, platform) as
      | { state: number; code: string | null; by_seq: number | null; rule: string | null }
      | undefined;
    if (sent) {
      if (sent.state === outboxState.accepted) return { state: 'delivered' };
      if (sent.state === outboxState.refused) return { state: 'quarantined', code: sent.code };
      if (sent.state === outboxState.cancelled)
        return { state: 'absorbed', by: sent.by_seq, rule: sent.rule ?? 'withdrawn' };
      return { state: 'waiting', code: sent.code };
    }
    const made = rendering.get(platform, jseq) as
      | { state: State; code: string | null; rule: string | null }
      | undefined;
    return made ?? { state: 'waiting' };
  };

  const heaviest = (entries: Entry[]): Entry => {
    let found: Entry = { state: 'absorbed' };
    let most = 0;
    for (const entry of entries) {
      if (weight[entry.state] > most) {
        most = weight[entry.state];
        found = entry;
      }
    }
    return found;
  };

  return {
    settle(seq, nowMs) {
      const m = message.get(seq) as { source: number; day: number } | undefined;
      if (!m) return;
      const others = (parts.all(seq) as unknown as Array<Entry & { by_seq: number | null }>).map((p) => ({
        ...p,
        by: p.by_seq,
      }));
      const records = journal.all(seq) as unknown as Array<{ jseq: number }>;
      const write = (platform: number, e: Entry) =>
        put.run(seq, platform, e.state, e.code ?? null, e.rule ?? null, e.by ?? null, nowMs, m.day, m.source);
      if (records.length === 0 || platforms.length === 0) {
        write(NO_PLATFORM, records.length === 0 ? heaviest(others) : { state: 'filtered', rule: 'no-platform' });
        return;
      }
      dropNone.run(seq);
      for (const { id, start } of platforms) {
        const mine = records.filter((r) => r.jseq > start);
        if (mine.length > 0) write(id, heaviest([...others, ...mine.map((r) => ofRecord(r.jseq, id))]));
      }
    },
  };
}
