import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import type { Pki } from '../platform/pki.ts';
import { choosePort } from '../platform/ports.ts';
import { startUntilLine } from './process.ts';
import type { Program } from './programs.ts';

/** The agent's folder and ports; the agent itself comes and goes. */
export interface AgentSite {
  folder: string;
  port: number;
  config: string;
}

export interface BenchAgent {
  child: ChildProcess;
  pid: number;
  /** From the start of the process until it takes connections, and until it says that it is ready. */
  listeningMs: number;
  readyMs: number;
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

/**
 * The product as it is run: `qianzhi run`. With `profile`, a CPU profile of each thread is written there at its end.
 * Resolves when the agent says that it is ready, page and all.
 */
export async function runAgent(site: AgentSite, program: Program, profile?: string): Promise<BenchAgent> {
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const given = [...profiling, ...program.before, 'run', '--json', '--config', site.config];
  let listening: Promise<number> | undefined;
  const started = await startUntilLine(program.file, given, program.environment, (startedMs) => {
    listening = firstConnection(site.port).then(() => performance.now() - startedMs);
  });
  return { child: started.child, pid: started.pid, readyMs: started.ms, listeningMs: (await listening) ?? Number.NaN };
}

/** Resolves when something listens there. */
async function firstConnection(port: number): Promise<void> {
  for (;;) {
    const socket = connect({ host: '127.0.0.1', port });
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (connected) return;
    await sleep(5);
  }
}

/** The agent with a server that serves nobody: its platform's address has no listener. */
export const nobody = async (): Promise<string> => `https://localhost:${await choosePort()}`;
