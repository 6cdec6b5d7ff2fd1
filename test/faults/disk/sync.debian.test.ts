import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { buildShim, eventually, folderOf, hasCompiler, startAgentRig } from './agent-rig.ts';
import { missing, startLaboratory } from './laboratory.ts';

const skip = hasCompiler() ? false : 'gcc is not installed';
t.setTimeout(600_000);

const bytesOf = (path: string): string => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
};

t.test('a sync that fails: nothing is acknowledged, the process ends and comes back by itself', { skip }, async (t) => {
  const root = folderOf(t);
  const control = join(root, 'broken');
  const counted = join(root, 'syncs');
  const rig = await startAgentRig(t, {
    root,
    env: { LD_PRELOAD: buildShim(root), SHIM_PATH: join(root, 'data'), SHIM_CONTROL: control, SHIM_COUNT: counted },
  });
  const lab = startLaboratory(rig, 3_000);
  t.teardown(lab.close);
  rig.start();
  t.ok(await rig.ready(), 'it is ready');
  for (let report = 1; report <= 5; report++) t.equal(await lab.send(report), 'AA');

  writeFileSync(control, '');
  for (const report of [6, 7]) t.not(await lab.send(report), 'AA', 'what is not synced is not acknowledged');
  t.ok(await eventually(() => rig.deaths.length > 0));
  t.equal(rig.deaths[0]?.code, 73, 'exit code of a disk that cannot be written');
  t.match(rig.deaths[0]?.said, 'QUE-4007');
  t.ok(await eventually(() => rig.deaths.length > 2), 'the service manager tries again and again');
  for (const { code } of rig.deaths) t.equal(code, 73);
  t.not(await lab.send(8), 'AA');

  rmSync(control);
  t.ok(await eventually(async () => (await lab.send(9)) === 'AA'), 'it answers again without anybody');
  t.ok(await eventually(() => missing(lab).length === 0 && lab.delivered().size >= lab.acked.size));
  t.same(missing(lab), [], 'nothing acknowledged is missing at the platform');
  t.match(bytesOf(counted), /x/, 'syncs did fail');
  t.same(
    [...lab.answers.keys()].filter((code) => code === 'AA'),
    [],
  );
  t.comment(
    `${bytesOf(counted).replaceAll('s', '').length} syncs failed, ${rig.deaths.length} processes ended with 73, ` +
      `${lab.acked.size} acknowledged, ${missing(lab).length} missing`,
  );
});

t.test(
  'a disk that takes 10 ms longer for each sync: everything works, acknowledged in groups',
  { skip },
  async (t) => {
    const root = folderOf(t);
    const counted = join(root, 'syncs');
    const rig = await startAgentRig(t, {
      root,
      env: { LD_PRELOAD: buildShim(root), SHIM_PATH: join(root, 'data'), SHIM_DELAY_US: '10000', SHIM_COUNT: counted },
    });
    const lab = startLaboratory(rig);
    t.teardown(lab.close);
    rig.start();
    t.ok(await rig.ready());
    const before = bytesOf(counted).length;
    const load = lab.load(1, 32);
    await eventually(() => lab.acked.size >= 200, 20_000);
    const acked = lab.acked.size;
    const syncs = bytesOf(counted).length - before;
    await load.stop();
    t.ok(acked > syncs, `${acked} acknowledged with ${syncs} syncs`);
    t.same([...lab.answers], [], 'nothing timed out');
    t.ok(await eventually(() => missing(lab).length === 0, 40_000), `${missing(lab).length} missing`);
    t.equal(rig.deaths.length, 0);
    const status = await rig.status();
    t.same(status?.problems, [], 'and it is no trouble to anybody');
  },
);
