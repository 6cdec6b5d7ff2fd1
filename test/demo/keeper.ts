import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Kept {
  /** Sends to the child; lost when it is down, for a restarted child is told anew. */
  tell(message: string): void;
  pid(): number | undefined;
  /** Asks the child to end, and kills it when it has not within the time. Never starts it again. */
  stop(withinMs: number): Promise<void>;
}

export interface KeeperOptions {
  script: URL;
  /** Flags of Node itself, as the service definition gives them. */
  nodeFlags?: string[];
  /** Environment the service definition adds. */
  environment?: Record<string, string>;
  /** Asked at each start. */
  arguments: () => Promise<string[]> | string[];
  /** File descriptor for what the child writes. */
  output: number | 'ignore';
  message: (message: unknown) => void;
  /** After the child died by itself. `false`: do not start it again. */
  died: (code: number | null, signal: NodeJS.Signals | null) => boolean;
  /** A child that could not even be started, or `arguments` threw. */
  failed: (error: unknown) => void;
}

/** Starts a child that died again this much later; more slowly each time it dies young. */
const pauses = [0, 100, 250, 500, 1000, 2000];
const grownUpMs = 5_000;

/** Keeps a child process running, as a service manager would. */
export function keepRunning(options: KeeperOptions): Kept {
  let child: ChildProcess | undefined;
  let stopping = false;
  let young = 0;
  let timer: NodeJS.Timeout | undefined;

  async function start(): Promise<void> {
    const given = await options.arguments();
    if (stopping) return;
    const startedMs = performance.now();
    // The channel doubles as a lifeline: children end when it breaks, however the launcher died.
    const starting = spawn(process.execPath, [...(options.nodeFlags ?? []), fileURLToPath(options.script), ...given], {
      stdio: ['ignore', options.output, options.output, 'ipc'],
      env: { ...process.env, ...options.environment },
      windowsHide: true,
    });
    child = starting;
    starting.on('message', options.message);
    starting.on('error', options.failed);
    starting.on('exit', (code, signal) => {
      if (child === starting) child = undefined;
      if (stopping) return;
      young = performance.now() - startedMs < grownUpMs ? young + 1 : 0;
      if (!options.died(code, signal)) return;
      timer = setTimeout(() => void start().catch(options.failed), pauses[Math.min(young, pauses.length) - 1] ?? 0);
    });
  }
  void start().catch(options.failed);

  return {
    tell(message) {
      if (child?.connected) child.send(message, () => {});
    },
    pid: () => child?.pid,
    async stop(withinMs) {
      stopping = true;
      clearTimeout(timer);
      const ending = child;
      if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
      await new Promise<void>((resolve) => {
        const kill = setTimeout(() => ending.kill('SIGKILL'), withinMs);
        ending.once('exit', () => {
          clearTimeout(kill);
          resolve();
        });
        if (ending.connected) ending.send('stop', () => {});
      });
    },
  };
}
