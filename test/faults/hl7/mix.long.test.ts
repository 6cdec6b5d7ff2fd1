import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { readAsset } from '../../../agent/support/assets.ts';
import { serviceEnvironment, v8Flags } from '../../../installer/run-settings.ts';
import { quantile, table, tried } from '../../long/figures.ts';
import { choosePort } from '../../platform/ports.ts';
import { type AgentRig, eventually, folderOf, startAgentRig } from '../disk/agent-rig.ts';
import { openStoredBytes } from '../stored-bytes.ts';
import { badSenders } from './mix-bad.ts';
import { dialects } from './mix-messages.ts';
import type { SendersJob, SendersReport } from './mix-senders.ts';

/**
 * 64 connections of four ack profiles at a time: good senders beside ones that reset, break off, fall silent, babble and
 * never read. In the proof ten minutes of that, and the good senders' p99 stays within three times what it is without the
 * others; by turns with and without them, so that both are of the same machine in the same minutes.
 */
const proof = process.env.QIANZHI_PROOF === '1';
const plan = proof ? { rounds: 10, quietSeconds: 20, mixSeconds: 60 } : { rounds: 1, quietSeconds: 3, mixSeconds: 8 };
t.setTimeout(proof ? 1_800_000 : 300_000);

const bad = dialects.length * Object.keys(badSenders).length;
const goodEach = (64 - bad) / dialects.length;

/** A process of senders; `stop` lets them finish, and gives what they report. */
function startSenders(job: SendersJob): { stop(): Promise<SendersReport> } {
  const child = fork(fileURLToPath(new URL('mix-senders.ts', import.meta.url)), [JSON.stringify(job)]);
  const exit = once(child, 'exit');
  // They stand for other machines: what they cost must not be taken from the agent's processor, nor from who measures.
  if (job.kind === 'bad' && child.pid) setPriority(child.pid, 10);
  return {
    async stop() {
      child.send('stop');
      await exit;
      return JSON.parse(readFileSync(job.report, 'utf8')) as SendersReport;
    },
  };
}

const nowMs = (): number => performance.timeOrigin + performance.now();
interface Phase {
  fromMs: number;
  toMs: number;
}
const timed = async (seconds: number): Promise<Phase> => {
  const fromMs = nowMs();
  await sleep(seconds * 1000);
  return { fromMs, toMs: nowMs() };
};

/** The middle of the 99th percentiles of the phases; what a shared machine does in one of them is not the agent's. */
function middleP99(phases: Phase[], { waits }: SendersReport): number {
  const within = ({ fromMs, toMs }: Phase) =>
    waits.flatMap(([atMs, waitMs]) => (atMs >= fromMs && atMs < toMs ? [waitMs] : []));
  return quantile(
    phases.map((phase) => quantile(within(phase), 0.99)),
    0.5,
  );
}

/** By id how often each message is in the store; what is not whole under a name of its own. */
function storedIds(rig: AgentRig): Map<string, number> {
  const store = openStoredBytes(rig.data, `file:${join(rig.root, 'keys', 'data.key')}`);
  const ids = new Map<string, number>();
  for (const { seq, bytes } of store.after(0)) {
    const text = bytes?.toString('latin1') ?? '';
    const whole = text.startsWith('MSH|^~\\&|LIS|H|') && text.endsWith('|F|||20240520093000\r');
    const name = whole ? (text.split('|', 10)[9] ?? '') : `fragment ${seq}`;
    ids.set(name, (ids.get(name) ?? 0) + 1);
  }
  store.close();
  return ids;
}

const title = `64 connections of mixed profiles, ${plan.rounds} x ${plan.mixSeconds} s: nothing acked is lost, the good ones are served`;
t.test(title, async (t) => {
  const root = folderOf(t);
  const ports: SendersJob['ports'] = [];
  for (const dialect of dialects) ports.push({ ...dialect, port: await choosePort(ports.map(({ port }) => port)) });
  const profile = readAsset('config/dialects/cn-default.yaml');
  const sources = ports.map(({ ack, port }) => {
    const file = join(root, `${ack}.yaml`);
    writeFileSync(file, profile.replace('ack: original-always', `ack: ${ack}`));
    return {
      ...{ name: ack, kind: 'hl7-mllp', profile: file, host: '127.0.0.1', port },
      ...{ max_message_bytes: 1024 * 1024, frame_timeout_seconds: 8, max_connections_per_peer: 100 },
    };
  });
  const rig = await startAgentRig(t, { root, sources, nodeFlags: v8Flags, env: serviceEnvironment });
  rig.start();
  if (!(await rig.ready())) throw new Error(`it does not start: ${rig.deaths.at(-1)?.said}`);
  const start = (kind: SendersJob['kind'], prefix: string) =>
    startSenders({ kind, ports, connections: goodEach, prefix, report: join(root, `${prefix}.json`) });

  const goodOnes = start('good', 'G');
  await sleep(1_000);
  const phases: { quiet: Phase[]; mix: Phase[] } = { quiet: [], mix: [] };
  const reports: SendersReport[] = [];
  for (let round = 0; round < plan.rounds; round++) {
    phases.quiet.push(await timed(plan.quietSeconds));
    const badOnes = start('bad', `B${round}`);
    // Until all of them are there.
    await sleep(1_000);
    phases.mix.push(await timed(plan.mixSeconds));
    reports.push(await badOnes.stop());
  }
  const good = await goodOnes.stop();
  reports.push(good);
  const done = new Map<string, number>();
  for (const [kind, count] of reports.flatMap((report) => Object.entries(report.done)))
    done.set(kind, (done.get(kind) ?? 0) + count);

  t.same(good.wrong, [], 'every good sender was answered what its profile says, in order');
  t.same([...done.keys()].sort(), Object.keys(badSenders).sort(), 'every kind of bad sender did what it does');
  const isQuiet = async () => {
    const senders = (await rig.status())?.sources.flatMap((source) => source.senders);
    return senders?.every(({ connections }) => connections === 0) === true;
  };
  t.ok(await eventually(isQuiet), 'and none of their connections stays');
  t.equal(rig.starts(), 1, 'one process all the time');
  const threads = readdirSync(`/proc/${rig.pid()}/task`);
  const nice = threads.map((thread) => readFileSync(`/proc/${rig.pid()}/task/${thread}/stat`, 'utf8').split(') ')[1]);
  t.same(
    nice.map((rest) => Number(rest?.split(' ')[16]) - getPriority()).filter(Boolean),
    [5],
    'one thread lets the others go first: mapping',
  );
  await rig.stop();

  const stored = storedIds(rig);
  const ids = [...stored.keys()];
  const acked = reports.flatMap((report) => report.acked);
  const refused = reports.flatMap((report) => report.refused);
  const lost = acked.filter((id) => !stored.has(id));
  t.same(lost, [], 'nothing acked is lost');
  t.same(
    ids.filter((id) => stored.get(id) !== 1),
    [],
    'nothing is stored twice',
  );
  t.ok(refused.length > 0, 'some were refused');
  t.same(
    refused.filter((id) => stored.has(id)),
    [],
    'nothing refused is stored',
  );
  t.same(
    ids.filter((id) => id.startsWith('fragment')),
    [],
    'and no fragment',
  );

  const [quietMs, mixMs] = [middleP99(phases.quiet, good), middleP99(phases.mix, good)];
  const ratio = mixMs / quietMs;
  t.comment(
    table('the mix', [
      ['good senders, connections', goodEach * dialects.length],
      ['bad senders, connections', bad],
      ...[...done].map(([kind, count]) => [`  ${kind}`, count] as const),
      ['messages acked', acked.length],
      ['messages stored', stored.size],
      ['p99 of good senders, quiet (ms)', quietMs.toFixed(1)],
      ['p99 of good senders, in the mix (ms)', mixMs.toFixed(1)],
    ]),
  );
  t.comment(tried(`messages acked in the mix; good p99 ${ratio.toFixed(1)} x quiet`, acked.length, lost.length));
  if (proof) t.ok(ratio <= 3, `p99 of the good senders is ${ratio.toFixed(2)} times its quiet value`);
});
