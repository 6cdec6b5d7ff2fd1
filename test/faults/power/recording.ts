import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { quickFolder } from '../../quick-folder.ts';
import type { Mark, Plan } from './oracle.ts';

/** One thing the recorded process asked of the disk, or a mark of the oracle. Paths are below the root. */
export type Op =
  | { op: 'open'; fd: number; path: string; created: boolean; truncated: boolean }
  | { op: 'close'; fd: number }
  | { op: 'write'; fd: number; offset: number; data: Buffer }
  | { op: 'truncate'; fd: number; size: number }
  | { op: 'sync-begins'; fd: number; id: number }
  | { op: 'sync-ends'; fd: number; id: number }
  | { op: 'rename' | 'link'; path: string; to: string }
  | { op: 'unlink' | 'mkdir'; path: string }
  | { op: 'mark'; mark: Mark };

export interface Recording {
  ops: Op[];
  /** The folder as the recorded process left it. */
  root: string;
}

/** Why nothing can be recorded here; false when it can. */
export const cannotRecord: string | false =
  process.platform !== 'linux'
    ? 'the recorder is for Linux'
    : spawnSync('gcc', ['--version']).status !== 0 && 'gcc is not installed';

/** Compiles the recorder into `folder` and returns its path. */
export function buildRecorder(folder: string): string {
  const source = fileURLToPath(new URL('recorder.c', import.meta.url));
  const library = join(folder, 'recorder.so');
  execFileSync('gcc', ['-shared', '-fPIC', '-O2', '-Wall', '-Wextra', '-Werror', '-o', library, source, '-ldl']);
  return library;
}

export const makeFolder = (): string => realpathSync(mkdtempSync(join(tmpdir(), 'qianzhi-power-')));

/** Where what a cut leaves is opened: in memory, for what is opened there has nothing to prove about syncs. */
export const makeQuickFolder = (): string => quickFolder('power');

/**
 * Runs the load in a process of its own under the recorder.
 * @param root an existing folder, whose content counts as durable when the recording begins.
 * @param script the process, a file of this folder.
 */
export function recordLoad(recorder: string, root: string, plan: Plan, script: string): Recording {
  const beside = makeFolder();
  const log = join(beside, 'log');
  const marks = join(beside, 'marks');
  const child = fileURLToPath(new URL(script, import.meta.url));
  const done = spawnSync(process.execPath, [child, root, marks, JSON.stringify(plan)], {
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      LD_PRELOAD: recorder,
      RECORD_ROOT: root,
      RECORD_LOG: log,
      RECORD_MARKS: marks,
    },
    encoding: 'utf8',
    timeout: 120_000,
  });
  if (done.status !== 0)
    throw new Error(`the recorded process ended with ${done.status ?? done.signal}: ${done.stderr}`);
  const ops = readRecording(readFileSync(log));
  rmSync(beside, { recursive: true });
  return { ops, root };
}

function readRecording(bytes: Buffer): Op[] {
  const ops: Op[] = [];
  for (let at = 0; at < bytes.length; ) {
    const code = String.fromCharCode(bytes[at] ?? 0);
    const pathLength = bytes.readUInt16LE(at + 2);
    const fd = bytes.readInt32LE(at + 4);
    const offset = Number(bytes.readBigInt64LE(at + 8));
    const length = bytes.readUInt32LE(at + 16);
    const extra = bytes.readUInt32LE(at + 20);
    at += 24;
    const path = bytes.toString('utf8', at, at + pathLength);
    at += pathLength;
    const data = bytes.subarray(at, at + length);
    at += length;
    ops.push(opOf(code, { path, fd, offset, extra, data }));
  }
  return ops;
}

function opOf(code: string, r: { path: string; fd: number; offset: number; extra: number; data: Buffer }): Op {
  const { path, fd, offset, extra, data } = r;
  switch (code) {
    case 'O':
      return { op: 'open', fd, path, created: (extra & 1) !== 0, truncated: (extra & 2) !== 0 };
    case 'C':
      return { op: 'close', fd };
    case 'W':
      return { op: 'write', fd, offset, data };
    case 'T':
      return { op: 'truncate', fd, size: offset };
    case 's':
      return { op: 'sync-begins', fd, id: extra };
    case 'S':
      return { op: 'sync-ends', fd, id: extra };
    case 'R':
      return { op: 'rename', path, to: data.toString() };
    case 'L':
      return { op: 'link', path, to: data.toString() };
    case 'U':
      return { op: 'unlink', path };
    case 'K':
      return { op: 'mkdir', path };
    case 'M':
      return { op: 'mark', mark: JSON.parse(data.toString()) as Mark };
    default:
      throw new Error(`the recording is unreadable at ${code}`);
  }
}
