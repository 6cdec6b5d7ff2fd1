import { buildConnector, type Dispatcher, Pool } from 'undici';
import type { Identity } from '../../../agent/security/certificates.ts';
import { type ErrorCode, errnoOf } from '../../../agent/support/errors.ts';
import { faultCode } from './faults.ts';

/** Time limits in milliseconds; tests shorten them. */
export interface Timing {
  connectMs: number;
  /** Wait for the headers, and between two pieces of the body. */
  answerMs: number;
  /** Whole exchange: a peer that sends a byte now and then cannot hold a connection for ever. */
  exchangeMs: number;
  /** How seldom the certificate files are looked at while all is well. */
  certificateCheckMs: number;
}

export const defaultTiming: Timing = {
  connectMs: 10_000,
  answerMs: 30_000,
  exchangeMs: 120_000,
  certificateCheckMs: 30_000,
};

export type Exchange =
  | {
      kind: 'answer';
      status: number;
      headers: Record<string, string | string[] | undefined>;
      body: Buffer;
      /** False when the connection ended, or the size limit was reached, within the body. */
      complete: boolean;
    }
  | { kind: 'fault'; code: ErrorCode; errno: string | undefined };

/** Two hundred bytes for each of 100 answers fit fifty times over; more is not an answer. */
const answerLimit = 1024 * 1024;

/** After so many connections closed without a word, and none ever answered, the handshake is to blame. */
const silentClosesBeforeRejection = 3;

export interface Line {
  /** One HTTP request and its answer. Never rejects. */
  exchange(
    request: { method: 'GET' | 'POST'; path: string; headers?: Record<string, string>; body?: Buffer },
    signal: AbortSignal,
  ): Promise<Exchange>;
  /** Lets what is under way end, then closes. */
  drain(): Promise<void>;
  destroy(): Promise<void>;
}

/**
 * Opens a pool of connections under one identity: HTTP/1.1, at most four, no pipelining, only the
 * platform's CA, host name checked, redirects not followed. A new identity needs a new line: the pool
 * keeps TLS sessions, and a resumed session shows no new certificate (storage-and-delivery.md §5.1).
 */
export function openLine(origin: string, identity: Identity, minVersion: 'TLSv1.2' | 'TLSv1.3', timing: Timing): Line {
  const connectFaults = new WeakSet<object>();
  let everAnswered = false;
  let silentCloses = 0;
  const connect = buildConnector({
    ca: identity.ca,
    cert: identity.cert,
    key: identity.key,
    minVersion,
    // Said outright, so that NODE_TLS_REJECT_UNAUTHORIZED in the environment cannot turn it off.
    rejectUnauthorized: true,
    timeout: timing.connectMs,
    allowH2: false,
  });
  const pool = new Pool(origin, {
    connections: 4,
    pipelining: 1,
    allowH2: false,
    headersTimeout: timing.answerMs,
    bodyTimeout: timing.answerMs,
    keepAliveTimeout: 8_000,
    keepAliveMaxTimeout: 60_000,
    connect: (options, callback) =>
      connect(options, (...result) => {
        if (result[0] !== null) connectFaults.add(result[0]);
        callback(...result);
      }),
  });

  /**
   * A server may refuse a client certificate by closing right after the handshake, with no alert: in
   * TLS 1.3 our side of it has succeeded by then. One such close means nothing; only such closes do.
   */
  function codeOfFault(error: unknown): ErrorCode {
    const code = faultCode(
      error,
      typeof error === 'object' && error && connectFaults.has(error) ? 'connect' : 'request',
    );
    if (code === 'NET-1006' && !everAnswered && ++silentCloses >= silentClosesBeforeRejection) return 'TLS-1204';
    return code;
  }

  async function readBody(body: Dispatcher.ResponseData['body']): Promise<{ body: Buffer; complete: boolean }> {
    const pieces: Buffer[] = [];
    let size = 0;
    try {
      for await (const piece of body) {
        size += (piece as Buffer).length;
        if (size > answerLimit) {
          body.destroy();
          return { body: Buffer.alloc(0), complete: false };
        }
        pieces.push(piece as Buffer);
      }
      return { body: Buffer.concat(pieces), complete: true };
    } catch {
      return { body: Buffer.concat(pieces), complete: false };
    }
  }

  return {
    async exchange(request, signal) {
      const within = new AbortController();
      let late = false;
      const abort = (): void => within.abort();
      const timer = setTimeout(() => {
        late = true;
        within.abort();
      }, timing.exchangeMs);
      signal.addEventListener('abort', abort, { once: true });
      try {
        if (signal.aborted) return { kind: 'fault', code: 'NET-1006', errno: undefined };
        const answer = await pool.request({
          method: request.method,
          path: request.path,
          headers: { 'accept-encoding': 'identity', ...request.headers },
          body: request.body ?? null,
          signal: within.signal,
        });
        everAnswered = true;
        const read = await readBody(answer.body);
        return { kind: 'answer', status: answer.statusCode, headers: answer.headers, ...read };
      } catch (error) {
        if (signal.aborted) return { kind: 'fault', code: 'NET-1006', errno: undefined };
        if (late) return { kind: 'fault', code: 'NET-1003', errno: undefined };
        return { kind: 'fault', code: codeOfFault(error), errno: errnoOf(error) };
      } finally {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
      }
    },
    drain: () => pool.close(),
    destroy: () => pool.destroy(),
  };
}
