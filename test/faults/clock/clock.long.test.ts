import { existsSync, globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { tried } from '../../long/figures.ts';
import { createPki } from '../../platform/pki.ts';
import { type AgentRig, eventually, folderOf, startAgentRig } from '../disk/agent-rig.ts';
import { missing, startLaboratory } from '../disk/laboratory.ts';

/** The agent's clock jumps while it runs; the hospital's, the platform's and the test's do not. */
const library = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')[0];
const skip =
  library === undefined || !existsSync(library) ? 'libfaketime is not installed (apt-get install faketime)' : false;
const proof = process.env.QIANZHI_PROOF === '1';
t.setTimeout(proof ? 900_000 : 600_000);

const hour = 3_600;
const day = 24 * hour;
const year = 365 * day;

interface Clocked {
  rig: AgentRig;
  lab: ReturnType<typeof startLaboratory>;
  /** Seconds by which the agent's clock is ahead, from now on. */
  jump(seconds: number): void;
  sane(what: string): Promise<void>;
}

async function clocked(t: Test): Promise<Clocked> {
  const root = folderOf(t);
  const file = join(root, 'clock');
  let ahead = 0;
  const jump = (seconds: number) => {
    ahead = seconds;
    writeFileSync(file, `${seconds >= 0 ? '+' : ''}${seconds}`);
  };
  jump(0);
  const rig = await startAgentRig(t, {
    root,
    // In the middle of its life, so that a day either way is within it and a year is not.
    pki: createPki(join(root, 'pki'), { nowMs: Date.now() - 3 * day * 1000 }),
    env: {
      LD_PRELOAD: String(library),
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
  });
  const lab = startLaboratory(rig);
  t.teardown(lab.close);
  rig.start();
  t.ok(await rig.ready());
  return {
    rig,
    lab,
    jump,
    async sane(what) {
      const near = async () => Math.abs(((await rig.status())?.atMs ?? 0) - ahead * 1000 - Date.now()) < 20_000;
      t.ok(await eventually(near), `${what}: the page tells the new time`);
      const status = (await rig.status())!;
      const later = (ms: number | undefined) => ms !== undefined && ms > status.atMs + 1_000;
      t.same(
        [status.verdict, ...status.problems].filter((p) => later(p.sinceMs)),
        [],
        `${what}: nothing has been so since a time to come`,
      );
      t.notOk(later(status.facts.oldestMs), `${what}: nothing waits since a time to come`);
      const rates = status.stations.map((s) => s.perMinute ?? 0);
      t.ok(
        rates.every((r) => r >= 0 && r < 1_000),
        `${what}: rates per minute ${rates.join(', ')}`,
      );
      const received = status.store.receivedToday.reduce((n, r) => n + r.count, 0);
      const mapped = status.store.today.reduce((n, r) => n + r.count, 0);
      t.ok(
        mapped <= received && received <= lab.acked.size,
        `${what}: ${received} received today, ${mapped} in the books`,
      );
    },
  };
}

const within = 30_000;

t.test('jumps of an hour and a day either way: documents leave within seconds all the time', { skip }, async (t) => {
  const { rig, lab, jump, sane } = await clocked(t);
  let report = 1;
  for (const seconds of [hour, 0, -hour, 0, day, -day, 0]) {
    const what = `${seconds / hour} h`;
    jump(seconds);
    t.equal(await lab.send(report++), 'AA', `${what}: received`);
    t.ok(await eventually(() => missing(lab).length === 0, within), `${what}: delivered`);
    await sane(what);
  }
  const last = rig.log().at(-1)?.time;
  t.ok(Math.abs(Number(last) - Date.now()) < 120_000 || typeof last === 'string', 'the log tells the time it is');

  // What waits for another try since a day to come must not wait for that day.
  jump(day);
  await rig.province.down();
  t.equal(await lab.send(report++), 'AA');
  t.ok(await eventually(async () => (await rig.status())?.platforms[0]?.state === 'retrying', within));
  jump(0);
  await rig.province.up();
  t.ok(await eventually(() => missing(lab).length === 0, within), 'a retry set while the clock was a day ahead');

  // The same with a restart in between, which knows nothing of the jump but what is in the store.
  jump(hour);
  rig.province.setFault({ items: [{ report: `^LR${report}$`, status: 'retry', retryAfterSeconds: 3_600 }] });
  t.equal(await lab.send(report++), 'AA');
  const put = async () => (await rig.messages()).some((m) => m.states.some((s) => s.state === 'waiting' && s.code));
  t.ok(await eventually(put, within), 'the platform asked for another try in an hour');
  rig.kill();
  jump(0);
  rig.province.setFault();
  t.ok(await eventually(() => missing(lab).length === 0, within), 'and after a restart');
  await sane('after a restart');
  t.equal(rig.deaths.length, 1, 'the agent ended only when it was killed');
});

t.test('a year ahead and a year back: uploads stop with a certificate code, receiving goes on', { skip }, async (t) => {
  const { rig, lab, jump, sane } = await clocked(t);
  t.equal(await lab.send(1), 'AA');
  t.ok(await eventually(() => missing(lab).length === 0, within));
  let report = 2;
  // A wait of a minute follows a refusal: the short form takes one of the two, and a restart.
  for (const seconds of proof ? [year, -year] : [year]) {
    const what = seconds > 0 ? 'a year ahead' : 'a year back';
    jump(seconds);
    // A connection that stands was proved before the jump; the next one is not.
    await rig.province.down();
    await rig.province.up();
    t.equal(await lab.send(report++), 'AA', `${what}: received`);
    const told = async () => (await rig.status())?.problems.some((p) => /^TLS-120/.test(p.code)) ?? false;
    t.ok(await eventually(told, within), `${what}: told`);
    const status = (await rig.status())!;
    t.comment(`${what}: ${status.problems.map((p) => p.code).join(', ')}; ${status.platforms[0]?.state}`);
    await sane(what);
    t.equal(missing(lab).length, 1, `${what}: nothing goes over a connection that cannot be trusted`);
    jump(0);
    // By itself at the next probe, within a minute; the short form starts it anew instead of waiting.
    if (!proof) rig.kill();
    const began = performance.now();
    t.ok(await eventually(() => missing(lab).length === 0, 90_000), `${what}: delivered when the clock is right again`);
    t.comment(`${what}: delivered ${Math.round((performance.now() - began) / 1000)} s after the clock was right again`);
    await sane(`after ${what}`);
  }
  t.equal(rig.deaths.length, proof ? 0 : 1);
  t.comment(
    tried(
      'clock of a running agent moved by an hour, a day, a year',
      proof ? '9 jumps' : '8 jumps',
      missing(lab).length,
    ),
  );
});
