import type { ImageKeepingStore } from '../store/image-contract.ts';
import type { Spool } from '../store/spool.ts';
import type { Clock } from '../support/clock.ts';
import { errnoOf } from '../support/errors.ts';
import type { Log } from '../support/log.ts';

export interface ForgetParts {
  spool: Pick<Spool, 'remove'>;
  store: ImageKeepingStore;
  clock: Clock;
  log: Log;
  /** How long the file of an instance is kept after it was delivered everywhere. Default 7 days. */
  keepMs?: number;
}

const KEEP_MS = 7 * 24 * 3_600_000;
const AT_ONCE = 200;

/**
 * Removes the files of instances that were delivered everywhere long enough ago; their rows stay. First the row says that
 * the file is nobody's, then it goes: after a crash in between the next start removes it. Returns how many.
 */
export async function forgetDelivered({ spool, store, clock, log, keepMs = KEEP_MS }: ForgetParts): Promise<number> {
  let removed = 0;
  for (;;) {
    const names = await store.forgetDelivered(clock.now() - keepMs, AT_ONCE);
    for (const name of names) {
      try {
        await spool.remove(name);
        removed += 1;
      } catch (error) {
        log.warn('image-file-not-removed', { errno: errnoOf(error) ?? 'unknown' });
      }
    }
    if (names.length < AT_ONCE) return removed;
  }
}
