import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Pki } from '../platform/pki.ts';
import type { Sidecar } from '../platform/received.ts';
import { caughtUp, prepareAgent, runAgent } from './agent.ts';
import { cpuSeconds, end, rssMb, startUntilLine } from './process.ts';

export interface QueueResult {
  documents: number;
  fillPerSecond: number;
  /** Restart after kill -9 with the queue waiting: process start to listening. */
  readyMs: number;
  emptyReadyMs: number;
  drainPerSecond: number;
  drainSeconds: number;
  agentCpuPerDocumentUs?: number;
  provinceCpuPerDocumentUs?: number;
  peakRssMb?: number;
  documentBytes: number;
}

/** Queue while the province is down, agent killed and started again, province up: drained over mutual TLS. */
export async function measureQueue(
  folder: string,
  pki: Pki,
  documents: number,
  load: (job: {
    port: number;
    pid: number;
    connections: number;
    warmupMs: number;
    windowMs: number;
    count: number;
  }) => Promise<{ ackedInAll: number; seconds: number }>,
  say: (text: string) => void,
  profile?: string,
): Promise<QueueResult> {
  const provinceFolder = join(folder, 'province');
  const province = await startUntilLine([
    fileURLToPath(new URL('../platform/province.ts', import.meta.url)),
    ...['--folder', provinceFolder, '--cert', pki.serverCert, '--key', pki.serverKey, '--ca', pki.ca, '--down'],
  ]);
  const { url, received } = JSON.parse(province.line) as { url: string; received: string };
  const lines = createInterface({ input: province.child.stdout! });
  let accepted = 0;
  lines.on('line', (line) => {
    accepted = (JSON.parse(line) as { accepted?: number }).accepted ?? accepted;
  });
  const site = await prepareAgent(join(folder, 'agent'), url, pki);
  let agent = await runAgent(site);
  try {
    const emptyReadyMs = agent.readyMs;
    say(`queue: ${documents} messages while the province is down`);
    const filled = await load({
      port: site.port,
      pid: agent.pid,
      connections: 64,
      warmupMs: 0,
      windowMs: 0,
      count: documents,
    });
    await caughtUp(agent, filled.ackedInAll);

    say('queue: kill -9, start again');
    await end(agent.child, 'SIGKILL');
    agent = await runAgent(site, profile);
    const { readyMs } = agent;

    say('queue: province up');
    province.child.stdin!.write('up\n');
    const provinceBefore = cpuSeconds(province.child.pid!);
    const agentBefore = cpuSeconds(agent.pid);
    let peakRssMb: number | undefined;
    while (accepted < documents) {
      const now = rssMb(agent.pid);
      if (now !== undefined) peakRssMb = Math.max(peakRssMb ?? 0, now);
      if (agent.child.exitCode !== null) throw new Error('the agent ended');
      await sleep(100);
    }
    const per = (before: number | undefined, pid: number) => {
      const after = cpuSeconds(pid);
      return before === undefined || after === undefined ? undefined : ((after - before) * 1e6) / documents;
    };
    const agentCpuPerDocumentUs = per(agentBefore, agent.pid);
    const provinceCpuPerDocumentUs = per(provinceBefore, province.child.pid!);

    // The province writes down when it accepted each: its first and last are the drain, without the agent's wait before it.
    const names = readdirSync(received).filter((name) => name.endsWith('.json'));
    let first = Number.POSITIVE_INFINITY;
    let last = 0;
    for (const name of names) {
      const { receivedAt } = JSON.parse(readFileSync(join(received, name), 'utf8')) as Sidecar;
      first = Math.min(first, Date.parse(receivedAt));
      last = Math.max(last, Date.parse(receivedAt));
    }
    if (names.length !== documents) throw new Error(`${documents} reports in, ${names.length} documents out`);
    const some = readFileSync(join(received, names[0]!.slice(0, -'.json'.length)));
    return {
      documents,
      fillPerSecond: filled.ackedInAll / filled.seconds,
      readyMs,
      emptyReadyMs,
      drainSeconds: (last - first) / 1000,
      drainPerSecond: ((documents - 1) * 1000) / (last - first),
      ...(agentCpuPerDocumentUs === undefined ? {} : { agentCpuPerDocumentUs }),
      ...(provinceCpuPerDocumentUs === undefined ? {} : { provinceCpuPerDocumentUs }),
      ...(peakRssMb === undefined ? {} : { peakRssMb }),
      documentBytes: some.length,
    };
  } finally {
    await end(agent.child);
    province.child.stdin!.end();
    if (province.child.exitCode === null) await once(province.child, 'exit');
  }
}
