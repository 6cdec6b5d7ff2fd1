import type { DeliveryStore, OutboxDocument, Verdict } from '../store/contract.ts';
import { type BackoffRange, parentRange } from './backoff.ts';
import { flyDocuments } from './document-flight.ts';
import { type CommonParts, type Delivery, type LoopTiming, loopTiming, startLoop } from './loop.ts';
import { createPace } from './pace.ts';
import type { PlatformConnection } from './platform.ts';

export type { Delivery } from './loop.ts';

export interface DeliveryParts extends CommonParts {
  connection: PlatformConnection;
  store: DeliveryStore;
  timing?: Partial<DeliveryTiming>;
}

/** Milliseconds. */
export interface DeliveryTiming extends LoopTiming {
  /** Between attempts at a document whose parent the platform wants first. */
  parent: BackoffRange;
  /** After a wake the loop waits so long for company before it closes the batch. */
  lingerMs: number;
}

const defaultTiming: DeliveryTiming = { ...loopTiming, parent: parentRange, lingerMs: 50 };

/**
 * The delivery of documents to one platform (loop.ts): takes the heads of lanes in batches and sends stored bytes under
 * their keys.
 */
export function startDelivery(parts: DeliveryParts): Delivery {
  const { platform, connection, store } = parts;
  const timing: DeliveryTiming = { ...defaultTiming, ...parts.timing };
  const asked = new Map<number, number>();
  return startLoop<OutboxDocument, Verdict>({
    ...parts,
    pace: createPace(connection.limits ?? { documents: 100, bytes: 512 * 1024 }),
    timing,
    lingerMs: timing.lingerMs,
    queue: {
      claim: ({ documents, bytes }, nowMs) => store.claim(platform, documents, bytes, nowMs),
      settle: (verdicts) => store.settle(platform, verdicts),
      withdrawn: (numbers) => store.withdrawn(numbers),
      nextDueMs: () => store.nextDueMs(platform),
    },
    fly: (documents, control) => flyDocuments(documents, { ...control, connection, parentRange: timing.parent, asked }),
  });
}
