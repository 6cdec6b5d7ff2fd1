import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { compileProfile } from '../../../adapters/hl7v2/profile/check.ts';
import { mapAgain, mapBatch, mapDue } from '../../../agent/mapping/map.ts';
import type { MessageReader } from '../../../agent/mapping/mapper.ts';
import { renderAgain, renderBatch } from '../../../agent/rendering/render.ts';
import type { Accepted, ProblemGroup, StoreFigures, Verdict } from '../../../agent/store/contract.ts';
import { openMappingView } from '../../../agent/store/sqlite/mapping-view.ts';
import { isDamage, markDamaged, openForReading } from '../../../agent/store/sqlite/open.ts';
import { openReader } from '../../../agent/store/sqlite/reader.ts';
import type { Writer } from '../../../agent/store/sqlite/writer.ts';
import { readAsset } from '../../../agent/support/assets.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import { codeOf, QianzhiError } from '../../../agent/support/errors.ts';
import { compilePack } from '../../adapters/formats/wst500-cda/compile-pack.ts';
import { type InProcess, openInProcess } from '../../agent/store/in-process.ts';

const reader = compileProfile(readAsset('config/dialects/cn-default.yaml'));
const renderer = compilePack(readAsset('config/provinces/cn-wst500/pack.yaml'), {});
const timeZone = 'Asia/Shanghai';
const platforms = ['province'];

export const sha = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** What the platform was given under one key. */
export interface Handed {
  sha: string;
  setId: string;
  version: number;
  operation: string;
}

export interface Delivered extends Handed {
  key: string;
  n: number;
  reportNumber: string;
}

/** Everything that touches the database, on this thread: the writer, the stages' view and the page's reader. */
export interface WorkedStore {
  writer: Writer;
  accept(text: string | Uint8Array, controlId: string): Promise<Accepted>;
  /** Maps and renders until nothing is left, as the mapping worker does. */
  work(): Promise<void>;
  claim(max?: number): Promise<Array<Delivered | { n: number; damaged: true }>>;
  settle(verdicts: Verdict[]): Promise<void>;
  figures(): StoreFigures | { failed: string };
  problems(): ProblemGroup[] | { failed: string };
  /** Of all messages, as the page shows them; undefined where it could not be read. */
  states(): Map<number, { state: string; code?: string }> | { failed: string };
  inbox(): Array<{ seq: number; bytes?: Uint8Array; damaged?: string }>;
  /** Outbox numbers that the books call accepted. */
  acceptedNumbers(): number[];
  notices(): Array<{ code: string; first: number | null; last: number | null }>;
  close(): void;
}

/** Opens what lies in `root/data` with the product's own code. Rejects as the store worker would report it. */
export function openWorkedStore(root: string): WorkedStore {
  const folder = join(root, 'data');
  const keyReference = `file:${join(root, 'data.key')}`;
  const opened = openInProcess({ folder, keyReference, sources: ['lis'], platforms, clock: systemClock });
  const closers: Array<() => void> = [() => opened.writer.close()];
  const close = () => {
    for (const end of closers.splice(0).reverse()) {
      try {
        end();
      } catch {
        // The process is ending because of a damage; what of it cannot be closed ends with it.
      }
    }
  };
  try {
    return working(opened, folder, keyReference, closers, close);
  } catch (error) {
    close();
    throw asStage(error, folder);
  }
}

/** What the mapping worker makes of an error: a damaged page ends the process and marks the store. */
function asStage(error: unknown, folder: string): unknown {
  if (!isDamage(error)) return error;
  markDamaged(folder);
  return new QianzhiError('QUE-4007', undefined, { cause: error });
}

/** Reads a page that perhaps nobody had looked at before. */
function asStages<T>(folder: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw asStage(error, folder);
  }
}

/** What the page gets: an answer, or the code that stands for it. */
function asPage<T>(read: () => T): T | { failed: string } {
  try {
    return read();
  } catch (error) {
    return { failed: codeOf(error, 'QUE-4003') };
  }
}

function working(
  { writer, ask, line, fatal }: InProcess,
  folder: string,
  keyReference: string,
  closers: Array<() => void>,
  close: () => void,
): WorkedStore {
  const ports = { write: line(), read: new MessageChannel().port1 };
  const view = openMappingView({ folder, keyReference, platforms, timeZone, ports });
  closers.push(() => view.close());
  const own = openForReading(folder, keyReference);
  closers.push(() => own.close());
  const pages = openReader(own.db, own.vault, { platforms, timeZone });

  const mapping = {
    store: view,
    readers: new Map<string, MessageReader>([['lis', reader]]),
    timeZone,
    clock: systemClock,
    setIdOf: (key: string) => sha(key).slice(0, 32),
  };
  const rendering = {
    platform: 'province',
    renderer,
    store: view,
    filters: {},
    holdMs: 0,
    bound: 10_000,
    site: { orgCode: '12100000MB0000001P', name: '示例市人民医院' },
    clock: systemClock,
  };

  return {
    writer,
    accept: (text, controlId) =>
      ask({
        op: 'accept',
        message: {
          source: 'lis',
          bytes: Buffer.from(text),
          controlId: Buffer.from(controlId),
          receivedMs: Date.now(),
        },
      }),
    async work() {
      try {
        await mapAgain(mapping, 'lis', 1);
        await renderAgain(rendering, 1);
      } catch (error) {
        throw asStage(error, folder);
      }
      for (let turns = 0; ; turns++) {
        if (turns > 10_000) throw new Error('the stages never come to rest');
        try {
          if ((await mapBatch(mapping)) + (await mapDue(mapping)) + (await renderBatch(rendering)) === 0) return;
        } catch (error) {
          throw asStage(error, folder);
        }
        if (fatal()) throw fatal();
      }
    },
    async claim(max = 100) {
      const claimed = await ask({
        op: 'claim',
        platform: 'province',
        max,
        maxBytes: 1024 * 1024,
        nowMs: Date.now(),
      });
      const stored = pages.documents(claimed.map((c) => c.n));
      return claimed.map((c, i) => {
        const found = stored[i];
        if (!found || 'damaged' in found) return { n: c.n, damaged: true };
        const { key, n, setId, version, operation } = c;
        return { key, n, setId, version, operation, sha: sha(found.bytes), reportNumber: found.reportNumber };
      });
    },
    async settle(verdicts) {
      await ask({ op: 'settle', platform: 'province', verdicts, nowMs: Date.now() });
    },
    figures: () => asPage(() => pages.figures(Date.now(), 1e9, 'normal')),
    problems: () => asPage(() => pages.problems(50)),
    states: () =>
      asPage(() => {
        const all = new Map<number, { state: string; code?: string }>();
        for (let before: number | undefined; ; ) {
          const rows = pages.messages.newest(200, before);
          for (const row of rows) {
            const [first] = row.states;
            all.set(row.seq, { state: first?.state ?? 'unmapped', code: first?.code });
          }
          before = rows.at(-1)?.seq;
          if (rows.length < 200 || before === undefined) return all;
        }
      }),
    inbox: () =>
      asStages(folder, () =>
        [...view.inbox(0, 100_000)].map((m) =>
          'damaged' in m ? { seq: m.seq, damaged: m.damaged } : { seq: m.seq, bytes: m.raw.reveal() },
        ),
      ),
    acceptedNumbers: () =>
      asStages(folder, () =>
        (own.db.prepare('SELECT n FROM outbox WHERE state=2').all() as unknown as Array<{ n: number }>).map((o) => o.n),
      ),
    notices: () =>
      own.db.prepare('SELECT code, first, last FROM notice').all() as unknown as ReturnType<WorkedStore['notices']>,
    close,
  };
}

/** The files of a store, so that a copy can be damaged. */
export const storeNames = ['qianzhi.db', 'qianzhi.db-wal', 'high-water', 'key-copy'] as const;
export type StoreName = (typeof storeNames)[number];

export type StoreFiles = Record<StoreName, Buffer>;

export const readStore = (root: string): StoreFiles => {
  const of = (name: StoreName): Buffer => {
    const path = join(root, 'data', name);
    return existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  };
  return Object.fromEntries(storeNames.map((name) => [name, of(name)])) as StoreFiles;
};
