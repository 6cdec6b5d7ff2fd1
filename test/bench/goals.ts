import type { AckRow, ServerName } from './acks.ts';
import type { Report } from './report.ts';
import { median, show } from './table.ts';

/** A figure that was promised, and whether this run keeps it. */
export interface Goal {
  what: string;
  figure?: number;
  goal: string;
  /** Undefined when it was not measured. */
  met?: boolean;
}

/** The smallest rate in a store of a million, as part of that in one of a thousand, that is called flat. */
const flat = 0.8;
/** The growth of the backlog, as part of the arrival rate, that is called none. */
const noGrowth = 0.01;
const million = 1_000_000;

export function judge(report: Omit<Report, 'goals'>): Goal[] {
  const { acks, rate, drain, restarts, growth, programs } = report;
  const row = (server: ServerName, connections: number): AckRow | undefined =>
    acks.find((a) => a.server === server && a.connections === connections);
  /** Of the same round each, then the median. */
  const ratio = (connections: number, server: ServerName, other: ServerName): number | undefined => {
    const [a, b] = [row(server, connections), row(other, connections)];
    return a && b && median(a.rates.map((one, round) => one / b.rates[round]!));
  };
  const least = (what: string, figure: number | undefined, bound: number, unit = '', text = show(bound)): Goal => ({
    what,
    figure,
    goal: `≥ ${text}${unit}`,
    ...(figure === undefined || Number.isNaN(figure) ? {} : { met: figure >= bound }),
  });
  const most = (what: string, figure: number | undefined, bound: number, unit = '', text = show(bound)): Goal => ({
    what,
    figure,
    goal: `≤ ${text}${unit}`,
    ...(figure === undefined || Number.isNaN(figure) ? {} : { met: figure <= bound }),
  });
  const { wholePath } = rate;
  const agentCpu = wholePath.agentCpuUs;
  const loaded = [
    ...acks.filter(({ server }) => server === 'agent').map((a) => a.peakRssMb),
    ...[wholePath.peakRssMb, drain.rendered.peakRssMb, drain.mapping.peakRssMb],
  ].filter((mb) => mb !== undefined);
  const largest = growth.find(({ size }) => size === million);
  return [
    least('intake only, 64 connections, of @medplum/hl7', ratio(64, 'intake', 'medplum'), 1, ' ×'),
    least('intake only, 64 connections, of commit per message', ratio(64, 'intake', 'commit'), 8, ' ×'),
    least('intake only, 8 connections, of @medplum/hl7', ratio(8, 'intake', 'medplum'), 0.3, ' ×', '0.3 (stretch 0.4)'),
    least('10 ms a sync, 64 connections', row('slow-intake', 64)?.perSecond, 2000, ' /s'),
    least('10 ms a sync, 1 connection', row('slow-intake', 1)?.perSecond, 60, ' /s'),
    most('intake CPU a message, 64 connections', row('intake', 64)?.cpuUs, 120, ' µs'),
    most(`${rate.perSecond}/s, whole path: ack p99 of intake only's`, wholePath.p99Ratio, 3, ' ×'),
    most(
      `${rate.perSecond}/s, whole path: growth of the backlog`,
      wholePath.backlogSlope,
      rate.perSecond * noGrowth,
      ' /s',
    ),
    most(`${rate.perSecond}/s, whole path: CPU a message`, agentCpu && agentCpu / 1000, 1, ' ms'),
    least('drain with mapping and rendering', drain.mapping.perSecond, 800, ' documents/s'),
    most('bytes on disk per byte received, all delivered', drain.diskUse.delivered.perByteReceived, 2.5),
    most('RSS idle', programs.rows.find(({ name }) => name === 'agent')?.idleRssMb, 120, ' MB'),
    most('RSS loaded, the highest of all rows', loaded.length > 0 ? Math.max(...loaded) : undefined, 200, ' MB'),
    most('ready with a million queued', restarts.find(({ size }) => size === million)?.readyMs, 1000, ' ms'),
    least('intake commits with a million queued, of those with a thousand', largest?.ofSmallest, flat, ' ×'),
  ];
}
