import type { SenderStatus } from '../intake/source.ts';
import type { ImageParts } from './images.ts';
import type { Level, PlatformStatus, StatusModel } from './model.ts';
import { collectProblems, isUrgent, type Placed, type StationId, type StatusParts } from './problems.ts';

export type { EdgeRate, StationId, StatusParts } from './problems.ts';

const severity: Level[] = ['ok', 'unknown', 'paused', 'attention', 'fault'];
const worst = (levels: Level[]): Level =>
  levels.reduce((a, b) => (severity.indexOf(b) > severity.indexOf(a) ? b : a), 'ok');

/** What a station is when nothing is wrong with it: ok only where something proves it. */
function quietLevel(id: StationId, parts: StatusParts): Level {
  const { sources, platforms, store } = parts;
  if (id === 'queue') return 'ok';
  if (id === 'hospital') {
    const seen = allSenders(sources).some((peer) => peer.lastMessageMs !== undefined);
    return seen || store.receivedToday.some((r) => r.count > 0) ? 'ok' : 'unknown';
  }
  if (id === 'intake') {
    if (sources.length === 0 || sources.some((s) => s.state === 'starting')) return 'unknown';
    return sources.some((s) => s.state === 'stopped') ? 'paused' : 'ok';
  }
  const proven = (p: PlatformStatus) => p.state !== 'starting' && p.lastAcceptedMs !== undefined;
  return platforms.length > 0 && platforms.every(proven) ? 'ok' : 'unknown';
}

const sum = <T>(rows: T[], of: (row: T) => number): number => rows.reduce((total, row) => total + of(row), 0);
const latest = (times: Array<number | undefined>): number | undefined => {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
};

/** Those of logical sources too: what they sent is not counted again where they are connected. */
const allSenders = (sources: StatusParts['sources']): SenderStatus[] =>
  sources.flatMap((s) => [s, ...(s.under ?? [])]).flatMap((s) => s.senders);

function stationsOf(parts: StatusParts, problems: Placed[], facts: StatusModel['facts']): StatusModel['stations'] {
  const senders = parts.sources.flatMap((s) => s.senders);
  const counts: Record<StationId, number> = {
    hospital: senders.filter((s) => (s.connections ?? 0) > 0).length,
    intake: facts.receivedToday,
    queue: facts.waiting,
    platform: facts.deliveredToday,
  };
  const { images } = facts;
  const imageCounts: Partial<Record<StationId, number>> = images
    ? { intake: images.receivedToday, queue: images.waiting, platform: images.deliveredToday }
    : {};
  const lasts: Partial<Record<StationId, number | undefined>> = {
    hospital: latest([
      ...allSenders(parts.sources).map((s) => s.lastMessageMs),
      ...parts.store.receivedToday.map((r) => r.lastMs),
    ]),
    queue: latest(parts.platforms.map((p) => p.lastAcceptedMs)),
  };
  return (['hospital', 'intake', 'queue', 'platform'] as const).map((id) => {
    const { perMinute, lastMs = lasts[id] } = parts.rates[id] ?? {};
    const level = worst([quietLevel(id, parts), ...problems.filter((p) => p.station === id).map((p) => p.level)]);
    return {
      id,
      level,
      count: counts[id],
      ...(imageCounts[id] === undefined ? {} : { images: imageCounts[id] }),
      ...(perMinute === undefined ? {} : { perMinute }),
      ...(lastMs === undefined ? {} : { lastMs }),
    };
  });
}

function factsOf(parts: StatusParts): StatusModel['facts'] {
  const { store, images, problemGroups } = parts;
  const platforms = parts.platforms.filter((p) => p.takes !== 'images');
  const ages = [store.oldestUnmappedMs, ...platforms.map((p) => p.oldestMs)].filter((time) => time !== undefined);
  const atPlatforms = new Set(platforms.map((p) => p.platform));
  const elsewhere = problemGroups.filter((g) => !atPlatforms.has(g.platform) && !isUrgent(g));
  return {
    ...(ages.length === 0 ? {} : { oldestMs: Math.min(parts.nowMs, ...ages) }),
    waiting: Math.max(0, store.lastSeq - store.mappedThrough) + sum(platforms, (p) => p.unsent),
    receivedToday: sum(store.receivedToday, (r) => r.count),
    deliveredToday: sum(platforms, (p) => p.acceptedToday),
    heldForPerson: sum(platforms, (p) => p.held) + sum(elsewhere, (g) => g.count),
    freeBytes: store.freeBytes,
    ...(store.bytesPerDay > 0 ? { diskDaysLeft: store.freeBytes / store.bytesPerDay } : {}),
    ...(images && { images: images.facts }),
  };
}

function verdictOf(parts: StatusParts, level: Level, problems: Placed[]): StatusModel['verdict'] {
  const { nowMs, startedMs, previous } = parts;
  const causing = problems.filter((p) => p.level === level);
  const first = Math.min(nowMs, ...causing.map((p) => p.sinceMs));
  const fresh = previous !== undefined ? nowMs : causing.length > 0 ? first : startedMs;
  const sinceMs = Math.min(nowMs, previous?.verdict.level === level ? previous.verdict.sinceMs : fresh);
  const code = causing[0]?.code;
  return { level, sinceMs, ...(code === undefined ? {} : { code }) };
}

/**
 * The one status model from what the parts know. Pure: the same parts give the same model.
 * A fault is what stops the flow (a source failed, uploads stopped, the disk full); attention is what a
 * person should see to; unknown is said where nothing proves that it works. Problems come faults first,
 * then the oldest first, so that their places are stable.
 */
export function composeStatus(parts: StatusParts): StatusModel {
  const facts = factsOf(parts);
  const problems = collectProblems(parts, facts.diskDaysLeft);
  const stations = stationsOf(parts, problems, facts);
  const level = worst(stations.map((station) => station.level));
  return {
    atMs: parts.nowMs,
    startedMs: parts.startedMs,
    version: parts.version,
    site: parts.site,
    demo: parts.demo,
    verdict: verdictOf(parts, level, problems),
    stations,
    facts,
    problems: problems.map(({ station: _station, ...rest }) => rest),
    sources: parts.sources,
    ...(parts.rhythms && { rhythms: parts.rhythms }),
    platforms: parts.platforms,
    store: parts.store,
    ...(parts.images && { images: imagesOf(parts.images) }),
  };
}

const imagesOf = ({ files, fileBytes, unindexed }: ImageParts): StatusModel['images'] => ({
  files,
  fileBytes,
  unindexed,
});

export interface Readiness {
  status: 'ready' | 'degraded' | 'not-ready';
  /** Codes only: no names, no addresses. */
  reasons: string[];
}

/**
 * Whether the agent can take messages: what a monitor or service manager asks. A platform problem makes
 * it degraded, not unready, because intake goes on (invariant 9).
 */
export function readiness(model: StatusModel): Readiness {
  const failed = model.sources.filter((s) => s.state === 'failed').map((s) => s.problem?.code ?? 'SYS-6006');
  const store = model.store.mode === 'intake-stopped' ? ['QUE-4002'] : [];
  const starting = model.sources.some((s) => s.state === 'starting');
  if (failed.length > 0 || store.length > 0 || starting) {
    return { status: 'not-ready', reasons: [...new Set([...failed, ...store])] };
  }
  const faults = model.problems.filter((p) => p.level === 'fault').map((p) => p.code);
  return { status: faults.length > 0 ? 'degraded' : 'ready', reasons: [...new Set(faults)] };
}
