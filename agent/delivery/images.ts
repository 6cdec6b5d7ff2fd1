import type { ImageDeliveryStore, InstanceVerdict } from '../store/image-contract.ts';
import type { Spool } from '../store/spool.ts';
import type { Clock } from '../support/clock.ts';
import { codeOf, errnoOf } from '../support/errors.ts';
import type { Log } from '../support/log.ts';
import { type BackoffRange, fullJitter, retryRange } from './backoff.ts';
import { createBucket, type RateAt } from './bandwidth.ts';
import { createBreaker } from './breaker.ts';
import type { Delivery } from './deliver.ts';
import { createDoubts } from './doubts.ts';
import { createUnlisted, flyImages } from './image-flight.ts';
import type { ImagePlatformConnection } from './image-platform.ts';
import { createPace } from './pace.ts';
import { startPacer } from './pacer.ts';
import { createSuspects } from './suspects.ts';
import { createVerification } from './verification.ts';

export interface ImageDeliveryParts {
  /** Configured name of the platform. */
  platform: string;
  connection: ImagePlatformConnection;
  store: ImageDeliveryStore;
  spool: Pick<Spool, 'read'>;
  clock: Clock;
  log: Log;
  /** Called when status() may have changed. */
  changed(): void;
  /** Bytes a second at a time of the wall clock (bandwidth.ts); absent: unlimited. At 0 nothing is sent … */
  rateAt?: RateAt;
  /** … but instances of urgent studies, when this is set; those without a limit. */
  urgentAlways?: boolean;
  /** Asks the platform how many instances of a study it has, once all are delivered. Default false. */
  verify?: boolean;
  /** [0, 1), for jitter. Default Math.random. */
  random?: () => number;
  timing?: Partial<ImageDeliveryTiming>;
}

/** Milliseconds. */
export interface ImageDeliveryTiming {
  retry: BackoffRange;
  /** Between probes while uploads are stopped. */
  probeMs: number;
  /** Between probes while all is well, and the longest rest. */
  heartbeatMs: number;
  /** While the schedule lets nothing through: how often it is looked at. */
  closedMs: number;
  /** Between questions after one study that the platform could not answer. */
  verifyMs: number;
  /** stop() lets requests under way finish for so long. */
  graceMs: number;
}

const defaultTiming: ImageDeliveryTiming = {
  retry: retryRange,
  probeMs: 60_000,
  heartbeatMs: 300_000,
  closedMs: 15_000,
  verifyMs: 30_000,
  graceMs: 2_000,
};

/** Trust and identity (invariant 9), and a platform that refuses all without a word. */
const stops = (code: string): boolean => code === 'PLT-1301' || /^TLS-120[1-79]$/.test(code);
/** A probe that fails so says that a batch would fail too. */
const unreachable = (code: string): boolean => code.startsWith('NET-') || code === 'TLS-1210' || code === 'PLT-1303';

/** Pieces at a limited rate: so many a second, so that a slow request is not a stalled one. */
const PIECES_PER_SECOND = 4;
const SMALLEST_PIECE = 4 * 1024;
const LARGEST_PIECE = 256 * 1024;

/**
 * The delivery loop of one image platform, in the manner of deliver.ts: claims instances in batches, streams them from the
 * spool, settles them one by one, and tries for as long as it takes. There are no lanes: every instance goes for itself,
 * urgent studies first. Nothing the platform, the network, the adapter, a file or the store does ends it; only stop().
 */
export function startImageDelivery(parts: ImageDeliveryParts): Delivery {
  const { platform, connection, store, spool, clock, log, changed, random = Math.random } = parts;
  const timing: ImageDeliveryTiming = { ...defaultTiming, ...parts.timing };
  const rateAt = parts.rateAt ?? (() => Infinity);
  const { instances: mostInstances, bytes: mostBytes } = connection.limits;
  const breaker = createBreaker(clock.monotonic, timing.retry, random);
  const pace = createPace({ documents: mostInstances, bytes: mostBytes });
  const suspects = createSuspects<Awaited<ReturnType<ImageDeliveryStore['claimInstances']>>[number]>();
  const doubts = createDoubts();
  const unlisted = createUnlisted();
  const bucket = createBucket(clock.monotonic);
  const abort = new AbortController();
  const probing = new AbortController();
  const pacer = startPacer();
  const flights = new Set<Promise<void>>();
  /** The questions that are being asked, beside the loop; the next ones not before `verifyAt`. */
  let verifying: Promise<void> | undefined;
  let verifyAt = 0;
  /** Something may have been delivered since they were looked for. */
  let verifyAgain = false;
  const verification =
    parts.verify && connection.countInstances
      ? createVerification({ platform, connection, store, log, monotonic: clock.monotonic, againMs: timing.verifyMs })
      : undefined;

  let stopping = false;
  let halted: string | undefined;
  let probeAt = 0;
  let prove = true;
  let provenOnce = false;
  let probedAt = clock.monotonic();
  let lastSuccessMs: number | undefined;
  let lastError: { code: string; atMs: number } | undefined;
  let clockOffsetMs: number | undefined;
  let nextDueMs: number | undefined;
  let idle = false;

  /** The wall clock, except that a jump back is not followed (deliver.ts): times already written would lie far ahead. */
  let timeAt = { wall: clock.now(), monotonic: clock.monotonic() };
  function now(): number {
    const monotonic = clock.monotonic();
    const expected = timeAt.wall + (monotonic - timeAt.monotonic);
    const wall = clock.now();
    timeAt = { wall: wall < expected - 1_000 ? Math.round(expected) : wall, monotonic };
    return timeAt.wall;
  }
  /** What may go out now. What is on its way when a window closes ends as fast as it began. */
  let lastRate = Infinity;
  const rate = (): number => {
    const limit = rateAt(clock.now());
    if (limit > 0) lastRate = limit;
    return lastRate;
  };
  const closed = (): boolean => rateAt(clock.now()) <= 0;

  function note(code: string): void {
    lastError = { code, atMs: clock.now() };
  }
  function halt(code: string): number {
    note(code);
    pace.restart();
    if (halted !== code) log.error('uploads-stopped', { platform, code });
    halted = code;
    probeAt = clock.monotonic() + timing.probeMs;
    changed();
    return timing.probeMs;
  }
  function failedWhole(generation: number, code: string, retryAfterMs: number | undefined): number {
    note(code);
    pace.failed();
    if (unreachable(code)) prove = true;
    const waitMs = breaker.failed(generation, retryAfterMs);
    log.warn('upload-failed', { platform, code, attempt: breaker.failures(), ms: waitMs });
    changed();
    return waitMs;
  }
  function answered(): void {
    lastSuccessMs = clock.now();
    doubts.answered();
    if (breaker.halfOpen()) log.info('uploads-resumed', { platform });
    breaker.succeeded();
    pace.succeeded();
    changed();
  }

  /** The verdicts are what nobody else knows: tried until they are written. */
  async function settle(verdicts: InstanceVerdict[]): Promise<void> {
    if (verdicts.length === 0) return;
    for (let attempt = 1; ; attempt++) {
      try {
        return await store.settleInstances(platform, verdicts, now());
      } catch (error) {
        log.error('receipts-not-written', { platform, code: codeOf(error, 'QUE-4007'), attempt });
        if (stopping) return;
        await pacer.pause(fullJitter(attempt, { baseMs: 500, maxMs: 30_000 }, random));
      }
    }
  }

  /** Asks the platform for a sign of life. True when a batch may be tried. */
  async function proved(): Promise<boolean> {
    const generation = breaker.generation();
    const answer = await connection.probe(probing.signal);
    probedAt = clock.monotonic();
    if (stopping) return false;
    if (answer.ok) {
      clockOffsetMs = answer.clockOffsetMs ?? clockOffsetMs;
    } else if (stops(answer.code)) {
      halt(answer.code);
      return false;
    } else if (halted !== undefined) {
      // Still unknown whether the cause is gone: stay stopped under its name.
      note(answer.code);
      probeAt = clock.monotonic() + timing.probeMs;
      changed();
      return false;
    } else if (unreachable(answer.code)) {
      failedWhole(generation, answer.code, undefined);
      return false;
    } else {
      // It is there but says hello badly; the images' own answers shall decide.
      note(answer.code);
    }
    if (halted !== undefined) {
      log.info('uploads-resumed', { platform, code: halted });
      halted = undefined;
    }
    prove = false;
    provenOnce = true;
    changed();
    return true;
  }

  /** While half open one batch, smaller with each failure, so that one instance cannot hold all. */
  function batchSize(): { instances: number; bytes: number } {
    const { documents, bytes } = pace.batch();
    return { instances: Math.max(1, Math.floor(documents / 2 ** Math.max(0, breaker.failures() - 1))), bytes };
  }
  const concurrency = (): number =>
    breaker.halfOpen() ? 1 : Math.max(1, Math.min(connection.concurrency, pace.concurrency()));

  function launch(instances: Awaited<ReturnType<ImageDeliveryStore['claimInstances']>>, unlimited: boolean): void {
    const rateNow = () => (unlimited ? Infinity : rate());
    const generation = breaker.generation();
    const flight: Promise<void> = flyImages(instances, {
      platform,
      connection,
      spool,
      log,
      signal: abort.signal,
      suspects,
      doubts,
      unlisted,
      retryRange: timing.retry,
      random,
      now,
      allow: async (bytes) => {
        const waitMs = bucket.take(bytes, rateNow());
        if (waitMs >= 1) await pacer.pause(waitMs);
      },
      pieceBytes: () => Math.max(SMALLEST_PIECE, Math.min(LARGEST_PIECE, Math.ceil(rateNow() / PIECES_PER_SECOND))),
      settle,
      // A store that cannot answer now lets the flight go on: its verdicts will be judged by it anyway.
      withdrawn: (numbers) => store.withdrawnInstances(numbers).catch(() => []),
      answered,
      tooLarge: pace.tooLarge,
      failedWhole: (code, retryAfterMs) => failedWhole(generation, code, retryAfterMs),
      halt,
      noted: note,
    })
      .catch(() => log.error('delivery-flight-failed', { platform, count: instances.length }))
      .finally(() => {
        flights.delete(flight);
        pacer.wake();
        changed();
      });
    flights.add(flight);
    changed();
  }

  /** Never awaited by a turn: a platform that is slow to count must not hold up what waits to be sent. */
  function verify(): void {
    if (!verification || stopping || clock.monotonic() < verifyAt) return;
    if (verifying) {
      verifyAgain = true;
      return;
    }
    verifyAgain = false;
    verifying = verification
      .next(probing.signal)
      .catch((error: unknown) => {
        log.error('verification-failed', { platform, code: codeOf(error, 'QUE-4007') });
        return timing.verifyMs;
      })
      .then((waitMs) => {
        verifying = undefined;
        // With nothing to ask it is looked again whenever the loop has nothing to send.
        if (waitMs === undefined && !verifyAgain) return;
        verifyAt = clock.monotonic() + (waitMs ?? 0);
        pacer.wake();
      });
  }

  /** One turn; returns milliseconds to wait (less when woken). */
  async function turn(): Promise<number> {
    const monotonic = clock.monotonic();
    if (halted !== undefined) {
      if (probeAt > monotonic) return probeAt - monotonic;
      await proved();
      return 0;
    }
    if (breaker.remainingMs() > 0) return breaker.remainingMs();
    if (prove || monotonic - probedAt >= timing.heartbeatMs) {
      if (!(await proved())) return 0;
    }
    if (flights.size >= concurrency()) return timing.heartbeatMs;
    const urgentOnly = closed();
    if (urgentOnly && !parts.urgentAlways) return timing.closedMs;
    const instances = await store.claimInstances(platform, { ...batchSize(), nowMs: now(), urgentOnly });
    idle = instances.length === 0;
    if (!idle) {
      launch(instances, urgentOnly);
      return 0;
    }
    verify();
    nextDueMs = await store.nextInstanceDueMs(platform, now(), urgentOnly);
    const waitMs = nextDueMs === undefined ? Infinity : nextDueMs - now();
    // The probe has shown that it is back and there is nothing to try: no reason to look like trouble.
    if (flights.size === 0 && waitMs > 5_000) breaker.succeeded();
    const verifyMs = verifyAt > clock.monotonic() ? verifyAt - clock.monotonic() : Infinity;
    const longest = Math.min(timing.heartbeatMs, Math.ceil(verifyMs), urgentOnly ? timing.closedMs : Infinity);
    // Due and yet not claimable must not become a spin.
    return waitMs <= 0 ? 250 : Math.min(Math.ceil(waitMs), longest);
  }

  async function run(): Promise<void> {
    while (!stopping) {
      try {
        const waitMs = await turn();
        if (waitMs > 0 && !stopping) await pacer.sleep(waitMs);
      } catch (error) {
        const errno = errnoOf(error);
        const code = codeOf(error, 'QUE-4007');
        log.error('delivery-turn-failed', { platform, code, ...(errno !== undefined && { errno }) });
        if (!stopping) await pacer.pause(1_000);
      }
    }
  }
  const running = run();

  return {
    status() {
      const state = halted
        ? 'stopped'
        : breaker.halfOpen()
          ? 'retrying'
          : !provenOnce
            ? 'starting'
            : flights.size > 0
              ? 'sending'
              : 'idle';
      const waitMs = halted ? probeAt - clock.monotonic() : breaker.remainingMs();
      const nextTryMs =
        halted || waitMs > 0
          ? clock.now() + Math.max(0, Math.round(waitMs))
          : idle && nextDueMs !== undefined
            ? nextDueMs
            : undefined;
      return {
        state,
        ...(lastError && { lastError }),
        ...(nextTryMs !== undefined && { nextTryMs }),
        ...(lastSuccessMs !== undefined && { lastSuccessMs }),
        ...(halted !== undefined && { halted }),
        ...(clockOffsetMs !== undefined && { clockOffsetMs }),
      };
    },
    wake: () => pacer.wake(),
    tryNow() {
      probeAt = 0;
      breaker.tryNow();
      pacer.wake();
    },
    async stop() {
      stopping = true;
      probing.abort();
      pacer.wake();
      const landed = Promise.all([running, verifying, ...flights]);
      await pacer.atMost(landed, timing.graceMs);
      abort.abort();
      pacer.release();
      // An adapter that does not heed the signal must not keep the agent from stopping.
      await pacer.atMost(landed, 1_000);
    },
  };
}
