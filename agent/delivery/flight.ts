import { codeOf } from '../support/errors.ts';
import type { Log } from '../support/log.ts';
import { type BackoffRange, fullJitter, halfJitter } from './backoff.ts';
import type { Doubts } from './doubts.ts';
import type { ItemReceipt, SendResult } from './platform.ts';
import type { Reports } from './standing.ts';
import type { Suspects } from './suspects.ts';

/** A document or an instance that was claimed. */
export interface Claimed {
  n: number;
  /** 1 at the first attempt. */
  attempt: number;
}

/** What a flight needs of the loop. */
export interface FlightControl<Item extends Claimed, Verdict> extends Reports {
  platform: string;
  log: Log;
  signal: AbortSignal;
  suspects: Suspects<Item>;
  /** Who is to blame for what is refused alone and as a whole. */
  doubts: Doubts;
  retryRange: BackoffRange;
  random(): number;
  now(): number;
  /** Waits; ends early when the loop must end. */
  pause(ms: number): Promise<void>;
  /** Writes verdicts; tries until they are durable or the agent stops. */
  settle(verdicts: Verdict[]): Promise<void>;
  /** Those of the given numbers that were withdrawn since they were claimed. */
  withdrawn(numbers: number[]): Promise<number[]>;
}

/** To send, or to ask after what was `received`. */
export type Stage = 'send' | 'ask';

export interface Request<Item> {
  items: Item[];
  stage: Stage;
}

/** What is special about what a flight carries. */
export interface Cargo<Item, Verdict> {
  /** One request. */
  call(items: Item[], stage: Stage): Promise<SendResult | Salvaged<Item, Verdict>>;
  /** What the platform said of an item; undefined: it answered item by item and did not name this one. */
  verdictOf(item: Item, said: ItemReceipt | undefined, stage: Stage): Verdict;
  /** To be tried again at `atMs`, after an attempt or (`unsent`) without one. */
  later(item: Item, stage: Stage, code: string, atMs: number): Verdict;
  unsent(item: Item, stage: Stage, code: string, atMs: number): Verdict;
  bytesOf(item: Item): number;
}

/** A request was given up for a reason of ours: what is certain by now, and what has to go again without the cause. */
export interface Salvaged<Item, Verdict> {
  kind: 'salvaged';
  verdicts: Verdict[];
  again: Item[];
}

/** Codes after which the platform may have died of what we sent; the others cannot come from a document or image. */
const mayBeContent = new Set(['NET-1003', 'NET-1006', 'PLT-1304', 'PLT-1306', 'PLT-1307']);

export const ownBackoffMs = (
  { attempt }: Claimed,
  { retryRange, random }: Pick<FlightControl<Claimed, unknown>, 'retryRange' | 'random'>,
): number => fullJitter(attempt, retryRange, random);

/** Requests for what is to be sent: suspects apart from the others, and each of which we have doubts alone and last. */
export function requestsFor<Item extends Claimed>(
  items: readonly Item[],
  { suspects, doubts }: Pick<FlightControl<Item, unknown>, 'suspects' | 'doubts'>,
): Array<Request<Item>> {
  return [
    ...suspects.group(items.filter(({ n }) => !doubts.doubted(n))),
    ...items.filter(({ n }) => doubts.doubted(n)).map((item) => [item]),
  ].map((group) => ({ items: group, stage: 'send' }));
}

/**
 * Takes requests to the platform and settles each item: splits what is too large, bisects what is refused as a whole,
 * and puts the rest off once something is wrong with the platform (invariant 11). Ends with every item settled, except
 * when the signal ends it: what is unsettled then stays claimed and goes out again after the restart (invariant 4).
 */
export async function fly<Item extends Claimed, Verdict>(
  requests: Array<Request<Item>>,
  cargo: Cargo<Item, Verdict>,
  control: FlightControl<Item, Verdict>,
): Promise<void> {
  const { log, platform, now, suspects, doubts } = control;
  /** Set by the first trouble that concerns the platform: what has not been sent yet is put off until then. */
  let putOff: { code: string; untilMs: number } | undefined;
  /** Went to the end of the flight once, so that others can show first whether the platform takes anything. */
  const deferred = new Set<number>();

  async function call({ items, stage }: Request<Item>): Promise<SendResult | Salvaged<Item, Verdict>> {
    try {
      return await cargo.call(items, stage);
    } catch (error) {
      const code = codeOf(error, 'PLT-1307');
      log.error('platform-adapter-failed', { platform, code, count: items.length });
      return { kind: 'retry', code: 'PLT-1307' };
    }
  }

  const bytesIn = (items: readonly Item[]): number => items.reduce((sum, item) => sum + cargo.bytesOf(item), 0);

  async function settleItems({ items, stage }: Request<Item>, receipts: readonly ItemReceipt[]): Promise<void> {
    const byNumber = new Map(receipts.map((receipt) => [receipt.n, receipt]));
    const named = items.filter(({ n }) => byNumber.has(n));
    if (named.length > 0) {
      control.answered();
      doubts.answered();
    }
    for (const { n } of named) {
      suspects.cleared(n);
      doubts.cleared(n);
    }
    if (named.length < items.length) control.noted('PLT-1307');
    await control.settle(items.map((item) => cargo.verdictOf(item, byNumber.get(item.n), stage)));
  }

  /** What was withdrawn since its claim does not go out any more (invariant 6). True when there was any. */
  async function withoutWithdrawn({ items, stage }: Request<Item>): Promise<boolean> {
    const withdrawn = new Set(await control.withdrawn(items.map(({ n }) => n)));
    if (withdrawn.size === 0) return false;
    const gone = items.filter(({ n }) => withdrawn.has(n));
    await control.settle(gone.map((item) => cargo.unsent(item, stage, 'PLT-1307', now())));
    requests.unshift({ items: items.filter(({ n }) => !withdrawn.has(n)), stage });
    return true;
  }

  async function refused(request: Request<Item>, result: SendResult & { kind: 'too-large' | 'refused-whole' }) {
    const { items, stage } = request;
    const [only] = items;
    const tooLarge = result.kind === 'too-large';
    if (items.length > 1 && (tooLarge || stage === 'send')) {
      control.noted(result.code);
      if (stage === 'send') {
        doubts.together(items);
        if (tooLarge) control.tooLarge(items.length, bytesIn(items));
      }
      const middle = Math.ceil(items.length / 2);
      requests.unshift({ items: items.slice(0, middle), stage }, { items: items.slice(middle), stage });
    } else if (stage === 'ask' || only === undefined) {
      control.noted(result.code);
      await control.settle(items.map((item) => cargo.later(item, stage, result.code, now())));
    } else await refusedAlone(only, tooLarge ? 'PLT-1302' : 'PLT-1305');
  }

  async function refusedAlone(item: Item, code: 'PLT-1302' | 'PLT-1305'): Promise<void> {
    const { n } = item;
    if (doubts.proven(n)) {
      suspects.cleared(n);
      doubts.cleared(n);
      control.noted(code);
      return control.settle([cargo.verdictOf(item, { n, outcome: 'refused', code }, 'send')]);
    }
    if (doubts.alone(n)) {
      putOff = { code: 'PLT-1312', untilMs: now() + control.halt('PLT-1312') };
      // Longer than the platform, so that others are claimed first: a batch may have room for one only.
      const againMs = putOff.untilMs + halfJitter(item.attempt, control.retryRange, control.random);
      return control.settle([cargo.later(item, 'send', 'PLT-1312', againMs)]);
    }
    if (!deferred.has(n) && requests.length > 0) {
      deferred.add(n);
      requests.push({ items: [item], stage: 'send' });
      return;
    }
    control.noted('PLT-1308');
    return control.settle([cargo.later(item, 'send', 'PLT-1308', now() + ownBackoffMs(item, control))]);
  }

  let first = true;
  for (let request = requests.shift(); request !== undefined; request = requests.shift()) {
    if (control.signal.aborted) return;
    const { items, stage } = request;
    if (items.length === 0) continue;
    if (putOff !== undefined) {
      const { code, untilMs } = putOff;
      await control.settle(items.map((item) => cargo.unsent(item, stage, code, untilMs)));
      continue;
    }
    // A flight may take minutes; what it begins with has just been claimed.
    if (!first && stage === 'send' && (await withoutWithdrawn(request))) continue;
    first = false;
    const result = await call(request);
    // Whatever an aborted call says is of unknown outcome; only item answers are worth writing down.
    if (control.signal.aborted && result.kind !== 'items' && result.kind !== 'salvaged') return;
    switch (result.kind) {
      case 'items':
        await settleItems(request, result.items);
        break;
      case 'salvaged':
        await control.settle(result.verdicts);
        requests.unshift({ items: result.again, stage });
        break;
      case 'too-large':
      case 'refused-whole':
        await refused(request, result);
        break;
      case 'stop': {
        const untilMs = now() + control.halt(result.code);
        putOff = { code: result.code, untilMs };
        await control.settle(items.map((item) => cargo.later(item, stage, result.code, untilMs)));
        break;
      }
      case 'retry': {
        const untilMs = now() + control.failedWhole(result.code, result.retryAfterMs);
        putOff = { code: result.code, untilMs };
        if (stage === 'send' && mayBeContent.has(result.code)) suspects.failed(items);
        // One that stands alone already waits longer than the platform, so that others go first.
        const ownMs = (item: Item): number => (suspects.alone(item.n) ? ownBackoffMs(item, control) : 0);
        await control.settle(items.map((item) => cargo.later(item, stage, result.code, untilMs + ownMs(item))));
        break;
      }
    }
  }
}
