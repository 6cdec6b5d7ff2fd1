import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { databaseOf } from './progress.ts';

/** What a store takes on disk for what it was given; without its ballast, which does not grow. */
export interface DiskUse {
  receivedBytes: number;
  /** Database and WAL after a checkpoint. */
  diskBytes: number;
  perByteReceived: number;
  /** Bytes of disk per byte received, by table or index, largest first; pages not in use as `(free)`. */
  tables: Array<{ name: string; perByteReceived: number }>;
}

/** Of a store that nobody has open. */
export function measureDiskUse(site: { folder: string }): DiskUse {
  const path = databaseOf(site);
  const db = new DatabaseSync(path);
  try {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    const one = (sql: string) => Number(Object.values(db.prepare(sql).get() ?? {})[0] ?? 0);
    const receivedBytes = one('SELECT sum(bytes) FROM message');
    const diskBytes = [path, `${path}-wal`].reduce(
      (sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
    const tables = db
      .prepare('SELECT name, sum(pgsize) AS bytes FROM dbstat GROUP BY name ORDER BY bytes DESC')
      .all() as unknown as Array<{ name: string; bytes: number }>;
    tables.push({
      name: '(free)',
      bytes: one('PRAGMA freelist_count') * one('PRAGMA page_size'),
    });
    return {
      receivedBytes,
      diskBytes,
      perByteReceived: diskBytes / receivedBytes,
      tables: tables.map(({ name, bytes }) => ({ name, perByteReceived: bytes / receivedBytes })),
    };
  } finally {
    db.close();
  }
}
