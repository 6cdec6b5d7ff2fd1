import type { IndexedInstance, IndexingStore, StudyClock, UnindexedInstance } from '../store/image-contract.ts';
import type { Spool } from '../store/spool.ts';
import type { Clock } from '../support/clock.ts';
import { codeOf } from '../support/errors.ts';
import type { Log } from '../support/log.ts';
import { type Phi, phi } from '../support/phi.ts';
import type { HeadsInHand } from './heads.ts';
import type { HeadSource, ImageReader } from './image-reader.ts';
import { isUrgent, type UrgencyRule } from './urgency.ts';

export interface IndexingStage {
  store: IndexingStore;
  spool: Pick<Spool, 'read'>;
  /** Where it is at hand the file is not opened. */
  heads?: Pick<HeadsInHand, 'take'>;
  /** Sources by their configured name; undefined: it is not configured any more. */
  rulesOf(source: string): SourceRules | undefined;
  clock: Pick<Clock, 'now'>;
  log: Pick<Log, 'error'>;
  /** Where the next pass goes on; kept here by `indexInstances`. */
  after?: number;
}

/** How the instances of a source are read, and when their studies are complete. */
export interface SourceRules {
  reader: ImageReader;
  urgency: UrgencyRule;
  clock: StudyClock;
  /** Stands between the accession numbers of several orders in one value. */
  accessionSeparator?: string | undefined;
}

/** At most so many headers stand before a commit. */
const AT_ONCE = 100;
/** Longest head that is ever opened. */
const LONGEST_HEAD = 16 * 1024 * 1024;
/** A file that cannot be read now is tried for so long: until then its study, and all that are due later, wait for it. */
const UNREADABLE_MS = 10 * 60_000;
/** At most so many batches of which nothing could be read, at a time. */
const BATCHES = 10;

/**
 * Reads the headers of instances that were not read yet and says what they are; those that cannot be read are set aside
 * with a code and stay stored. Returns how many it dealt with: 0 when there is nothing to do now.
 */
export async function indexInstances(stage: IndexingStage): Promise<number> {
  const items: IndexedInstance[] = [];
  for (let batch = 0; batch < BATCHES && items.length === 0; batch++) {
    const unread = stage.store.unindexed(AT_ONCE, stage.after);
    for (const instance of unread) {
      const item = 'damaged' in instance ? { n: instance.n, code: instance.damaged } : await indexOne(stage, instance);
      if (item) items.push(item);
    }
    // Those that cannot be read now must not keep the others waiting: they have their turn when the end was reached.
    stage.after = unread.length < AT_ONCE ? undefined : unread.at(-1)?.n;
    if (stage.after === undefined) break;
  }
  if (items.length > 0) await commitItems(stage, items);
  return items.length;
}

async function commitItems({ store, log }: IndexingStage, items: IndexedInstance[]): Promise<void> {
  try {
    return await store.commitIndex(items);
  } catch (error) {
    if (codeOf(error, 'SYS-6004') !== 'MAP-3013') throw error;
  }
  // One of them cannot be written, for a reason of its own: its neighbours go on (invariant 11).
  for (const item of items) {
    try {
      await store.commitIndex([item]);
    } catch (error) {
      const code = codeOf(error, 'MAP-3013');
      if (code !== 'MAP-3013') throw error;
      log.error('image-not-indexed', { n: item.n, code });
      await store.commitIndex([{ n: item.n, code }]);
    }
  }
}

/** Undefined when it cannot be read now and has to be tried again. */
async function indexOne(stage: IndexingStage, instance: UnindexedInstance): Promise<IndexedInstance | undefined> {
  const { n, file } = instance;
  const rules = stage.rulesOf(instance.source);
  if (!rules) return { n, code: 'DCM-2296' };
  const inHand = stage.heads?.take(file.name);
  const head: HeadSource = {
    size: file.bytes,
    async read(length) {
      const wanted = Math.min(length, file.bytes, LONGEST_HEAD);
      if (inHand !== undefined && inHand.length >= wanted) return inHand.subarray(0, wanted);
      return await readHead(stage.spool, file, wanted);
    },
  };
  try {
    const reading = await rules.reader.read(head);
    if (!reading.ok) return { n, code: reading.code };
    const facts = reading.header;
    const told = instance.sopInstanceUid.reveal();
    if (told !== '' && told !== facts.sopInstanceUid) return { n, code: 'DCM-2292' };
    const orders = ordersIn(facts.accessionNumber, rules.accessionSeparator);
    return { n, facts: phi(facts), orders, urgent: isUrgent(facts, rules.urgency), clock: rules.clock };
  } catch (error) {
    const code = codeOf(error, 'MAP-3013');
    stage.log.error('image-header-not-read', { n, code });
    const again = code === 'QUE-4020' && stage.clock.now() - instance.receivedMs < UNREADABLE_MS;
    return again ? undefined : { n, code };
  }
}

/** A sender's fault where there are more. */
const MOST_ORDERS = 32;

/** Numbers of orders by which the study is found besides the value as it was sent. */
const ordersIn = (sent: string | undefined, separator: string | undefined): Phi<string[]> =>
  phi(separator !== undefined && sent?.includes(separator) ? sent.split(separator, MOST_ORDERS) : []);

/** The first bytes of a file, in one piece. */
async function readHead(spool: Pick<Spool, 'read'>, file: UnindexedInstance['file'], wanted: number): Promise<Buffer> {
  const head = Buffer.allocUnsafeSlow(wanted);
  let at = 0;
  for await (const piece of spool.read(file, wanted)) {
    head.set(piece, at);
    at += piece.length;
  }
  return head.subarray(0, at);
}
