import type { OutboxDocument, Verdict } from '../store/contract.ts';
import { askRange, type BackoffRange, halfJitter } from './backoff.ts';
import { type FlightControl, fly, ownBackoffMs, requestsFor } from './flight.ts';
import type { PlatformConnection } from './platform.ts';

/** What a flight of documents needs of the loop. */
export interface DocumentFlightControl extends FlightControl<OutboxDocument, Verdict> {
  connection: PlatformConnection;
  parentRange: BackoffRange;
  /** How often each received document was asked after in vain; in memory, a restart asks early again. */
  asked: Map<number, number>;
}

/** How long a document waits for its parent before a person is asked, unless the platform's settings say otherwise. */
const PARENT_WAIT_MS = 24 * 3_600_000;

/**
 * Takes claimed documents to the platform and settles each of them: sends stored bytes under their keys, and asks after
 * what was received (flight.ts).
 */
export async function flyDocuments(
  documents: readonly OutboxDocument[],
  control: DocumentFlightControl,
): Promise<void> {
  const { connection, asked, random, now } = control;

  function askAgainMs({ n }: OutboxDocument): number {
    const times = (asked.get(n) ?? 0) + 1;
    asked.set(n, times);
    return now() + halfJitter(times, askRange, random);
  }

  /** A document that was asked after stays `received`: a lost question must not send it again. */
  const later = (document: OutboxDocument, stage: 'send' | 'ask', code: string, atMs: number): Verdict =>
    stage === 'ask'
      ? { n: document.n, outcome: 'received', retryAtMs: Math.max(atMs, askAgainMs(document)) }
      : { n: document.n, outcome: 'retry', code, retryAtMs: atMs };

  /** The encounter may come any minute, or never: somebody has to look after a day. */
  function withoutParent({ n, attempt, parentSinceMs }: OutboxDocument): Verdict {
    const limitMs = connection.parentWaitMs ?? PARENT_WAIT_MS;
    if (parentSinceMs !== undefined && now() - parentSinceMs >= limitMs) {
      return { n, outcome: 'refused', code: 'PLT-1313' };
    }
    return { n, outcome: 'wait-for-parent', retryAtMs: now() + halfJitter(attempt, control.parentRange, random) };
  }

  const requests = requestsFor(
    documents.filter(({ received }) => !received),
    control,
  );
  const received = documents.filter((document) => document.received);
  if (received.length > 0) requests.push({ items: received, stage: 'ask' });

  await fly<OutboxDocument, Verdict>(
    requests,
    {
      call: (some, stage) => connection[stage](some, control.signal),
      later,
      unsent: later,
      bytesOf: ({ bytes }) => bytes.reveal().length,
      verdictOf(document, said, stage) {
        const { n } = document;
        if (said === undefined) return later(document, stage, 'PLT-1307', now() + ownBackoffMs(document, control));
        if (said.outcome !== 'received') asked.delete(n);
        const receipt = 'receipt' in said && said.receipt !== undefined ? { receipt: said.receipt } : undefined;
        switch (said.outcome) {
          case 'accepted':
            return { n, outcome: 'accepted', ...receipt };
          case 'received':
            return { n, outcome: 'received', ...receipt, retryAtMs: askAgainMs(document) };
          case 'refused':
            return { ...said };
          case 'wait-for-parent':
            return withoutParent(document);
          case 'retry': {
            const waitMs = Math.max(said.retryAfterMs ?? 0, ownBackoffMs(document, control));
            return { n, outcome: 'retry', code: said.code, retryAtMs: now() + waitMs };
          }
        }
      },
    },
    control,
  );
}
