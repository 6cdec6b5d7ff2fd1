import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { nobody, prepareAgent, runAgent } from './agent.ts';
import type { BenchRun, Measurement } from './bench-run.ts';
import { type DiskUse, measureDiskUse } from './disk-use.ts';
import { cpuSeconds, end, peakRssMb } from './process.ts';
import { reached, watchProgress } from './progress.ts';
import { type BenchProvince, startProvince } from './province.ts';
import type { StoreWriter } from './queued.ts';
import { allOrNone, median } from './table.ts';

export interface DrainRow {
  /** Between the first and the last acceptance in the province's books. */
  perSecond: number;
  rates: number[];
  agentCpuUs?: number;
  provinceCpuUs?: number;
  peakRssMb?: number;
}

/** A queue that is delivered over mutual TLS. */
export interface DrainResult {
  documents: number;
  documentBytes: number;
  /** Mapped and rendered before: the outbox is full when the province comes up. */
  rendered: DrainRow;
  /** Only received before: mapping and rendering run as well. */
  mapping: DrainRow;
  /** Mapping and rendering of the same messages with the province down. */
  renderPerSecond: number;
  /** Start after kill -9 with the rendered queue. */
  afterKill: { listeningMs: number; readyMs: number };
  diskUse: { received: DiskUse; rendered: DiskUse; delivered: DiskUse };
}

interface Sample {
  perSecond: number;
  agentCpuUs?: number;
  provinceCpuUs?: number;
  peakRssMb?: number;
}

const limitMs = 120_000;

export function measureDrain(run: BenchRun, writer: StoreWriter): Measurement<DrainResult> {
  const documents = run.plan.drainDocuments;
  const rendered: Sample[] = [];
  const mapping: Sample[] = [];
  const renderRates: number[] = [];
  const starts: Array<{ listeningMs: number; readyMs: number }> = [];
  let diskUse: DrainResult['diskUse'] | undefined;
  let documentBytes = 0;

  const fill = async (folder: string) => {
    const { rows } = await writer.run({ do: 'fill', folder, count: documents, withinMs: limitMs });
    if (rows !== documents) throw new Error(`filling took too long: ${rows} of ${documents}`);
  };
  /** Runs until everything is delivered; `go` is called when both are there. */
  async function drain(
    site: Awaited<ReturnType<typeof prepareAgent>>,
    province: BenchProvince,
    go: () => void,
  ): Promise<Sample & { listeningMs: number; readyMs: number }> {
    const agent = await runAgent(site, run.programs.agent, run.profile);
    const watch = watchProgress(site);
    try {
      const before = { agent: cpuSeconds(agent.pid), province: cpuSeconds(province.pid) };
      go();
      if (!(await reached(agent, watch, 'delivered', documents, limitMs)))
        throw new Error(`${watch.now().delivered} of ${documents} documents delivered in ${limitMs / 1000} s`);
      const per = (from: number | undefined, to: number | undefined) =>
        from === undefined || to === undefined ? undefined : ((to - from) * 1e6) / documents;
      const agentCpuUs = per(before.agent, cpuSeconds(agent.pid));
      const provinceCpuUs = per(before.province, cpuSeconds(province.pid));
      const accepted = province.accepted();
      documentBytes = accepted.documentBytes;
      if (accepted.documents !== documents)
        throw new Error(`${documents} reports in, ${accepted.documents} documents out`);
      const perSecond = (documents - 1) / accepted.seconds;
      const { listeningMs, readyMs } = agent;
      return { perSecond, agentCpuUs, provinceCpuUs, peakRssMb: peakRssMb(agent.pid), listeningMs, readyMs };
    } finally {
      watch.close();
      await end(agent.child);
    }
  }

  async function renderedFirst(folder: string): Promise<void> {
    run.say(`drain: ${documents} messages become documents`);
    const agentFolder = join(folder, 'agent');
    await fill(agentFolder);
    const received = measureDiskUse({ folder: agentFolder });
    let site = await prepareAgent(agentFolder, await nobody(), run.pki);
    let agent = await runAgent(site, run.programs.agent, run.profile);
    const fromMs = performance.now();
    const watch = watchProgress(site);
    const from = watch.now().rendered;
    const all = await reached(agent, watch, 'rendered', documents, limitMs);
    renderRates.push(((documents - from) * 1000) / (performance.now() - fromMs));
    watch.close();
    await end(agent.child);
    if (!all) throw new Error('rendering took too long');
    const waiting = measureDiskUse(site);

    agent = await runAgent(site, run.programs.agent);
    await end(agent.child, 'SIGKILL');

    run.say(`drain: ${documents} documents`);
    const province = await startProvince(join(folder, 'province'), run.pki, 'down');
    try {
      site = await prepareAgent(agentFolder, province.url, run.pki);
      const sample = await drain(site, province, province.up);
      rendered.push(sample);
      starts.push(sample);
    } finally {
      await province.stop();
    }
    diskUse = { received, rendered: waiting, delivered: measureDiskUse(site) };
  }

  async function withMapping(folder: string): Promise<void> {
    run.say(`drain: ${documents} messages, mapped and rendered meanwhile`);
    await fill(join(folder, 'agent'));
    const province = await startProvince(join(folder, 'province'), run.pki, 'up');
    try {
      const site = await prepareAgent(join(folder, 'agent'), province.url, run.pki);
      mapping.push(await drain(site, province, () => {}));
    } finally {
      await province.stop();
    }
  }

  return {
    async round(number) {
      for (const part of [renderedFirst, withMapping]) {
        const folder = join(run.folder, `drain-${number}`);
        try {
          await part(folder);
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      }
    },
    result: () => ({
      documents,
      documentBytes,
      rendered: summarise(rendered),
      mapping: summarise(mapping),
      renderPerSecond: median(renderRates),
      afterKill: {
        listeningMs: median(starts.map((s) => s.listeningMs)),
        readyMs: median(starts.map((s) => s.readyMs)),
      },
      diskUse: diskUse!,
    }),
  };
}

function summarise(samples: Sample[]): DrainRow {
  const middle = (values: Array<number | undefined>) => {
    const found = allOrNone(values);
    return found && median(found);
  };
  const rss = allOrNone(samples.map((s) => s.peakRssMb));
  return {
    perSecond: median(samples.map((s) => s.perSecond)),
    rates: samples.map((s) => s.perSecond),
    agentCpuUs: middle(samples.map((s) => s.agentCpuUs)),
    provinceCpuUs: middle(samples.map((s) => s.provinceCpuUs)),
    ...(rss ? { peakRssMb: Math.max(...rss) } : {}),
  };
}
