import { closeSync, cpSync, fsyncSync, lstatSync, openSync, readdirSync, rmSync, statfsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { storeFiles } from '../../agent/store/sqlite/open.ts';
import { nobody, prepareAgent, runAgent } from './agent.ts';
import type { BenchRun, Measurement } from './bench-run.ts';
import { end, startWorker } from './process.ts';
import { databaseOf } from './progress.ts';
import { median } from './table.ts';
import type { WriterJob, WriterResult } from './writer-jobs.ts';

/** A store with so many messages waiting to be mapped. */
export interface QueuedStore {
  size: number;
  folder: string;
}

export type StoreWriter = Awaited<ReturnType<typeof startStoreWriter>>;
/** Under Node's own flags: filling is a fifth faster, and rates of growth are compared with each other only. */
export const startStoreWriter = (run: BenchRun) =>
  startWorker<WriterJob, WriterResult>({ ...run.programs.part('writer-jobs'), flags: [] });

/** What the rest of the run may need of the disk, and the share that must stay free: at 4 % the agent stops mapping. */
const othersNeedBytes = 4e9;
const stayFree = 0.06;

/**
 * Makes a store of each size, smallest first, each from a copy of the one before; and an empty one. A size for
 * which there is no room or no time is left out, and noted.
 */
export async function makeQueuedStores(run: BenchRun, writer: StoreWriter): Promise<QueuedStore[]> {
  const made: QueuedStore[] = [];
  const startedMs = performance.now();
  for (const size of [0, ...run.plan.sizes]) {
    const folder = join(run.folder, `queued-${size}`);
    const before = made.at(-1);
    if (before && before.size > 0) {
      const perMessage = statSync(databaseOf(before)).size / before.size;
      const { bavail, blocks, bsize } = statfsSync(run.folder);
      const room = bavail * bsize - othersNeedBytes - blocks * bsize * stayFree;
      if (size * perMessage > room) {
        run.note(
          `no store of ${size.toLocaleString('en')} messages: ${Math.round(room / 1e9)} GB to spare on this disk`,
        );
        break;
      }
      copyStore(before.folder, folder);
    }
    run.say(`filling a store up to ${size.toLocaleString('en')} messages`);
    const withinMs = Math.max(0, run.plan.fillMs - (performance.now() - startedMs));
    const { rows } = await writer.run({ do: 'fill', folder, count: size, withinMs });
    if (rows < size) {
      run.note(
        `no store of ${size.toLocaleString('en')} messages: there was time for ${rows.toLocaleString('en')} only`,
      );
      rmSync(folder, { recursive: true, force: true });
      break;
    }
    made.push({ size, folder });
  }
  return made;
}

/** A copy on the disk, not in the page cache only, without what a killed agent left that is no file. The store must be closed. */
export function copyStore(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  const isWanted = (path: string) => basename(path) !== storeFiles.ballast && !lstatSync(path).isSocket();
  cpSync(from, to, { recursive: true, filter: isWanted });
  for (const entry of readdirSync(join(to, 'data'), { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = openSync(join(to, 'data', entry.name), 'r+');
    fsyncSync(file);
    closeSync(file);
  }
}

export interface GrowthRow {
  /** Messages in the store before. */
  size: number;
  /** Messages a second through durable group commits of 32, median of all visits. */
  perSecond: number;
  /** The rate here / the rate at the smallest size in the same visit, median of all visits. */
  ofSmallest: number;
}

const commits = 64;
const messages = 32;
/** Stores up to this size are copied for each visit, or they would grow by a good part of themselves. */
const copiedUpTo = 10_000;

/** How fast messages are committed into stores that hold more and more, visited in turn. */
export function measureGrowth(run: BenchRun, stores: QueuedStore[], writer: StoreWriter): Measurement<GrowthRow[]> {
  const rates = new Map<number, number[]>();
  const sizes = stores.filter(({ size }) => size > 0);
  return {
    async round() {
      run.say('intake commits into stores of growing size');
      for (let visit = 0; visit < run.plan.growthVisits; visit++) {
        for (const { size, folder } of sizes) {
          const copy = join(run.folder, 'growth');
          if (size <= copiedUpTo) copyStore(folder, copy);
          const target = size <= copiedUpTo ? copy : folder;
          const { added, seconds } = await writer.run({ do: 'commit', folder: target, commits, messages });
          rates.set(size, [...(rates.get(size) ?? []), added / seconds]);
          if (size <= copiedUpTo) rmSync(copy, { recursive: true, force: true });
        }
      }
    },
    result() {
      const smallest = rates.get(sizes[0]?.size ?? 0) ?? [];
      return [...rates].map(([size, found]) => ({
        size,
        perSecond: median(found),
        ofSmallest: median(found.map((rate, visit) => rate / smallest[visit]!)),
      }));
    },
  };
}

export interface RestartRow {
  size: number;
  /** From the start of the process, after kill -9 but for the first round; medians, and the slowest. */
  listeningMs: number;
  readyMs: number;
  slowestReadyMs: number;
}

/** Starts of the agent with so many messages queued, not yet mapped; it is killed as soon as it is ready. */
export function measureRestarts(run: BenchRun, stores: QueuedStore[]): Measurement<RestartRow[]> {
  const found = new Map<number, Array<{ listeningMs: number; readyMs: number }>>();
  return {
    async round() {
      for (const { size, folder } of stores.filter(({ size }) => size !== 1000)) {
        run.say(`start with ${size.toLocaleString('en')} queued`);
        const site = await prepareAgent(folder, await nobody(), run.pki);
        const agent = await runAgent(site, run.programs.agent);
        await end(agent.child, 'SIGKILL');
        found.set(size, [...(found.get(size) ?? []), agent]);
      }
    },
    result: () =>
      [...found].map(([size, times]) => ({
        size,
        listeningMs: median(times.map((time) => time.listeningMs)),
        readyMs: median(times.map((time) => time.readyMs)),
        slowestReadyMs: Math.max(...times.map((time) => time.readyMs)),
      })),
  };
}
