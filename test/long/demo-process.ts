import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ReadyLine } from '../demo/launcher.ts';

const entry = fileURLToPath(new URL('../demo/demo.ts', import.meta.url));

/** A ready line and when it was read, in milliseconds of `performance.now()`. */
export interface Ready {
  line: ReadyLine;
  atMs: number;
}

/** The whole product as a machine drives it: `demo --json --no-traffic`. */
export interface DemoProcess {
  /** Ready lines so far, the last one being the agent that runs. */
  ready: Ready[];
  /** Resolves when there are `count` ready lines. Rejects when the demo ended or `withinMs` passed. */
  readyTimes(count: number, withinMs: number): Promise<Ready>;
  /** One line on its stdin. */
  tell(line: string): void;
  /** Ends it through its stdin; resolves with its exit code. */
  stop(): Promise<number | null>;
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Starts the demo in a folder; what it and its children print on stderr goes to ours. */
export function startDemoProcess(folder: string, ...flags: string[]): DemoProcess {
  const child: ChildProcess = spawn(process.execPath, [entry, '--json', '--no-traffic', '--dir', folder, ...flags], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ready: Ready[] = [];
  const exit = once(child, 'exit') as Promise<[number | null]>;
  let ended = false;
  let changed = () => {};
  createInterface({ input: child.stdout! }).on('line', (line) => {
    ready.push({ line: JSON.parse(line) as ReadyLine, atMs: performance.now() });
    changed();
  });
  void exit.then(() => {
    ended = true;
    changed();
  });
  return {
    ready,
    async readyTimes(count, withinMs) {
      const late = performance.now() + withinMs;
      for (;;) {
        const found = ready[count - 1];
        if (found !== undefined) return found;
        if (ended) throw new Error('the demo ended');
        const leftMs = late - performance.now();
        if (leftMs <= 0) throw new Error(`no ready line ${count} within ${withinMs} ms`);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, leftMs);
          changed = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    },
    tell: (line) => void child.stdin!.write(`${line}\n`),
    async stop() {
      child.stdin!.end();
      const [code] = await exit;
      // The folder is removed next, and the agent may still be closing its files when the demo is gone.
      const pid = ready.at(-1)?.line.agentPid;
      for (const late = performance.now() + 5_000; pid !== undefined && isAlive(pid) && performance.now() < late; ) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return code;
    },
  };
}
