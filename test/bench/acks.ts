import type { ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Pki } from '../platform/pki.ts';
import { choosePort } from '../platform/ports.ts';
import { type BenchAgent, caughtUp, prepareAgent, runAgent } from './agent.ts';
import type { LoadJob, LoadResult } from './load.ts';
import { cpuSeconds, end, startChild, threadCpu } from './process.ts';
import { median } from './table.ts';

export const servers = ['floor', 'medplum', 'intake', 'agent'] as const;
export type ServerName = (typeof servers)[number];
export const connectionCounts = [1, 8, 64] as const;

/** One server at one number of connections, over all rounds. */
export interface AckRow {
  server: ServerName;
  connections: number;
  /** Medians over the rounds. */
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Slowest and fastest round. */
  range: [number, number];
  /** Server CPU in the windows, a message acknowledged in them. */
  cpuUs?: number;
  /** Until the last message is mapped and rendered, a message. Of the agent only. */
  cpuToDocumentUs?: number;
  /** The same by thread. */
  threadsUs?: Record<string, number>;
  /** Messages a second from the first message until the last is a document waiting to be sent. Of the agent only. */
  toDocumentPerSecond?: number;
  peakRssMb?: number;
}

interface Sample {
  result: LoadResult;
  cpuAll?: number;
  threads: Record<string, number>;
  wallAll: number;
}

export interface AckOptions {
  folder: string;
  pki: Pki;
  rounds: number;
  warmupMs: number;
  windowMs: number;
  load(job: LoadJob): Promise<LoadResult>;
  /** Before each round. */
  between(round: number): void;
  say(text: string): void;
  profile?: string;
}

interface Running {
  child: ChildProcess;
  pid: number;
  port: number;
  agent?: BenchAgent;
  /** Messages it has taken since its start. */
  taken: number;
}

async function start(name: ServerName, folder: string, options: AckOptions): Promise<Running> {
  if (name === 'agent') {
    // Nobody listens there: the province is down throughout.
    const site = await prepareAgent(folder, `https://localhost:${await choosePort()}`, options.pki);
    const agent = await runAgent(site, options.profile);
    return { child: agent.child, pid: agent.pid, port: site.port, agent, taken: 0 };
  }
  mkdirSync(folder, { recursive: true });
  const { child, ready } = await startChild<{ port: number }>(`${name}-server.ts`, [folder]);
  return { child, pid: child.pid!, port: ready.port, taken: 0 };
}

/**
 * Every round starts each server anew on an empty folder, and measures them in turn at each number of
 * connections, so that the machine's moods fall on all alike. The agent is let finish its mapping and
 * rendering before the next server's turn.
 */
export async function measureAcks(options: AckOptions): Promise<AckRow[]> {
  const samples = new Map<string, Sample[]>();
  for (let round = 1; round <= options.rounds; round++) {
    options.between(round);
    const running = new Map<ServerName, Running>();
    try {
      for (const name of servers)
        running.set(name, await start(name, join(options.folder, `${name}-${round}`), options));
      for (const connections of connectionCounts) {
        for (const [name, server] of running) {
          options.say(`round ${round}/${options.rounds}: ${name}, ${connections} connections`);
          const key = `${name} ${connections}`;
          samples.set(key, [...(samples.get(key) ?? []), await measure(server, connections, options)]);
        }
      }
    } finally {
      for (const { child } of running.values()) await end(child);
    }
  }
  return [...samples].map(([key, found]) => {
    const [name, connections] = key.split(' ') as [ServerName, string];
    return summarise(name, Number(connections), found);
  });
}

async function measure(server: Running, connections: number, options: AckOptions): Promise<Sample> {
  const { pid, port, agent } = server;
  const before = cpuSeconds(pid);
  const threadsBefore = threadCpu(pid);
  const startedMs = performance.now();
  const result = await options.load({ port, pid, connections, warmupMs: options.warmupMs, windowMs: options.windowMs });
  server.taken += result.ackedInAll;
  const doneMs = agent === undefined ? performance.now() : await caughtUp(agent, server.taken);
  const wallAll = (doneMs - startedMs) / 1000;
  const after = cpuSeconds(pid);
  const threads: Record<string, number> = {};
  for (const [id, { name, seconds }] of threadCpu(pid)) {
    const label = Number(id) === pid ? 'main' : name;
    threads[label] = (threads[label] ?? 0) + seconds - (threadsBefore.get(id)?.seconds ?? 0);
  }
  return {
    result,
    threads,
    wallAll,
    ...(before === undefined || after === undefined ? {} : { cpuAll: after - before }),
  };
}

function summarise(server: ServerName, connections: number, found: Sample[]): AckRow {
  const rates = found.map(({ result }) => result.acked / result.seconds);
  const sum = (value: (sample: Sample) => number | undefined): number | undefined => {
    const values = found.map(value);
    return values.some((v) => v === undefined) ? undefined : values.reduce<number>((total, v) => total + (v ?? 0), 0);
  };
  const acked = sum(({ result }) => result.acked) ?? 0;
  const ackedInAll = sum(({ result }) => result.ackedInAll) ?? 0;
  const cpu = sum(({ result }) => result.cpuSeconds);
  const cpuAll = server === 'agent' ? sum((sample) => sample.cpuAll) : undefined;
  const rss = found.flatMap(({ result }) => (result.peakRssMb === undefined ? [] : [result.peakRssMb]));
  const threadsUs: Record<string, number> = {};
  for (const { threads } of found) {
    for (const [name, seconds] of Object.entries(threads)) {
      threadsUs[name] = (threadsUs[name] ?? 0) + (seconds * 1e6) / ackedInAll;
    }
  }
  return {
    server,
    connections,
    perSecond: median(rates),
    p50Ms: median(found.map(({ result }) => result.p50Ms)),
    p99Ms: median(found.map(({ result }) => result.p99Ms)),
    range: [Math.min(...rates), Math.max(...rates)],
    ...(cpu === undefined ? {} : { cpuUs: (cpu * 1e6) / acked }),
    ...(cpuAll === undefined ? {} : { cpuToDocumentUs: (cpuAll * 1e6) / ackedInAll, threadsUs }),
    ...(server === 'agent'
      ? { toDocumentPerSecond: median(found.map(({ result, wallAll }) => result.ackedInAll / wallAll)) }
      : {}),
    ...(rss.length > 0 ? { peakRssMb: Math.max(...rss) } : {}),
  };
}
