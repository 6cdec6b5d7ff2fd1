import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { stringify } from 'yaml';
import { uploadState } from '../../../agent/store/sqlite/schema.ts';
import { choosePort } from '../../platform/ports.ts';
import { type AgentSite, type BenchAgent, runAgent } from '../agent.ts';
import { end } from '../process.ts';
import type { Program } from '../programs.ts';
import { databaseOf } from '../progress.ts';
import type { Receiver } from './sender.ts';

export interface ImagePlatformAt {
  url: string;
  tls: { ca: string; cert: string; key: string };
}

/** What a hospital with a CT would configure: one DICOM listener, one imaging cloud behind mutual TLS. */
export async function prepareImageAgent(folder: string, { url, tls }: ImagePlatformAt): Promise<AgentSite> {
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
      {
        name: 'pacs',
        kind: 'dicom-scp',
        profile: 'dicom-default',
        port,
        ae_titles: ['QIANZHI'],
        calling_ae_titles: ['DEVICE'],
      },
    ],
    platforms: [{ name: 'cloud', kind: 'dicomweb', url, tls }],
  });
  writeFileSync(
    config,
    text.replaceAll('${', () => '$${'),
  );
  return { folder, port, config };
}

export interface RunningImageAgent extends Receiver {
  /** Instances whose acceptance by the platform is booked. */
  delivered(): number;
  agent: BenchAgent;
}

/** The agent as users run it. `stored` counts the rows of its own database. */
export async function startImageAgent(
  site: AgentSite,
  program: Program,
  name: 'agent' | 'agent-uploading',
  profile?: string,
): Promise<RunningImageAgent> {
  const agent = await runAgent(site, program, profile);
  const db = new DatabaseSync(databaseOf(site), { readOnly: true, timeout: 5000 });
  const stored = db.prepare('SELECT count(*) AS n FROM instance');
  const delivered = db.prepare(`SELECT count(*) AS n FROM upload WHERE state = ${uploadState.delivered}`);
  const numberOf = (statement: typeof stored) => (statement.get() as { n: number }).n;
  return {
    name,
    agent,
    pid: agent.pid,
    port: site.port,
    stored: async () => numberOf(stored),
    delivered: () => numberOf(delivered),
    async stop() {
      db.close();
      await end(agent.child);
    },
  };
}
