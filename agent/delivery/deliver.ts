import type { DeliveryStore, Verdict } from '../store/contract.ts';
import type { Clock } from '../support/clock.ts';
import { codeOf, errnoOf } from '../support/errors.ts';
import type { Log } from '../support/log.ts';
import { type BackoffRange, fullJitter, parentRange, retryRange } from './backoff.ts';
import { createBreaker } from './breaker.ts';
import { createDoubts } from './doubts.ts';
import { fly } from './flight.ts';
import { createPace } from './pace.ts';
import { startPacer } from './pacer.ts';
import type { PlatformConnection } from './platform.ts';
import { createSuspects } from './suspects.ts';

export interface DeliveryParts {
  /** Configured name of the platform. */
  platform: string;
  connection: PlatformConnection;
  store: DeliveryStore;
  clock: Clock;
  log: Log;
  /** Called when status() may have changed. */
  changed(): void;
  /** [0, 1), for jitter. Default Math.random. */
  random?: () => number;
  timing?: Partial<DeliveryTiming>;
}

/** Milliseconds. */
export interface DeliveryTiming {
  retry: BackoffRange;
  /** Between attempts at a document whose parent the platform wants first. */
  parent: BackoffRange;
  /** Between probes while uploads are stopped. */
  probeMs: number;
  /** Between probes while all is well: trouble shows before documents come, and the platform's clock is known. */
  heartbeatMs: number;
  /** After a wake the loop waits so long for company before it closes the batch. */
  lingerMs: number;
  /** stop() lets requests under way finish for so long. */
  graceMs: number;
}

const defaultTiming: DeliveryTiming = {
  retry: retryRange,
  parent: parentRange,
  probeMs: 60_000,
  heartbeatMs: 300_000,
  lingerMs: 50,
  graceMs: 2_000,
};

export interface DeliveryStatus {
  state: 'sending' | 'idle' | 'retrying' | 'stopped' | 'starting';
  lastError?: { code: string; atMs: number };
  /** When the platform is tried next, wall clock; only while something is waited for. */
  nextTryMs?: number;
  /** When the platform last answered item by item. */
  lastSuccessMs?: number;
  /** Why uploads are stopped. */
  halted?: string;
  /** Platform's clock minus ours, as last measured. */
  clockOffsetMs?: number;
}

export interface Delivery {
  status(): DeliveryStatus;
  /** There may be new documents. */
  wake(): void;
  /** A person asks for it: tries now instead of at the end of the wait. */
  tryNow(): void;
  /** No new claims; what is under way may finish within the grace, then is given up (and sent again after a restart). */
  stop(): Promise<void>;
}

/** Trust and identity (invariant 9), and a platform that refuses all without a word. */
const stops = (code: string): boolean => code === 'PLT-1301' || /^TLS-120[1-79]$/.test(code);
/** A probe that fails so says that a batch would fail too. */
const unreachable = (code: string): boolean => code.startsWith('NET-') || code === 'TLS-1210' || code === 'PLT-1303';

/**
 * The delivery loop of one platform: claims lane heads in batches, sends stored bytes under their keys,
 * settles them one by one, and tries for as long as it takes (invariants 4, 5, 9). Nothing the platform,
 * the network, the adapter or the store does ends it; only stop() does.
 *
 * The platform is proved by a probe before the first claim and after each loss of the network: a claim
 * marks an attempt, and a document that was never attempted can still be cancelled (invariant 6).
 */
export function startDelivery(parts: DeliveryParts): Delivery {
  const { platform, connection, store, clock, log, changed, random = Math.random } = parts;
  const timing: DeliveryTiming = { ...defaultTiming, ...parts.timing };
  const limits = connection.limits ?? { documents: 100, bytes: 512 * 1024 };
  const breaker = createBreaker(clock.monotonic, timing.retry, random);
  const pace = createPace(limits);
  const suspects = createSuspects();
  const asked = new Map<number, number>();
  const doubts = createDoubts();
  const abort = new AbortController();
  const probing = new AbortController();
  const pacer = startPacer();
  const flights = new Set<Promise<void>>();

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
  let lingerUntil = 0;
  let idle = false;

  /**
   * The wall clock, except that a jump back is not followed: times already written for a next attempt
   * would lie far ahead, and an old PC that starts with a wrong date and is then corrected would send
   * nothing for years. A jump ahead is followed.
   */
  let timeAt = { wall: clock.now(), monotonic: clock.monotonic() };
  function now(): number {
    const monotonic = clock.monotonic();
    const expected = timeAt.wall + (monotonic - timeAt.monotonic);
    const wall = clock.now();
    timeAt = { wall: wall < expected - 1_000 ? Math.round(expected) : wall, monotonic };
    return timeAt.wall;
  }

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
  async function settle(verdicts: Verdict[]): Promise<void> {
    if (verdicts.length === 0) return;
    for (let attempt = 1; ; attempt++) {
      try {
        return await store.settle(platform, verdicts);
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
      // It is there but says hello badly; the documents' own answers shall decide.
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

  /** While half open one batch, smaller with each failure, so that one document cannot hold all. */
  function batchSize(): { documents: number; bytes: number } {
    const { documents, bytes } = pace.batch();
    return { documents: Math.max(1, Math.floor(documents / 2 ** Math.max(0, breaker.failures() - 1))), bytes };
  }

  function launch(documents: Awaited<ReturnType<DeliveryStore['claim']>>): void {
    const generation = breaker.generation();
    const flight: Promise<void> = fly(documents, {
      platform,
      connection,
      log,
      signal: abort.signal,
      suspects,
      asked,
      retryRange: timing.retry,
      parentRange: timing.parent,
      random,
      now,
      settle,
      // A store that cannot answer now lets the flight go on: its verdicts will be judged by it anyway.
      withdrawn: (numbers) => store.withdrawn(numbers).catch(() => []),
      answered,
      tooLarge: pace.tooLarge,
      failedWhole: (code, retryAfterMs) => failedWhole(generation, code, retryAfterMs),
      halt,
      noted: note,
      doubts,
    })
      .catch(() => log.error('delivery-flight-failed', { platform, count: documents.length }))
      .finally(() => {
        flights.delete(flight);
        pacer.wake();
        changed();
      });
    flights.add(flight);
    changed();
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
    if (flights.size >= (breaker.halfOpen() ? 1 : pace.concurrency())) return timing.heartbeatMs;
    if (lingerUntil > monotonic) return lingerUntil - monotonic;
    const { documents: most, bytes } = batchSize();
    const documents = await store.claim(platform, most, bytes, now());
    lingerUntil = 0;
    idle = documents.length === 0;
    if (!idle) {
      launch(documents);
      return 0;
    }
    nextDueMs = await store.nextDueMs(platform);
    const waitMs = nextDueMs === undefined ? Infinity : nextDueMs - now();
    // The probe has shown that it is back and there is nothing to try: no reason to look like trouble.
    if (flights.size === 0 && waitMs > 5_000) breaker.succeeded();
    // Due and yet not claimable must not become a spin.
    return waitMs <= 0 ? 250 : Math.min(Math.ceil(waitMs), timing.heartbeatMs);
  }

  async function run(): Promise<void> {
    while (!stopping) {
      try {
        const waitMs = await turn();
        if (waitMs > 0 && !stopping) await pacer.sleep(waitMs);
      } catch (error) {
        log.error('delivery-turn-failed', { platform, code: codeOf(error, 'QUE-4007'), ...errno(error) });
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
    wake() {
      if (idle && lingerUntil === 0) lingerUntil = clock.monotonic() + timing.lingerMs;
      pacer.wake();
    },
    tryNow() {
      probeAt = 0;
      breaker.tryNow();
      pacer.wake();
    },
    async stop() {
      stopping = true;
      probing.abort();
      pacer.wake();
      const landed = Promise.all([running, ...flights]);
      await pacer.atMost(landed, timing.graceMs);
      abort.abort();
      pacer.release();
      // An adapter that does not heed the signal must not keep the agent from stopping.
      await pacer.atMost(landed, 1_000);
    },
  };
}

function errno(error: unknown): { errno?: string } {
  const code = errnoOf(error);
  return code === undefined ? {} : { errno: code };
}
