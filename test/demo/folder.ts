import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { ensurePki, type Pki } from '../platform/pki.ts';
import { choosePort, isFree } from '../platform/ports.ts';

export interface Ports {
  mllp: number;
  status: number;
  platform: number;
}

/** A demo folder: everything the demo keeps, so that it goes on where it was. */
export interface DemoFolder {
  root: string;
  province: string;
  received: string;
  /** The agent's data folder. */
  data: string;
  config: string;
  /** What the agent's process wrote outside its log; empty unless it crashed. */
  console: string;
  pki: Pki;
}

/** Makes the folders, and the certificates anew when they are at their end. */
export function openFolder(folder: string): DemoFolder {
  const root = resolve(folder);
  const agent = join(root, 'agent');
  mkdirSync(agent, { recursive: true, mode: 0o700 });
  return {
    root,
    province: join(root, 'province'),
    received: join(root, 'province', 'received'),
    data: join(agent, 'data'),
    config: join(agent, 'qianzhi.yaml'),
    console: join(agent, 'console.log'),
    pki: ensurePki(join(root, 'pki'), { marker: true }),
  };
}

/** The ports of the last time where they are still free, else new ones; remembered. */
export async function settlePorts({ root }: DemoFolder, fresh = false): Promise<Ports> {
  const path = join(root, 'ports.json');
  let before: Partial<Ports> = {};
  try {
    if (!fresh) before = JSON.parse(readFileSync(path, 'utf8')) as Partial<Ports>;
  } catch {
    // A new folder.
  }
  const taken: number[] = [];
  const settle = async (port: number | undefined): Promise<number> => {
    const settled = Number.isInteger(port) && (await isFree(port!)) ? port! : await choosePort(taken);
    taken.push(settled);
    return settled;
  };
  const ports = {
    mllp: await settle(before.mllp),
    status: await settle(before.status),
    platform: await settle(before.platform),
  };
  put(path, `${JSON.stringify(ports)}\n`);
  return ports;
}

/** Writes the agent's configuration: what a hospital would write, with this folder's paths and ports. */
export function writeConfig(folder: DemoFolder, ports: Ports): void {
  const { root, pki } = folder;
  const config = {
    config_version: 1,
    site: { name: '示例市人民医院', org_code: '12100000MB0000001P', time_zone: 'Asia/Shanghai' },
    data: { folder: folder.data, key: `file:${join(root, 'agent', 'keys', 'data.key')}` },
    status: { host: '127.0.0.1', port: ports.status },
    log: { level: 'info', file: join(root, 'agent', 'agent.log') },
    sources: [{ name: 'lis', kind: 'hl7-mllp', profile: 'cn-default', host: '127.0.0.1', port: ports.mllp }],
    platforms: [
      {
        name: 'province',
        kind: 'https',
        format: 'wst500-cda',
        pack: 'cn-wst500',
        url: `https://localhost:${ports.platform}`,
        hold_seconds: 0,
        tls: { ca: pki.ca, cert: pki.clientCert, key: pki.clientKey },
      },
    ],
  };
  // ${…} would be taken for an environment variable; a folder may be called anything.
  const text = stringify(config).replaceAll('${', () => '$${');
  put(folder.config, `# 演示配置，每次启动重新生成。 The demo's configuration, written anew at each start.\n${text}`);
}

function put(path: string, text: string): void {
  writeFileSync(`${path}.part`, text);
  renameSync(`${path}.part`, path);
}
