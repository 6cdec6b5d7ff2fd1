import type { ImageDeliveryStore, StudyToVerify } from '../store/image-contract.ts';
import { codeOf } from '../support/errors.ts';
import type { Log } from '../support/log.ts';
import type { ImagePlatformConnection } from './image-platform.ts';
import { startPacer } from './pacer.ts';

interface VerificationParts {
  platform: string;
  connection: Pick<ImagePlatformConnection, 'countInstances'>;
  store: Pick<ImageDeliveryStore, 'studiesToVerify' | 'studyCounted'>;
  log: Log;
  monotonic(): number;
  /** After a question that got no answer. */
  againMs: number;
  /** Called when look() is worth calling. */
  wake(): void;
}

/** Asks after so many times in vain, the platform cannot say. */
const MOST_TRIES = 3;
const AT_ONCE = 5;

export interface Verification {
  /**
   * Begins to ask after studies that are delivered and not counted yet. Waits for nothing: a platform that is slow to
   * count must not hold up what is to be sent. Returns the milliseconds until it is worth calling again, Infinity while
   * nobody knows.
   */
  look(): number;
  /** Gives up what is being asked, which may take as long. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Compares what the platform says it has of a study with what it has accepted. Fewer is told (DCM-2293) and kept beside
 * the study; nothing is sent again by itself, for a platform may merge or refuse what it accepted before.
 */
export function createVerification(parts: VerificationParts): Verification {
  const { platform, connection, store, log, monotonic, againMs } = parts;
  const abort = new AbortController();
  const tries = new Map<number, number>();
  let asking: Promise<void> | undefined;
  let notBefore = Number.NEGATIVE_INFINITY;
  /** Something may have been delivered since the studies being asked after were looked for. */
  let lookAgain = false;

  /** False when it got no answer and is to be asked again. */
  async function ask({ study, studyUid, delivered }: StudyToVerify): Promise<boolean> {
    const counted = await connection.countInstances?.(studyUid, abort.signal).catch(() => undefined);
    if (abort.signal.aborted) return true;
    if (counted === undefined) {
      const times = (tries.get(study) ?? 0) + 1;
      tries.set(study, times);
      if (times < MOST_TRIES) return false;
    }
    tries.delete(study);
    if (counted !== undefined && counted < delivered) {
      log.warn('study-incomplete-at-platform', { platform, code: 'DCM-2293', n: study, count: counted });
    }
    await store.studyCounted(platform, study, delivered, counted);
    return true;
  }

  /** Milliseconds until there may be more to ask; undefined when there was nothing. */
  async function askSome(): Promise<number | undefined> {
    const studies = await store.studiesToVerify(platform, AT_ONCE);
    for (const study of studies) {
      if (!(await ask(study))) return againMs;
      if (abort.signal.aborted) break;
    }
    return studies.length > 0 ? 0 : undefined;
  }

  async function askAndTell(): Promise<void> {
    const waitMs = await askSome().catch((error: unknown) => {
      log.error('verification-failed', { platform, code: codeOf(error, 'QUE-4007') });
      return againMs;
    });
    asking = undefined;
    if (waitMs === undefined && !lookAgain) return;
    notBefore = monotonic() + (waitMs ?? 0);
    parts.wake();
  }

  return {
    look() {
      const restMs = Math.ceil(notBefore - monotonic());
      if (restMs > 0) return restMs;
      if (asking !== undefined) lookAgain = true;
      else if (!abort.signal.aborted) {
        lookAgain = false;
        asking = askAndTell();
      }
      return Infinity;
    },
    async stop(graceMs) {
      abort.abort();
      if (asking !== undefined) await startPacer().atMost(asking, graceMs);
    },
  };
}
