import { X509Certificate } from 'node:crypto';
import type { Readable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import type { Identity } from '../../../agent/security/certificates.ts';
import { type ErrorCode, errnoOf } from '../../../agent/support/errors.ts';
import { faultCode, refusesCertificate } from './faults.ts';
import type { TrustExplainer } from './trust.ts';

/** Time limits in milliseconds; tests shorten them. */
export interface Timing {
  connectMs: number;
  /** Wait for the headers, and between two pieces of the body. */
  answerMs: number;
  /**
   * Whole exchange: a peer that sends a byte now and then cannot hold a connection for ever. Where the body is
   * streamed it counts from the last piece that was taken: as long as an upload moves it may last.
   */
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

/** Two hundred bytes for each of 100 answers fit fifty times over, and so do items of a STOW-RS answer; more is not an answer. */
const answerLimit = 1024 * 1024;

/** After so many closes without a word in a row the handshake is to blame: where nothing was ever answered, and where it was. */
const silentClosesBeforeRejection = { never: 3, answered: 6 };

export interface HttpRequest {
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  /** Streamed pieces need a `content-length` among the headers: without it they would go out chunked. */
  body?: Buffer | AsyncIterable<Uint8Array>;
}

export interface Line {
  /** One HTTP request and its answer. Never rejects. */
  exchange(request: HttpRequest, signal: AbortSignal): Promise<Exchange>;
  /** Lets what is under way end, then closes. */
  drain(): Promise<void>;
  destroy(): Promise<void>;
}

/** The pieces as they are taken, each of which starts the time limit anew. */
async function* moving(body: AsyncIterable<Uint8Array>, limit: NodeJS.Timeout): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    limit.refresh();
    yield piece;
  }
}

/** undici takes async iterables, and pulls a piece when the one before has gone to the kernel; its types do not say so. */
const asBody = (pieces: AsyncIterable<Uint8Array>): Readable => pieces as unknown as Readable;

/** What the peer shows, if it can be read. */
function certificateOf(socket: TLSSocket): X509Certificate | undefined {
  try {
    // Not getPeerX509Certificate(): in Node 24 Node's own check afterwards would find no certificate.
    const { raw } = socket.getPeerCertificate() as { raw?: Buffer };
    return raw === undefined ? undefined : new X509Certificate(raw);
  } catch {
    return undefined;
  }
}

/**
 * Opens a pool of at most `connections` connections under one identity: HTTP/1.1, no pipelining, only the
 * platform's CA, host name checked, redirects not followed. A new identity needs a new line: the pool
 * keeps TLS sessions, and a resumed session shows no new certificate (storage-and-delivery.md §5.1).
 */
export function openLine(
  origin: string,
  identity: Identity,
  minVersion: 'TLSv1.2' | 'TLSv1.3',
  timing: Timing,
  trust: TrustExplainer,
  connections: number,
): Line {
  const host = new URL(origin).hostname.replace(/^\[|\]$/g, '');
  /** Errors before TLS was up, with the certificate that the peer showed if it came so far. */
  const connectFaults = new WeakMap<object, X509Certificate | undefined>();
  let everAnswered = false;
  let silentCloses = 0;
  let certificateRefused = false;
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
    connections,
    pipelining: 1,
    allowH2: false,
    headersTimeout: timing.answerMs,
    bodyTimeout: timing.answerMs,
    keepAliveTimeout: 8_000,
    keepAliveMaxTimeout: 60_000,
    connect: (options, callback) => {
      let shown: X509Certificate | undefined;
      const socket: unknown = connect(options, (...result) => {
        if (result[0] !== null) connectFaults.set(result[0], shown);
        else if (shown !== undefined) trust.verified(shown);
        callback(...result);
      });
      // Node judges the certificate in its own listener and closes at once: before it is the only moment to look.
      if (socket instanceof TLSSocket) {
        socket.prependListener('secure', () => {
          shown = certificateOf(socket);
        });
        // In TLS 1.3 the alert comes after our side is up, and undici reports only that the line was closed.
        socket.on('error', (error) => {
          certificateRefused ||= refusesCertificate(error);
        });
      }
    },
  });

  /**
   * A server may refuse a client certificate by closing right after the handshake, with no alert: in
   * TLS 1.3 our side of it has succeeded by then. One such close means nothing, many in a row do; the
   * probe between attempts keeps a platform that only dies of our uploads from looking so.
   */
  function codeOfFault(error: unknown): ErrorCode {
    const connecting = typeof error === 'object' && error !== null && connectFaults.has(error);
    const code = faultCode(error, connecting ? 'connect' : 'request');
    if (connecting) return trust.explain(code, errnoOf(error), connectFaults.get(error), host);
    if (code !== 'NET-1006') return code;
    if (certificateRefused) return 'TLS-1204';
    return ++silentCloses >= silentClosesBeforeRejection[everAnswered ? 'answered' : 'never'] ? 'TLS-1204' : code;
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
      const { body } = request;
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
          body: Buffer.isBuffer(body) ? body : body === undefined ? null : asBody(moving(body, timer)),
          signal: within.signal,
        });
        everAnswered = true;
        silentCloses = 0;
        certificateRefused = false;
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
