import type { ImageDeliveryStore } from '../store/image-contract.ts';
import type { Log } from '../support/log.ts';
import type { ImagePlatformConnection } from './image-platform.ts';

interface VerificationParts {
  platform: string;
  connection: Pick<ImagePlatformConnection, 'countInstances'>;
  store: Pick<ImageDeliveryStore, 'studiesToVerify' | 'studyCounted'>;
  log: Log;
  monotonic(): number;
  /** After a question that got no answer. */
  againMs: number;
}

/** Asks after so many times in vain, the platform cannot say. */
const MOST_TRIES = 3;
const AT_ONCE = 5;

export interface Verification {
  /**
   * Asks after some studies that are delivered and not counted yet. Returns 0 when there may be more now, else the
   * milliseconds until it is worth calling again; undefined when there is nothing to ask.
   */
  next(signal: AbortSignal): Promise<number | undefined>;
}

/**
 * Compares what the platform says it has of a study with what it has accepted. Fewer is told (DCM-2293) and kept beside
 * the study; nothing is sent again by itself, for a platform may merge or refuse what it accepted before.
 */
export function createVerification(parts: VerificationParts): Verification {
  const { platform, connection, store, log, monotonic } = parts;
  const tries = new Map<number, number>();
  let notBefore = Number.NEGATIVE_INFINITY;
  return {
    async next(signal) {
      const restMs = notBefore - monotonic();
      if (restMs > 0) return Math.ceil(restMs);
      const studies = await store.studiesToVerify(platform, AT_ONCE);
      if (studies.length === 0) return undefined;
      for (const { study, studyUid, delivered } of studies) {
        const counted = await connection.countInstances?.(studyUid, signal).catch(() => undefined);
        if (signal.aborted) return undefined;
        if (counted === undefined) {
          const times = (tries.get(study) ?? 0) + 1;
          tries.set(study, times);
          if (times < MOST_TRIES) {
            notBefore = monotonic() + parts.againMs;
            return parts.againMs;
          }
        }
        tries.delete(study);
        if (counted !== undefined && counted < delivered) {
          log.warn('study-incomplete-at-platform', { platform, code: 'DCM-2293', n: study, count: counted });
        }
        await store.studyCounted(platform, study, delivered, counted);
      }
      return 0;
    },
  };
}
