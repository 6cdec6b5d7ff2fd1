import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { StatusModel } from '../../agent/status/model.ts';
import type { Pki } from '../platform/pki.ts';
import { choosePort } from '../platform/ports.ts';
import { cpuSeconds, startUntilLine } from './process.ts';

/** The agent's folder and ports; the agent itself comes and goes. */
export interface AgentSite {
  folder: string;
  port: number;
  config: string;
}

export interface BenchAgent {
  child: ChildProcess;
  pid: number;
  /** From the start of the process until it takes messages. */
  readyMs: number;
  status(): Promise<StatusModel>;
}

/** The most the configuration allows: mapping and rendering shall not stop in the middle of a measurement. */
const bound = 1_000_000;

/** What a hospital would configure: one MLLP source, one https platform with mutual TLS. */
export async function prepareAgent(folder: string, platformUrl: string, pki: Pki): Promise<AgentSite> {
  mkdirSync(folder, { recursive: true });
  const port = await choosePort();
  const config = join(folder, 'qianzhi.yaml');
  const text = stringify({
    config_version: 1,
    site: { name: '示例市人民医院', org_code: '12100000MB0000001P', time_zone: 'Asia/Shanghai' },
    data: { folder: join(folder, 'data'), key: `file:${join(folder, 'keys', 'data.key')}` },
    status: { host: '127.0.0.1', port: await choosePort([port]) },
    log: { level: 'warn', file: join(folder, 'agent.log') },
    sources: [
      { name: 'lis', kind: 'hl7-mllp', profile: 'cn-default', host: '127.0.0.1', port, max_connections_per_peer: 256 },
    ],
    platforms: [
      {
        name: 'province',
        kind: 'https',
        format: 'wst500-cda',
        pack: 'cn-wst500',
        url: platformUrl,
        outbox_bound: bound,
        tls: { ca: pki.ca, cert: pki.clientCert, key: pki.clientKey },
      },
    ],
  });
  writeFileSync(
    config,
    text.replaceAll('${', () => '$${'),
  );
  return { folder, port, config };
}

/** The product as it is run: `qianzhi run`. With `profile`, a CPU profile of each thread is written there at its end. */
export async function runAgent(site: AgentSite, profile?: string): Promise<BenchAgent> {
  const main = fileURLToPath(new URL('../../agent/main.ts', import.meta.url));
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const { child, line, ms } = await startUntilLine([...profiling, main, 'run', '--json', '--config', site.config]);
  const { status } = JSON.parse(line) as { status: string };
  return {
    child,
    pid: child.pid!,
    readyMs: ms,
    async status() {
      const answer = await fetch(new URL('/api/v1/status', status));
      return (await answer.json()) as StatusModel;
    },
  };
}

/** CPU seconds within one look that say the agent is at work, not at its housekeeping. */
const atWork = 0.03;
const lookMs = 100;

/**
 * Waits until everything taken is mapped and rendered: what the status says, which is up to 2 s late.
 * Gives when (performance.now) the agent was last seen at work, which is when it was done.
 */
export async function caughtUp(agent: BenchAgent, messages: number): Promise<number> {
  let doneMs = performance.now();
  let used = cpuSeconds(agent.pid);
  for (;;) {
    const { store, platforms } = await agent.status();
    const unsent = platforms[0]?.unsent ?? 0;
    if (store.lastSeq === messages && store.mappedThrough === messages && unsent === messages) return doneMs;
    if (store.mode !== 'normal') {
      throw new Error(`the store is at ${store.mode}: too little space for this measurement`);
    }
    await sleep(lookMs);
    const now = cpuSeconds(agent.pid);
    if (used === undefined || now === undefined || now - used >= atWork) doneMs = performance.now();
    used = now;
  }
}
