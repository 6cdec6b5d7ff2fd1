import type { Clock } from '../support/clock.ts';
import { codeOf, type ErrorCode } from '../support/errors.ts';
import type { Log } from '../support/log.ts';
import type { Delivery } from './loop.ts';
import type { CertificateStatus, WayOut } from './platform.ts';
import type { DeliveryStatus } from './standing.ts';

/** How long a platform that cannot be opened waits before it is tried again. */
const REOPEN_MS = 30_000;

export interface KeptOpen {
  wake(): void;
  /** Of its delivery; while there is none, whether it is starting or stopped, and why. */
  status(): Omit<DeliveryStatus, 'halted'> & { certificates: CertificateStatus[] };
  stop(): Promise<void>;
}

/** A certificate problem stops uploads, never listeners (invariant 9): opening is tried until it works, then delivery begins. */
export function keepOpen<C extends WayOut>(parts: {
  platform: string;
  open(): Promise<C>;
  deliver(connection: C): Delivery;
  clock: Clock;
  log: Log;
  changed(): void;
}): KeptOpen {
  const { platform, clock, log, changed } = parts;
  let connection: C | undefined;
  let delivery: Delivery | undefined;
  let failed: { code: ErrorCode; atMs: number } | undefined;
  let retry: NodeJS.Timeout | undefined;
  let stopped = false;

  const open = async (): Promise<void> => {
    try {
      const opened = await parts.open();
      if (stopped) return void (await opened.close());
      connection = opened;
      failed = undefined;
      delivery = parts.deliver(opened);
    } catch (error) {
      failed = { code: codeOf(error, 'TLS-1209'), atMs: failed?.atMs ?? clock.now() };
      log.error('platform-not-open', { platform, code: failed.code });
      if (!stopped) retry = setTimeout(() => void open(), REOPEN_MS);
    }
    changed();
  };
  void open();

  return {
    wake: () => delivery?.wake(),
    status() {
      const d = delivery?.status();
      return {
        state: d?.state ?? (failed ? 'stopped' : 'starting'),
        lastError: d?.lastError ?? failed,
        nextTryMs: d?.nextTryMs,
        lastSuccessMs: d?.lastSuccessMs,
        clockOffsetMs: d?.clockOffsetMs,
        certificates: connection?.certificates() ?? [],
      };
    },
    async stop() {
      stopped = true;
      clearTimeout(retry);
      await delivery?.stop();
      await connection?.close();
    },
  };
}
