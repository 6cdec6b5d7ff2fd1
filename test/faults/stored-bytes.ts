import { openForReading } from '../../agent/store/sqlite/open.ts';

/** A message as the store gives it back; no bytes when it cannot be read. */
export interface StoredMessage {
  seq: number;
  bytes: Buffer | undefined;
}

/** What is in a store, read on a connection of its own beside the running agent. */
export interface StoredBytes {
  /** Messages after `seq`, in order of arrival. */
  after(seq: number): StoredMessage[];
  close(): void;
}

export function openStoredBytes(folder: string, keyReference: string): StoredBytes {
  const { db, vault, close } = openForReading(folder, keyReference);
  const rows = db.prepare(
    'SELECT m.seq, b.key_id AS keyId, b.sealed FROM message m LEFT JOIN body b ON b.seq = m.seq WHERE m.seq > ? ORDER BY m.seq',
  );
  return {
    after: (seq) =>
      (rows.all(seq) as unknown as Array<{ seq: number; keyId: number; sealed: Uint8Array | null }>).map((row) => {
        if (row.sealed === null) return { seq: row.seq, bytes: undefined };
        return { seq: row.seq, bytes: Buffer.from(vault.open('body', row.seq, row.keyId, row.sealed)) };
      }),
    close,
  };
}
