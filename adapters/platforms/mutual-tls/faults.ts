import { type ErrorCode, errnoOf } from '../../../agent/support/errors.ts';

/** Where a request stood when it failed: before TLS was up, or after. */
export type Phase = 'connect' | 'request';

const byErrno: Record<string, ErrorCode> = {
  ENOTFOUND: 'NET-1001',
  EAI_AGAIN: 'NET-1001',
  EAI_FAIL: 'NET-1001',
  EAI_NODATA: 'NET-1001',
  EAI_NONAME: 'NET-1001',
  ECONNREFUSED: 'NET-1002',
  ETIMEDOUT: 'NET-1003',
  EHOSTUNREACH: 'NET-1003',
  ENETUNREACH: 'NET-1003',
  EHOSTDOWN: 'NET-1003',
  ENETDOWN: 'NET-1003',
  UND_ERR_CONNECT_TIMEOUT: 'NET-1003',
  UND_ERR_HEADERS_TIMEOUT: 'NET-1003',
  UND_ERR_BODY_TIMEOUT: 'NET-1003',
  ERR_SSL_WRONG_VERSION_NUMBER: 'NET-1005',
  ERR_SSL_HTTP_REQUEST: 'NET-1005',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'NET-1005',
  ERR_TLS_CERT_ALTNAME_INVALID: 'TLS-1202',
  HOSTNAME_MISMATCH: 'TLS-1202',
  CERT_HAS_EXPIRED: 'TLS-1203',
  CERT_NOT_YET_VALID: 'TLS-1203',
  CERT_CHAIN_TOO_LONG: 'TLS-1201',
  CERT_REJECTED: 'TLS-1201',
  CERT_REVOKED: 'TLS-1201',
  CERT_SIGNATURE_FAILURE: 'TLS-1201',
  CERT_UNTRUSTED: 'TLS-1201',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'TLS-1201',
  INVALID_CA: 'TLS-1201',
  INVALID_PURPOSE: 'TLS-1201',
  PATH_LENGTH_EXCEEDED: 'TLS-1201',
  SELF_SIGNED_CERT_IN_CHAIN: 'TLS-1201',
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: 'TLS-1201',
  UNABLE_TO_DECRYPT_CERT_SIGNATURE: 'TLS-1201',
  UNABLE_TO_GET_ISSUER_CERT: 'TLS-1201',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'TLS-1201',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'TLS-1201',
  // How Node names every other verdict of OpenSSL's verifier, for example a violated name constraint.
  UNSPECIFIED: 'TLS-1201',
};

// RFC 8446 §6.2: the alerts with which a server says no to a certificate.
const certificateAlert =
  /ALERT_(?:BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR)$/;

/**
 * True when a server said no to our certificate with an alert. Reads Node's code as it is: for some alerts
 * OpenSSL 3.5 calls it `ERR_SSL_SSL/TLS_ALERT_…`, which is no name of an errno.
 */
export function refusesCertificate(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && certificateAlert.test(code);
}

function* chain(error: unknown): Generator<unknown> {
  let at = error;
  for (let depth = 0; depth < 5 && at instanceof Error; depth++) {
    yield at;
    if (at instanceof AggregateError) yield* at.errors;
    at = at.cause;
  }
}

/**
 * The code of anything undici, Node's net, dns or tls can reject with. Reads error codes only, never
 * texts. What is unknown is TLS-1210 before the connection stood and NET-1006 after.
 */
export function faultCode(error: unknown, phase: Phase): ErrorCode {
  for (const at of chain(error)) {
    if (refusesCertificate(at)) return 'TLS-1204';
    const errno = errnoOf(at);
    if (errno === undefined) continue;
    const known = byErrno[errno];
    if (known !== undefined) return known;
    if (errno.startsWith('ERR_SSL_') || errno.startsWith('ERR_TLS_') || errno === 'EPROTO') return 'TLS-1210';
  }
  return phase === 'connect' ? 'TLS-1210' : 'NET-1006';
}

/** Trust and identity: trying again at once cannot help and a person must act (invariant 9). */
export const isStop = (code: string): boolean =>
  code === 'PLT-1301' || (code.startsWith('TLS-12') && code !== 'TLS-1208' && code !== 'TLS-1210');

const hourMs = 3_600_000;

/**
 * Retry-After (RFC 9110 §10.2.3), seconds or HTTP-date, as milliseconds from `nowMs`, at most one
 * hour. Nonsense, negative and past values are undefined: our own backoff applies.
 */
export function retryAfterMs(header: string | string[] | undefined, nowMs: number): number | undefined {
  const text = (Array.isArray(header) ? header[0] : header)?.trim() ?? '';
  if (/^\d{1,12}$/.test(text)) return Math.min(Number(text) * 1000, hourMs);
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return undefined;
  const wait = Date.parse(text) - nowMs;
  return wait > 0 ? Math.min(wait, hourMs) : undefined;
}
