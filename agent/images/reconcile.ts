import type { ImageKeepingStore } from '../store/image-contract.ts';
import type { Spool } from '../store/spool.ts';
import type { Log } from '../support/log.ts';

export interface ReconcileParts {
  spool: Spool;
  store: ImageKeepingStore;
  log: Log;
  /**
   * This start found that rows were lost (QUE-4006, QUE-4009, QUE-4014): a file without a row may have been
   * acknowledged, and is kept beside (QUE-4021). Otherwise it never was.
   */
  rowsLost: boolean;
}

export interface Reconciled {
  /** Being written when the process ended, and in no row: never acknowledged. */
  unfinished: number;
  /** Finished and in no row: never acknowledged, or forgotten. */
  unclaimed: number;
  /** In a row and gone: held with QUE-4003. */
  lost: number;
}

/** Makes spool and store agree after a start, before the first instance is taken in: one folder of 256 after the other. */
export async function reconcileSpool({ spool, store, log, rowsLost }: ReconcileParts): Promise<Reconciled> {
  const found: Reconciled = { unfinished: 0, unclaimed: 0, lost: 0 };
  for (const prefix of spool.prefixes()) {
    const files = new Set(await spool.list(prefix));
    const rows = await store.spoolNames(prefix);
    const known = new Set(rows);
    for (const name of await spool.unfinished(prefix)) {
      // A power cut took the rename back and not the row, which was written after the content was durable.
      if (known.has(name) && !files.has(name)) {
        await spool.adopt(name);
        files.add(name);
      } else {
        await spool.drop(name);
        found.unfinished += 1;
      }
    }
    const gone = rows.filter((name) => !files.delete(name));
    if (gone.length > 0) await store.filesLost(gone);
    found.lost += gone.length;
    for (const name of files) {
      await (rowsLost ? spool.setAside(name) : spool.remove(name));
      found.unclaimed += 1;
    }
  }
  if (found.lost > 0) log.error('image-files-lost', { code: 'QUE-4003', count: found.lost });
  if (rowsLost && found.unclaimed > 0) log.error('image-files-unclaimed', { code: 'QUE-4021', count: found.unclaimed });
  return found;
}
