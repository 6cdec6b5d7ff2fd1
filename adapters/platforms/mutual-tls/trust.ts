import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { Identity } from '../../../agent/security/certificates.ts';
import type { Clock } from '../../../agent/support/clock.ts';
import type { ErrorCode } from '../../../agent/support/errors.ts';

/** Clocks that differ by less explain no certificate: issuers and renewals leave days. */
const skewMs = 3_600_000;

interface Window {
  fromMs: number;
  toMs: number;
}
const holds = ({ fromMs, toMs }: Window, atMs: number): boolean => atMs >= fromMs && atMs <= toMs;
const windowOf = (certificate: X509Certificate): Window => ({
  fromMs: certificate.validFromDate.getTime(),
  toMs: certificate.validToDate.getTime(),
});

/**
 * What proved connections have taught: the platform's clock and the issuer of its certificate. In memory
 * only; a restart knows neither until the platform has answered once.
 */
export interface TrustMemory {
  /** The platform said over a verified connection what time it is. */
  learnTime(platformMs: number): void;
  /** What the platform's clock must show now, by our monotonic clock; undefined when it has never said. */
  platformNowMs(): number | undefined;
  /** A connection was verified under a certificate of this issuer (distinguished name). */
  learnIssuer(issuer: string): void;
  issuer(): string | undefined;
}

export function createTrustMemory(clock: Clock): TrustMemory {
  let aheadMs: number | undefined;
  let issuer: string | undefined;
  return {
    learnTime(platformMs) {
      if (Number.isFinite(platformMs)) aheadMs = platformMs - clock.monotonic();
    },
    platformNowMs: () => (aheadMs === undefined ? undefined : clock.monotonic() + aheadMs),
    learnIssuer(name) {
      issuer = name;
    },
    issuer: () => issuer,
  };
}

/**
 * True when a certificate is outside its validity by our clock only: by the platform's clock, as it last
 * told over a verified connection, it is valid and ours is off by more than an hour; or, when the platform
 * has told nothing yet, our clock lies before the day on which every CA we were given was made.
 */
export function looksLikeSkew(
  certificate: Window,
  authorities: readonly Window[],
  nowMs: number,
  platformNowMs: number | undefined,
): boolean {
  if (platformNowMs === undefined) {
    return authorities.length > 0 && authorities.every(({ fromMs }) => nowMs < fromMs - skewMs);
  }
  return (
    Math.abs(nowMs - platformNowMs) > skewMs &&
    holds(certificate, platformNowMs) &&
    authorities.some((authority) => holds(authority, platformNowMs))
  );
}

/**
 * True when somebody else's CA vouches for the platform's own name: a device on the way that opens TLS
 * shows such certificates. Asked for is positive evidence, since a platform that forgot to send its
 * intermediate looks alike: a chain that ends in another root, or another issuer than the one that was
 * verified before.
 */
export function looksIntercepted(
  shown: X509Certificate,
  host: string,
  chainEndsElsewhere: boolean,
  authorities: readonly X509Certificate[],
  verifiedIssuer: string | undefined,
): boolean {
  const named = isIP(host) === 0 ? shown.checkHost(host) : shown.checkIP(host);
  if (named === undefined || shown.issuer === shown.subject) return false;
  if (authorities.some(({ subject }) => subject === shown.issuer)) return false;
  return chainEndsElsewhere || (verifiedIssuer !== undefined && verifiedIssuer !== shown.issuer);
}

/** Says more of a refused platform certificate where that can be known: TLS-1203 may be TLS-1206, TLS-1201 may be TLS-1207. */
export interface TrustExplainer {
  /** @param errno Node's name of the verifier's verdict. */
  explain(code: ErrorCode, errno: string | undefined, shown: X509Certificate | undefined, host: string): ErrorCode;
  verified(shown: X509Certificate): void;
}

export function createTrustExplainer(identity: Identity, memory: TrustMemory, clock: Clock): TrustExplainer {
  const authorities = identity.ca.map((pem) => new X509Certificate(pem));
  const windows = authorities.map(windowOf);
  return {
    explain(code, errno, shown, host) {
      if (shown === undefined) return code;
      if (code === 'TLS-1203') {
        return looksLikeSkew(windowOf(shown), windows, clock.now(), memory.platformNowMs()) ? 'TLS-1206' : code;
      }
      if (code !== 'TLS-1201') return code;
      const elsewhere = errno === 'SELF_SIGNED_CERT_IN_CHAIN';
      return looksIntercepted(shown, host, elsewhere, authorities, memory.issuer()) ? 'TLS-1207' : code;
    },
    verified: (shown) => memory.learnIssuer(shown.issuer),
  };
}
