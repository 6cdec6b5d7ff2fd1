import { MessageChannel, type Worker } from 'node:worker_threads';
import { type ErrorCode, isErrorCode, QianzhiError } from '../../support/errors.ts';
import { tidyMemory, tidySoon } from '../../support/memory.ts';
import { phi } from '../../support/phi.ts';
import { askThrough, startThread } from '../../support/thread.ts';
import type {
  Accepted,
  DeliveryStore,
  IntakeStore,
  MessageRow,
  OutboxDocument,
  PageStore,
  ProblemGroup,
  RhythmStore,
  StoreFigures,
  Verdict,
} from '../contract.ts';
import type { ImageStore } from '../image-contract.ts';
import type { MatchPageStore } from '../match-contract.ts';
import { imageStoreThrough } from './images/image-store.ts';
import type { StageAccess } from './mapping-view.ts';
import { matchPagesThrough } from './matching/match-store.ts';
import type { ReadDocument, ReadRequest } from './reader.ts';
import type { Claimed, WriteRequest } from './requests.ts';
import { rhythmStoreThrough } from './rhythm.ts';
import type { WriterOptions, WriterState } from './writer.ts';
import type { OpenStore } from './writer-thread.ts';

export interface StoreOptions extends Omit<WriterOptions, 'clock'> {
  /** As in StageAccess. */
  reportWaitMs?: number;
}

/** After a read that failed as a whole, when claimed documents may be tried again. */
const GIVE_BACK_MS = 5_000;

/**
 * The embedded store as the main thread sees it: writes go to the store worker, reads to whoever holds
 * `stages` (mapping-view.ts), which is the mapping worker.
 */
export interface SqliteStore extends IntakeStore, DeliveryStore, PageStore, RhythmStore, ImageStore, MatchPageStore {
  agentId: string;
  state(): WriterState;
  /**
   * Resolves when a search finds all studies, with how many of an older version were made findable since the start: until
   * then it finds the others only.
   */
  searchable: Promise<number>;
  /** What the mapping worker opens its view with; to be posted to it once, its ports transferred. */
  stages: StageAccess;
  /** Commits what is waiting, closes the files and ends the worker. */
  close(): Promise<void>;
}

/** The store worker, which loads its code and opens nothing until it is handed to `openStore`. */
export const startStoreThread = (): Worker => startThread('agent/store/sqlite/writer-thread.ts');

/**
 * Opens the store. Rejects with the code of what stands in the way (QUE-4004, QUE-4005, QUE-4008, CFG-5007 …).
 * @param onFatal called at most once when the store cannot go on: the process must exit and be restarted.
 */
export async function openStore(
  options: StoreOptions,
  onFatal: (code: ErrorCode) => void,
  writer: Worker = startStoreThread(),
): Promise<SqliteStore> {
  const mine = new MessageChannel();
  const mapping = new MessageChannel();
  const ports = [mine.port2, mapping.port2];
  writer.postMessage({ open: { options, ports } } satisfies OpenStore, ports);
  const ask = askThrough<WriteRequest>(mine.port1);

  let state: WriterState | undefined;
  let closing = false;
  let dead = false;
  const reading = new MessageChannel();
  const read = askThrough<ReadRequest>(reading.port1);
  let found: (count: number) => void = () => {};
  const searchable = new Promise<number>((resolve) => {
    found = resolve;
  });
  const ended = new Promise<void>((resolve) => writer.once('exit', () => resolve()));
  const die = (code: ErrorCode) => {
    if (dead || closing) return;
    dead = true;
    ask.abandon(code);
    read.abandon(code);
    onFatal(code);
  };
  const agentId = await new Promise<string>((resolve, reject) => {
    writer.on(
      'message',
      (m: { opened?: boolean; agentId?: string; state?: WriterState; fatal?: string; where?: string }) => {
        if (m.state) state = m.state;
        if (m.state?.searchable !== undefined) found(m.state.searchable);
        if (m.opened && m.agentId) resolve(m.agentId);
        if (m.fatal !== undefined) {
          const code = isErrorCode(m.fatal) ? m.fatal : 'QUE-4007';
          reject(new QianzhiError(code, m.where));
          if (state) die(code);
        }
      },
    );
    writer.on('error', (cause) => {
      reject(new QianzhiError('SYS-6004', 'store', { cause }));
      if (state) die('SYS-6004');
    });
    writer.on('exit', () => {
      reject(new QianzhiError('SYS-6004', 'store'));
      if (state) die('SYS-6004');
    });
  }).catch(async (error: unknown) => {
    mine.port1.close();
    mapping.port1.close();
    reading.port1.close();
    await writer.terminate();
    throw error;
  });

  reading.port1.on('close', () => {
    // Its other end lives and dies with the mapping worker.
    if (!closing) read.abandon('SYS-6004');
  });

  const current = (): WriterState =>
    state ?? { mode: 'normal', freeBytes: 0, lastSeq: 0, notices: [], searchable: undefined, unused: [], former: [] };
  let pending = 0;

  return {
    agentId,
    state: current,
    searchable,
    stages: {
      folder: options.folder,
      keyReference: options.keyReference,
      platforms: options.platforms,
      imagePlatforms: options.imagePlatforms ?? [],
      ...(options.reportWaitMs !== undefined && { reportWaitMs: options.reportWaitMs }),
      timeZone: options.timeZone,
      ports: { write: mapping.port1, read: reading.port2 },
    },
    pendingBytes: () => pending,

    async accept(message) {
      const size = message.bytes.length;
      pending += size;
      try {
        return (await ask.ask({ op: 'accept', message })) as Accepted;
      } finally {
        pending -= size;
        tidySoon();
      }
    },

    async claim(platform, max, maxBytes, nowMs) {
      const claimed = (await ask.ask({ op: 'claim', platform, max, maxBytes, nowMs })) as Claimed[];
      if (claimed.length === 0) return [];
      let stored: ReadDocument[];
      try {
        stored = (await read.ask({ op: 'documents', numbers: claimed.map((c) => c.n) })) as ReadDocument[];
      } catch (error) {
        // Given back at once: what nobody carries must not block its lane.
        const verdicts = claimed.map(({ n, received }): Verdict => {
          const retryAtMs = nowMs + GIVE_BACK_MS;
          return received
            ? { n, outcome: 'received', retryAtMs }
            : { n, outcome: 'retry', code: 'QUE-4003', retryAtMs };
        });
        await ask.ask({ op: 'settle', platform, verdicts, nowMs });
        throw error;
      }
      const documents: OutboxDocument[] = [];
      for (const [i, c] of claimed.entries()) {
        const found = stored[i];
        if (!found || 'damaged' in found) {
          // Set aside and named; its neighbours go on (invariant 8).
          await ask.ask({
            op: 'settle',
            platform,
            verdicts: [{ n: c.n, outcome: 'refused', code: 'QUE-4003' }],
            nowMs,
          });
        } else documents.push({ ...c, reportNumber: phi(found.reportNumber), bytes: phi(found.bytes) });
      }
      return documents;
    },
    async settle(platform, verdicts) {
      tidyMemory();
      await ask.ask({ op: 'settle', platform, verdicts, nowMs: Date.now() });
    },
    async withdrawn(numbers) {
      return (await ask.ask({ op: 'withdrawn', numbers })) as number[];
    },
    async nextDueMs(platform) {
      return (await ask.ask({ op: 'next-due', platform })) as number | undefined;
    },

    async figures(nowMs) {
      const { freeBytes, mode } = current();
      return (await read.ask({ op: 'figures', nowMs, freeBytes, mode })) as StoreFigures;
    },
    async messages(limit, before) {
      return (await read.ask({ op: 'messages', limit, before })) as MessageRow[];
    },
    async findMessages(by, term, limit, before) {
      return (await read.ask({ op: 'find-messages', by, term: term.reveal(), limit, before })) as MessageRow[];
    },
    async problems(limit) {
      return (await read.ask({ op: 'problems', limit })) as ProblemGroup[];
    },

    ...imageStoreThrough(ask, read),
    ...matchPagesThrough(read),
    ...rhythmStoreThrough(ask, read),

    async close() {
      closing = true;
      writer.postMessage({ close: true });
      await ended;
      ask.abandon('QUE-4010');
      read.abandon('QUE-4010');
      mine.port1.close();
      reading.port1.close();
    },
  };
}
