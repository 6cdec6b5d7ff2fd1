import type { ChildProcess } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { nobody, prepareAgent, runAgent } from './agent.ts';
import type { BenchRun, Measurement } from './bench-run.ts';
import type { LoadResult } from './load.ts';
import { end, startChild } from './process.ts';
import { allOrNone, median } from './table.ts';

/** `commit` is our store with a commit for each message; `slow-…` has 10 ms more at every sync. */
export const servers = ['floor', 'medplum', 'commit', 'intake', 'slow-commit', 'slow-intake', 'agent'] as const;
export type ServerName = (typeof servers)[number];
export const connectionCounts = [1, 8, 64] as const;

/** One server at one number of connections, over all rounds. */
export interface AckRow {
  server: ServerName;
  connections: number;
  /** Of each round, in order. */
  rates: number[];
  /** Medians over the rounds. */
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Server CPU in the windows, a message acknowledged in them. */
  cpuUs?: number;
  peakRssMb?: number;
}

/** With 10 ms a sync at one connection; a little more than can be, for windows are short. */
const mostWhenSlow = 120;

interface Running {
  child: ChildProcess;
  port: number;
}

async function start(name: ServerName, folder: string, run: BenchRun): Promise<Running> {
  if (name === 'agent') {
    // The province is down throughout: intake, mapping and rendering work.
    const site = await prepareAgent(folder, await nobody(), run.pki);
    const agent = await runAgent(site, run.programs.agent, run.profile);
    return { child: agent.child, port: site.port };
  }
  mkdirSync(folder, { recursive: true });
  const [, slow, mode] = /^(slow-)?(.*)$/.exec(name)!;
  if (mode === 'floor' || mode === 'medplum') {
    const { child, ready } = await startChild<{ port: number }>({ script: `${mode}-server.ts` });
    return { child, port: ready.port };
  }
  const part = run.programs.part('intake-server');
  const { child, ready } = await startChild<{ port: number }>({
    ...part,
    given: [folder, ...(mode === 'commit' ? ['commit'] : [])],
    environment: { ...part.environment, ...(slow ? run.programs.slowDisk : {}) },
  });
  return { child, port: ready.port };
}

/**
 * Acknowledgements in closed loop. Every round starts each server anew on an empty folder and measures them in
 * turn at each number of connections. The agent comes last: it goes on mapping what it took, and would do so in
 * the others' time.
 */
export function measureAcks(run: BenchRun): Measurement<AckRow[]> {
  const { plan } = run;
  const samples = new Map<string, { server: ServerName; connections: number; found: LoadResult[] }>();
  const measured = servers.filter((name) => run.programs.slowDisk !== undefined || !name.startsWith('slow-'));
  if (measured.length < servers.length) run.note('no C compiler here: the rows with a slow disk are left out');

  const measure = async (server: ServerName, { child, port }: Running, connections: number) => {
    run.say(`acknowledgements: ${server}, ${connections} connections`);
    const { warmupMs, windowMs } = plan;
    const result = await run.load({ port, pid: child.pid!, connections, warmupMs, windowMs });
    // One message a commit, one sync a commit.
    if (server.startsWith('slow-') && connections === 1 && result.acked / result.seconds > mostWhenSlow)
      throw new Error('the slow disk is not slow');
    const key = `${server} ${connections}`;
    const row = samples.get(key) ?? { server, connections, found: [] };
    row.found.push(result);
    samples.set(key, row);
  };
  return {
    async round(number) {
      const folder = join(run.folder, `acks-${number}`);
      const running = new Map<ServerName, Running>();
      try {
        for (const name of measured.filter((name) => name !== 'agent'))
          running.set(name, await start(name, join(folder, name), run));
        for (const connections of connectionCounts)
          for (const [name, server] of running) await measure(name, server, connections);
        for (const { child } of running.values()) await end(child);
        const agent = await start('agent', join(folder, 'agent'), run);
        running.set('agent', agent);
        for (const connections of connectionCounts) await measure('agent', agent, connections);
      } finally {
        for (const { child } of running.values()) await end(child);
        rmSync(folder, { recursive: true, force: true });
      }
    },
    result: () =>
      [...samples.values()]
        .map(summarise)
        .sort((a, b) => a.connections - b.connections || servers.indexOf(a.server) - servers.indexOf(b.server)),
  };
}

function summarise(row: { server: ServerName; connections: number; found: LoadResult[] }): AckRow {
  const { server, connections, found } = row;
  const rates = found.map(({ acked, seconds }) => acked / seconds);
  const acked = found.reduce((sum, result) => sum + result.acked, 0);
  const cpu = allOrNone(found.map((result) => result.cpuSeconds));
  const rss = allOrNone(found.map((result) => result.peakRssMb));
  return {
    server,
    connections,
    rates,
    perSecond: median(rates),
    p50Ms: median(found.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(found.map(({ p99Ms }) => p99Ms)),
    ...(cpu ? { cpuUs: (cpu.reduce((sum, one) => sum + one, 0) * 1e6) / acked } : {}),
    ...(rss ? { peakRssMb: Math.max(...rss) } : {}),
  };
}
