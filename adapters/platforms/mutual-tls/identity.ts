import type { CertificateStatus } from '../../../agent/delivery/platform.ts';
import {
  fileStamp,
  type Identity,
  readIdentity,
  validityAt,
  watchExpiry,
} from '../../../agent/security/certificates.ts';
import type { Clock } from '../../../agent/support/clock.ts';
import { codeOf, type ErrorCode } from '../../../agent/support/errors.ts';
import type { Log } from '../../../agent/support/log.ts';
import type { MutualTlsConfig } from './config.ts';
import { type Line, openLine, type Timing } from './exchange.ts';
import { createTrustExplainer, looksLikeSkew, type TrustMemory } from './trust.ts';

const validityWindow = ({ notBeforeMs, notAfterMs }: CertificateStatus) => ({ fromMs: notBeforeMs, toMs: notAfterMs });

export interface CurrentLine {
  /**
   * The line under the identity that lies on disk now, or why there is none: TLS-1209 (files cannot be
   * used), TLS-1205 (our certificate is outside its validity), TLS-1206 (it is so by our clock only).
   * `look` forces a look at the files.
   */
  take(look: boolean): Promise<{ line: Line } | { code: ErrorCode }>;
  identity(): Identity | undefined;
  close(): Promise<void>;
}

/**
 * Keeps one line of at most `connections` connections open and replaces it when the certificate files change,
 * without a restart and without breaking requests under way. While a replacement is half-written the old line stays.
 */
export function keepLine(
  context: { name: string; clock: Clock; log: Log },
  config: MutualTlsConfig,
  timing: Timing,
  memory: TrustMemory,
  connections: number,
): CurrentLine {
  const { name: platform, clock, log } = context;
  const origin = new URL(config.url).origin;
  const minVersion = config.tls.min_version === '1.2' ? 'TLSv1.2' : 'TLSv1.3';
  const sayExpiry = watchExpiry(log, platform);
  const draining = new Set<Line>();
  let current: { line: Line; identity: Identity } | undefined;
  let unusable: ErrorCode = 'TLS-1209';
  let stamp: string | undefined;
  let nextLook = 0;
  let looking: Promise<void> | undefined;

  async function lookAtFiles(): Promise<void> {
    const seen = await fileStamp(config.tls);
    if (seen === stamp) return;
    try {
      const identity = await readIdentity(config.tls);
      const old = current?.line;
      const trust = createTrustExplainer(identity, memory, clock);
      current = { line: openLine(origin, identity, minVersion, timing, trust, connections), identity };
      // Only now: a failed reading is tried again at the next look even if nothing changes.
      stamp = seen;
      log.info('certificates-read', { platform });
      if (old !== undefined) {
        draining.add(old);
        void old.drain().then(
          () => draining.delete(old),
          () => draining.delete(old),
        );
      }
    } catch (error) {
      unusable = codeOf(error, 'TLS-1209');
      log.error('certificate-files-unusable', { platform, code: unusable });
    }
  }

  return {
    async take(look) {
      if (look || current === undefined || clock.monotonic() >= nextLook) {
        looking ??= lookAtFiles().finally(() => {
          nextLook = clock.monotonic() + timing.certificateCheckMs;
          looking = undefined;
        });
        await looking;
      }
      if (current === undefined) return { code: unusable };
      sayExpiry(current.identity.certificates, clock.now());
      const [own, ...authorities] = current.identity.certificates;
      if (own === undefined) return { code: 'TLS-1205' };
      if (validityAt(own, clock.now()) === 'valid') return { line: current.line };
      const skewed = looksLikeSkew(
        validityWindow(own),
        authorities.map(validityWindow),
        clock.now(),
        memory.platformNowMs(),
      );
      return { code: skewed ? 'TLS-1206' : 'TLS-1205' };
    },
    identity: () => current?.identity,
    async close() {
      const lines = [...draining, ...(current === undefined ? [] : [current.line])];
      await Promise.allSettled(lines.map((line) => line.destroy()));
    },
  };
}
