import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import type { Report } from './report.ts';

/** The benchmark works: every row is measured. What it measures in so short a time means nothing. */
t.setTimeout(600_000);

t.test('every row of the benchmark is measured, and nothing that was measured is lost', async (t) => {
  const script = fileURLToPath(new URL('bench.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--smoke', '--json'], {
    cwd: t.testdir(),
    maxBuffer: 16 * 1024 * 1024,
  });
  const report = JSON.parse(stdout) as Report;
  const { acks, rate, drain, restarts, growth, programs, stages } = report;
  t.match(
    acks
      .filter(({ server }) => !server.startsWith('slow-'))
      .map(({ server, connections }) => `${server} ${connections}`),
    [1, 8, 64].flatMap((n) => ['floor', 'medplum', 'commit', 'intake', 'agent'].map((name) => `${name} ${n}`)),
  );
  t.ok(acks.every(({ perSecond }) => Number.isFinite(perSecond)));
  t.ok(rate.wholePath.messages > 0);
  t.ok(rate.intakeOnly.p99Ms > 0);
  t.ok(drain.mapping.perSecond > 0);
  t.ok(drain.rendered.perSecond > 0);
  t.ok(drain.diskUse.delivered.perByteReceived >= drain.diskUse.received.perByteReceived);
  t.same(
    restarts.map(({ size }) => size),
    [0, 2000],
  );
  t.same(
    growth.map(({ size }) => size),
    [1000, 2000],
  );
  t.ok(programs.rows.every(({ readyMs }) => readyMs > 0));
  t.same(Object.keys(stages.costs).sort(), [
    'document',
    'fields',
    'intake',
    'medplumFields',
    'medplumParse',
    'nodeHl7Fields',
    'read',
  ]);
  t.same(
    report.goals.filter(({ figure }) => figure === undefined).map(({ what }) => what),
    process.platform === 'linux' && !report.notes.some((note) => note.includes('C compiler'))
      ? ['ready with a million queued', 'intake commits with a million queued, of those with a thousand']
      : report.goals.filter(({ met }) => met === undefined).map(({ what }) => what),
    'a goal without a figure is one of what was left out',
  );
});
