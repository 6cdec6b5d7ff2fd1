import type { ClinicalRecord } from '../../../clinical/records/types.ts';
import type { JournalContent } from '../../../rendering/format.ts';
import { type Phi, phi } from '../../../support/phi.ts';
import type { DamagedMessage, InboxMessage } from '../../contract.ts';
import { openForReading } from '../open.ts';
import { type MessageRow, messageColumns, openStored } from '../open-bodies.ts';
import { unpackDocument } from '../requests.ts';

/** One entry of the journal as it was made. */
export interface MadeEntry {
  jseq: number;
  seq: number;
  action: 'publish' | 'retract';
  setId: string;
  version: number;
  /** Empty when damaged. */
  content: Phi<string>;
}

/** A store as a replay reads it: beside a running agent, changing nothing. */
export interface ReplayView {
  /** Messages that were mapped, in order of arrival. */
  messages(): Iterable<InboxMessage | DamagedMessage>;
  message(seq: number): InboxMessage | DamagedMessage | undefined;
  /** In the order in which they were made. */
  journal(): Iterable<MadeEntry>;
  /** The record of an entry; undefined when damaged. */
  record(jseq: number): ClinicalRecord | undefined;
  /** What was made of an entry for a platform; undefined when no document was. */
  document(platform: string, jseq: number): Phi<Uint8Array> | undefined;
  close(): void;
}

const PAGE = 500;

interface EntryRow {
  jseq: number;
  seq: number;
  action: 'publish' | 'retract';
  set_id: string;
  version: number;
}

export function openReplayView(folder: string, keyReference: string): ReplayView {
  const { db, vault, close } = openForReading(folder, keyReference);
  const through = (db.prepare("SELECT at FROM cursor WHERE stage='mapping'").get() as { at: number } | undefined)?.at;
  const last = (db.prepare('SELECT max(jseq) AS j FROM journal').get() as { j: number | null }).j ?? 0;
  const stored = openStored(db, vault);
  const page = db.prepare(`${messageColumns} WHERE m.seq > ? AND m.seq <= ? ORDER BY m.seq LIMIT ${PAGE}`);
  const one = db.prepare(`${messageColumns} WHERE m.seq = ?`);
  const entries = db.prepare(
    `SELECT jseq, seq, action, set_id, version FROM journal WHERE jseq > ? AND jseq <= ? ORDER BY jseq LIMIT ${PAGE}`,
  );
  const document = db.prepare(`SELECT d.n, d.key_id, d.sealed FROM outbox o JOIN name p ON p.id = o.platform
    JOIN document d ON d.n = o.n WHERE o.jseq=? AND p.kind='platform' AND p.name=?`);

  return {
    *messages() {
      for (let after = 0; ; ) {
        const rows = page.all(after, through ?? 0) as unknown as MessageRow[];
        if (rows.length === 0) return;
        for (const row of rows) yield stored.message(row);
        after = rows.at(-1)?.seq ?? after;
      }
    },
    message(seq) {
      const row = one.get(seq) as unknown as MessageRow | undefined;
      return row && stored.message(row);
    },
    *journal() {
      for (let after = 0; ; ) {
        const rows = entries.all(after, last) as unknown as EntryRow[];
        if (rows.length === 0) return;
        for (const { jseq, seq, action, set_id: setId, version } of rows) {
          yield { jseq, seq, action, setId, version, content: phi(stored.record(jseq)) };
        }
        after = rows.at(-1)?.jseq ?? after;
      }
    },
    record(jseq) {
      const text = stored.record(jseq);
      return text === '' ? undefined : (JSON.parse(text) as JournalContent).record;
    },
    document(platform, jseq) {
      const row = document.get(jseq, platform) as { n: number; key_id: number; sealed: Uint8Array } | undefined;
      return row && phi(unpackDocument(vault.open('document', row.n, row.key_id, row.sealed)).bytes);
    },
    close,
  };
}
