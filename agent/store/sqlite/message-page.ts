import type { DatabaseSync } from 'node:sqlite';
import type { Vault } from '../../security/vault.ts';
import { type LookupKind, lookupKinds, type MessageRow, type State } from '../contract.ts';
import { lookupField } from './writes/mapping-writes.ts';

const MOST_ROWS = 200;

interface Row {
  seq: number;
  source: number;
  received_ms: number;
  bytes: number;
  type: string | null;
}
interface StateRow {
  platform: number;
  state: State;
  code: string | null;
  rule: string | null;
  by_seq: number | null;
  since_ms: number;
}

/** Messages for the page, the newest first: what came last, and what a search key names. `nameOf` gives names by their ids. */
export function openMessagePage(db: DatabaseSync, vault: Vault, nameOf: () => (id: number) => string) {
  const columns = 'm.seq, m.source, m.received_ms, m.bytes, m.type';
  const newest = db.prepare(`SELECT ${columns} FROM message m WHERE m.seq < ? ORDER BY m.seq DESC LIMIT ?`);
  const named = db.prepare(`SELECT ${columns} FROM lookup l JOIN message m ON m.seq = l.seq
    WHERE l.kind=? AND l.mac=? AND l.seq < ? ORDER BY l.seq DESC LIMIT ?`);
  const states = db.prepare(
    'SELECT platform, state, code, rule, by_seq, since_ms FROM disposition WHERE seq=? ORDER BY platform',
  );

  const shown = (rows: Row[]): MessageRow[] => {
    const name = nameOf();
    return rows.map((m) => ({
      seq: m.seq,
      source: name(m.source),
      receivedMs: m.received_ms,
      bytes: m.bytes,
      type: m.type ?? '',
      states: (states.all(m.seq) as unknown as StateRow[]).map((s) => ({
        platform: name(s.platform),
        state: s.state,
        code: s.code ?? undefined,
        rule: s.rule ?? undefined,
        by: s.by_seq ?? undefined,
        sinceMs: s.since_ms,
      })),
    }));
  };

  return {
    newest: (limit: number, before = Number.MAX_SAFE_INTEGER): MessageRow[] =>
      shown(newest.all(before, Math.min(limit, MOST_ROWS)) as unknown as Row[]),
    find(by: LookupKind, sent: string, limit: number, before = Number.MAX_SAFE_INTEGER): MessageRow[] {
      const most = Math.min(limit, MOST_ROWS);
      const term = sent.trim();
      // Senders space names as they like, and people type them without (extract/search-keys.ts writes both).
      const terms = by === 'name' ? new Set([term, term.replace(/\s/gu, '')]) : [term];
      const found = new Map<number, Row>();
      for (const one of terms) {
        const mac = vault.mac(lookupField(by), one);
        for (const row of named.all(lookupKinds.indexOf(by), mac, before, most) as unknown as Row[])
          found.set(row.seq, row);
      }
      return shown([...found.values()].sort((a, b) => b.seq - a.seq).slice(0, most));
    },
  };
}
