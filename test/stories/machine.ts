import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { setIdsOf } from '../../agent/clinical/reports/set-id.ts';
import { mapAgain, mapBatch, mapDue } from '../../agent/mapping/map.ts';
import type { MessageReader } from '../../agent/mapping/mapper.ts';
import { type PlatformFilters, renderAgain, renderBatch } from '../../agent/rendering/render.ts';
import type { Accepted, MessageRow, OutboxDocument, Verdict } from '../../agent/store/contract.ts';
import { openMappingView } from '../../agent/store/sqlite/mapping-view.ts';
import { openForReading } from '../../agent/store/sqlite/open.ts';
import type { ReadDocument, ReadRequest } from '../../agent/store/sqlite/reader.ts';
import { macFields } from '../../agent/store/sqlite/writes/mapping-writes.ts';
import { readAsset } from '../../agent/support/assets.ts';
import type { Clock } from '../../agent/support/clock.ts';
import { phi } from '../../agent/support/phi.ts';
import { askThrough } from '../../agent/support/thread.ts';
import { compilePack } from '../adapters/formats/wst500-cda/compile-pack.ts';
import { openInProcess } from '../agent/store/in-process.ts';
import { quickFolder } from '../quick-folder.ts';

export const platform = 'province';
const timeZone = 'Asia/Shanghai';
/** The hospital of the stories, and the others that its agent serves in some. */
export const site = {
  orgCode: '12100000MB0000001P',
  name: '示例市人民医院',
  institutions: [
    { orgCode: '12100000MB0000002K', name: '示例县中医院' },
    { orgCode: '12100000MB0000003F', name: '示例镇卫生院' },
  ],
};
const renderer = compilePack(readAsset('config/provinces/cn-wst500/pack.yaml'), {});

/** What a platform calls a report: it says of which source it is, whatever message issued it last. */
export const setIdOf = setIdsOf(site.orgCode);

/** What does not change over a crash. */
export interface Surroundings {
  clock: Clock;
  sources: string[];
  /** The profile of each source as of now. */
  readerOf(source: string): MessageReader;
  /** What the province wants of the journal. */
  filters: PlatformFilters;
  /** Counts how often a source's profile was changed: what was held is read again after each. */
  editionOf(source: string): number;
}

/** A document on its way, with what the store knows of whose it is. */
export interface Claim extends OutboxDocument {
  /** MAC of the in-house number whose lane it goes in; compare with `laneOf`. */
  laneMac: string;
  /** A later message withdrew it, and that is mapped already: it must not leave any more (invariant 6). */
  isWithdrawn: boolean;
}

/** What became of a message at the platform, or at none. */
export interface MessageState {
  seq: number;
  state: string;
  code: string | undefined;
}

/**
 * The agent's own parts on this thread, over a real store in a folder in memory: reader, mapping, writer, rendering,
 * claim and settle, without sockets, threads and waiting.
 */
export interface Machine {
  accept(source: string, text: string, controlId: string): Promise<Accepted>;
  /** One batch of each; how much was done. */
  map(): Promise<number>;
  mapDue(): Promise<number>;
  render(): Promise<number>;
  claim(): Promise<Claim[]>;
  settle(verdicts: Verdict[]): Promise<void>;
  states(): Promise<MessageState[]>;
  laneOf(patientKey: string): string;
  /** Takes the source's profile as it is now and reads again what was held. */
  learn(source: string): Promise<void>;
  /** As after kill -9: what was durable is there again, what was in memory is not. */
  crash(): Promise<Machine>;
  /** Ends it and removes its folder. */
  end(): void;
}

export function startMachine(around: Surroundings): Promise<Machine> {
  return open(quickFolder('story'), around);
}

async function open(root: string, around: Surroundings): Promise<Machine> {
  const { clock } = around;
  const folder = join(root, 'data');
  const keyReference = `file:${join(root, 'data.key')}`;
  const at = { folder, keyReference, platforms: [platform] };
  const { writer, ask, line } = openInProcess({ ...at, sources: around.sources, clock });
  const reading = new MessageChannel();
  const ports = { write: line(), read: reading.port2 };
  const view = openMappingView({ ...at, timeZone, ports });
  const pages = askThrough<ReadRequest>(reading.port1);
  /** For what no part of the agent tells: opened when it is needed, for much of a story's time goes into opening. */
  let own: ReturnType<typeof openForReading> | undefined;
  const beside = () => {
    own ??= openForReading(folder, keyReference);
    return own;
  };

  const readers = new Map(around.sources.map((source) => [source, around.readerOf(source)]));
  const mapping = { store: view, readers, timeZone, clock, orgCode: site.orgCode, setIdOf };
  const rendering = { platform, renderer, store: view, filters: around.filters, holdMs: 0, bound: 10_000, site, clock };
  const learn = async (source: string): Promise<void> => {
    readers.set(source, around.readerOf(source));
    await mapAgain(mapping, source, around.editionOf(source));
  };
  for (const source of around.sources) await learn(source);
  await renderAgain(rendering, 1);

  const close = (): void => {
    own?.close();
    view.close();
    writer.close();
  };

  return {
    accept: (source, text, controlId) =>
      ask({
        op: 'accept',
        message: {
          source,
          bytes: Buffer.from(text),
          controlId: Buffer.from(controlId),
          receivedMs: clock.now(),
        },
      }),
    learn,
    map: () => mapBatch(mapping),
    mapDue: () => mapDue(mapping),
    render: () => renderBatch(rendering),
    async claim() {
      const claimed = await ask({ op: 'claim', platform, max: 100, maxBytes: 1 << 20, nowMs: clock.now() });
      if (claimed.length === 0) return [];
      const stored = (await pages.ask({ op: 'documents', numbers: claimed.map(({ n }) => n) })) as ReadDocument[];
      const origin = beside().db.prepare(
        `SELECT hex(p.mac) AS mac, o.operation <> 'retract' AND EXISTS (SELECT 1 FROM journal j
         WHERE j.report = o.report AND j.jseq > o.jseq AND j.action = 'retract') AS withdrawn
         FROM outbox o JOIN patient p ON p.id = o.lane WHERE o.n = ?`,
      );
      return claimed.map((claim, at) => {
        const found = stored[at];
        if (!found || 'damaged' in found) throw new Error(`document ${claim.n} cannot be read back`);
        const { mac, withdrawn } = origin.get(claim.n) as { mac: string; withdrawn: number };
        return {
          ...claim,
          bytes: phi(found.bytes),
          reportNumber: phi(found.reportNumber),
          laneMac: mac,
          isWithdrawn: withdrawn === 1,
        };
      });
    },
    async settle(verdicts) {
      await ask({ op: 'settle', platform, verdicts, nowMs: clock.now() });
    },
    async states() {
      const rows = (await pages.ask({ op: 'messages', limit: 200 })) as MessageRow[];
      return rows.reverse().flatMap(({ seq, states }): MessageState[] => {
        if (states.length === 0) return [{ seq, state: 'unmapped', code: undefined }];
        return states.map(({ state, code }) => ({ seq, state, code }));
      });
    },
    laneOf: (key) => beside().vault.mac(macFields.patient, key).toString('hex').toUpperCase(),
    async crash() {
      const after = quickFolder('story');
      mkdirSync(join(after, 'data'), { mode: 0o700 });
      // The files as they lie there while it runs: closing would fold the WAL in.
      for (const name of ['data.key', 'data/qianzhi.db', 'data/qianzhi.db-wal', 'data/high-water']) {
        if (existsSync(join(root, name))) copyFileSync(join(root, name), join(after, name));
      }
      close();
      rmSync(root, { recursive: true, force: true });
      return open(after, around);
    },
    end() {
      close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
