import type { AckRow, ServerName } from './acks.ts';
import type { DiskRate } from './disk.ts';
import type { DiskUse } from './disk-use.ts';
import type { DrainResult } from './drain.ts';
import type { ProgramName, ProgramsResult } from './footprint.ts';
import type { Goal } from './goals.ts';
import type { GrowthRow, RestartRow } from './queued.ts';
import type { RateResult } from './rate.ts';
import type { StageName } from './stages.ts';
import { formatTable, median, show } from './table.ts';

/** Everything that one run found; `--json` prints it. Milliseconds, microseconds, MB of 10^6 bytes. */
export interface Report {
  at: string;
  conditions: {
    node: string;
    processor: string;
    cores: number;
    memoryGb: number;
    loadBefore: number[];
    loadAfter: number[];
    freeDiskGb: number;
    messageBytes: number;
    rounds: number;
    seconds: number;
    form: 'full' | 'quick' | 'smoke';
    /** `node` and its flags, as the agent was run. */
    agentFlags: string[];
  };
  notes: string[];
  goals: Goal[];
  acks: AckRow[];
  rate: RateResult;
  drain: DrainResult;
  restarts: RestartRow[];
  growth: GrowthRow[];
  programs: ProgramsResult;
  stages: { costs: Partial<Record<StageName, number>>; documentBytes: number };
  disk: DiskRate[];
}

const serverTitles: Record<ServerName, string> = {
  floor: 'floor: frame + ack, nothing kept',
  medplum: '@medplum/hl7 5.0.10: acks from memory',
  commit: 'our store, a commit per message',
  intake: 'us, intake only: durable ack',
  'slow-commit': '10 ms a sync: a commit per message',
  'slow-intake': '10 ms a sync: us, intake only',
  agent: 'us, the agent, mapping and rendering',
};
const programTitles: Record<ProgramName, string> = {
  node: 'plain Node, an empty program',
  agent: 'the agent, plain Node',
  binary: 'the agent, single binary',
};
const whole = (value: number): string => value.toLocaleString('en');

/** The one table. */
export function describe(report: Report): string {
  const { conditions: c, drain: d, rate: r, disk, stages, programs } = report;
  const rows: string[][] = [['', 'conns', 'rate /s', 'p50 ms', 'p99 ms', 'CPU µs each', 'RSS MB', 'rounds /s']];
  const heading = (text: string) => rows.push([text]);
  const range = (values: number[]) =>
    values.length > 1 ? [Math.min(...values), Math.max(...values)].map(show).join(' – ') : '';
  const add = (title: string, cells: Array<number | string | undefined>) =>
    rows.push([`  ${title}`, ...cells.map((cell) => (typeof cell === 'string' ? cell : show(cell)))]);

  heading(`acknowledgements, closed loop of one message a connection, ORU^R01 of ${whole(c.messageBytes)} bytes`);
  for (const row of report.acks) {
    add(serverTitles[row.server], [
      String(row.connections),
      row.perSecond,
      row.p50Ms,
      row.p99Ms,
      row.cpuUs,
      row.peakRssMb,
      range(row.rates),
    ]);
  }

  const { intakeOnly, wholePath: w } = r;
  heading(`open loop, ${r.perSecond} messages/s for ${r.seconds} s, province and load on the same cores`);
  const conns = String(r.connections);
  add('us, intake only', [conns, '', intakeOnly.p50Ms, intakeOnly.p99Ms, intakeOnly.cpuUs]);
  add('us, whole path: delivered', [conns, '', w.p50Ms, w.p99Ms, w.agentCpuUs, w.peakRssMb]);
  add('(province)', ['', '', '', '', w.provinceCpuUs]);
  add('(load generator)', ['', '', '', w.lateP99Ms, w.loadCpuUs]);
  heading(
    `  not yet delivered when the load ended: ${show(w.backlog)} (to map: ${show(w.waitingForMapping)}), growing by ` +
      `${show(w.backlogSlope)}/s; ${w.settledSeconds === undefined ? 'not all delivered in the time given' : `all delivered ${show(w.settledSeconds)} s later`}`,
  );

  heading(`drain over mutual TLS, ${whole(d.documents)} documents of ${whole(d.documentBytes)} bytes`);
  for (const [title, row] of [
    ['rendered before', d.rendered],
    ['with mapping and rendering', d.mapping],
  ] as const) {
    add(title, ['', row.perSecond, '', '', row.agentCpuUs, row.peakRssMb, range(row.rates)]);
  }
  add('(province, the latter)', ['', '', '', '', d.mapping.provinceCpuUs]);
  add('(mapping and rendering, province down)', ['', d.renderPerSecond]);

  rows.push(['start after kill -9, by what is queued', '', '', 'listening', 'ready', '', '', 'slowest']);
  for (const row of report.restarts) {
    add(row.size === 0 ? 'nothing' : `${whole(row.size)} messages to map`, [
      '',
      '',
      row.listeningMs,
      row.readyMs,
      '',
      '',
      row.slowestReadyMs,
    ]);
  }
  add(`${whole(d.documents)} documents to send`, ['', '', d.afterKill.listeningMs, d.afterKill.readyMs]);

  rows.push(['programs, started with an empty folder', '', 'MB on disk', 'listening', 'ready', '', 'idle MB']);
  for (const row of programs.rows) {
    const megabytes = row.bytes === undefined ? '' : row.bytes / 1e6;
    add(programTitles[row.name], ['', megabytes, row.listeningMs ?? '', row.readyMs, '', row.idleRssMb]);
  }

  rows.push(['durable intake commits of 32 messages, by rows', '', '', '', '', '', '', 'of the first']);
  for (const row of report.growth) add(whole(row.size), ['', row.perSecond, '', '', '', '', row.ofSmallest]);

  heading('bytes on disk per byte received: database and WAL after a checkpoint, and the largest tables');
  for (const [title, use] of [
    ['received only', d.diskUse.received],
    ['mapped and rendered', d.diskUse.rendered],
    ['delivered', d.diskUse.delivered],
  ] as const) {
    heading(`  ${title.padEnd(20)}${use.perByteReceived.toFixed(2)}: ${largest(use)}`);
  }

  heading('one thread, no store, 30 OBX');
  for (const [title, name] of [
    ['frame, MSH, verdict, ack', 'intake'],
    ['decode, parse, extract', 'read'],
    ['(@medplum/core 5.0.10 Hl7Message.parse)', 'medplumParse'],
    ['parse, every field (3.6 KB)', 'fields'],
    ['(node-hl7-client 4.0.0)', 'nodeHl7Fields'],
    ['(@medplum/core 5.0.10)', 'medplumFields'],
    ['message to document (C0007)', 'document'],
  ] as const) {
    add(title, ['', '', '', '', stages.costs[name]]);
  }

  heading('the disk');
  const rates = disk.map((one) => one.perSecond);
  add('4 KB written + fdatasync, one by one', [
    '',
    median(rates),
    median(disk.map((one) => one.p50Ms)),
    median(disk.map((one) => one.p99Ms)),
    '',
    '',
    range(rates),
  ]);

  const goals = report.goals.map(({ what, figure, goal, met }) => [
    what,
    show(figure),
    goal,
    met === undefined ? '–' : met ? '✓' : '✗',
  ]);
  const conditions =
    `Node ${c.node}, ${c.cores} × ${c.processor.trim()}, ${c.memoryGb} GB, load ${show(c.loadBefore[0])} before and ` +
    `${show(c.loadAfter[0])} at the end; ${c.rounds} round(s) in ${show(c.seconds / 60)} min${c.form === 'full' ? '' : `, --${c.form}`}; ` +
    `the agent: node ${c.agentFlags.join(' ')} dist/agent/main.js`;
  return [
    formatTable(rows),
    formatTable([['goal', 'measured', 'wanted', ''], ...goals]),
    [conditions, ...report.notes.map((note) => `Note: ${note}`)].join('\n'),
  ].join('\n\n');
}

const largest = ({ tables }: DiskUse): string =>
  tables
    .slice(0, 6)
    .map(({ name, perByteReceived }) => `${name} ${perByteReceived.toFixed(2)}`)
    .join(', ');
