import { setTimeout as wait } from 'node:timers/promises';
import type { ImageKeepingStore } from '../store/image-contract.ts';
import type { Spool } from '../store/spool.ts';
import type { Clock } from '../support/clock.ts';
import { errnoOf } from '../support/errors.ts';
import type { Log } from '../support/log.ts';

export interface ForgetParts {
  spool: Pick<Spool, 'remove'>;
  store: Pick<ImageKeepingStore, 'forgetDelivered'>;
  clock: Clock;
  log: Log;
  /** How long the file of an instance is kept after it was delivered everywhere. Default 7 days. */
  keepMs?: number;
  /** Where it is about room only: asked again before more is removed. Default: all of it goes. */
  wanted?(): boolean;
}

const KEEP_MS = 7 * 24 * 3_600_000;
const AT_ONCE = 200;
/** The store looks at the disk every second. */
const LOOK_MS = 1_100;

/**
 * Removes the files of instances that were delivered everywhere long enough ago, the oldest first; their rows stay. First the row says that
 * the file is nobody's, then it goes: after a crash in between the next start sets it aside. Returns how many.
 */
export async function forgetDelivered(parts: ForgetParts): Promise<number> {
  const { spool, store, clock, log, keepMs = KEEP_MS, wanted } = parts;
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
    if (wanted) await wait(LOOK_MS, undefined, { ref: false });
    if (wanted?.() === false) return removed;
  }
}
