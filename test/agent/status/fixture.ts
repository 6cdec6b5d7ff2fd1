import type { StatusModel } from '../../../agent/status/model.ts';
import { type StatusServer, startStatusServer } from '../../../agent/status/server.ts';
import { composeStatus, type StatusParts } from '../../../agent/status/verdict.ts';
import type { MessageRow } from '../../../agent/store/contract.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { studyDesk } from './fixture-studies.ts';
import { night } from './night.ts';

export { knownAccession, studyDesk } from './fixture-studies.ts';
export { night } from './night.ts';

/** Invented sites for the status page: nothing here comes from a hospital. */
const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Everything well: two senders, one platform that accepts. */
export function healthyParts(nowMs = night): StatusParts {
  const figures = {
    platform: 'province',
    unsent: 3,
    unsentBytes: 48_000,
    oldestMs: nowMs - 4 * second,
    held: 0,
    lastAcceptedMs: nowMs - 2 * second,
    acceptedToday: 1692,
  };
  return {
    nowMs,
    startedMs: nowMs - 9 * day,
    version: '0.1.0',
    site: { name: '示例市第一人民医院', orgCode: '450000001', timeZone: 'Asia/Shanghai' },
    demo: false,
    sources: [
      {
        name: 'lis',
        kind: 'hl7-mllp',
        state: 'listening',
        address: '10.1.1.20:2575',
        refusedConnections: 0,
        senders: [
          {
            address: '10.1.1.5',
            connections: 2,
            connectedSinceMs: nowMs - 6 * hour,
            messagesToday: 1411,
            lastMessageMs: nowMs - 3 * second,
            lastAck: 'AA',
          },
          {
            address: '10.1.1.9',
            connections: 0,
            messagesToday: 302,
            lastMessageMs: nowMs - 7 * minute,
            lastAck: 'AA',
          },
        ],
      },
    ],
    platforms: [
      {
        ...figures,
        kind: 'https',
        url: 'https://upload.province.example/api',
        state: 'sending',
        clockOffsetMs: 240,
        certificates: [
          {
            role: 'client',
            subject: 'CN=450000001',
            notBeforeMs: nowMs - 100 * day,
            notAfterMs: nowMs + 265 * day,
            fingerprint: 'a1'.repeat(32),
          },
          {
            role: 'platform-ca',
            subject: 'CN=Example Province CA',
            notBeforeMs: nowMs - 400 * day,
            notAfterMs: nowMs + 1500 * day,
            fingerprint: 'b2'.repeat(32),
          },
        ],
        unverified: ['endpoint.path', 'limits.batch_documents', 'codes.department'],
      },
    ],
    store: {
      mode: 'normal',
      freeBytes: 182 * 1024 ** 3,
      databaseBytes: 3 * 1024 ** 3,
      bytesPerDay: 1.4 * 1024 ** 3,
      lastSeq: 182_040,
      mappedThrough: 182_039,
      oldestUnmappedMs: nowMs - 200,
      platforms: [figures],
      today: [],
      receivedToday: [{ source: 'lis', count: 1713, retransmissions: 2, lastMs: nowMs - 3 * second }],
    },
    problemGroups: [],
    extraProblems: [],
    rates: { hospital: { perMinute: 12.4 }, intake: { perMinute: 12.4 }, queue: { perMinute: 11.8 } },
  };
}

/** It works, and four things wait for a person. */
export function troubledParts(nowMs = night): StatusParts {
  const parts = healthyParts(nowMs);
  const group = { platform: 'province', exampleSeq: 181_733, firstMs: nowMs - 5 * hour, lastMs: nowMs - 4 * minute };
  return {
    ...parts,
    sources: parts.sources.map((source) => ({
      ...source,
      refusedConnections: 4,
      senders: source.senders.map((sender, at) =>
        at === 0 ? sender : { ...sender, problem: { code: 'MLLP-2005', atMs: nowMs - 2 * minute, count: 3 } },
      ),
    })),
    platforms: parts.platforms.map((platform) => ({
      ...platform,
      held: 17,
      certificates: platform.certificates.map((c) =>
        c.role === 'client' ? { ...c, notAfterMs: nowMs + 12 * day } : c,
      ),
    })),
    problemGroups: [
      { ...group, code: 'MAP-3001', where: 'specimen.type', count: 14 },
      { ...group, code: 'PLT-1305', where: 'C0007', count: 3, firstMs: nowMs - 26 * hour, exampleSeq: 180_002 },
      { ...group, code: 'MAP-3005', platform: '', where: 'PV1-2', count: 2, firstMs: nowMs - 40 * minute },
    ],
  };
}

/** The platform refuses our certificate; receiving goes on. */
export function faultParts(nowMs = night): StatusParts {
  const parts = troubledParts(nowMs);
  const sinceMs = nowMs - 28 * minute;
  return {
    ...parts,
    platforms: parts.platforms.map((platform) => ({
      ...platform,
      state: 'stopped',
      unsent: 1284,
      oldestMs: sinceMs,
      lastAcceptedMs: sinceMs - second,
      lastError: { code: 'TLS-1204', atMs: sinceMs },
      nextTryMs: nowMs + 4 * minute,
    })),
    rates: { ...parts.rates, queue: { perMinute: 0 } },
  };
}

/** Just started, nothing has come yet. */
export function freshParts(nowMs = night): StatusParts {
  const parts = healthyParts(nowMs);
  const { lastAcceptedMs: _accepted, oldestMs: _oldest, ...platform } = parts.platforms[0]!;
  const { oldestUnmappedMs: _unmapped, ...store } = parts.store;
  return {
    ...parts,
    startedMs: nowMs - 20 * second,
    sources: parts.sources.map((source) => ({ ...source, senders: [] })),
    platforms: [{ ...platform, state: 'idle', unsent: 0, acceptedToday: 0 }],
    store: { ...store, lastSeq: 0, mappedThrough: 0, receivedToday: [], bytesPerDay: 0 },
    rates: {},
  };
}

/** One port, to which two analysers and a ward send under names of their own, and somebody nobody has listed. */
export function sharedPortParts(nowMs = night): StatusParts {
  const parts = healthyParts(nowMs);
  const seen = (address: string, messagesToday: number, agoMs: number, acksToday: Record<string, number>) => ({
    address,
    connections: 1,
    messagesToday,
    lastMessageMs: nowMs - agoMs,
    lastAck: 'AA',
    acksToday,
  });
  const idle = { connections: 1, messagesToday: 0 };
  const refused = { code: 'HL7-2121', atMs: nowMs - minute, count: 5, said: 'MSH-3 CL-2000 MSH-4 Mindray' };
  const learned = { quietMs: 20 * second, usualMs: 2 * minute, known: true, silent: false };
  const received = (source: string, count: number) => ({ source, count, retransmissions: 0, lastMs: nowMs - second });
  return {
    ...parts,
    sources: [
      {
        name: 'lab',
        kind: 'hl7-mllp',
        state: 'listening',
        address: '10.1.1.20:2575',
        refusedConnections: 0,
        senders: [
          { address: '10.1.2.7', ...idle },
          { address: '10.1.2.8', ...idle },
          { address: '10.1.2.9', ...idle, lastAck: 'AR', acksToday: { AR: 5 }, problem: refused },
        ],
        under: [
          { name: 'bc6800', senders: [seen('10.1.2.7', 412, 20 * second, { AA: 409, AE: 3 })] },
          {
            name: 'bs2000',
            senders: [
              seen('10.1.2.7', 96, 3 * minute, { AA: 96 }),
              {
                ...seen('10.1.2.8', 88, hour, { AA: 87, AR: 1 }),
                problem: { code: 'HL7-2104', atMs: nowMs - 5 * minute, count: 1 },
              },
            ],
          },
          { name: 'ward3', senders: [] },
        ],
      },
    ],
    rhythms: [
      { source: 'lab', quietMs: hour, known: false, silent: false, types: [] },
      { ...learned, source: 'bc6800', lastMs: nowMs - 20 * second, types: [{ type: 'ORU^R01', count: 412 }] },
      {
        ...learned,
        source: 'bs2000',
        lastMs: nowMs - 3 * minute,
        types: [
          { type: 'ORU^R01', count: 180 },
          { type: 'other', count: 4 },
        ],
      },
      {
        ...learned,
        source: 'ward3',
        lastMs: nowMs - 9 * hour,
        quietMs: 9 * hour,
        usualMs: 20 * minute,
        silent: true,
        types: [],
      },
    ],
    store: { ...parts.store, receivedToday: [received('bc6800', 412), received('bs2000', 184)] },
  };
}

/** Two watched folders: one in which reports may have been lost, one with nothing but what images come with. */
export function folderParts(nowMs = night): StatusParts {
  const parts = healthyParts(nowMs);
  const watched = (name: string, kind: string, ignored: Record<string, number>) => ({
    name,
    kind,
    state: 'listening' as const,
    address: `/srv/${name}`,
    refusedConnections: 0,
    senders: [{ address: 'folder', messagesToday: 88, lastMessageMs: nowMs - minute }],
    folder: { ignored },
  });
  return {
    ...parts,
    sources: [
      watched('dropped', 'hl7-folder', { 'not-hl7': 3, empty: 1, 'not-included': 1204, marker: 9 }),
      watched('images', 'dicom-folder', { 'not-dicom': 41, 'media-directory': 2 }),
    ],
  };
}

export const scenes = {
  folders: folderParts,
  sharedPort: sharedPortParts,
  healthy: healthyParts,
  problems: troubledParts,
  fault: faultParts,
  fresh: freshParts,
} as const;
export type Scene = keyof typeof scenes;

/** Rows with every state a message can be in. */
export function messageRows(nowMs = night): MessageRow[] {
  const states: MessageRow['states'][] = [
    [],
    [{ platform: 'province', state: 'waiting', sinceMs: nowMs - 4 * second }],
    [{ platform: 'province', state: 'delivered', sinceMs: nowMs - 9 * second }],
    [{ platform: 'province', state: 'quarantined', code: 'MAP-3001', sinceMs: nowMs - 20 * second }],
    [{ platform: '', state: 'absorbed', by: 182_039, sinceMs: nowMs - 40 * second }],
    [{ platform: 'province', state: 'filtered', rule: 'types', code: 'HL7-2104', sinceMs: nowMs - minute }],
    [{ platform: '', state: 'waiting', code: 'MAP-3014', sinceMs: nowMs - 2 * minute }],
  ];
  return Array.from({ length: 20 }, (_, at) => ({
    seq: 182_040 - at,
    source: 'lis',
    receivedMs: nowMs - at * 7 * second,
    bytes: 2140 + at * 317,
    type: at === 5 ? 'ADT^A08' : 'ORU^R01',
    states: states[at % states.length]!,
  }));
}

export interface FixtureServer extends StatusServer {
  /** Shows another model and tells the page. */
  show(next: StatusModel): void;
}

/** The real server with an invented model. */
export async function serveModel(
  first: StatusModel,
  rows: MessageRow[] = messageRows(),
  port = 0,
): Promise<FixtureServer> {
  let model = first;
  const listeners = new Set<() => void>();
  const startedAt = performance.now();
  const now = () => first.atMs + Math.round(performance.now() - startedAt);
  const server = await startStatusServer({
    host: '127.0.0.1',
    port,
    model: () => ({ ...model, atMs: now() }),
    studies: studyDesk(),
    messages: async (limit, before = Number.MAX_SAFE_INTEGER) => rows.filter((r) => r.seq < before).slice(0, limit),
    // The second newest is of 珅玘; everybody else is a stranger.
    findMessages: async (by, term) => (by === 'name' && term.reveal() === '珅玘' ? rows.slice(1, 2) : []),
    subscribe: (changed) => {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    clock: { now, monotonic: () => performance.now() },
    log: silentLog,
  });
  return {
    ...server,
    show(next) {
      model = next;
      for (const changed of listeners) changed();
    },
  };
}

// `node test/agent/status/fixture.ts fault` serves a scene to look at, until interrupted.
if (import.meta.main) {
  const scene = (process.argv[2] ?? 'healthy') as Scene;
  const server = await serveModel(composeStatus(scenes[scene]()), scene === 'fresh' ? [] : messageRows());
  process.stdout.write(`${server.url}\n`);
  process.once('SIGINT', () => void server.close());
}
