import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createPki } from '../platform/pki.ts';
import { type AckRow, measureAcks, type ServerName } from './acks.ts';
import { type DiskRate, measureDisk } from './disk.ts';
import type { LoadJob, LoadResult } from './load.ts';
import { end, startChild } from './process.ts';
import { measureQueue, type QueueResult } from './queue.ts';
import type { StageCosts } from './stages.ts';
import { formatTable, median, show } from './table.ts';

const usage = `npm run bench -- [--quick] [--json] [--dir <folder>] [--profile <folder>]

  --quick            one short round of everything, about a minute
  --json             the figures as JSON on stdout instead of the table
  --dir <folder>     where the stores lie (the disk that is measured); default: the system's temporary folder
  --profile <folder> writes a CPU profile of each of the agent's threads there; the figures then count for nothing
`;

interface Report {
  at: string;
  conditions: {
    node: string;
    processor: string;
    cores: number;
    memoryGb: number;
    load: number[];
    messageBytes: number;
    rounds: number;
  };
  disk: DiskRate[];
  acks: AckRow[];
  queue: QueueResult;
  stages: StageCosts;
}

const titles: Record<ServerName, string> = {
  floor: 'floor: frame + ack, nothing kept',
  medplum: '@medplum/hl7 5.0.10: acks from memory',
  intake: 'our intake + store alone: durable ack',
  agent: 'the agent: durable ack, maps and renders',
};

async function main(): Promise<void> {
  const flag = { type: 'boolean' } as const;
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { quick: flag, json: flag, help: flag, dir: text, profile: text } });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const quick = values.quick ?? false;
  const parent = resolve(values.dir ?? tmpdir());
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'qianzhi-bench-'));
  const profile = values.profile === undefined ? undefined : resolve(values.profile);
  const rounds = quick ? 1 : 3;
  const load = loadavg();
  const generator = await startChild<unknown>('load.ts');
  let messageBytes = 0;
  const run = (job: LoadJob) =>
    new Promise<LoadResult>((done, failed) => {
      generator.child.once('message', (answer: { result: LoadResult } | { failed: string }) => {
        if ('failed' in answer) return failed(new Error(answer.failed));
        messageBytes = answer.result.bytes;
        done(answer.result);
      });
      generator.child.send(job);
    });
  try {
    const pki = createPki(join(folder, 'pki'));
    const disk: DiskRate[] = [];
    const acks = await measureAcks({
      folder,
      pki,
      rounds,
      warmupMs: quick ? 300 : 500,
      windowMs: quick ? 700 : 1500,
      load: run,
      between() {
        say('disk');
        disk.push(measureDisk(folder, 700));
      },
      say,
      profile,
    });
    const queue = await measureQueue(join(folder, 'queue'), pki, quick ? 500 : 3000, run, say, profile);
    disk.push(measureDisk(folder, 700));
    say('stages');
    const stages = await startChild<StageCosts>('stages.ts', [quick ? '2000' : '6000']);
    const report: Report = {
      at: new Date().toISOString(),
      conditions: {
        node: process.version,
        processor: cpus()[0]?.model ?? '',
        cores: cpus().length,
        memoryGb: Math.round(totalmem() / 1e9),
        load,
        messageBytes,
        rounds,
      },
      disk,
      acks,
      queue,
      stages: stages.ready,
    };
    process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : `${describe(report)}\n`);
  } finally {
    await end(generator.child);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The one table. */
function describe({ conditions: c, disk, acks, queue: q, stages: s }: Report): string {
  const rows: string[][] = [
    ['', 'conns', 'rate /s', 'p50 ms', 'p99 ms', 'CPU µs each', 'RSS MB', 'range of rounds /s'],
    [`acknowledgements, closed loop of one message a connection, ORU^R01 of ${c.messageBytes} bytes`],
  ];
  for (const row of acks) {
    const range = row.range.map(show).join(' – ');
    rows.push([
      `  ${titles[row.server]}`,
      String(row.connections),
      ...[row.perSecond, row.p50Ms, row.p99Ms, row.cpuUs, row.peakRssMb].map(show),
      c.rounds > 1 ? range : '',
    ]);
  }
  rows.push(['the agent from the first message until the last is a document, province down']);
  for (const row of acks.filter(({ server }) => server === 'agent')) {
    rows.push([
      '  messages made documents',
      String(row.connections),
      show(row.toDocumentPerSecond),
      '',
      '',
      show(row.cpuToDocumentUs),
    ]);
  }
  rows.push(
    [`queue of ${q.documents} documents of ${q.documentBytes} bytes`],
    ['  drained over mutual TLS', '', show(q.drainPerSecond), '', '', show(q.agentCpuPerDocumentUs), show(q.peakRssMb)],
    ['  (the simulated province, same machine)', '', '', '', '', show(q.provinceCpuPerDocumentUs)],
    ['  start to listening, after kill -9 with the queue', '', '', show(q.readyMs)],
    ['  start to listening, empty', '', '', show(q.emptyReadyMs)],
    ['one thread, no store, 30 OBX'],
    ['  frame, MSH, verdict, ack', '', '', '', '', show(s.intake)],
    ['  decode, parse, extract', '', '', '', '', show(s.read)],
    ['  (@medplum/core 5.0.10 Hl7Message.parse)', '', '', '', '', show(s.medplumParse)],
    [`  message to document (C0007)`, '', '', '', '', show(s.document)],
    ['the disk'],
    [
      '  4 KB written + fdatasync, one after the other',
      '',
      ...[median(disk.map((d) => d.perSecond)), median(disk.map((d) => d.p50Ms)), median(disk.map((d) => d.p99Ms))].map(
        show,
      ),
      '',
      '',
      [Math.min(...disk.map((d) => d.perSecond)), Math.max(...disk.map((d) => d.perSecond))].map(show).join(' – '),
    ],
  );
  return `${formatTable(rows)}\n\nNode ${c.node}, ${c.cores} × ${c.processor.trim()}, ${c.memoryGb} GB, load before ${show(c.load[0])}; medians of ${c.rounds} round(s).`;
}

await main();
