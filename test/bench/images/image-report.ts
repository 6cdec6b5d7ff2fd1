import type { DiskRate } from '../disk.ts';
import type { Goal } from '../goals.ts';
import { allOrNone, formatTable, median, show } from '../table.ts';
import type { SealingCost } from './sealing.ts';
import type { Received, ReceiverName } from './sender.ts';
import type { Uploaded } from './upload.ts';

/** Everything that one run of the benchmark of images found; `--json` prints it. A sample a round. MB of 10^6 bytes. */
export interface ImageReport {
  at: string;
  conditions: {
    node: string;
    processor: string;
    cores: number;
    memoryGb: number;
    loadBefore: number[];
    loadAfter: number[];
    rounds: number;
    images: number;
    imageBytes: number;
    form: 'full' | 'quick' | 'smoke';
    seconds: number;
  };
  notes: string[];
  goals: Goal[];
  received: Partial<Record<ReceiverName, Received[]>>;
  uploaded: Uploaded[];
  large: { bytes: number; received: Partial<Record<ReceiverName, Received>>; uploaded?: Uploaded };
  sealing: SealingCost;
  disk: DiskRate[];
}

const titles: Record<ReceiverName, string> = {
  storescp: 'Debian’s storescp +B: written, not synced',
  orthanc: 'Debian’s Orthanc 1.10.1: synced',
  'dcmjs-dimse': 'dcmjs-dimse 0.3.3, toFile: not synced',
  agent: 'us: sealed and synced before the answer',
  'agent-uploading': 'us, uploading meanwhile, Orthanc on the same cores',
};
const order = Object.keys(titles) as ReceiverName[];

const middle = <T>(samples: T[], of: (sample: T) => number | undefined): number | undefined => {
  const values = allOrNone(samples.map(of));
  return values && median(values);
};
const most = <T>(samples: T[], of: (sample: T) => number | undefined): number | undefined => {
  const values = allOrNone(samples.map(of));
  return values && Math.max(...values);
};

export function judgeImages({ received, uploaded, large }: Omit<ImageReport, 'goals'>): Goal[] {
  const us = received.agent ?? [];
  const orthanc = received.orthanc ?? [];
  const goal = (what: string, figure: number | undefined, kind: '≥' | '≤', bound: number, unit: string): Goal => ({
    what,
    figure,
    goal: `${kind} ${show(bound)}${unit}`,
    ...(figure === undefined || Number.isNaN(figure) ? {} : { met: kind === '≥' ? figure >= bound : figure <= bound }),
  });
  const rss = most([...us, ...(received['agent-uploading'] ?? []), ...uploaded], (s) => s.peakRssMb);
  const largeRss = most([large.received.agent, large.uploaded], (s) => s?.peakRssMb);
  const ratios = us.flatMap((sample, round) => {
    const other = orthanc[round];
    return other ? [sample.perSecond / other.perSecond] : [];
  });
  return [
    goal(
      'received, sealed and synced, one association',
      middle(us, (s) => s.perSecond),
      '≥',
      100,
      ' /s',
    ),
    goal('of Orthanc’s', ratios.length > 0 ? median(ratios) : undefined, '≥', 1, ' ×'),
    goal(
      'RSS, receiving',
      most(us, (s) => s.peakRssMb),
      '≤',
      150,
      ' MB',
    ),
    goal('RSS, the highest of all rows', rss, '≤', 150, ' MB'),
    goal(`RSS, an instance of ${show(large.bytes / 1e6)} MB received and uploaded`, largeRss, '≤', 150, ' MB'),
    goal(
      'uploaded to Orthanc',
      middle(uploaded, (s) => s.perSecond),
      '≥',
      150,
      ' /s',
    ),
  ];
}

/** The one table. */
export function describeImages(report: ImageReport): string {
  const { conditions: c, received, uploaded, large, sealing, disk } = report;
  const megabytes = c.imageBytes / 1e6;
  const rows: string[][] = [['', '/s', 'MB/s', 'CPU ms each', 'CPU ms/MB', 'RSS MB', 'rounds /s']];
  const range = (values: number[]) =>
    values.length > 1 ? [Math.min(...values), Math.max(...values)].map(show).join(' – ') : '';
  const add = (title: string, samples: Array<Received | Uploaded>) => {
    const perSecond = middle(samples, (s) => s.perSecond);
    const cpu = middle(samples, (s) => s.cpuMs);
    const rss = most(samples, (s) => s.peakRssMb);
    const rates = range(samples.map((s) => s.perSecond));
    const cells = [perSecond, perSecond && perSecond * megabytes, cpu, cpu && cpu / megabytes, rss];
    rows.push([`  ${title}`, ...cells.map(show), rates]);
  };
  rows.push([`${c.images.toLocaleString('en')} CT images of ${show(megabytes)} MB received, dcmsend, one association`]);
  for (const name of order) add(titles[name], received[name] ?? []);
  rows.push(['the same images uploaded to Orthanc over mutual TLS, which came up after they were received']);
  add('us: STOW-RS, in requests of 10, 4 at once', uploaded);

  rows.push([`one instance of ${show(large.bytes / 1e6)} MB`, 'seconds', 'MB/s', '', 'CPU ms/MB', 'RSS MB']);
  const addLarge = (title: string, sample: Received | Uploaded | undefined) => {
    const size = large.bytes / 1e6;
    const figures = [sample?.seconds, sample && size / sample.seconds, undefined, sample?.cpuMs && sample.cpuMs / size];
    const [seconds, rate, , cpu] = figures.map(show);
    rows.push([`  ${title}`, seconds!, rate!, '', cpu!, show(sample?.peakRssMb)]);
  };
  for (const name of order.filter((n) => n !== 'agent-uploading')) addLarge(titles[name], large.received[name]);
  addLarge('us: uploaded to Orthanc, from the start of the agent', large.uploaded);

  rows.push(['files of 0.5 MB in one process, no network', '', '', '', 'CPU ms/MB']);
  for (const [title, cost] of [
    ['written, synced and named, in clear', sealing.plain],
    ['the same in the spool: hashed and sealed', sealing.sealed],
    ['read from the spool again', sealing.read],
  ] as const) {
    rows.push([`  ${title}`, '', '', '', show(cost)]);
  }
  const pace = disk.map((one) => one.perSecond);
  rows.push(['the disk: 4 KB written + fdatasync, one by one', show(median(pace)), '', '', '', '', range(pace)]);

  const goals = report.goals.map(({ what, figure, goal, met }) => [
    what,
    show(figure),
    goal,
    met === undefined ? '–' : met ? '✓' : '✗',
  ]);
  const conditions =
    `Node ${c.node}, ${c.cores} × ${c.processor.trim()}, ${c.memoryGb} GB, load ${show(c.loadBefore[0])} before and ` +
    `${show(c.loadAfter[0])} at the end; ${c.rounds} round(s) in ${show(c.seconds / 60)} min${c.form === 'full' ? '' : `, --${c.form}`}; ` +
    'TCP_NODELAY=1 in every process';
  return [
    formatTable(rows),
    formatTable([['goal', 'measured', 'wanted', ''], ...goals]),
    [conditions, ...report.notes.map((note) => `Note: ${note}`)].join('\n'),
  ].join('\n\n');
}
