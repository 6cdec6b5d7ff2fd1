import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import type { BackoffRange } from './backoff.ts';
import { createBreaker } from './breaker.ts';
import type { Pace } from './pace.ts';
import type { WayOut } from './platform.ts';

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

/** What the requests of one flight tell of the platform. */
export interface Reports {
  /** The platform answered item by item. */
  answered(): void;
  /** The platform found so many of so many bytes in all too large for one request. */
  tooLarge(count: number, bytes: number): void;
  /** A request failed as a whole; returns the milliseconds until the next may be sent. */
  failedWhole(code: string, retryAfterMs: number | undefined): number;
  /** Uploads must stop until a person or the slow probe lets them go on; returns milliseconds until the probe. */
  halt(code: string): number;
  /** An error worth showing that stops nothing. */
  noted(code: string): void;
}

/** Trust and identity (invariant 9), and a platform that refuses all without a word. */
const stops = (code: string): boolean => code === 'PLT-1301' || /^TLS-120[1-79]$/.test(code);
/** A probe that fails so says that a batch would fail too. */
const unreachable = (code: string): boolean => code.startsWith('NET-') || code === 'TLS-1210' || code === 'PLT-1303';

export interface StandingParts {
  platform: string;
  connection: Pick<WayOut, 'probe'>;
  pace: Pace;
  timing: { retry: BackoffRange; probeMs: number; heartbeatMs: number };
  clock: Clock;
  log: Log;
  changed(): void;
  random(): number;
  /** Ends a probe under way, and all that would follow from it. */
  signal: AbortSignal;
}

/**
 * How a platform stands with us: whether it may be given anything, how much, and what is shown of it. It is proved by a
 * probe at the start, after each loss of the network, while uploads are stopped, and now and then while all is well.
 */
export interface Standing {
  /** Proves the platform where that is due. Undefined when it may be given a batch now, else milliseconds until to look again. */
  heldMs(): Promise<number | undefined>;
  /** Requests that may be in flight now: one after a failure. */
  concurrency(): number;
  /** After failures smaller with each of them, so that one document cannot hold all. */
  batch(): { documents: number; bytes: number };
  /** For a flight that starts now. */
  reports(): Reports;
  /** It answers and there is nothing to try: no reason to look like trouble. */
  nothingToTry(): void;
  /** A person asks for it: the waits end. */
  tryNow(): void;
  /** @param dueMs when what waits is due, wall clock; undefined when nothing waits, or what is due is on its way. */
  status(sending: boolean, dueMs: number | undefined): DeliveryStatus;
}

export function createStanding(parts: StandingParts): Standing {
  const { platform, connection, pace, timing, clock, log, changed, signal } = parts;
  const breaker = createBreaker(clock.monotonic, timing.retry, parts.random);
  let halted: string | undefined;
  let probeAt = 0;
  let prove = true;
  let provenOnce = false;
  let probedAt = clock.monotonic();
  let lastSuccessMs: number | undefined;
  let lastError: { code: string; atMs: number } | undefined;
  let clockOffsetMs: number | undefined;

  function noted(code: string): void {
    lastError = { code, atMs: clock.now() };
  }

  function halt(code: string): number {
    noted(code);
    pace.restart();
    if (halted !== code) log.error('uploads-stopped', { platform, code });
    halted = code;
    probeAt = clock.monotonic() + timing.probeMs;
    changed();
    return timing.probeMs;
  }

  function failedWhole(generation: number, code: string, retryAfterMs: number | undefined): number {
    noted(code);
    pace.failed();
    if (unreachable(code)) prove = true;
    const waitMs = breaker.failed(generation, retryAfterMs);
    log.warn('upload-failed', { platform, code, attempt: breaker.failures(), ms: waitMs });
    changed();
    return waitMs;
  }

  function answered(): void {
    lastSuccessMs = clock.now();
    if (breaker.halfOpen()) log.info('uploads-resumed', { platform });
    breaker.succeeded();
    pace.succeeded();
    changed();
  }

  /** Asks the platform for a sign of life. True when a batch may be tried. */
  async function proved(): Promise<boolean> {
    const generation = breaker.generation();
    const answer = await connection.probe(signal);
    probedAt = clock.monotonic();
    if (signal.aborted) return false;
    if (answer.ok) {
      clockOffsetMs = answer.clockOffsetMs ?? clockOffsetMs;
    } else if (stops(answer.code)) {
      halt(answer.code);
      return false;
    } else if (halted !== undefined) {
      // Still unknown whether the cause is gone: stay stopped under its name.
      noted(answer.code);
      probeAt = clock.monotonic() + timing.probeMs;
      changed();
      return false;
    } else if (unreachable(answer.code)) {
      failedWhole(generation, answer.code, undefined);
      return false;
    } else {
      // It is there but says hello badly; the answers to what it is sent shall decide.
      noted(answer.code);
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

  return {
    async heldMs() {
      const monotonic = clock.monotonic();
      if (halted !== undefined) {
        if (probeAt > monotonic) return probeAt - monotonic;
        await proved();
        return 0;
      }
      if (breaker.remainingMs() > 0) return breaker.remainingMs();
      const due = prove || monotonic - probedAt >= timing.heartbeatMs;
      return !due || (await proved()) ? undefined : 0;
    },
    concurrency: () => (breaker.halfOpen() ? 1 : pace.concurrency()),
    batch() {
      const { documents, bytes } = pace.batch();
      return { documents: Math.max(1, Math.floor(documents / 2 ** Math.max(0, breaker.failures() - 1))), bytes };
    },
    reports() {
      const generation = breaker.generation();
      return {
        answered,
        tooLarge: pace.tooLarge,
        failedWhole: (code, retryAfterMs) => failedWhole(generation, code, retryAfterMs),
        halt,
        noted,
      };
    },
    nothingToTry: breaker.succeeded,
    tryNow() {
      probeAt = 0;
      breaker.tryNow();
    },
    status(sending, dueMs) {
      const waitMs = halted ? probeAt - clock.monotonic() : breaker.remainingMs();
      const nextTryMs = halted || waitMs > 0 ? clock.now() + Math.max(0, Math.round(waitMs)) : dueMs;
      return {
        state: stateNow(sending),
        ...(lastError && { lastError }),
        ...(nextTryMs !== undefined && { nextTryMs }),
        ...(lastSuccessMs !== undefined && { lastSuccessMs }),
        ...(halted !== undefined && { halted }),
        ...(clockOffsetMs !== undefined && { clockOffsetMs }),
      };
    },
  };

  function stateNow(sending: boolean): DeliveryStatus['state'] {
    if (halted !== undefined) return 'stopped';
    if (breaker.halfOpen()) return 'retrying';
    if (!provenOnce) return 'starting';
    return sending ? 'sending' : 'idle';
  }
}
