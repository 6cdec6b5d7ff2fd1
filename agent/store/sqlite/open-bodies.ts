import type { DatabaseSync } from 'node:sqlite';
import type { Vault } from '../../security/vault.ts';
import { codeOf } from '../../support/errors.ts';
import { phi } from '../../support/phi.ts';
import type { DamagedMessage, InboxMessage } from '../contract.ts';

/** A message's row without its bytes. */
export interface MessageRow {
  seq: number;
  source: string;
  received_ms: number;
}

/** Columns of MessageRow. */
export const messageColumns =
  'SELECT m.seq, n.name AS source, m.received_ms FROM message m JOIN name n ON n.id = m.source';

/** Opens what was sealed once and never changed: messages and records. */
export function openStored(db: DatabaseSync, vault: Vault) {
  const body = db.prepare('SELECT key_id, sealed FROM body WHERE seq=?');
  const record = db.prepare('SELECT key_id, sealed FROM record WHERE jseq=?');
  return {
    message({ seq, source, received_ms: receivedMs }: MessageRow): InboxMessage | DamagedMessage {
      try {
        const stored = body.get(seq) as { key_id: number; sealed: Uint8Array } | undefined;
        if (!stored) return { seq, source, receivedMs, damaged: 'QUE-4003' };
        return { seq, source, receivedMs, raw: phi(vault.open('body', seq, stored.key_id, stored.sealed)) };
      } catch (error) {
        return { seq, source, receivedMs, damaged: codeOf(error, 'QUE-4003') };
      }
    },
    /** JSON of JournalContent; an empty string when damaged: the renderer holds it with QUE-4003. */
    record(jseq: number): string {
      try {
        const r = record.get(jseq) as { key_id: number; sealed: Uint8Array };
        return vault.open('record', jseq, r.key_id, r.sealed).toString('utf8');
      } catch {
        return '';
      }
    },
  };
}
