import type { CertificateStatus, ProbeResult, SendResult } from '../../../agent/delivery/platform.ts';
import type { Clock } from '../../../agent/support/clock.ts';
import type { Log } from '../../../agent/support/log.ts';
import { version } from '../../../agent/support/version.ts';
import { type Answer, rejectsCertificate, waitAskedMs } from './answer.ts';
import type { MutualTlsConfig } from './config.ts';
import type { Exchange, HttpRequest, Timing } from './exchange.ts';
import { isStop } from './faults.ts';
import { keepLine } from './identity.ts';
import { createTrustMemory } from './trust.ts';

/** What any platform is opened with. */
export interface ServiceContext {
  name: string;
  clock: Clock;
  log: Log;
  agentId: string;
}

/** An HTTP service behind mutual TLS, and what its answers say before anything of the platform's own protocol is read. */
export interface Service {
  /**
   * One request; `path` is below the configured address. The certificate files are looked at first when `look` is set,
   * or when the request before met a fault of trust or identity. Never rejects.
   */
  request(request: HttpRequest, signal: AbortSignal, look?: 'look'): Promise<Exchange>;
  /** A fault as the result of the request it befell. */
  faulted(code: string, errno?: string): SendResult;
  /** What the status alone says of the whole request. */
  judgeStatus(answer: Answer): SendResult;
  /** The platform answered a probe, and over that verified connection what time it is (NaN: it did not). */
  proved(askedMs: number, platformMs: number): ProbeResult;
  certificates(): CertificateStatus[];
  close(): Promise<void>;
}

/**
 * Opens the service over at most `connections` connections. Does not reject for certificate files that cannot be used:
 * invariant 9 wants the agent up and the uploads stopped, so every request meets TLS-1209 (or TLS-1205 outside our
 * certificate's validity) until good files lie there, and then goes on by itself.
 */
export async function openService(
  context: ServiceContext,
  config: MutualTlsConfig,
  timing: Timing,
  connections: number,
): Promise<Service> {
  const { name: platform, clock, log } = context;
  const base = new URL(config.url).pathname.replace(/\/+$/, '');
  const memory = createTrustMemory(clock);
  const lines = keepLine(context, config, timing, memory, connections);
  let lookAgain = false;

  // So that the page can show the certificates at once.
  await lines.take(true);

  function faulted(code: string, errno?: string): SendResult {
    if (isStop(code)) lookAgain = true;
    if (errno !== undefined) log.warn('platform-request-failed', { platform, code, errno });
    return isStop(code) ? { kind: 'stop', code } : { kind: 'retry', code };
  }

  return {
    async request({ method, path, headers, body }, signal, look) {
      const taken = await lines.take(look === 'look' || lookAgain);
      if ('code' in taken) return { kind: 'fault', code: taken.code, errno: undefined };
      lookAgain = false;
      const identified = { 'user-agent': `qianzhi/${version}`, ...headers };
      return taken.line.exchange({ method, path: `${base}${path}`, headers: identified, body }, signal);
    },
    faulted,
    judgeStatus(answer) {
      const { status } = answer;
      const wait = waitAskedMs(answer, clock);
      const retry = (code: string): SendResult =>
        wait === undefined ? { kind: 'retry', code } : { kind: 'retry', code, retryAfterMs: wait };
      if (status === 400 && rejectsCertificate(answer.body)) return faulted('TLS-1204');
      if (status === 400 || status === 422) return { kind: 'refused-whole', code: 'PLT-1308' };
      if (status === 401 || status === 403) return faulted('PLT-1301');
      if (status === 413) return { kind: 'too-large', code: 'PLT-1302' };
      if (status === 429) return retry('PLT-1303');
      if (status >= 500) return retry('PLT-1304');
      if (status >= 300 && status < 400) return retry('PLT-1306');
      return retry('PLT-1307');
    },
    proved(askedMs, platformMs) {
      memory.learnTime(platformMs);
      return Number.isFinite(platformMs)
        ? { ok: true, clockOffsetMs: Math.round(platformMs - (askedMs + clock.now()) / 2) }
        : { ok: true };
    },
    certificates: () => lines.identity()?.certificates ?? [],
    close: () => lines.close(),
  };
}
