import type { ClaimedInstance, ImageDeliveryStore, InstanceVerdict } from '../store/image-contract.ts';
import type { Spool } from '../store/spool.ts';
import { createBucket, type RateAt } from './bandwidth.ts';
import { flyImages } from './image-flight.ts';
import type { ImagePlatformConnection } from './image-platform.ts';
import { type CommonParts, type Delivery, type LoopTiming, loopTiming, startLoop } from './loop.ts';
import { createPace } from './pace.ts';
import { createUnlisted } from './unlisted.ts';
import { createVerification } from './verification.ts';

export interface ImageDeliveryParts extends CommonParts {
  connection: ImagePlatformConnection;
  store: ImageDeliveryStore;
  spool: Pick<Spool, 'read'>;
  /** Bytes a second at a time of the wall clock (bandwidth.ts); absent: unlimited. At 0 nothing is sent … */
  rateAt?: RateAt;
  /** … but instances of urgent studies, when this is set; those without a limit. */
  urgentAlways?: boolean;
  /** Asks the platform how many instances of a study it has, once all are delivered. Default false. */
  verify?: boolean;
  timing?: Partial<ImageDeliveryTiming>;
}

/** Milliseconds. */
export interface ImageDeliveryTiming extends LoopTiming {
  /** While the schedule lets nothing through: how often it is looked at. */
  closedMs: number;
  /** Between questions after one study that the platform could not answer. */
  verifyMs: number;
}

const defaultTiming: ImageDeliveryTiming = { ...loopTiming, closedMs: 15_000, verifyMs: 30_000 };

/** Pieces at a limited rate: so many a second, so that a slow request is not a stalled one. */
const PIECES_PER_SECOND = 4;
const SMALLEST_PIECE = 4 * 1024;
const LARGEST_PIECE = 256 * 1024;

/**
 * The delivery of images to one platform (loop.ts): claims instances in batches and streams them from the spool, as fast
 * as the schedule allows. There are no lanes: every instance goes for itself, urgent studies first.
 */
export function startImageDelivery(parts: ImageDeliveryParts): Delivery {
  const { platform, connection, store, spool, clock, log, urgentAlways = false } = parts;
  const timing: ImageDeliveryTiming = { ...defaultTiming, ...parts.timing };
  const rateAt = parts.rateAt ?? (() => Infinity);
  const unlisted = createUnlisted();
  const bucket = createBucket(clock.monotonic);
  const verification =
    parts.verify && connection.countInstances
      ? createVerification({
          platform,
          connection,
          store,
          log,
          monotonic: clock.monotonic,
          againMs: timing.verifyMs,
          wake: () => loop.wake(),
        })
      : undefined;

  /** What may go out now. What is on its way when a window closes ends as fast as it began. */
  let lastRate = Infinity;
  const rate = (): number => {
    const limit = rateAt(clock.now());
    if (limit > 0) lastRate = limit;
    return lastRate;
  };
  const closed = (): boolean => rateAt(clock.now()) <= 0;
  /** As the latest claim was made. */
  let urgentOnly = false;

  const loop = startLoop<ClaimedInstance, InstanceVerdict>({
    ...parts,
    pace: createPace(
      { documents: connection.limits.instances, bytes: connection.limits.bytes },
      connection.concurrency,
    ),
    timing,
    // Instances come by the hundred anyway, and each is large enough to be worth its request.
    lingerMs: 0,
    queue: {
      closedMs: () => (closed() && !urgentAlways ? timing.closedMs : 0),
      claim({ documents, bytes }, nowMs) {
        urgentOnly = urgentAlways && closed();
        return store.claimInstances(platform, { instances: documents, bytes, nowMs, urgentOnly });
      },
      settle: (verdicts, nowMs) => store.settleInstances(platform, verdicts, nowMs),
      withdrawn: (numbers) => store.withdrawnInstances(numbers),
      nextDueMs: (nowMs) => store.nextInstanceDueMs(platform, nowMs, urgentOnly),
      idle: () => Math.min(verification?.look() ?? Infinity, urgentOnly ? timing.closedMs : Infinity),
    },
    fly(instances, control) {
      const unlimited = urgentOnly;
      const rateNow = () => (unlimited ? Infinity : rate());
      return flyImages(instances, {
        ...control,
        connection,
        spool,
        unlisted,
        allow: async (bytes) => {
          const waitMs = bucket.take(bytes, rateNow());
          if (waitMs >= 1) await control.pause(waitMs);
        },
        pieceBytes: () => Math.max(SMALLEST_PIECE, Math.min(LARGEST_PIECE, Math.ceil(rateNow() / PIECES_PER_SECOND))),
      });
    },
  });

  return {
    ...loop,
    stop: async () => void (await Promise.all([loop.stop(), verification?.stop(timing.graceMs)])),
  };
}
