import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { buildShim, cannotMount, eventually, folderOf, hasCompiler, startAgentRig } from './agent-rig.ts';
import { missing, startLaboratory } from './laboratory.ts';

t.setTimeout(600_000);

t.test('a data folder that cannot be written at the start', { skip: cannotMount() }, async (t) => {
  const root = folderOf(t);
  const rig = await startAgentRig(t, { root });
  const lab = startLaboratory(rig, 3_000);
  t.teardown(lab.close);
  rig.start();
  t.ok(await rig.ready());
  t.equal(await lab.send(1), 'AA');
  await rig.stop();
  rig.deaths.splice(0);

  execFileSync('mount', ['--bind', rig.data, rig.data]);
  execFileSync('mount', ['-o', 'remount,ro,bind', rig.data]);
  try {
    rig.start();
    t.ok(await eventually(() => rig.deaths.length > 1), 'it ends, and is tried again');
    for (const { code, said } of rig.deaths) {
      t.equal(code, 73, 'exit code of a place that cannot be written');
      t.match(said, /QUE-4007/);
    }
  } finally {
    execFileSync('umount', ['-l', rig.data]);
  }
  t.ok(await rig.ready(), 'it starts by itself when the folder can be written');
  t.equal(await lab.send(2), 'AA');
  t.ok(await eventually(() => missing(lab).length === 0));
  t.equal(lab.acked.size, 2);
});

const skip = hasCompiler() ? false : 'gcc is not installed';
t.test('a file system that becomes read-only while the agent runs', { skip }, async (t) => {
  const root = folderOf(t);
  const readonly = join(root, 'readonly');
  const rig = await startAgentRig(t, {
    root,
    env: { LD_PRELOAD: buildShim(root), SHIM_PATH: join(root, 'data'), SHIM_READONLY: readonly },
  });
  const lab = startLaboratory(rig, 3_000);
  t.teardown(lab.close);
  rig.start();
  t.ok(await rig.ready());
  for (let report = 1; report <= 5; report++) t.equal(await lab.send(report), 'AA');
  writeFileSync(readonly, '');
  t.not(await lab.send(6), 'AA', 'nothing is acknowledged that cannot be written');
  t.ok(await eventually(() => rig.deaths.length > 1), 'it ends, and is tried again');
  for (const { code, said } of rig.deaths) {
    t.equal(code, 73);
    t.match(said, /QUE-4007/);
  }
  rmSync(readonly);
  t.ok(await eventually(async () => (await lab.send(7)) === 'AA'), 'and goes on when the disk does');
  t.ok(await eventually(() => missing(lab).length === 0), 'nothing acknowledged is missing');
  t.same([...lab.acked].sort(), [1, 2, 3, 4, 5, 7]);
});
