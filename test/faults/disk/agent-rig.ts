import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { stringify } from 'yaml';
import type { MessageRow, StatusModel } from '../../../agent/status/model.ts';
import { buildAgent } from '../../../installer/build-agent.ts';
import { buildPage } from '../../../installer/build-page.ts';
import { createPki, type Pki } from '../../platform/pki.ts';
import { choosePort } from '../../platform/ports.ts';
import { type Province, startProvince } from '../../platform/province.ts';

const entry = fileURLToPath(new URL('../../../dist/agent/main.js', import.meta.url));

/** A process of the agent that ended. */
export interface Death {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** What it wrote to stderr. */
  said: string;
}

/** `qianzhi run` as it is installed, the simulated province over mutual TLS, and a service manager that starts it again. */
export interface AgentRig {
  root: string;
  data: string;
  province: Province;
  pki: Pki;
  mllp: { host: string; port: number };
  /** Every process that ended so far, in order. */
  deaths: Death[];
  /** Processes started so far. */
  starts(): number;
  pid(): number | undefined;
  /** Starts it; a service manager starts it again whenever it ends, until `stop`. */
  start(): void;
  stop(): Promise<void>;
  kill(): void;
  /** Resolves when a started agent says that it is ready; `false` when none does within the time. */
  ready(withinMs?: number): Promise<boolean>;
  status(): Promise<StatusModel | undefined>;
  messages(): Promise<MessageRow[]>;
  log(): Array<Record<string, unknown>>;
}

export interface RigOptions {
  root: string;
  /** Where the data folder lies; default `<root>/data`. */
  data?: string;
  env?: Record<string, string>;
  /** Flags of Node itself. */
  nodeFlags?: readonly string[];
  /** Milliseconds before it is started again. */
  restartMs?: number;
  holdSeconds?: number;
  province?: Province;
  pki?: Pki;
  /** Entries of the configuration in the place of the laboratory's listener, and after the province. */
  sources?: object[];
  platforms?: object[];
  /** What the province takes in the place of laboratory reports. */
  provincePlatform?: { format: string; pack: string };
}

/** Builds what is installed, at most once a run. */
export async function startAgentRig(t: Test, options: RigOptions): Promise<AgentRig> {
  await Promise.all([buildPage(), buildAgent()]);
  const { root, env = {}, restartMs = 100 } = options;
  const data = options.data ?? join(root, 'data');
  mkdirSync(root, { recursive: true });
  const pki = options.pki ?? createPki(join(root, 'pki'));
  const province =
    options.province ??
    (await startProvince({
      folder: join(root, 'province'),
      tls: { cert: pki.serverCert, key: pki.serverKey, ca: pki.ca },
    }));
  const taken: number[] = [];
  const mllpPort = await choosePort(taken);
  taken.push(mllpPort);
  const statusPort = await choosePort(taken);
  const config = join(root, 'qianzhi.yaml');
  const logFile = join(root, 'agent.log');
  writeFileSync(
    config,
    stringify({
      config_version: 1,
      site: { name: '示例市人民医院', org_code: '12100000MB0000001P', time_zone: 'Asia/Shanghai' },
      data: { folder: data, key: `file:${join(root, 'keys', 'data.key')}` },
      status: { host: '127.0.0.1', port: statusPort },
      log: { level: 'info', file: logFile },
      sources: options.sources ?? [
        { name: 'lis', kind: 'hl7-mllp', profile: 'cn-default', host: '127.0.0.1', port: mllpPort },
      ],
      platforms: [
        {
          name: 'province',
          kind: 'https',
          ...(options.provincePlatform ?? { format: 'wst500-cda', pack: 'cn-wst500' }),
          url: province.url,
          hold_seconds: options.holdSeconds ?? 0,
          tls: { ca: pki.ca, cert: pki.clientCert, key: pki.clientKey },
        },
        ...(options.platforms ?? []),
      ],
    }),
  );

  const deaths: Death[] = [];
  let child: ChildProcess | undefined;
  let wanted = false;
  let starts = 0;
  let again: NodeJS.Timeout | undefined;
  const begin = (): void => {
    starts += 1;
    const stderr = openSync(join(root, `stderr.${starts}`), 'a');
    const started = spawn(process.execPath, [...(options.nodeFlags ?? []), entry, 'run', '--config', config], {
      stdio: ['ignore', 'ignore', stderr],
      env: { ...process.env, NODE_OPTIONS: '', LC_ALL: 'en_US.UTF-8', ...env },
    });
    closeSync(stderr);
    const mine = starts;
    child = started;
    started.once('exit', (code, signal) => {
      if (child === started) child = undefined;
      const said = join(root, `stderr.${mine}`);
      deaths.push({ code, signal, said: existsSync(said) ? readFileSync(said, 'utf8') : '' });
      if (wanted) again = setTimeout(begin, restartMs);
    });
  };
  const url = `http://127.0.0.1:${statusPort}`;
  const get = async <T>(path: string): Promise<T | undefined> => {
    try {
      const answer = await fetch(new URL(path, url), { signal: AbortSignal.timeout(5_000) });
      return answer.ok ? ((await answer.json()) as T) : undefined;
    } catch {
      return undefined;
    }
  };
  const rig: AgentRig = {
    root,
    data,
    province,
    pki,
    mllp: { host: '127.0.0.1', port: mllpPort },
    deaths,
    starts: () => starts,
    pid: () => child?.pid,
    start() {
      wanted = true;
      begin();
    },
    async stop() {
      wanted = false;
      clearTimeout(again);
      const ending = child;
      if (!ending || ending.exitCode !== null || ending.signalCode !== null) return;
      const ended = once(ending, 'exit');
      ending.kill('SIGTERM');
      const late = setTimeout(() => ending.kill('SIGKILL'), 8_000);
      await ended;
      clearTimeout(late);
    },
    kill: () => void child?.kill('SIGKILL'),
    ready: (withinMs = 30_000) => eventually(async () => (await rig.status()) !== undefined, withinMs),
    status: () => get<StatusModel>('/api/v1/status'),
    messages: async () => (await get<{ messages: MessageRow[] }>('/api/v1/messages?limit=200'))?.messages ?? [],
    log: () =>
      existsSync(logFile)
        ? readFileSync(logFile, 'utf8')
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => JSON.parse(line) as Record<string, unknown>)
        : [],
  };
  t.teardown(async () => {
    await rig.stop();
    if (!options.province) await province.stop();
  });
  return rig;
}

/** Asks every 50 ms until it is so; false when the time has passed. By the monotonic clock. */
export async function eventually(condition: () => boolean | Promise<boolean>, withinMs = 30_000): Promise<boolean> {
  for (const end = performance.now() + withinMs; performance.now() < end; ) {
    if (await condition()) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

/** The test's own folder; tap removes one before it runs the teardowns added after it, but not when one was before. */
export function folderOf(t: Test): string {
  t.teardown(() => {});
  return t.testdir();
}

export const hasCompiler = (): boolean => spawnSync('gcc', ['--version']).status === 0;

/** Compiles the shim into a folder; gives the path of the library. */
export function buildShim(folder: string): string {
  const library = join(folder, 'shim.so');
  const source = fileURLToPath(new URL('shim.c', import.meta.url));
  execFileSync('gcc', ['-shared', '-fPIC', '-O2', '-Wall', '-Werror', '-o', library, source, '-ldl']);
  return library;
}

/** Why nothing can be mounted here, or false. */
export function cannotMount(): string | false {
  const folder = mkdtempSync(join(tmpdir(), 'qianzhi-mount-'));
  const tried = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'qianzhi-test', folder], { encoding: 'utf8' });
  if (tried.status === 0) spawnSync('umount', [folder]);
  rmdirSync(folder);
  return tried.status === 0 ? false : `mount is not permitted here: ${String(tried.stderr || tried.error).trim()}`;
}

/** A disk of its own: a tmpfs, unmounted when the test ends. */
export interface SmallDisk {
  folder: string;
  /** Fills it with a file of ours until so many bytes are free; gives space back when more than that is wanted. */
  leave(freeBytes: number): void;
  freeBytes(): number;
}

export function mountDisk(t: Test, folder: string, megabytes: number): SmallDisk {
  mkdirSync(folder, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'qianzhi-test', folder]);
  t.teardown(() => {
    // Lazily: whatever a test that failed has left running must not keep it.
    execFileSync('umount', ['-l', folder]);
  });
  const filler = join(folder, 'filler');
  const freeBytes = () => {
    const s = statfsSync(folder);
    return s.bavail * s.bsize;
  };
  return {
    folder,
    freeBytes,
    leave(wanted) {
      const size = existsSync(filler) ? statSync(filler).size : 0;
      const target = Math.max(0, size + freeBytes() - wanted);
      if (target === 0) return void rmSync(filler, { force: true });
      if (target < size) return truncateSync(filler, target);
      const fd = openSync(filler, 'a');
      const block = Buffer.alloc(64 * 1024, 1);
      try {
        for (let left = target - size; left > 0; left -= block.length) {
          writeSync(fd, block, 0, Math.min(block.length, left));
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      } finally {
        closeSync(fd);
      }
    },
  };
}
