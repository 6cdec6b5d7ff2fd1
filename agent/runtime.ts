import type { Worker } from 'node:worker_threads';
import { checkTexts } from '../config/check-texts.ts';
import type { LoadedConfig } from '../config/load.ts';
import { logicalSources, parted } from '../config/logical-sources.ts';
import { type RunningPlatform, startImagePlatform, startPlatform } from './delivery/start-platform.ts';
import type { InstanceHead } from './images/heads.ts';
import { startImages } from './images/running.ts';
import { startRhythmKeeper } from './intake/rhythm/keeper.ts';
import type { RunningSource } from './intake/source.ts';
import { type Images, startSource } from './intake/start-source.ts';
import { mappingData, prepareMapping } from './mapping/start-worker.ts';
import type { Registry } from './registry.ts';
import { archiveKeyOf } from './security/archive.ts';
import { loadKek } from './security/kek.ts';
import { startStatusKeeper } from './status/keeper.ts';
import type { StatusModel } from './status/model.ts';
import { openStore, type SqliteStore, startStoreThread } from './store/sqlite/store.ts';
import { type Clock, systemClock } from './support/clock.ts';
import { codeOf, type ErrorCode, errnoOf } from './support/errors.ts';
import type { Log } from './support/log.ts';
import { tidyAfterStart } from './support/memory.ts';
import { version } from './support/version.ts';

export interface AgentOptions {
  config: LoadedConfig;
  registry: Registry;
  /** The demo opens demo data folders and nothing else does (CFG-5007). */
  demo: boolean;
  log: Log;
  clock?: Clock;
  /** Of `startThread`. */
  thread?: Worker;
}

/**
 * The store's thread, which loads its code while the configuration is read and opens nothing before the agent starts.
 * Call first, hand over to `startAgent`. Until then it does not keep the process from ending.
 */
export function startThread(): Worker {
  const thread = startStoreThread();
  thread.unref();
  return thread;
}

export interface RunningAgent {
  addresses: { sources: Record<string, { host: string; port: number }>; status: string };
  status(): StatusModel;
  stop(graceMs: number): Promise<void>;
  /** Settles only when the agent ends by itself: with the code of what ended it. The process must exit. */
  done: Promise<ErrorCode>;
}

/** Loading mapping, the way out and the page keeps both processors of an old PC busy for some 200 ms. */
const ANSWER_FIRST_MS = 100;
/** The way out and the page are loaded by then. */
const TIDY_MS = 2_000;

/**
 * The composition root: config → store → mapping → sources → platforms → status, stopped the other way
 * round. Senders wait after a crash, so listening comes as soon as the store is there; what mapping, the way
 * out and the page need is loaded after that.
 * Rejects with the code of what stands in the way; nothing stays open then.
 */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const { config, registry, log } = options;
  const thread = options.thread ?? startStoreThread();
  thread.ref();
  const clock = options.clock ?? systemClock;
  const startedMs = clock.now();
  const closers: Array<() => Promise<void>> = [];
  const stopAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close().catch(() => {});
  };
  let fatal: (code: ErrorCode) => void = () => {};
  const done = new Promise<ErrorCode>((resolve) => {
    fatal = (code) => {
      log.error('fatal', { code });
      resolve(code);
    };
  });

  try {
    const site = { name: config.site.name, orgCode: config.site.org_code, timeZone: config.site.time_zone };
    const platforms = new Map<string, RunningPlatform>();
    const texts = checkTexts(config, registry);
    for (const { code, path } of texts.warnings) log.warn('configuration', { code, state: path });
    const named = logicalSources(config);
    const store = await openStore(
      {
        folder: config.data.folder,
        keyReference: config.data.key,
        demo: options.demo,
        sources: named.map((s) => s.name),
        platforms: config.platforms.map((p) => p.name),
        imagePlatforms: config.imagePlatforms.map((p) => p.name),
        reportWaitMs: config.data.report_wait_hours * 3_600_000,
        timeZone: site.timeZone,
      },
      fatal,
      thread,
    );
    closers.push(() => store.close());
    void store.searchable.then((count) => count > 0 && log.info('studies-searchable', { count }));
    const imagePlatforms = new Map<string, RunningPlatform>();
    const mapping = prepareMapping(log, fatal, {
      rendered: (platform) => platforms.get(platform)?.wake(),
      indexed() {
        for (const platform of imagePlatforms.values()) platform.wake();
      },
    });
    closers.push(mapping.stop);

    const shownSite = { ...site, language: config.site.language };
    const keeper = startStatusKeeper({ clock, startedMs, version, site: shownSite, demo: options.demo, store });
    closers.push(async () => keeper.stop());

    const addresses: RunningAgent['addresses'] = { sources: {}, status: '' };
    const listeners = new Map<string, RunningSource>();
    const imageKinds = new Set(registry.imageSources.map(({ kind }) => kind));
    const rhythm = startRhythmKeeper({
      store,
      sources: named.map(({ name, kind, via }) => ({
        name,
        images: imageKinds.has(kind),
        ...(via && { via: via.name }),
        listens: () =>
          listeners.get(via?.name ?? name)?.status().state === 'listening' && store.state().mode !== 'intake-stopped',
      })),
      timeZone: site.timeZone,
      clock,
      log,
      changed: keeper.changed,
    });
    closers.push(rhythm.stop);
    keeper.watchRhythms(rhythm.current);
    for (const name of parted(named, store.state())) {
      log.warn('sender-may-part', { source: name, code: 'HL7-2122' });
      keeper.warn('HL7-2122', name);
    }
    const accept: SqliteStore['accept'] = async (message) => {
      const accepted = await store.accept(message);
      keeper.received();
      rhythm.received(message.source);
      mapping.wake();
      return accepted;
    };
    const images = await imagesOf(config, registry, {
      ...{ store, clock, log, changed: keeper.changed, keepHead: mapping.keepHead },
      accepted() {
        for (const { name, kind } of config.sources) if (imageKinds.has(kind)) rhythm.received(name);
        mapping.wake();
      },
    });
    if (typeof images === 'object') closers.push(async () => images.stop());
    if (images) keeper.watchImages();
    for (const source of config.sources) {
      const started = await startSource(source, texts.profiles, registry, {
        accept,
        pendingBytes: store.pendingBytes,
        images,
        dataFolder: config.data.folder,
        archiveKey: () => archiveKeyOf(loadKek(config.data.key, true)),
        clock,
        log,
        changed: keeper.changed,
      });
      listeners.set(source.name, started);
      closers.push(() => started.stop(2_000));
      keeper.addSource(started.status);
      const address = hostAndPort(started.status().address);
      if (address) addresses.sources[source.name] = address;
    }

    // Senders that waited for us are answered before anything else takes the processor.
    await new Promise((resolve) => setTimeout(resolve, ANSWER_FIRST_MS));
    mapping.begin({ store: store.stages, ...mappingData(config, texts) });

    const delivery = { store, clock, log, changed: keeper.changed };
    for (const platform of config.platforms) {
      const running = startPlatform(platform, registry, delivery);
      platforms.set(platform.name, running);
      closers.push(running.stop);
      keeper.addPlatform(() => {
        const { lastSuccessMs: _lastSuccessMs, ...status } = running.status();
        return { ...status, unverified: mapping.unverified(platform.name) };
      });
    }
    if (typeof images === 'object') {
      const { spool } = images;
      for (const platform of config.imagePlatforms) {
        const running = startImagePlatform(platform, registry, { ...delivery, spool, timeZone: site.timeZone });
        imagePlatforms.set(platform.name, running);
        closers.push(running.stop);
        keeper.addImagePlatform(running.status);
      }
    }

    const wake = (): void => {
      mapping.wake();
      for (const platform of imagePlatforms.values()) platform.wake();
    };
    const { openStudyDesk } = await import('./control/study-desk.ts');
    const imageNames = config.imagePlatforms.map((p) => p.name);
    const desk = openStudyDesk({ store, platforms: imageNames, wake, clock, log });
    const { startControl } = await import('./control/server.ts');
    const control = await startControl({ dataFolder: config.data.folder, desk, log });
    if (control) closers.push(control.close);
    else keeper.warn('SYS-6007');
    const { startStatusServer } = await import('./status/server.ts');
    const server = await startStatusServer({
      host: config.status.host,
      port: config.status.port,
      model: keeper.model,
      messages: store.messages,
      findMessages: store.findMessages,
      studies: desk,
      subscribe: keeper.subscribe,
      clock,
      log,
    });
    closers.push(server.close);
    addresses.status = server.url;
    await keeper.refresh();
    log.info('started');
    setTimeout(tidyAfterStart, TIDY_MS).unref();

    return {
      addresses,
      status: keeper.model,
      done,
      async stop(graceMs) {
        log.info('stopping');
        await Promise.race([stopAll(), new Promise((resolve) => setTimeout(resolve, graceMs))]);
      },
    };
  } catch (error) {
    await stopAll();
    await thread.terminate();
    throw error;
  }
}

const hostAndPort = (address: string | undefined): { host: string; port: number } | undefined => {
  const found = address && /^\[?(.+?)\]?:(\d+)$/.exec(address);
  return found?.[1] && found[2] ? { host: found[1], port: Number(found[2]) } : undefined;
};

/** Headers are read for all instances of so long together: a turn and a commit for each would cost what receiving does. */
const INDEX_SOON_MS = 100;

/** What is wrong with the spool stops images only (invariant 11): their sources are shown failed. */
async function imagesOf(
  config: LoadedConfig,
  registry: Registry,
  parts: {
    store: SqliteStore;
    clock: Clock;
    log: Log;
    changed(): void;
    keepHead(head: InstanceHead): void;
    /** Called soon after the last ones. */
    accepted(): void;
  },
): Promise<Images> {
  const { store, clock, log } = parts;
  let soon: NodeJS.Timeout | undefined;
  const kinds = new Set(registry.imageSources.map(({ kind }) => kind));
  if (!config.sources.some(({ kind }) => kinds.has(kind)) && config.imagePlatforms.length === 0) return undefined;
  try {
    return await startImages({
      dataFolder: config.data.folder,
      keepMs: config.data.keep_images_days * 24 * 3_600_000,
      store,
      full: () => store.state().mode === 'intake-stopped',
      low: () => store.state().mode !== 'normal',
      clock,
      log,
      accepted(head) {
        parts.keepHead(head);
        parts.changed();
        if (soon) return;
        soon = setTimeout(() => {
          soon = undefined;
          parts.accepted();
        }, INDEX_SOON_MS);
        soon.unref();
      },
    });
  } catch (error) {
    const code = codeOf(error, 'QUE-4020');
    log.error('images-not-started', { code, errno: errnoOf(error) ?? 'unknown' });
    return code;
  }
}
