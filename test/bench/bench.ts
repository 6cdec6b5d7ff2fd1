import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createPki } from '../platform/pki.ts';
import { measureAcks } from './acks.ts';
import { type BenchRun, fullPlan, quickPlan, smokePlan } from './bench-run.ts';
import { measureDisk } from './disk.ts';
import { measureDrain } from './drain.ts';
import { measurePrograms } from './footprint.ts';
import { judge } from './goals.ts';
import { benchImages } from './images/bench-images.ts';
import { imagePlans } from './images/image-plan.ts';
import { describeImages } from './images/image-report.ts';
import type { LoadJob, LoadResult } from './load.ts';
import { end, killAll, startWorker } from './process.ts';
import { preparePrograms } from './programs.ts';
import { makeQueuedStores, measureGrowth, measureRestarts, startStoreWriter } from './queued.ts';
import { measureRate } from './rate.ts';
import { describe, type Report } from './report.ts';
import { measureStages } from './stage-costs.ts';

const usage = `npm run bench -- [--images] [--quick | --smoke] [--json] [--dir <folder>] [--profile <folder>]

  --images           images instead of messages, beside storescp, Orthanc and dcmjs-dimse; about ten minutes
  --quick            one short round of everything but the million, about two minutes; else three, a quarter of an hour
  --smoke            every row as short as it goes; for a test of the benchmark, its figures mean nothing
  --json             the figures as JSON on stdout instead of the table
  --dir <folder>     where the stores lie (the disk that is measured); default: the system's temporary folder
  --profile <folder> writes a CPU profile of each of the agent's threads there; the figures then count for nothing
`;

async function main(): Promise<void> {
  const flag = { type: 'boolean' } as const;
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { images: flag, quick: flag, smoke: flag, json: flag, help: flag, dir: text, profile: text },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const startedMs = performance.now();
  const loadBefore = loadavg();
  const plan = values.smoke ? smokePlan : values.quick ? quickPlan : fullPlan;
  const parent = resolve(values.dir ?? tmpdir());
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'qianzhi-bench-'));
  const clear = () => rmSync(folder, { recursive: true, force: true });
  // The stores take gigabytes: an interrupted run leaves none behind, nor its children.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      killAll();
      clear();
      process.exit(130);
    });
  }
  const children: Array<Parameters<typeof end>[0]> = [];
  try {
    const say = (line: string) =>
      process.stderr.write(`${String(Math.round((performance.now() - startedMs) / 1000)).padStart(4)} s  ${line}\n`);
    const profile = values.profile === undefined ? {} : { profile: resolve(values.profile) };
    if (values.images) {
      const plan = imagePlans[values.smoke ? 'smoke' : values.quick ? 'quick' : 'full'];
      const report = await benchImages({ folder, plan, say, ...profile });
      process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : `${describeImages(report)}\n`);
      return;
    }
    const { bavail, bsize } = statfsSync(folder);
    const notes: string[] = [];
    const generator = await startWorker<LoadJob, LoadResult>({ script: 'load.ts' });
    children.push(generator.child);
    let messageBytes = 0;
    const run: BenchRun = {
      folder,
      pki: createPki(join(folder, 'pki')),
      programs: await preparePrograms(folder),
      plan,
      async load(job) {
        const result = await generator.run(job);
        messageBytes = result.bytes;
        return result;
      },
      say,
      note: (line) => notes.push(line),
      ...profile,
    };
    const writer = await startStoreWriter(run);
    children.push(writer.child);
    const stores = await makeQueuedStores(run, writer);

    const disk: Report['disk'] = [];
    const acks = measureAcks(run);
    const rate = measureRate(run);
    const drain = measureDrain(run, writer);
    const restarts = measureRestarts(run, stores);
    const growth = measureGrowth(run, stores, writer);
    const programs = measurePrograms(run);
    const stages = measureStages(run);
    let rounds = 0;
    for (let longestMs = 0; rounds < run.plan.rounds; rounds++) {
      const fromMs = performance.now();
      if (fromMs - startedMs + longestMs > run.plan.budgetMs) {
        run.note(`${rounds} of ${run.plan.rounds} rounds: the rest would have taken longer than a run may`);
        break;
      }
      say(`round ${rounds + 1} of ${run.plan.rounds}`);
      // Between the measurements, so that its range is that of the run.
      for (const measurement of [acks, programs, rate, growth, restarts, drain, stages]) {
        disk.push(measureDisk(folder, run.plan.diskMs));
        await measurement.round(rounds + 1);
      }
      longestMs = Math.max(longestMs, performance.now() - fromMs);
    }

    const found: Omit<Report, 'goals'> = {
      at: new Date().toISOString(),
      conditions: {
        node: process.version,
        processor: cpus()[0]?.model ?? '',
        cores: cpus().length,
        memoryGb: Math.round(totalmem() / 1e9),
        loadBefore,
        loadAfter: loadavg(),
        freeDiskGb: Math.round((bavail * bsize) / 1e9),
        messageBytes,
        rounds,
        seconds: (performance.now() - startedMs) / 1000,
        form: plan === fullPlan ? 'full' : plan === quickPlan ? 'quick' : 'smoke',
        agentFlags: run.programs.flags,
      },
      notes,
      acks: acks.result(),
      rate: rate.result(),
      drain: drain.result(),
      restarts: restarts.result(),
      growth: growth.result(),
      programs: programs.result(),
      stages: stages.result(),
      disk,
    };
    const report: Report = { ...found, goals: judge(found) };
    process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : `${describe(report)}\n`);
  } finally {
    for (const child of children) await end(child);
    clear();
  }
}

await main();
