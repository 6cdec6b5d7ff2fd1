import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAgent, lessOfLibraries, threadEntries } from '../../installer/build-agent.ts';
import { buildPage } from '../../installer/build-page.ts';
import { root } from '../../installer/outputs.ts';
import { serviceEnvironment } from '../../installer/run-settings.ts';
import type { ChildScript } from './process.ts';

/** A program to be measured and how it is started: what goes before its own arguments. */
export interface Program {
  file: string;
  before: string[];
  environment: Record<string, string>;
  /** Bytes on disk: the executable, and what it needs beside it. */
  bytes: number;
}

export interface Programs {
  /** The agent as users run it: the bundle under the flags of `npm start`. */
  agent: Program;
  /** dist/qianzhi, where it was built (`npm run build`). */
  binary?: Program & { older: boolean };
  /** V8's flags that the agent runs under. */
  flags: string[];
  /** A bundled part of the benchmark, under the same flags and environment. */
  part(name: 'intake-server' | 'writer-jobs'): ChildScript;
  /** Environment in which every sync takes 10 ms longer; undefined where there is no C compiler. */
  slowDisk?: Record<string, string>;
}

const path = (relative: string): string => fileURLToPath(new URL(relative, root));
const sizeOf = (files: string[]): number => files.reduce((sum, file) => sum + statSync(file).size, 0);

/** V8's flags of the start script, and what the service definition adds (decision 0007). */
function howUsersRun(): { flags: string[]; environment: Record<string, string> } {
  const { scripts } = JSON.parse(readFileSync(path('package.json'), 'utf8')) as { scripts: { start: string } };
  const words = scripts.start.split(' ');
  const flags = words.slice(1, words.indexOf('dist/agent/main.js'));
  if (words[0] !== 'node' || !flags.every((flag) => flag.startsWith('--'))) throw new Error('the start script changed');
  return { flags, environment: serviceEnvironment };
}

/** Builds what is measured; `folder` is for what is of this run only. */
export async function preparePrograms(folder: string): Promise<Programs> {
  await Promise.all([buildPage(), buildAgent()]);
  const { flags, environment } = howUsersRun();
  const parts = await bundleParts();
  const main = path('dist/agent/main.js');
  const bundle = ['agent/*.js', 'web/page.*', 'web/index.html'].flatMap((pattern) => globSync(path(`dist/${pattern}`)));
  const built = path('dist/qianzhi');
  const shim = compileShim(folder);
  return {
    agent: {
      file: process.execPath,
      before: [...flags, main],
      environment,
      bytes: sizeOf([process.execPath, ...bundle]),
    },
    ...(existsSync(built)
      ? {
          binary: {
            file: built,
            before: [],
            environment,
            bytes: statSync(built).size,
            older: statSync(built).mtimeMs < statSync(main).mtimeMs,
          },
        }
      : {}),
    flags,
    part: (name) => ({ script: join(parts, `${name}.js`), flags, environment }),
    ...(shim === undefined
      ? {}
      : { slowDisk: { LD_PRELOAD: shim, SHIM_PATH: basename(folder), SHIM_DELAY_US: '10000' } }),
  };
}

/** The benchmark's own parts that run the product's code, bundled as the agent is, and as deep below the root; of this run only: another may be under way. */
async function bundleParts(): Promise<string> {
  const { build } = await import('esbuild');
  const out = path(`dist/bench-${process.pid}/`);
  process.once('exit', () => rmSync(out, { recursive: true, force: true }));
  await build({
    absWorkingDir: path('./'),
    entryPoints: {
      ...threadEntries(),
      'commit-thread': 'test/bench/commit-thread.ts',
      'intake-server': 'test/bench/intake-server.ts',
      'writer-jobs': 'test/bench/writer-jobs.ts',
    },
    outdir: out,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    logLevel: 'silent',
    plugins: lessOfLibraries,
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
  });
  return out;
}

/** The shim of the fault tests, of whose faults only the delay is used. */
function compileShim(folder: string): string | undefined {
  const library = join(folder, 'shim.so');
  if (process.platform !== 'linux') return undefined;
  try {
    const source = path('test/faults/disk/shim.c');
    execFileSync('gcc', ['-O2', '-shared', '-fPIC', '-o', library, source, '-ldl'], { stdio: 'ignore' });
    return library;
  } catch {
    return undefined;
  }
}
