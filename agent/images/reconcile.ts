import type { ImageKeepingStore } from '../store/image-contract.ts';
import type { Spool } from '../store/spool.ts';
import type { Clock } from '../support/clock.ts';
import { codeOf, errnoOf } from '../support/errors.ts';
import type { Log } from '../support/log.ts';

export interface ReconcileParts {
  spool: Spool;
  store: Pick<ImageKeepingStore, 'spoolNames' | 'filesLost'>;
  clock: Clock;
  log: Log;
}

export interface Reconciled {
  /** Being written when the process ended, and in no row: never acknowledged. */
  unfinished: number;
  /** Finished and in no row: its row was lost, was never written, or let go of it. Set aside, for nobody can tell which. */
  unclaimed: number;
  /** In a row and gone: held with QUE-4003. */
  lost: number;
}

/** So long what was set aside is kept. */
const KEEP_ASIDE_MS = 30 * 24 * 3_600_000;

/**
 * Makes spool and store agree after a start, before the first instance is taken in: one folder of 256 after the other.
 * A finished file is never removed. A file or folder that cannot be dealt with is logged and passed over: it stays as it is
 * until the next start.
 */
export async function reconcileSpool({ spool, store, clock, log }: ReconcileParts): Promise<Reconciled> {
  const found: Reconciled = { unfinished: 0, unclaimed: 0, lost: 0 };
  const nowMs = clock.now();
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
      log.error('spool-not-reconciled', { code: codeOf(error, 'QUE-4020'), errno: errnoOf(cause) ?? 'unknown' });
    }
  };

  await attempt(() => spool.forgetAside(nowMs - KEEP_ASIDE_MS));
  for (const prefix of spool.prefixes()) {
    await attempt(async () => {
      const files = new Set(await spool.list(prefix));
      const unfinished = await spool.unfinished(prefix);
      const rows = await store.spoolNames(prefix);
      const known = new Set(rows);
      for (const name of unfinished) {
        // A power cut took the rename back and not the row, which was written after the content was durable.
        const claimed = known.has(name) && !files.has(name);
        // Whether it can be adopted or not: it is there.
        if (claimed) files.add(name);
        await attempt(async () => {
          if (claimed) return await spool.adopt(name);
          await spool.drop(name);
          found.unfinished += 1;
        });
      }
      const gone = rows.filter((name) => !files.delete(name));
      for (const name of files) {
        await attempt(async () => {
          await spool.setAside(name, nowMs);
          found.unclaimed += 1;
        });
      }
      if (gone.length > 0) await store.filesLost(gone);
      found.lost += gone.length;
    });
  }
  if (found.lost > 0) log.error('image-files-lost', { code: 'QUE-4003', count: found.lost });
  if (found.unclaimed > 0) log.error('image-files-unclaimed', { code: 'QUE-4021', count: found.unclaimed });
  return found;
}
