import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
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

/** A child over IPC whose first message says that it is ready. */
export async function startChild<Ready>(
  script: string,
  given: string[] = [],
): Promise<{ child: ChildProcess; ready: Ready }> {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), given, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const gone = once(child, 'exit').then(() => {
    throw new Error(`${script} ended before it was ready`);
  });
  const [ready] = (await Promise.race([once(child, 'message'), gone])) as [Ready];
  gone.catch(() => {});
  return { child, ready };
}

/** Ends a child of ours and waits for it. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

/** Starts a command that prints one line of JSON when it is ready. Gives that line and the milliseconds it took. */
export async function startUntilLine(command: string[]): Promise<{ child: ChildProcess; line: string; ms: number }> {
  const started = performance.now();
  const child = spawn(process.execPath, command, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout! });
  const gone = once(child, 'exit').then(([code]) => {
    throw new Error(`${command.join(' ')} ended with ${code} before it was ready`);
  });
  const [line] = (await Promise.race([once(lines, 'line'), gone])) as [string];
  gone.catch(() => {});
  return { child, line, ms: performance.now() - started };
}
