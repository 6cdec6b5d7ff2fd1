import type { OutboxDocument, Verdict } from '../store/contract.ts';
import { codeOf } from '../support/errors.ts';
import type { Log } from '../support/log.ts';
import { askRange, type BackoffRange, fullJitter, halfJitter } from './backoff.ts';
import type { Doubts } from './doubts.ts';
import type { ItemReceipt, PlatformConnection, SendResult } from './platform.ts';
import type { Suspects } from './suspects.ts';

/** What a flight needs of the loop. */
export interface FlightControl {
  platform: string;
  connection: PlatformConnection;
  log: Log;
  signal: AbortSignal;
  suspects: Suspects;
  retryRange: BackoffRange;
  parentRange: BackoffRange;
  random(): number;
  now(): number;
  /** Writes verdicts; tries until they are durable or the agent stops. */
  settle(verdicts: Verdict[]): Promise<void>;
  /** Those of the given documents that were withdrawn since they were claimed. */
  withdrawn(numbers: number[]): Promise<number[]>;
  /** The platform answered item by item. */
  answered(): void;
  tooLarge(documents: number, bytes: number): void;
  /** A request failed as a whole; returns the milliseconds until the next may be sent. */
  failedWhole(code: string, retryAfterMs: number | undefined): number;
  /** Uploads must stop until a person or the slow probe lets them go on; returns milliseconds until the probe. */
  halt(code: string): number;
  /** An error worth showing that stops nothing. */
  noted(code: string): void;
  /** How often each received document was asked after in vain; in memory, a restart asks early again. */
  asked: Map<number, number>;
  /** Who is to blame for documents refused alone and as a whole. */
  doubts: Doubts;
}

interface Request {
  documents: OutboxDocument[];
  stage: 'send' | 'ask';
}

const sizeOf = (documents: readonly OutboxDocument[]): number =>
  documents.reduce((sum, document) => sum + document.bytes.reveal().length, 0);

/** How long a document waits for its parent before a person is asked, unless the platform's settings say otherwise. */
const PARENT_WAIT_MS = 24 * 3_600_000;

/** Codes after which the platform may have died of what we sent; the others cannot come from a document. */
const mayBeContent = new Set(['NET-1003', 'NET-1006', 'PLT-1304', 'PLT-1306', 'PLT-1307']);

/**
 * Takes claimed documents to the platform and settles each of them: sends, splits what is too large,
 * bisects what is refused as a whole, asks after what was received. Ends with every document settled,
 * except when the signal ends it: what is unsettled then stays claimed and is sent again, under the
 * same key, after the restart (invariant 4).
 */
export async function fly(documents: readonly OutboxDocument[], control: FlightControl): Promise<void> {
  const { log, platform, random, now, suspects, doubts } = control;
  const toSend = documents.filter((document) => !document.received);
  const requests: Request[] = [
    ...suspects.group(toSend.filter(({ n }) => !doubts.doubted(n))),
    ...toSend.filter(({ n }) => doubts.doubted(n)).map((document) => [document]),
  ].map((group) => ({ documents: group, stage: 'send' }));
  const received = documents.filter((document) => document.received);
  if (received.length > 0) requests.push({ documents: received, stage: 'ask' });
  /** Set by the first trouble that concerns the platform: what has not been sent yet is put off until then. */
  let putOff: { code: string; untilMs: number } | undefined;

  /** A document that was asked after stays `received`: a lost question must not send it again. */
  const later = (document: OutboxDocument, stage: Request['stage'], code: string, atMs: number): Verdict =>
    stage === 'ask'
      ? { n: document.n, outcome: 'received', retryAtMs: Math.max(atMs, askAgainMs(document)) }
      : { n: document.n, outcome: 'retry', code, retryAtMs: atMs };
  function askAgainMs({ n }: OutboxDocument): number {
    const times = (control.asked.get(n) ?? 0) + 1;
    control.asked.set(n, times);
    return now() + halfJitter(times, askRange, random);
  }
  const ownBackoffMs = (document: OutboxDocument): number => fullJitter(document.attempt, control.retryRange, random);

  async function call({ documents: some, stage }: Request): Promise<SendResult> {
    try {
      return await control.connection[stage](some, control.signal);
    } catch (error) {
      const code = codeOf(error, 'PLT-1307');
      log.error('platform-adapter-failed', { platform, code, count: some.length });
      return { kind: 'retry', code: 'PLT-1307' };
    }
  }

  function verdictOf(document: OutboxDocument, item: ItemReceipt | undefined, stage: Request['stage']): Verdict {
    const { n } = document;
    if (item !== undefined && item.outcome !== 'received') control.asked.delete(n);
    if (item === undefined) return later(document, stage, 'PLT-1307', now() + ownBackoffMs(document));
    const receipt = 'receipt' in item && item.receipt !== undefined ? { receipt: item.receipt } : undefined;
    switch (item.outcome) {
      case 'accepted':
        return { n, outcome: 'accepted', ...receipt };
      case 'received':
        return { n, outcome: 'received', ...receipt, retryAtMs: askAgainMs(document) };
      case 'refused':
        return { ...item };
      case 'wait-for-parent':
        return withoutParent(document);
      case 'retry':
        return {
          n,
          outcome: 'retry',
          code: item.code,
          retryAtMs: now() + Math.max(item.retryAfterMs ?? 0, ownBackoffMs(document)),
        };
    }
  }

  /** The encounter may come any minute, or never: somebody has to look after a day. */
  function withoutParent({ n, attempt, parentSinceMs }: OutboxDocument): Verdict {
    const limitMs = control.connection.parentWaitMs ?? PARENT_WAIT_MS;
    if (parentSinceMs !== undefined && now() - parentSinceMs >= limitMs) {
      return { n, outcome: 'refused', code: 'PLT-1313' };
    }
    return { n, outcome: 'wait-for-parent', retryAtMs: now() + halfJitter(attempt, control.parentRange, random) };
  }

  async function settleItems({ documents: some, stage }: Request, items: readonly ItemReceipt[]): Promise<void> {
    control.answered();
    const byNumber = new Map(items.map((item) => [item.n, item]));
    for (const { n } of some) {
      if (!byNumber.has(n)) continue;
      suspects.cleared(n);
      doubts.cleared(n);
    }
    if (some.some(({ n }) => !byNumber.has(n))) control.noted('PLT-1307');
    await control.settle(some.map((document) => verdictOf(document, byNumber.get(document.n), stage)));
  }

  function split({ documents: some, stage }: Request): void {
    const middle = Math.ceil(some.length / 2);
    requests.unshift({ documents: some.slice(0, middle), stage }, { documents: some.slice(middle), stage });
  }

  /** Documents that go to the end of the flight once, so that others can show first whether the platform takes anything. */
  const deferred = new Set<number>();
  async function refusedAlone(
    request: Request,
    document: OutboxDocument,
    code: 'PLT-1302' | 'PLT-1305',
  ): Promise<void> {
    const { n } = document;
    if (doubts.proven(n)) {
      suspects.cleared(n);
      doubts.cleared(n);
      control.noted(code);
      return control.settle([{ n, outcome: 'refused', code }]);
    }
    if (doubts.alone(n)) {
      putOff = { code: 'PLT-1312', untilMs: now() + control.halt('PLT-1312') };
      // Longer than the platform, so that others are claimed first: a batch may have room for one only.
      const againMs = putOff.untilMs + halfJitter(document.attempt, control.retryRange, random);
      return control.settle([later(document, 'send', 'PLT-1312', againMs)]);
    }
    if (!deferred.has(n) && requests.length > 0) {
      deferred.add(n);
      requests.push(request);
      return;
    }
    control.noted('PLT-1308');
    return control.settle([later(document, 'send', 'PLT-1308', now() + ownBackoffMs(document))]);
  }

  let first = true;
  for (let request = requests.shift(); request !== undefined; request = requests.shift()) {
    if (control.signal.aborted) return;
    const { documents: some, stage } = request;
    const [only] = some;
    if (only === undefined) continue;
    if (putOff !== undefined) {
      const { code, untilMs } = putOff;
      await control.settle(some.map((document) => later(document, stage, code, untilMs)));
      continue;
    }
    // A flight may take minutes: what was withdrawn since its claim does not go out any more (invariant 6).
    if (!first && stage === 'send') {
      const withdrawn = new Set(await control.withdrawn(some.map(({ n }) => n)));
      if (withdrawn.size > 0) {
        const code = 'PLT-1307';
        await control.settle([...withdrawn].map((n) => ({ n, outcome: 'retry', code, retryAtMs: now() })));
        requests.unshift({ documents: some.filter(({ n }) => !withdrawn.has(n)), stage });
        continue;
      }
    }
    first = false;
    const result = await call(request);
    // Whatever an aborted call says is of unknown outcome; only item answers are worth writing down.
    if (control.signal.aborted && result.kind !== 'items') return;
    switch (result.kind) {
      case 'items':
        await settleItems(request, result.items);
        break;
      case 'too-large':
      case 'refused-whole': {
        const tooLarge = result.kind === 'too-large';
        if (stage === 'ask' && !(tooLarge && some.length > 1)) {
          control.noted(result.code);
          await control.settle(some.map((document) => later(document, stage, result.code, now())));
        } else if (some.length > 1) {
          control.noted(result.code);
          if (stage === 'send') {
            doubts.together(some);
            if (tooLarge) control.tooLarge(some.length, sizeOf(some));
          }
          split(request);
        } else await refusedAlone(request, only, tooLarge ? 'PLT-1302' : 'PLT-1305');
        break;
      }
      case 'stop': {
        const untilMs = now() + control.halt(result.code);
        putOff = { code: result.code, untilMs };
        await control.settle(some.map((document) => later(document, stage, result.code, untilMs)));
        break;
      }
      case 'retry': {
        const untilMs = now() + control.failedWhole(result.code, result.retryAfterMs);
        putOff = { code: result.code, untilMs };
        if (stage === 'send' && mayBeContent.has(result.code)) suspects.failed(some);
        // One that stands alone already waits longer than the platform, so that others go first.
        await control.settle(
          some.map((document) =>
            later(document, stage, result.code, untilMs + (suspects.alone(document.n) ? ownBackoffMs(document) : 0)),
          ),
        );
        break;
      }
    }
  }
}
