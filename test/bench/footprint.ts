import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareAgent, runAgent } from './agent.ts';
import type { BenchRun, Measurement } from './bench-run.ts';
import { end, rssMb, startUntilLine } from './process.ts';
import { startProvince } from './province.ts';
import { allOrNone, median } from './table.ts';

export const programNames = ['node', 'agent', 'binary'] as const;
export type ProgramName = (typeof programNames)[number];

export interface ProgramRow {
  name: ProgramName;
  readyMs: number;
  listeningMs?: number;
  /** Resident when nothing has happened for `idleSeconds` after the start. */
  idleRssMb?: number;
  /** On disk: executable and all that belongs to it. */
  bytes?: number;
}

export interface ProgramsResult {
  idleSeconds: number;
  rows: ProgramRow[];
}

/** An empty program: what Node itself takes. */
const nothing = 'console.log("{}"); setInterval(() => {}, 1e9)';

/**
 * Node alone, the agent run by Node, and the single binary: starts on an empty folder with the province up, one
 * after the other; then, in the first round, memory after all of them have idled side by side.
 */
export function measurePrograms(run: BenchRun): Measurement<ProgramsResult> {
  const { agent, binary } = run.programs;
  const found = new Map<ProgramName, Array<{ readyMs: number; listeningMs?: number }>>();
  const idle = new Map<ProgramName, number | undefined>();
  if (!binary) run.note('dist/qianzhi is not built (npm run build): the rows of the single binary are left out');
  else if (binary.older) run.note('dist/qianzhi is older than dist/agent: its rows are of an older program');

  return {
    async round(number) {
      const folder = join(run.folder, `programs-${number}`);
      const running: Array<{ name: ProgramName; child: ChildProcess }> = [];
      const province = await startProvince(join(folder, 'province'), run.pki, 'up');
      try {
        for (const name of programNames) {
          if (name === 'binary' && !binary) continue;
          run.say(`start: ${name}`);
          let started: { child: ChildProcess; readyMs: number; listeningMs?: number };
          if (name === 'node') {
            const { child, ms } = await startUntilLine(process.execPath, ['-e', nothing]);
            started = { child, readyMs: ms };
          } else {
            const site = await prepareAgent(join(folder, name), province.url, run.pki);
            started = await runAgent(site, name === 'binary' && binary ? binary : agent);
          }
          running.push({ name, child: started.child });
          found.set(name, [...(found.get(name) ?? []), started]);
        }
        if (number > 1) return;
        run.say(`idle for ${run.plan.idleMs / 1000} s`);
        await sleep(run.plan.idleMs);
        for (const { name, child } of running) idle.set(name, rssMb(child.pid!));
      } finally {
        for (const { child } of running) await end(child);
        await province.stop();
        rmSync(folder, { recursive: true, force: true });
      }
    },
    result: () => ({
      idleSeconds: run.plan.idleMs / 1000,
      rows: [...found].map(([name, starts]) => {
        const listening = allOrNone(starts.map((s) => s.listeningMs));
        const bytes = name === 'agent' ? agent.bytes : name === 'binary' ? binary?.bytes : undefined;
        return {
          name,
          readyMs: median(starts.map((s) => s.readyMs)),
          ...(listening ? { listeningMs: median(listening) } : {}),
          idleRssMb: idle.get(name),
          ...(bytes === undefined ? {} : { bytes }),
        };
      }),
    }),
  };
}
