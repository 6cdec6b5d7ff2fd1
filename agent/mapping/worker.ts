import { createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { setIdsOf } from '../clinical/reports/set-id.ts';
import { headsInHand, type InstanceHead } from '../images/heads.ts';
import { type IndexingStage, indexInstances } from '../images/index-instances.ts';
import { spoolFolder } from '../images/running.ts';
import { type AssemblyStage, issueStudies } from '../images/studies.ts';
import { matchBatch } from '../matching/match.ts';
import type { ImageRules, Languages } from '../registry.ts';
import { type PlatformFilters, type RenderingStage, renderAgain, renderBatch } from '../rendering/render.ts';
import type { Site } from '../rendering/site.ts';
import { openSpoolForReading } from '../store/spool.ts';
import { openMappingView, type StageAccess } from '../store/sqlite/mapping-view.ts';
import { isDamage, markDamaged } from '../store/sqlite/open.ts';
import { systemClock } from '../support/clock.ts';
import { codeOf, type ErrorCode, QianzhiError } from '../support/errors.ts';
import type { Log, LogFields } from '../support/log.ts';
import { tidyAfterStart, tidyMemory } from '../support/memory.ts';
import { standBack } from '../support/thread.ts';
import { version } from '../support/version.ts';
import { mapAgain, mapBatch, mapDue } from './map.ts';
import { compileReaders, type MappedSource, withContinued } from './readers.ts';

/** What the mapping worker begins with, once the store is open: plain data only. */
export interface MappingWorkerData {
  store: StageAccess;
  site: Site & { timeZone: string };
  sources: MappedSource[];
  platforms: Array<{
    name: string;
    format: string;
    /** As its check made it. */
    pack: unknown;
    holdMs: number;
    bound: number;
    filters: PlatformFilters;
  }>;
  /** Categories of examination whose images come here; empty: all. */
  imageCategories: string[];
}

/** What it is told. */
export interface MappingOrder {
  begin?: MappingWorkerData;
  wake?: true;
  heads?: InstanceHead[];
  stop?: true;
}

/** What it tells the main thread. */
export type MappingReport =
  | { ready: true; unverified: Record<string, string[]> }
  | { rendered: string }
  /** Headers of so many instances were read: they can be sent. */
  | { indexed: number }
  | { log: 'error' | 'warn' | 'info'; event: string; fields: LogFields | undefined }
  | { paused: ErrorCode }
  | { fatal: ErrorCode; where?: string };

const IDLE_MS = 1000;
const PAUSE_MS = 2000;
/** Most of one platform between two batches of mapping: one that has much to catch up must not hold the others' news. */
const RENDER_BATCHES = 4;
/** With these the worker ends: the store is gone, or was closed. */
const ending = (code: ErrorCode): boolean => code === 'QUE-4010' || code === 'SYS-6004' || code === 'QUE-4007';

/** The loop of the mapping worker: maps what is in the inbox, then renders for each platform, then waits. */
export async function runMappingWorker(languages: Languages): Promise<void> {
  const tell = (report: MappingReport) => parentPort?.postMessage(report);
  let wake: () => void = () => {};
  let woken = false;
  let stopping = false;
  let begin: (data: MappingWorkerData | undefined) => void = () => {};
  const begun = new Promise<MappingWorkerData | undefined>((resolve) => {
    begin = resolve;
  });
  const heads = headsInHand();
  parentPort?.on('message', (message: MappingOrder) => {
    if (message.begin) begin(message.begin);
    if (message.heads) heads.put(message.heads);
    if (message.stop) {
      stopping = true;
      begin(undefined);
    }
    woken = true;
    wake();
  });
  const rest = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      if (woken || stopping) return resolve();
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const data = await begun;
  if (data === undefined) return parentPort?.close();
  try {
    const store = openMappingView(data.store);
    const readers = compileReaders(languages, data.sources);
    const stages = compileStages(languages, data).map((s) => ({ ...s, store, clock: systemClock, site: data.site }));
    const mapping = {
      store,
      readers,
      timeZone: data.site.timeZone,
      clock: systemClock,
      orgCode: data.site.orgCode,
      setIdOf: setIdsOf(data.site.orgCode),
    };
    tell({ ready: true, unverified: Object.fromEntries(stages.map((s) => [s.platform, s.renderer.unverified])) });
    tidyAfterStart();
    // The way in and out share the processor with it; what is stored can wait.
    standBack();

    const rules = compileImageRules(languages, data);
    const log: Log = {
      info: (event, fields) => tell({ log: 'info', event, fields }),
      warn: (event, fields) => tell({ log: 'warn', event, fields }),
      error: (event, fields) => tell({ log: 'error', event, fields }),
    };
    // Also where no source of images is left: what they left unread is held with a code, and studies are issued.
    const { imageCategories } = data;
    const wanted = rules.size > 0 || (data.store.imagePlatforms ?? []).length > 0;
    const images: (IndexingStage & AssemblyStage) | false = wanted && {
      store,
      spool: openSpoolForReading({ folder: spoolFolder(data.store.folder) }),
      heads,
      rulesOf: (source: string) => rules.get(source),
      clock: systemClock,
      log,
    };

    /** @returns when it is tried again. Throws what must stop everything. */
    const pausedBy = (error: unknown): number => {
      const code = codeOf(error, 'MAP-3013');
      if (isDamage(error) || ending(code)) throw error;
      tell({ paused: code });
      return performance.now() + PAUSE_MS;
    };
    let imagesPausedUntil = 0;
    /** Apart from the rest: what stops the one must not stop the other. Reads on while mapping waits for room on the disk. */
    async function workOnImages(): Promise<number> {
      if (!images || performance.now() < imagesPausedUntil) return 0;
      let indexed = 0;
      try {
        indexed = await indexInstances(images);
        if (indexed > 0) tell({ indexed });
        // What comes meanwhile is read together, when its source wakes us.
        const more = images.after === undefined ? 0 : indexed;
        return more + (await issueStudies(images));
      } catch (error) {
        imagesPausedUntil = pausedBy(error);
        return indexed;
      }
    }

    let matchingPausedUntil = 0;
    /** One batch a turn, apart from the rest as well: nothing waits for what it finds. Reports alone have no images to find. */
    async function workOnMatching(): Promise<number> {
      if (!wanted || performance.now() < matchingPausedUntil) return 0;
      try {
        return await matchBatch({ store, clock: systemClock, log, imageCategories });
      } catch (error) {
        matchingPausedUntil = pausedBy(error);
        return 0;
      }
    }

    // What is held because its institution is not configured is tried again when it is.
    const institutions = data.site.institutions?.length ? `\n${JSON.stringify(data.site.institutions)}` : '';
    const configured = new Set(data.sources.map(({ name }) => name));
    let triedAgain = false;
    while (!stopping) {
      woken = false;
      try {
        let worked = await workOnImages();
        if (!triedAgain) {
          for (const { name, profile } of withContinued(data.sources)) {
            // With the same profile as before it is another reader all the same: before, there was none.
            const by = configured.has(name) ? '' : '\ncontinued';
            await mapAgain(mapping, name, fingerprint(`${JSON.stringify(profile)}${by}`));
          }
          for (const stage of stages)
            await renderAgain(stage, fingerprint(`${stage.renderer.packHash}${institutions}`));
          triedAgain = true;
        }
        worked += (await mapBatch(mapping)) + (await mapDue(mapping));
        for (const stage of stages) {
          // Rendering takes longer than mapping: what was mapped just now is rendered before more is, as far as it goes.
          for (let batch = 0; batch < RENDER_BATCHES; batch++) {
            const rendered = await renderBatch(stage satisfies RenderingStage);
            if (rendered === 0) break;
            tell({ rendered: stage.platform });
            worked += rendered;
          }
        }
        worked += await workOnMatching();
        tidyMemory();
        if (worked === 0) await rest(IDLE_MS);
      } catch (error) {
        // What is damaged stays so, however often it is tried: the next start looks at all of it.
        if (isDamage(error)) throw error;
        const code = codeOf(error, 'MAP-3013');
        if (ending(code)) break;
        tell({ paused: code });
        await rest(PAUSE_MS);
      }
    }
    store.close();
  } catch (error) {
    const damage = isDamage(error);
    if (damage) markDamaged(data.store.folder);
    tell({
      fatal: damage ? 'QUE-4007' : codeOf(error, 'SYS-6004'),
      where: error instanceof QianzhiError ? error.where : undefined,
    });
  }
  parentPort?.close();
}

/** 48 bits of the tables' text and the program's version: a change of either lets what is held be tried again. */
const fingerprint = (text: string): number =>
  createHash('sha256').update(`${version}\n${text}`).digest().readUIntBE(0, 6);

/** Of the sources of images; none: the site has none, and nothing of theirs is opened. */
function compileImageRules(languages: Languages, data: MappingWorkerData): Map<string, ImageRules> {
  return new Map(
    data.sources.flatMap(({ name, kind, profile }) => {
      const rules = languages.profiles.find((p) => p.sourceKinds.includes(kind))?.images?.(profile);
      return rules ? [[name, rules] as const] : [];
    }),
  );
}

function compileStages(languages: Languages, data: MappingWorkerData) {
  return data.platforms.map(({ name, format, pack, holdMs, bound, filters }) => {
    const adapter = languages.formats.find((f) => f.kind === format);
    if (!adapter) throw new QianzhiError('CFG-5003', `platforms.${name}.format`);
    return { platform: name, renderer: adapter.compile(pack), holdMs, bound, filters };
  });
}
