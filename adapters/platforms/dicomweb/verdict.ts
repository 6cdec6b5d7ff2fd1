import type { OutgoingInstance } from '../../../agent/delivery/image-platform.ts';
import type { ItemReceipt } from '../../../agent/delivery/platform.ts';
import type { ErrorCode } from '../../../agent/support/errors.ts';
import type { Failure, StoreAnswer } from './store-answer.ts';

/** Duplicate SOP Instance. */
const DUPLICATE = 0x0111;

/**
 * Failure reasons that name one thing: PS3.18 Table I.2-2, PS3.7 Annex C, and 45070 and 45071 of Microsoft's
 * conformance statement (store failure reason codes).
 */
const byReason = new Map<number, ErrorCode | 'stored'>([
  [0x0110, 'DCM-2273'],
  // It is there already, as after an answer that was lost on the way.
  [DUPLICATE, 'stored'],
  [0x0117, 'DCM-2276'],
  [0x0119, 'DCM-2275'],
  [0x0122, 'DCM-2274'],
  [0x0124, 'DCM-2277'],
  [0x0213, 'DCM-2272'],
  [0xb00e, 'stored'],
  // Being created by another request just now, or by one that broke off.
  [0xb00f, 'DCM-2273'],
  [0xc122, 'DCM-2274'],
]);

const passing: ReadonlySet<string> = new Set<ErrorCode>(['DCM-2272', 'DCM-2273']);

function meaning({ reason, googleDetail }: Failure, status: number): ErrorCode | 'stored' {
  if (reason === undefined) return 'DCM-2273';
  if (status === 409 && reason === 0x0110 && googleDetail) return 'DCM-2275';
  const known = byReason.get(reason);
  if (known !== undefined) return known;
  const high = reason >> 8;
  if (high === 0xa7) return 'DCM-2272';
  if (high === 0xa9 || high >> 4 === 0xc) return 'DCM-2276';
  // An unknown code is held and shown, never guessed.
  return 'PLT-1305';
}

function receiptOfFailure(
  { n, contested }: OutgoingInstance,
  failure: Failure,
  status: number,
  wait: number | undefined,
): ItemReceipt {
  // What is there under its UID may be the other content.
  const code = contested && failure.reason === DUPLICATE ? 'DCM-2275' : meaning(failure, status);
  if (code === 'stored') return { n, outcome: 'accepted' };
  if (passing.has(code)) return retryItem(n, code, wait);
  return failure.reason === undefined
    ? { n, outcome: 'refused', code }
    : { n, outcome: 'refused', code, platformCode: failure.reason.toString(16).toUpperCase().padStart(4, '0') };
}

export const retryItem = (n: number, code: string, wait?: number): ItemReceipt =>
  wait === undefined ? { n, outcome: 'retry', code } : { n, outcome: 'retry', code, retryAfterMs: wait };

/**
 * Judges each instance by its SOP Instance UID alone; `status` only tells apart what one reason can mean, and `wait`
 * is how long the platform asked to wait. An instance that is listed nowhere is `retry` with DCM-2271. Gives
 * undefined when the answer names none of them: then the status has to say what the request came to.
 * The UIDs of `instances` must differ.
 */
export function judgeItems(
  answer: StoreAnswer,
  instances: readonly OutgoingInstance[],
  status: number,
  wait: number | undefined,
): ItemReceipt[] | undefined {
  const uids = instances.map(({ sopInstanceUid }) => sopInstanceUid.reveal());
  if (uids.some((uid) => answer.stored.has(uid) || answer.failed.has(uid))) {
    return instances.map((instance): ItemReceipt => {
      const { n } = instance;
      const uid = instance.sopInstanceUid.reveal();
      if (answer.stored.has(uid)) return { n, outcome: 'accepted' };
      const failure = answer.failed.get(uid);
      return failure === undefined ? retryItem(n, 'DCM-2271', wait) : receiptOfFailure(instance, failure, status, wait);
    });
  }
  // One sent and one failed: it needs no name.
  const [only, ...others] = instances;
  const [failure, ...further] = answer.nameless;
  if (only === undefined || failure === undefined || others.length > 0 || further.length > 0) return undefined;
  return [receiptOfFailure(only, failure, status, wait)];
}
