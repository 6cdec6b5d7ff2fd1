import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { prepareAgent, runAgent } from './agent.ts';
import type { BenchRun, Measurement } from './bench-run.ts';
import type { LoadResult } from './load.ts';
import { cpuSeconds, end, peakRssMb, startChild, threadCpu, threadCpuSince } from './process.ts';
import { type Progress, reached, watchProgress } from './progress.ts';
import { startProvince } from './province.ts';
import { allOrNone, median } from './table.ts';

export interface RateRow {
  p50Ms: number;
  p99Ms: number;
  /** Ack p99 of each round. */
  p99sMs: number[];
  maxMs: number;
  cpuUs?: number;
  /** How late the load generator itself was, 99th percentile. */
  lateP99Ms: number;
}

/** Messages at a fixed rate: listener and store alone, and all the way to the province. Medians over the rounds. */
export interface RateResult {
  perSecond: number;
  seconds: number;
  connections: number;
  intakeOnly: RateRow;
  wholePath: RateRow & {
    messages: number;
    /** p99 of the whole path / of intake only in the same round. */
    p99Ratio: number;
    /** Received and not yet delivered when the load ended. */
    backlog: number;
    waitingForMapping: number;
    /** Growth of the backlog over the last two thirds of the time, messages a second. */
    backlogSlope: number;
    /** From the end of the load until all was delivered; undefined when it was given up. */
    settledSeconds?: number;
    /** From the start of the load until all was delivered, a message. `cpuUs` is of the load's time only. */
    agentCpuUs?: number;
    threadsUs: Record<string, number>;
    provinceCpuUs?: number;
    loadCpuUs?: number;
    peakRssMb?: number;
    /** Received − delivered, each half second of the last round. */
    backlogs: number[];
  };
}

const sampleMs = 500;

interface WholeSample
  extends Pick<RateResult['wholePath'], 'threadsUs' | 'agentCpuUs' | 'provinceCpuUs' | 'peakRssMb'> {
  load: LoadResult;
  samples: Array<Progress & { atMs: number }>;
  settledSeconds?: number;
}

export function measureRate(run: BenchRun): Measurement<RateResult> {
  const { plan } = run;
  const { perSecond, rateConnections: connections, rateWarmupMs: warmupMs } = plan;
  const intake: LoadResult[] = [];
  const whole: WholeSample[] = [];

  async function intakeOnly(folder: string): Promise<void> {
    run.say(`${perSecond} messages/s: intake only`);
    mkdirSync(folder, { recursive: true });
    const { child, ready } = await startChild<{ port: number }>({
      ...run.programs.part('intake-server'),
      given: [folder],
    });
    try {
      const { port } = ready;
      intake.push(
        await run.load({ port, pid: child.pid!, connections, warmupMs, windowMs: plan.intakeRateMs, perSecond }),
      );
    } finally {
      await end(child);
    }
  }

  async function wholePath(folder: string): Promise<void> {
    run.say(`${perSecond} messages/s: whole path, ${plan.wholePathMs / 1000} s`);
    const province = await startProvince(join(folder, 'province'), run.pki, 'up');
    const site = await prepareAgent(join(folder, 'agent'), province.url, run.pki);
    const agent = await runAgent(site, run.programs.agent, run.profile);
    const watch = watchProgress(site);
    const samples: WholeSample['samples'] = [];
    const startedMs = performance.now();
    const look = setInterval(() => samples.push({ ...watch.now(), atMs: performance.now() - startedMs }), sampleMs);
    try {
      const [agentBefore, provinceBefore, threadsBefore] = [
        cpuSeconds(agent.pid),
        cpuSeconds(province.pid),
        threadCpu(agent.pid),
      ];
      const windowMs = plan.wholePathMs - warmupMs;
      const load = await run.load({ port: site.port, pid: agent.pid, connections, warmupMs, windowMs, perSecond });
      samples.push({ ...watch.now(), atMs: performance.now() - startedMs });
      clearInterval(look);
      const overMs = performance.now();
      const all = await reached(agent, watch, 'delivered', load.ackedInAll, plan.settleMs);
      const { delivered, received } = watch.now();
      if (received !== load.ackedInAll) throw new Error(`${load.ackedInAll} acknowledged, ${received} stored`);
      if (all && province.accepted().documents !== delivered)
        throw new Error(`${delivered} said to be delivered, ${province.accepted().documents} arrived`);
      const per = (before: number | undefined, after: number | undefined) =>
        before === undefined || after === undefined ? undefined : ((after - before) * 1e6) / delivered;
      const threads = Object.entries(threadCpuSince(agent.pid, threadsBefore));
      whole.push({
        load,
        samples,
        // What was begun and is not finished cannot be counted a message.
        agentCpuUs: all ? per(agentBefore, cpuSeconds(agent.pid)) : undefined,
        provinceCpuUs: per(provinceBefore, cpuSeconds(province.pid)),
        peakRssMb: peakRssMb(agent.pid),
        threadsUs: Object.fromEntries(threads.map(([name, seconds]) => [name, (seconds * 1e6) / delivered])),
        ...(all ? { settledSeconds: (performance.now() - overMs) / 1000 } : {}),
      });
    } finally {
      clearInterval(look);
      watch.close();
      // What is still waiting is of no interest any more, unless its profile is.
      await end(agent.child, run.profile === undefined ? 'SIGKILL' : 'SIGTERM');
      await province.stop();
    }
  }

  return {
    async round(number) {
      const folder = join(run.folder, `rate-${number}`);
      try {
        await intakeOnly(join(folder, 'intake'));
        await wholePath(join(folder, 'whole'));
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    result() {
      const last = whole.map(({ samples }) => samples.at(-1)!);
      const over = (value: (sample: WholeSample) => number | undefined) => {
        const values = allOrNone(whole.map(value));
        return values && median(values);
      };
      const settled = over(({ settledSeconds }) => settledSeconds);
      return {
        perSecond,
        seconds: plan.wholePathMs / 1000,
        connections,
        intakeOnly: rateRow(intake),
        wholePath: {
          ...rateRow(whole.map(({ load }) => load)),
          messages: whole.reduce((sum, { load }) => sum + load.ackedInAll, 0),
          p99Ratio: median(whole.map(({ load }, i) => load.p99Ms / intake[i]!.p99Ms)),
          backlog: median(last.map((l) => l.received - l.delivered)),
          waitingForMapping: median(last.map((l) => l.received - l.mapped)),
          backlogSlope: median(whole.map(({ samples }) => slope(samples))),
          settledSeconds: settled,
          agentCpuUs: over((sample) => sample.agentCpuUs),
          provinceCpuUs: over((sample) => sample.provinceCpuUs),
          loadCpuUs: over(({ load }) =>
            load.loadCpuSeconds === undefined ? undefined : (load.loadCpuSeconds * 1e6) / load.acked,
          ),
          peakRssMb: over((sample) => sample.peakRssMb),
          threadsUs: whole.at(-1)!.threadsUs,
          backlogs: whole.at(-1)!.samples.map((sample) => sample.received - sample.delivered),
        },
      };
    },
  };
}

function rateRow(found: LoadResult[]): RateRow {
  const p99sMs = found.map(({ p99Ms }) => p99Ms);
  const cpu = allOrNone(found.map((one) => one.cpuSeconds));
  const acked = found.reduce((sum, one) => sum + one.acked, 0);
  return {
    p50Ms: median(found.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(p99sMs),
    p99sMs,
    maxMs: Math.max(...found.map(({ maxMs }) => maxMs)),
    lateP99Ms: median(found.map(({ lateP99Ms }) => lateP99Ms ?? Number.NaN)),
    ...(cpu ? { cpuUs: (cpu.reduce((sum, one) => sum + one, 0) * 1e6) / acked } : {}),
  };
}

/** Least squares through the backlog of the last two thirds of the samples: messages a second. */
function slope(samples: WholeSample['samples']): number {
  const points = samples
    .slice(Math.floor(samples.length / 3))
    .map(({ atMs, received, delivered }) => ({ x: atMs / 1000, y: received - delivered }));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(points.map((p) => p.x));
  const y = mean(points.map((p) => p.y));
  const spread = points.reduce((sum, p) => sum + (p.x - x) ** 2, 0);
  return points.reduce((sum, p) => sum + (p.x - x) * (p.y - y), 0) / spread;
}
