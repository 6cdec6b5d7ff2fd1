import { validityAt, warningDue } from '../../../agent/security/certificates.ts';
import type { Clock } from '../../../agent/support/clock.ts';
import { codeOf, type ErrorCode } from '../../../agent/support/errors.ts';
import type { Log } from '../../../agent/support/log.ts';
import type { Secure } from './secure.ts';

/** How often the certificate files are looked at: renewal is by replacing them. */
const renewMs = 60_000;

export interface Renewing {
  name: string;
  clock: Clock;
  log: Log;
  /** How often the files are looked at; default every minute. */
  everyMs: number | undefined;
  /** TLS-1209 while replaced files cannot be used, MLLP-2014 while the certificate's end is near or past, else nothing. */
  tell(code: ErrorCode | undefined): void;
}

/** Looks after the certificate of a listener: takes replaced files, and says when it ends. Gives what stops that. */
export function keepRenewing(secure: Secure, { name, clock, log, everyMs = renewMs, tell }: Renewing): () => void {
  let told: ErrorCode | undefined;
  const due = (): ErrorCode | undefined => {
    const own = secure.certificate();
    if (own === undefined) return undefined;
    const isDue = validityAt(own, clock.now()) !== 'valid' || warningDue(own, clock.now()) !== undefined;
    return isDue ? 'MLLP-2014' : undefined;
  };
  const say = (code: ErrorCode | undefined) => {
    if (code === told) return;
    told = code;
    if (code === 'MLLP-2014') log.warn('listener-certificate-ends', { source: name, code });
    else if (code !== undefined) log.error('certificate-files-unusable', { source: name, code });
    tell(code);
  };
  const look = async () => {
    try {
      if (await secure.renew()) log.info('certificates-read', { source: name });
      say(due());
    } catch (error) {
      say(codeOf(error, 'TLS-1209'));
    }
  };
  say(due());
  const renewer = setInterval(look, everyMs);
  return () => clearInterval(renewer);
}
