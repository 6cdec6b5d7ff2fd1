import type { Worker } from 'node:worker_threads';
import type { CheckedTexts } from '../../config/check-texts.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { logicalSources } from '../../config/logical-sources.ts';
import { headsToRead, type InstanceHead } from '../images/heads.ts';
import { siteOf } from '../rendering/site.ts';
import type { ErrorCode } from '../support/errors.ts';
import type { Log } from '../support/log.ts';
import { startThread } from '../support/thread.ts';
import type { MappingReport, MappingWorkerData } from './worker.ts';

const MAPPING_STOP_MS = 1_500;

export interface RunningMapping {
  begin(data: MappingWorkerData): void;
  wake(): void;
  /** The head of an instance goes with the next wake, where there is room for it. */
  keepHead(head: InstanceHead): void;
  unverified(platform: string): string[];
  stop(): Promise<void>;
}

/** The mapping worker starts when it begins: senders that wait are answered without it. */
export function prepareMapping(
  log: Log,
  fatal: (code: ErrorCode) => void,
  heard: { rendered(platform: string): void; indexed(): void },
): RunningMapping {
  let worker: Worker | undefined;
  let stopping = false;
  let unverified: Record<string, string[]> = {};
  const end = (code: ErrorCode, where?: string) => {
    if (stopping) return;
    stopping = true;
    log.error('mapping-ended', { code, state: where });
    fatal(code);
  };
  let asked = false;
  const heads = headsToRead();
  return {
    unverified: (platform) => unverified[platform] ?? [],
    begin(data) {
      worker = startThread('adapters/mapping-thread.ts');
      worker.on('message', (report: MappingReport) => {
        if ('ready' in report) unverified = report.unverified;
        else if ('rendered' in report) heard.rendered(report.rendered);
        else if ('indexed' in report) {
          heads.done();
          heard.indexed();
        } else if ('log' in report) log[report.log](report.event, report.fields);
        else if ('paused' in report) log.warn('mapping-paused', { code: report.paused });
        else end(report.fatal, report.where);
      });
      worker.on('error', () => end('SYS-6004', 'mapping'));
      worker.on('exit', () => end('SYS-6004', 'mapping'));
      worker.postMessage({ begin: data }, Object.values(data.store.ports));
    },
    wake() {
      // One wake for all messages of a turn: the worker takes whatever is there.
      if (asked) return;
      asked = true;
      setImmediate(() => {
        asked = false;
        if (worker === undefined) return;
        const handed = heads.take();
        worker.postMessage(
          { wake: true, heads: handed },
          handed.map(({ bytes }) => bytes.buffer),
        );
      });
    },
    keepHead: heads.put,
    async stop() {
      stopping = true;
      if (!worker) return;
      const running = worker;
      const ended = new Promise<void>((resolve) => running.once('exit', () => resolve()));
      running.postMessage({ stop: true });
      const late = setTimeout(() => void running.terminate(), MAPPING_STOP_MS);
      await ended;
      clearTimeout(late);
    },
  };
}

export function mappingData(
  config: LoadedConfig,
  { profiles, packs }: CheckedTexts,
): Pick<MappingWorkerData, 'site' | 'sources' | 'platforms' | 'imageCategories'> {
  return {
    site: { ...siteOf(config.site), timeZone: config.site.time_zone },
    sources: logicalSources(config).map(({ name, kind, identity }) => ({
      name,
      kind,
      identity,
      profile: profiles.get(name),
    })),
    platforms: config.platforms.map((p) => ({
      name: p.name,
      format: p.format,
      pack: packs.get(p.name),
      holdMs: p.holdSeconds * 1000,
      bound: p.outboxBound,
      filters: p.filters,
    })),
    imageCategories: config.data.image_categories,
  };
}
