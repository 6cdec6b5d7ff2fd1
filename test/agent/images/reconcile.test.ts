import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { reconcileSpool } from '../../../agent/images/reconcile.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { imageRig } from './rig.ts';

const spoolFiles = (folder: string): string[] =>
  readdirSync(join(folder, 'spool'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
const one = { uid: '1.2.3', pixels: 400_000 };

t.test('a finished file that no row knows is never removed at a start', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  const writing = await rig.spool.begin();
  await writing.write(Buffer.from('acknowledged, and its row was lost'));
  const file = await writing.finish();
  const { spool, store } = rig;
  const clock = { now: rig.now, monotonic: rig.now };
  const found = await reconcileSpool({ spool, store, clock, log: silentLog });
  t.match(found, { unclaimed: 1 });
  t.same(readdirSync(join(rig.options.folder, 'spool', 'aside')), [file.name]);
});

t.test('a file that lost its row, and was old, is kept beside for its time and no longer', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  const writing = await rig.spool.begin();
  const { name } = await writing.finish();
  const clock = { now: rig.now, monotonic: rig.now };
  const aside = join(rig.options.folder, 'spool', 'aside');
  const start = () => reconcileSpool({ spool: rig.spool, store: rig.store, clock, log: silentLog });
  rig.tick(Date.now() - rig.now() + 365 * 86_400_000);
  await start();
  t.same(readdirSync(aside), [name]);
  rig.tick(29 * 86_400_000);
  await start();
  t.same(readdirSync(aside), [name], 'counted from when it was put there');
  rig.tick(2 * 86_400_000);
  await start();
  t.same(readdirSync(aside), []);
});

t.test('what is strange in the spool, or cannot be dealt with, is passed over and keeps nothing down', async (t) => {
  const rig = await imageRig();
  await rig.take(one);
  await rig.close();
  const [name] = spoolFiles(rig.options.folder);
  const spool = join(rig.options.folder, 'spool');
  writeFileSync(join(spool, name![0]!, name![1]!, 'copy.part'), 'a stray file');
  // A folder that does not open, a file that cannot be removed, and rows whose files nobody can see now.
  const other = name!.startsWith('ab') ? 'ac' : 'ab';
  rmSync(join(spool, other[0]!, other[1]!), { recursive: true });
  writeFileSync(join(spool, other[0]!, other[1]!), 'no folder');
  mkdirSync(join(spool, 'd', 'e', `${'de'.padEnd(32, '0')}.part`));

  const again = await imageRig(rig.folder);
  t.teardown(again.close);
  t.same(again.reconciled, { unfinished: 0, unclaimed: 0, lost: 0 });
  const codes: unknown[] = [];
  const log = { ...silentLog, error: (event: string, fields?: object) => void codes.push([event, fields]) };
  await reconcileSpool({ spool: again.spool, store: again.store, clock: systemClock, log });
  t.match(codes, [
    ['spool-not-reconciled', { code: 'QUE-4020', errno: 'ENOTDIR' }],
    ['spool-not-reconciled', { code: 'QUE-4020' }],
  ]);
  t.equal(codes.length, 2);
  for (let i = 0; i < 300; i++) await (await again.spool.begin()).discard();
  t.pass('nothing new is put where it cannot be');
  await again.indexAll();
  t.same(
    (await again.claimImages()).map(({ n }) => n),
    [1],
  );
});
