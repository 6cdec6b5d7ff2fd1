import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { quickRig, storeRig } from './rig.ts';

t.setTimeout(600_000);

t.test('a second process is refused; the data folder is free again after close', async (t) => {
  const rig = await storeRig();
  await t.rejects(storeRig(rig.folder), { code: 'QUE-4005' });
  await rig.close();
  await (await storeRig(rig.folder)).close();
});

t.test('a store without its key, or with another, is left untouched', async (t) => {
  const rig = await quickRig();
  await rig.accept('secret');
  await rig.close();
  const files = () => readdirSync(rig.options.folder).filter((f) => f !== 'lock.db');
  const before = files();
  await t.rejects(quickRig(rig.folder, { keyReference: `file:${join(rig.folder, 'nowhere')}` }), { code: 'QUE-4004' });
  t.notOk(readdirSync(rig.folder).includes('nowhere'), 'no other key is made');
  const other = await quickRig();
  await other.close();
  await t.rejects(quickRig(rig.folder, { keyReference: other.options.keyReference }), { code: 'QUE-4004' });
  t.same(files(), before);
  const again = await quickRig(rig.folder);
  t.teardown(again.close);
  t.equal([...again.view.inbox(0, 10)].length, 1);
});

t.test('what the demo made is refused in real operation', async (t) => {
  const rig = await quickRig(undefined, { demo: true });
  await rig.close();
  await t.rejects(quickRig(rig.folder), { code: 'CFG-5007' });
});

t.test('a database that vanished is told, not silently begun anew', async (t) => {
  const rig = await quickRig();
  await rig.accept('one');
  await rig.close();
  truncateSync(join(rig.options.folder, 'qianzhi.db'), 0);
  const again = await quickRig(rig.folder);
  t.teardown(again.close);
  t.match(again.store.state().notices, [{ code: 'QUE-4009' }]);
});

t.test('a lost tail is noticed, and its numbers are not given out again', async (t) => {
  const rig = await quickRig();
  for (const m of ['one', 'two', 'three']) await rig.accept(m);
  await rig.close();
  const db = new DatabaseSync(join(rig.options.folder, 'qianzhi.db'));
  db.exec('DELETE FROM message WHERE seq=3; DELETE FROM body WHERE seq=3; DELETE FROM retransmission WHERE seq=3');
  db.close();
  const again = await quickRig(rig.folder);
  t.teardown(again.close);
  t.match(again.store.state().notices, [{ code: 'QUE-4006', first: 3, last: 3 }]);
  t.match(await again.accept('three'), { seq: 4, outcome: 'stored' });
});

t.test('a database that cannot be opened is moved aside unchanged and the agent goes on', async (t) => {
  const rig = await quickRig();
  await rig.accept('one');
  await rig.close();
  const path = join(rig.options.folder, 'qianzhi.db');
  writeFileSync(path, 'this is not a database'.repeat(500));
  const again = await quickRig(rig.folder);
  t.teardown(again.close);
  t.match(again.store.state().notices, [{ code: 'QUE-4009' }]);
  const aside = readdirSync(rig.options.folder).find((f) => f.startsWith('damaged-'));
  t.ok(aside);
  t.match(readFileSync(join(rig.options.folder, aside!, 'qianzhi.db'), 'utf8'), /^this is not a database/);
  t.match(await again.accept('one'), { outcome: 'stored' });
});
