import type { CertificateStatus } from '../delivery/platform.ts';
import type { SourceRhythm } from '../intake/rhythm/keeper.ts';
import type { SourceStatus } from '../intake/source.ts';
import type { ProblemGroup, StoreFigures } from '../store/contract.ts';
import { errorTable, isErrorCode } from '../support/errors.ts';
import type { ImageParts, ImageProblemGroup } from './images.ts';
import type { PlatformStatus, Problem, Side, StatusModel } from './model.ts';

export type StationId = StatusModel['stations'][number]['id'];

/** What is known of the edge that leaves a station. `perMinute` over the last five minutes. */
export interface EdgeRate {
  perMinute?: number;
  lastMs?: number;
}

export interface StatusParts {
  nowMs: number;
  startedMs: number;
  version: string;
  site: StatusModel['site'];
  demo: boolean;
  sources: SourceStatus[];
  rhythms?: SourceRhythm[];
  platforms: PlatformStatus[];
  store: StoreFigures;
  images?: ImageParts;
  problemGroups: ProblemGroup[];
  /** Problems known elsewhere (clock, worker …). They are shown at the station of their side. */
  extraProblems: Problem[];
  /** The model before this one, so that "since" stays what it was. */
  previous?: StatusModel;
  rates: Partial<Record<StationId, EdgeRate>>;
}

const minute = 60_000;
const day = 86_400_000;
/** A document or message that waits longer than this is a backlog. */
export const backlogMs = 5 * minute;
/** A certificate with less left than this asks for attention. */
export const certificateWarningMs = 30 * day;
/** Less disk than this many days asks for attention. */
export const diskWarningDays = 7;
/** A clock further off than this asks for attention. */
export const clockWarningMs = minute;
/** A sender's protocol problem counts while it is newer than its last good message, or this fresh. */
export const senderProblemMs = 60 * minute;

/** Of a listener that goes on: its files were replaced by what cannot be used, or its certificate ends. */
const certificateCodes = new Set(['TLS-1209', 'MLLP-2014']);

/**
 * Problems of a message that could be told to be nobody's: what else the same address (an integration engine) sends under names
 * of its own does not mend them.
 */
const unnamedCodes = new Set(['HL7-2121', 'HL7-2123']);

/** A problem and the station it is shown at. */
export interface Placed extends Problem {
  station: StationId;
}

const sideOf = (code: string): Side => (isErrorCode(code) ? errorTable[code].side : 'agent');

const problemKey = (p: Problem): string => `${p.code}|${p.component}|${p.where ?? ''}`;

const problem = (
  station: StationId,
  level: Problem['level'],
  code: string,
  component: string,
  sinceMs: number,
  rest: Partial<Problem> = {},
): Placed => ({ station, level, code, component, side: sideOf(code), sinceMs, lastMs: sinceMs, count: 1, ...rest });

function sourceProblems(source: SourceStatus, nowMs: number): Placed[] {
  const found: Placed[] = [];
  if (source.state === 'failed') {
    const { code, sinceMs } = source.problem ?? { code: 'SYS-6006', sinceMs: nowMs };
    found.push(problem('intake', 'fault', code, source.name, sinceMs, { lastMs: nowMs }));
  } else if (source.problem !== undefined && certificateCodes.has(source.problem.code)) {
    const { code, sinceMs } = source.problem;
    found.push(problem('intake', 'attention', code, source.name, sinceMs, { lastMs: nowMs }));
  }
  const under = source.under ?? [];
  const lastUnderAnyName = new Map<string, number>();
  for (const { address, lastMessageMs = 0 } of [source, ...under].flatMap(({ senders }) => senders)) {
    lastUnderAnyName.set(address, Math.max(lastMessageMs, lastUnderAnyName.get(address) ?? 0));
  }
  for (const { name, senders } of [source, ...under]) {
    for (const sender of senders) {
      const p = sender.problem;
      if (p === undefined || nowMs - p.atMs > day) continue;
      // A connection is the port's: what came over it well shows that it is mended, whatever name it came under.
      const ofPort = senders === source.senders && !unnamedCodes.has(p.code);
      const lastMs = ofPort ? lastUnderAnyName.get(sender.address) : sender.lastMessageMs;
      const goodSince = lastMs !== undefined && lastMs > p.atMs;
      if (goodSince && nowMs - p.atMs > senderProblemMs) continue;
      found.push(problem('hospital', 'attention', p.code, name, p.atMs, { count: p.count, where: sender.address }));
    }
  }
  // Of a folder for HL7 only: among images other files are common.
  const notHl7 = source.folder?.ignored['not-hl7'] ?? 0;
  if (notHl7 > 0) found.push(problem('hospital', 'attention', 'HL7-2143', source.name, nowMs, { count: notHl7 }));
  return found;
}

/** Since its last message, or since we have been listening in vain. */
const silenceProblem = ({ source, silent, lastMs, quietMs }: SourceRhythm, nowMs: number): Placed[] =>
  silent ? [problem('hospital', 'attention', 'HL7-2120', source, lastMs ?? nowMs - quietMs, { lastMs: nowMs })] : [];

function certificateProblem(certificate: CertificateStatus, platform: string, nowMs: number): Placed[] {
  const { notBeforeMs, notAfterMs, role } = certificate;
  const ours = role === 'client';
  if (nowMs < notBeforeMs || nowMs >= notAfterMs) {
    const sinceMs = Math.min(nowMs, notAfterMs);
    return [problem('platform', 'fault', ours ? 'TLS-1205' : 'TLS-1203', platform, sinceMs, { lastMs: nowMs })];
  }
  // A certificate made for a few days only would else be warned of all its life.
  const warnMs = Math.min(certificateWarningMs, (notAfterMs - notBeforeMs) / 3);
  if (notAfterMs - nowMs >= warnMs) return [];
  const sinceMs = Math.max(notBeforeMs, notAfterMs - warnMs);
  return [problem('platform', 'attention', ours ? 'TLS-1208' : 'TLS-1211', platform, sinceMs, { lastMs: nowMs })];
}

function platformProblems(platform: PlatformStatus, nowMs: number): Placed[] {
  const name = platform.platform;
  const found: Placed[] = [];
  const error = platform.lastError;
  const affected = Math.max(1, platform.unsent);
  if (platform.state === 'stopped' || platform.state === 'retrying') {
    const level = platform.state === 'stopped' ? 'fault' : 'attention';
    const { code, atMs } = error ?? { code: 'NET-1006', atMs: nowMs };
    found.push(problem('platform', level, code, name, atMs, { lastMs: atMs, count: affected }));
  } else if (platform.oldestMs !== undefined && nowMs - platform.oldestMs > backlogMs) {
    // Only here: where uploads have failed the backlog is but what follows from it.
    const since = platform.oldestMs + backlogMs;
    found.push(problem('platform', 'attention', 'QUE-4011', name, since, { lastMs: nowMs, count: platform.unsent }));
  }
  // Dates judged by a clock that is known to be wrong would name the wrong cause.
  const clockIsWrong = platform.state === 'stopped' && error?.code === 'TLS-1206';
  for (const certificate of clockIsWrong ? [] : platform.certificates) {
    found.push(...certificateProblem(certificate, name, nowMs));
  }
  if (platform.clockOffsetMs !== undefined && Math.abs(platform.clockOffsetMs) > clockWarningMs) {
    found.push(problem('platform', 'attention', 'SYS-6001', name, nowMs));
  }
  return found;
}

function storeProblems(store: StoreFigures, nowMs: number, diskDaysLeft: number | undefined): Placed[] {
  if (store.mode === 'intake-stopped') return [problem('queue', 'fault', 'QUE-4002', 'agent', nowMs)];
  const found: Placed[] = [];
  if (store.mode === 'mapping-stopped') {
    found.push(problem('queue', 'attention', 'QUE-4001', 'agent', nowMs));
  } else if (diskDaysLeft !== undefined && diskDaysLeft < diskWarningDays) {
    found.push(problem('queue', 'attention', 'QUE-4013', 'agent', nowMs));
  }
  const oldest = store.oldestUnmappedMs;
  if (oldest !== undefined && nowMs - oldest > backlogMs) {
    const count = Math.max(1, store.lastSeq - store.mappedThrough);
    found.push(problem('queue', 'attention', 'QUE-4012', 'agent', oldest + backlogMs, { lastMs: nowMs, count }));
  }
  return found;
}

const heldProblem = (group: ImageProblemGroup): Placed =>
  problem('queue', 'attention', group.code, group.platform === '' ? 'agent' : group.platform, group.firstMs, {
    lastMs: group.lastMs,
    count: group.count,
    ...(group.exampleSeq === undefined ? {} : { exampleSeq: group.exampleSeq }),
    ...(group.exampleStudy === undefined ? {} : { exampleStudy: group.exampleStudy }),
    ...(group.where === '' ? {} : { where: group.where }),
  });

/** A person may be in danger: shown before everything else. */
export const isUrgent = ({ code }: { code: string }): boolean => code === 'MAP-3031';

const stationOfSide: Record<Side, StationId> = {
  hospital: 'hospital',
  agent: 'queue',
  platform: 'platform',
  network: 'platform',
};

/**
 * All problems the parts know of, critical values first, then faults, then the oldest first, so that their places are stable.
 * One entry for each code, component and place; "since" is the earliest known, also from the
 * model before.
 */
export function collectProblems(parts: StatusParts, diskDaysLeft: number | undefined): Placed[] {
  const { nowMs, previous } = parts;
  const known = new Map((previous?.problems ?? []).map((p) => [problemKey(p), p.sinceMs]));
  const all = [
    ...parts.sources.flatMap((s) => sourceProblems(s, nowMs)),
    ...(parts.rhythms ?? []).flatMap((r) => silenceProblem(r, nowMs)),
    ...parts.platforms.flatMap((p) => platformProblems(p, nowMs)),
    ...storeProblems(parts.store, nowMs, diskDaysLeft),
    ...[...parts.problemGroups, ...(parts.images?.problemGroups ?? [])].map(heldProblem),
    ...parts.extraProblems.map((p): Placed => ({ ...p, station: stationOfSide[p.side] })),
  ];
  const unique = new Map<string, Placed>();
  for (const p of all) {
    const key = problemKey(p);
    // A clock that was set back leaves times behind that are still to come.
    const sinceMs = Math.min(p.sinceMs, known.get(key) ?? p.sinceMs, nowMs);
    const seen = unique.get(key);
    if (seen === undefined || (seen.level === 'attention' && p.level === 'fault')) {
      unique.set(key, { ...p, sinceMs, lastMs: Math.min(p.lastMs, nowMs) });
    }
  }
  return [...unique.values()].sort(
    (a, b) =>
      Number(isUrgent(b)) - Number(isUrgent(a)) ||
      Number(b.level === 'fault') - Number(a.level === 'fault') ||
      a.sinceMs - b.sinceMs ||
      (problemKey(a) < problemKey(b) ? -1 : 1),
  );
}
