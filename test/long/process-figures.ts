import { existsSync, readFileSync } from 'node:fs';

/** Whether this system tells what a process uses (Linux). */
export const canReadProcesses = existsSync('/proc/self/status');

/** Resident memory of a process in MB: now, and the most it ever had. Undefined when it is gone. */
export function residentMemory(pid: number): { nowMb: number; peakMb: number } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
    const found = { nowMb: field('VmRSS'), peakMb: field('VmHWM') };
    // One that has ended and was not yet waited for has a status and no memory.
    return Number.isNaN(found.nowMb) ? undefined : found;
  } catch {
    return undefined;
  }
}

/** Milliseconds since a process was started, to 10 ms; undefined when it is gone. */
export function processAgeMs(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // After the name in parentheses: starttime is field 22, in ticks of 10 ms since the machine's start.
    const started = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]) * 10;
    return Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000 - started;
  } catch {
    return undefined;
  }
}

/** CPU seconds that a process has used, all threads, user and system; undefined when it is gone. */
export function cpuSeconds(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // After the name in parentheses: utime and stime are fields 14 and 15, in ticks of 10 ms.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}

/** CPU time of the whole machine since it started, in ticks: all of it, and what a host beneath it took away. */
export function machineTicks(): { all: number; taken: number } {
  const [cpu = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  const ticks = cpu.split(/\s+/).slice(1, 9).map(Number);
  return { all: ticks.reduce((sum, n) => sum + n, 0), taken: ticks[7] ?? 0 };
}
