import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ReadyLine } from './launcher.ts';

const entry = fileURLToPath(new URL('demo.ts', import.meta.url));
const waitMs = 60_000;

/** The demo as a machine runs it: `node test/demo/demo.ts --json`. */
export interface RunningDemo {
  child: ChildProcess;
  /** The next line of stdout, as JSON. */
  next(): Promise<ReadyLine>;
  /** Writes a line to its stdin. */
  tell(line: string): void;
  /** Exit code and signal. */
  exit: Promise<unknown>;
}

/**
 * The test's own folder for a demo. tap removes a folder before it runs the teardowns that were added
 * later than the folder; one added before makes it wait until the demo has ended.
 */
export function demoFolder(t: { teardown(handler: () => unknown): void; testdir(): string }): string {
  t.teardown(() => {});
  return t.testdir();
}

/** Starts the demo in a folder; it is ended with the test at the latest. */
export function runDemo(
  t: { teardown(handler: () => unknown): void },
  folder: string,
  ...flags: string[]
): RunningDemo {
  // tap adds a loader of its own to every Node process through NODE_OPTIONS: nobody reads what it writes.
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, [entry, '--json', '--dir', folder, ...flags], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env,
  });
  const exit = once(child, 'exit');
  t.teardown(async () => {
    child.stdin!.end();
    await exit;
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return {
    child,
    exit,
    async next() {
      const { value, done } = await lines.next();
      if (done) throw new Error('the demo ended');
      return JSON.parse(value) as ReadyLine;
    },
    tell: (line) => void child.stdin!.write(`${line}\n`),
  };
}

/** Whether a process of this id exists. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Asks every 50 ms until it is so; false after half a minute. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<boolean> {
  for (const endMs = Date.now() + waitMs; Date.now() < endMs; await new Promise((done) => setTimeout(done, 50))) {
    if (await condition()) return true;
  }
  return false;
}

/** Whether somebody listens at a loopback URL. */
export const isOpen = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });

/** File names of the bodies in the folder of accepted documents. */
export const bodies = (folder: string): string[] =>
  readdirSync(folder).filter((name) => /^\d+\.(xml|json)$/.test(name));
