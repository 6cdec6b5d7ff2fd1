import type { SourceRhythm } from '../intake/rhythm/keeper.ts';
import type { SourceStatus } from '../intake/source.ts';
import type { PageStore, PlatformFigures, ProblemGroup, StoreFigures } from '../store/contract.ts';
import type { ImageFigures, ImagePageStore } from '../store/image-contract.ts';
import type { Clock } from '../support/clock.ts';
import { codeOf, type ErrorCode } from '../support/errors.ts';
import { imageParts, imagePlatformStatus } from './images.ts';
import type { ImagePlatformState, PlatformStatus, Problem, StatusModel } from './model.ts';
import { createRateMeter } from './rates.ts';
import { composeStatus } from './verdict.ts';

/** How often figures are read again while something moves, and while nothing does. */
const BUSY_MS = 500;
const QUIET_MS = 2_000;
/** Grouping what is held costs more the more there is: not with every figure. */
const PROBLEMS_EVERY_MS = 3_000;
const PROBLEM_GROUPS = 50;

export interface StatusKeeper {
  model(): StatusModel;
  subscribe(listener: () => void): () => void;
  /** Something moved: look again soon. */
  changed(): void;
  /** A message was accepted. */
  received(): void;
  addSource(status: () => SourceStatus): void;
  watchRhythms(rhythms: () => SourceRhythm[]): void;
  addPlatform(status: () => Omit<PlatformStatus, keyof PlatformFigures>): void;
  /** Images come in here: their figures are read too. */
  watchImages(): void;
  addImagePlatform(status: () => ImagePlatformState): void;
  /** Something of the agent itself, or of a source, is not as it should be until the next start, and the rest goes on. */
  warn(code: ErrorCode, component?: string): void;
  refresh(): Promise<void>;
  stop(): void;
}

export interface KeeperParts {
  clock: Clock;
  startedMs: number;
  version: string;
  site: StatusModel['site'];
  demo: boolean;
  store: PageStore & Pick<ImagePageStore, 'imageFigures'>;
}

/** Keeps the one status model current: reads the store's figures in short pages, composes, tells who listens. */
export function startStatusKeeper(parts: KeeperParts): StatusKeeper {
  const { clock, store } = parts;
  const listeners = new Set<() => void>();
  const sources: Array<() => SourceStatus> = [];
  const platforms: Array<() => Omit<PlatformStatus, keyof PlatformFigures>> = [];
  const meters = { hospital: createRateMeter(), intake: createRateMeter(), queue: createRateMeter() };
  let figures: StoreFigures = {
    mode: 'normal',
    freeBytes: 0,
    databaseBytes: 0,
    bytesPerDay: 0,
    lastSeq: 0,
    mappedThrough: 0,
    platforms: [],
    today: [],
    receivedToday: [],
  };
  let rhythms: (() => SourceRhythm[]) | undefined;
  const imagePlatforms: Array<() => ImagePlatformState> = [];
  let withImages = false;
  let images: ImageFigures | undefined;
  let groups: ProblemGroup[] = [];
  let groupsAt = Number.NEGATIVE_INFINITY;
  let before: { mapped: number; accepted: number } | undefined;
  let model: StatusModel | undefined;
  let timer: NodeJS.Timeout | undefined;
  let unreadable: Problem | undefined;
  const warnings: Problem[] = [];
  let stopped = false;
  let busy = false;

  const edge = (meter: (typeof meters)['hospital']) => ({
    perMinute: meter.perMinute(clock.now()),
    lastMs: meter.lastMs(),
  });

  const compose = (): StatusModel => {
    const running = platforms.map((status) => status());
    return composeStatus({
      nowMs: clock.now(),
      startedMs: parts.startedMs,
      version: parts.version,
      site: parts.site,
      demo: parts.demo,
      sources: sources.map((status) => status()),
      ...(rhythms && { rhythms: rhythms() }),
      platforms: [
        ...running.flatMap((p, i) => {
          const found = figures.platforms[i];
          return found ? [{ ...found, ...p }] : [];
        }),
        ...imagePlatforms.map((status) => imagePlatformStatus(status(), images)),
      ],
      ...(images && { images: imageParts(images, clock.now()) }),
      store: figures,
      problemGroups: groups,
      extraProblems: unreadable ? [...warnings, unreadable] : warnings,
      previous: model,
      rates: { hospital: edge(meters.hospital), intake: edge(meters.intake), queue: edge(meters.queue) },
    });
  };

  const refresh = async (): Promise<void> => {
    clearTimeout(timer);
    const now = clock.now();
    try {
      figures = await store.figures(now);
      if (withImages) images = await store.imageFigures(now);
      if (clock.monotonic() - groupsAt >= PROBLEMS_EVERY_MS) {
        groups = await store.problems(PROBLEM_GROUPS);
        groupsAt = clock.monotonic();
      }
      unreadable = undefined;
    } catch (error) {
      if (stopped) return;
      const code = codeOf(error, 'QUE-4003');
      // The store's end is told elsewhere; a damaged page of its books is told here, and the rest goes on.
      if (code !== 'QUE-4010' && code !== 'SYS-6004') {
        const sinceMs = unreadable?.sinceMs ?? now;
        unreadable = { code, level: 'fault', side: 'agent', component: 'agent', sinceMs, lastMs: now, count: 1 };
      }
    }
    if (stopped) return;
    const accepted = figures.platforms.reduce((n, p) => n + p.acceptedToday, 0);
    if (before) {
      const mapped = figures.mappedThrough - before.mapped;
      if (mapped > 0) meters.intake.add(mapped, now);
      if (accepted > before.accepted) meters.queue.add(accepted - before.accepted, now);
    }
    before = { mapped: figures.mappedThrough, accepted };
    model = compose();
    for (const listener of listeners) listener();
    timer = setTimeout(() => void refresh(), busy ? BUSY_MS : QUIET_MS);
    busy = false;
  };
  timer = setTimeout(() => void refresh(), BUSY_MS);

  return {
    model: () => {
      model ??= compose();
      return model;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    changed() {
      if (busy || stopped) return;
      busy = true;
      clearTimeout(timer);
      timer = setTimeout(() => void refresh(), BUSY_MS);
    },
    received() {
      meters.hospital.add(1, clock.now());
      this.changed();
    },
    addSource: (status) => sources.push(status),
    watchRhythms(read) {
      rhythms = read;
    },
    addPlatform: (status) => platforms.push(status),
    watchImages() {
      withImages = true;
    },
    addImagePlatform: (status) => imagePlatforms.push(status),
    warn(code, component = 'agent') {
      const now = clock.now();
      warnings.push({
        code,
        level: 'attention',
        side: 'agent',
        component,
        sinceMs: now,
        lastMs: now,
        count: 1,
      });
    },
    refresh,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
