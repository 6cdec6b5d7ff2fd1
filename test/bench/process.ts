import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Clock ticks a second of /proc/<pid>/stat: USER_HZ, 100 on every Linux that Node runs on. */
const ticks = 100;

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
};
const seconds = (stat: string | undefined): number | undefined => {
  const fields = stat?.slice(stat.lastIndexOf(') ') + 2).split(' ');
  return fields && (Number(fields[11]) + Number(fields[12])) / ticks;
};

/** CPU seconds (user and system) a process has used; undefined where there is no /proc. */
export const cpuSeconds = (pid: number): number | undefined => seconds(read(`/proc/${pid}/stat`));

/** Resident memory in MB (10^6 bytes). */
export const rssMb = (pid: number): number | undefined => {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  return kilobytes === undefined ? undefined : (Number(kilobytes) * 1024) / 1e6;
};

/** CPU seconds of each thread, by thread id with its name. */
export function threadCpu(pid: number): Map<string, { name: string; seconds: number }> {
  const found = new Map<string, { name: string; seconds: number }>();
  try {
    for (const id of readdirSync(`/proc/${pid}/task`)) {
      const used = seconds(read(`/proc/${pid}/task/${id}/stat`));
      const name = read(`/proc/${pid}/task/${id}/comm`)?.trim() ?? '';
      if (used !== undefined) found.set(id, { name, seconds: used });
    }
  } catch {
    // Not Linux, or gone.
  }
  return found;
}

/** The most resident memory a process ever had, in MB (10^6 bytes). */
export const peakRssMb = (pid: number): number | undefined => {
  const kilobytes = /VmHWM:\s+(\d+)/.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  return kilobytes === undefined ? undefined : (Number(kilobytes) * 1024) / 1e6;
};

/** CPU seconds of each thread by its name since `before`; the thread that has the process's id is `main`. */
export function threadCpuSince(pid: number, before: ReturnType<typeof threadCpu>): Record<string, number> {
  const used: Record<string, number> = {};
  for (const [id, { name, seconds }] of threadCpu(pid)) {
    const label = Number(id) === pid ? 'main' : name;
    used[label] = (used[label] ?? 0) + seconds - (before.get(id)?.seconds ?? 0);
  }
  return used;
}

const alive = new Set<ChildProcess>();
const known = (child: ChildProcess): void => {
  alive.add(child);
  child.once('exit', () => alive.delete(child));
};
/** Ends at once whatever was started here and still runs. */
export const killAll = (): void => {
  for (const child of alive) child.kill('SIGKILL');
};

/** How a child is started: a script of this folder or a built one, with flags of Node and environment. */
export interface ChildScript {
  script: string;
  given?: string[];
  flags?: string[];
  environment?: Record<string, string>;
}

/** A child over IPC whose first message says that it is ready. */
export async function startChild<Ready>(how: ChildScript): Promise<{ child: ChildProcess; ready: Ready }> {
  const path = isAbsolute(how.script) ? how.script : fileURLToPath(new URL(how.script, import.meta.url));
  const child = fork(path, how.given ?? [], {
    execArgv: how.flags ?? [],
    env: { ...process.env, ...how.environment },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  known(child);
  const gone = once(child, 'exit').then(() => {
    throw new Error(`${how.script} ended before it was ready`);
  });
  const [ready] = (await Promise.race([once(child, 'message'), gone])) as [Ready];
  gone.catch(() => {});
  return { child, ready };
}

/** A child that answers one job after the other over IPC; it tells `{ ready }` first, then `{ result }` or `{ failed }`. */
export async function startWorker<Job extends object, Result>(
  how: ChildScript,
): Promise<{ child: ChildProcess; run(job: Job): Promise<Result> }> {
  const { child } = await startChild<unknown>(how);
  return {
    child,
    run: (job) =>
      new Promise<Result>((done, failed) => {
        const gone = () => failed(new Error(`${how.script} ended in the middle of its work`));
        child.once('exit', gone);
        child.once('message', (answer: { result: Result } | { failed: string }) => {
          child.off('exit', gone);
          if ('failed' in answer) failed(new Error(answer.failed));
          else done(answer.result);
        });
        child.send(job);
      }),
  };
}

/** The other side of `startWorker`. */
export function serveJobs<Job, Result>(work: (job: Job) => Promise<Result>): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (job: Job) => {
    work(job).then(
      (result) => process.send?.({ result }),
      (error: Error) => process.send?.({ failed: error.message }),
    );
  });
  process.send?.({ ready: true });
}

/** Ends a child of ours and waits for it. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

export interface Started {
  child: ChildProcess;
  pid: number;
  line: string;
  /** From the start until the line. */
  ms: number;
  startedMs: number;
  lines: Interface;
}

/** Starts a command that prints one line of JSON when it is ready. */
export async function startUntilLine(
  file: string,
  given: string[],
  environment: Record<string, string> = {},
  meanwhile: (startedMs: number) => void = () => {},
): Promise<Started> {
  const startedMs = performance.now();
  const child = spawn(file, given, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  known(child);
  meanwhile(startedMs);
  // What it tells people is of interest when it fails.
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  const lines = createInterface({ input: child.stdout });
  const gone = once(child, 'exit').then(([code]) => {
    throw new Error(`${file} ended with ${code} before it was ready:\n${said}`);
  });
  const [line] = (await Promise.race([once(lines, 'line'), gone])) as [string];
  gone.catch(() => {});
  return { child, pid: child.pid!, line, ms: performance.now() - startedMs, startedMs, lines };
}
