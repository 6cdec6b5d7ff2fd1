import type { Clock } from '../support/clock.ts';
import { codeOf, errnoOf } from '../support/errors.ts';
import type { Log } from '../support/log.ts';
import { type BackoffRange, fullJitter, retryRange } from './backoff.ts';
import { createDoubts } from './doubts.ts';
import type { Claimed, FlightControl } from './flight.ts';
import type { Pace } from './pace.ts';
import { startPacer } from './pacer.ts';
import type { WayOut } from './platform.ts';
import { createStanding, type DeliveryStatus } from './standing.ts';
import { steadyTime } from './steady-time.ts';
import { createSuspects } from './suspects.ts';

/** What every delivery is given. */
export interface CommonParts {
  /** Configured name of the platform. */
  platform: string;
  clock: Clock;
  log: Log;
  /** Called when status() may have changed. */
  changed(): void;
  /** [0, 1), for jitter. Default Math.random. */
  random?: () => number;
}

/** Milliseconds. */
export interface LoopTiming {
  retry: BackoffRange;
  /** Between probes while uploads are stopped. */
  probeMs: number;
  /** Between probes while all is well: trouble shows before anything has to go out, and the platform's clock is known. */
  heartbeatMs: number;
  /** stop() lets requests under way finish for so long. */
  graceMs: number;
}

export const loopTiming: LoopTiming = { retry: retryRange, probeMs: 60_000, heartbeatMs: 300_000, graceMs: 2_000 };

/** What waits for one platform, documents or images, as the loop sees it. */
export interface Queue<Item, Verdict> {
  /** While a schedule lets nothing out: milliseconds until to look again. */
  closedMs?(): number;
  /** What may go out now, marked as on its way durably. */
  claim(most: { documents: number; bytes: number }, nowMs: number): Promise<Item[]>;
  settle(verdicts: Verdict[], nowMs: number): Promise<void>;
  /** Those of the claimed numbers that were withdrawn since. */
  withdrawn(numbers: number[]): Promise<number[]>;
  /** Earliest time at which a claim may find something; undefined when nothing waits. */
  nextDueMs(nowMs: number): Promise<number | undefined>;
  /** Called when a claim found nothing, must not wait: milliseconds until it wants to be called again. */
  idle?(): number;
}

export interface LoopParts<Item extends Claimed, Verdict> extends CommonParts {
  connection: Pick<WayOut, 'probe'>;
  pace: Pace;
  timing: LoopTiming;
  /** After a wake the loop waits so long for company before it claims. */
  lingerMs: number;
  queue: Queue<Item, Verdict>;
  /** Takes to the platform what was just claimed, and settles it. */
  fly(items: Item[], control: FlightControl<Item, Verdict>): Promise<void>;
}

export interface Delivery {
  status(): DeliveryStatus;
  /** There may be something new. */
  wake(): void;
  /** A person asks for it: tries now instead of at the end of the wait. */
  tryNow(): void;
  /** No new claims; what is under way may finish within the grace, then is given up (and sent again after a restart). */
  stop(): Promise<void>;
}

/**
 * The delivery loop of one platform: claims from its queue, lets what was claimed fly, settles it, and tries for as long
 * as it takes (invariants 4, 5, 9). Nothing the platform, the network, the adapter, a file or the store does ends it;
 * only stop() does.
 *
 * Nothing is claimed before the platform is proved (standing.ts): a claim marks an attempt, and what was never attempted
 * can still be cancelled (invariant 6).
 */
export function startLoop<Item extends Claimed, Verdict>(parts: LoopParts<Item, Verdict>): Delivery {
  const { platform, connection, queue, pace, timing, clock, log, changed, random = Math.random } = parts;
  const abort = new AbortController();
  const stopping = new AbortController();
  const { signal } = stopping;
  const standing = createStanding({ platform, connection, pace, timing, clock, log, changed, random, signal });
  const suspects = createSuspects<Item>();
  const doubts = createDoubts();
  const pacer = startPacer();
  const now = steadyTime(clock);
  const flights = new Set<Promise<void>>();
  let nextDueMs: number | undefined;
  let lingerUntil = 0;
  let idle = false;

  /** The verdicts are what nobody else knows: tried until they are written. */
  async function settle(verdicts: Verdict[]): Promise<void> {
    if (verdicts.length === 0) return;
    for (let attempt = 1; ; attempt++) {
      try {
        return await queue.settle(verdicts, now());
      } catch (error) {
        log.error('receipts-not-written', { platform, code: codeOf(error, 'QUE-4007'), attempt });
        if (signal.aborted) return;
        await pacer.pause(fullJitter(attempt, { baseMs: 500, maxMs: 30_000 }, random));
      }
    }
  }

  function launch(items: Item[]): void {
    const flight: Promise<void> = parts
      .fly(items, {
        ...standing.reports(),
        platform,
        log,
        signal: abort.signal,
        suspects,
        doubts,
        retryRange: timing.retry,
        random,
        now,
        pause: pacer.pause,
        settle,
        // A store that cannot answer now lets the flight go on: its verdicts will be judged by it anyway.
        withdrawn: (numbers) => queue.withdrawn(numbers).catch(() => []),
      })
      .catch(() => log.error('delivery-flight-failed', { platform, count: items.length }))
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
    const heldMs = await standing.heldMs();
    if (heldMs !== undefined) return heldMs;
    if (flights.size >= standing.concurrency()) return timing.heartbeatMs;
    const restMs = Math.max(lingerUntil - clock.monotonic(), queue.closedMs?.() ?? 0);
    if (restMs > 0) return restMs;
    const items = await queue.claim(standing.batch(), now());
    lingerUntil = 0;
    idle = items.length === 0;
    if (!idle) {
      launch(items);
      return 0;
    }
    const idleMs = queue.idle?.() ?? Infinity;
    nextDueMs = await queue.nextDueMs(now());
    const waitMs = nextDueMs === undefined ? Infinity : nextDueMs - now();
    if (flights.size === 0 && waitMs > 5_000) standing.nothingToTry();
    // Due and yet not claimable must not become a spin.
    return waitMs <= 0 ? 250 : Math.min(Math.ceil(waitMs), timing.heartbeatMs, idleMs);
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        const waitMs = await turn();
        if (waitMs > 0 && !signal.aborted) await pacer.sleep(waitMs);
      } catch (error) {
        const errno = errnoOf(error);
        const code = codeOf(error, 'QUE-4007');
        log.error('delivery-turn-failed', { platform, code, ...(errno !== undefined && { errno }) });
        if (!signal.aborted) await pacer.pause(1_000);
      }
    }
  }
  const running = run();

  return {
    status: () => standing.status(flights.size > 0, idle ? nextDueMs : undefined),
    wake() {
      if (idle && lingerUntil === 0) lingerUntil = clock.monotonic() + parts.lingerMs;
      pacer.wake();
    },
    tryNow() {
      standing.tryNow();
      pacer.wake();
    },
    async stop() {
      stopping.abort();
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
