import type { Clock } from '../../../agent/support/clock.ts';
import type { Exchange } from './exchange.ts';
import { retryAfterMs } from './faults.ts';

/** What can be said of any platform's HTTP answer. */
export type Answer = Extract<Exchange, { kind: 'answer' }>;

/** How long the platform asks to wait (Retry-After), at most one hour; undefined when it does not say. */
export function waitAskedMs({ headers }: Answer, clock: Clock): number | undefined {
  // A date is the platform's: by its own clock it is as long as it meant, whatever ours says.
  const platformNow = Date.parse(String(headers.date));
  return retryAfterMs(headers['retry-after'], Number.isFinite(platformNow) ? platformNow : clock.now());
}

/** We ask for `identity`; an encoded answer is refused, so that no small answer can unfold into a large one. */
export function plainBody(answer: Answer): boolean {
  const encoding = answer.headers['content-encoding'];
  return encoding === undefined || encoding === 'identity';
}

/**
 * nginx answers 400 with a page of its own when it does not like the client certificate (its 495 and
 * 496). Taken for a refusal of documents, it would put one after another into quarantine.
 */
export const rejectsCertificate = (body: Buffer): boolean =>
  /SSL certificate (?:error|was sent)/i.test(body.subarray(0, 2048).toString('latin1'));
