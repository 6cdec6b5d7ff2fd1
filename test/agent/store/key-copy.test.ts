import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { quickRig } from './rig.ts';

t.setTimeout(600_000);

type Rig = Awaited<ReturnType<typeof quickRig>>;

/** A store with one message, closed, and changed by hand as a failing disk would. */
async function changed(sql: string): Promise<Rig> {
  const rig = await quickRig();
  await rig.accept('one');
  await rig.close();
  const db = new DatabaseSync(join(rig.options.folder, 'qianzhi.db'));
  db.exec(sql);
  db.close();
  return rig;
}
const texts = (rig: Rig): string[] =>
  [...rig.view.inbox(0, 10)].map((m) => ('raw' in m ? Buffer.from(m.raw.reveal()).toString() : m.damaged));

for (const [what, sql] of [
  ['the wrapped index key', "UPDATE meta SET v=zeroblob(61) WHERE k='index_key'"],
  ['the store id', "UPDATE meta SET v=zeroblob(16) WHERE k='store_id'"],
  ['the agent’s id', "UPDATE meta SET v='0000000000000000' WHERE k='agent_id'"],
  ['all of it', 'DELETE FROM meta'],
] as const) {
  t.test(`${what} is damaged: restored from its copy, told, and nothing is lost`, async (t) => {
    const rig = await changed(sql);
    const agentId = rig.store.agentId;
    const again = await quickRig(rig.folder);
    t.same(texts(again), ['one']);
    t.equal(again.store.agentId, agentId, 'keys go on under the same id');
    t.match(again.store.state().notices, [{ code: 'QUE-4015' }]);
    t.match(await again.accept('two'), { seq: 2 });
    await again.close();
    const third = await quickRig(rig.folder);
    t.teardown(third.close);
    t.same(third.store.state().notices, [], 'once');
  });
}

t.test('a store without a copy gets one, and a damaged copy is made anew', async (t) => {
  const rig = await changed('SELECT 1');
  const file = join(rig.options.folder, 'key-copy');
  const made = readFileSync(file);
  rmSync(file);
  await (await quickRig(rig.folder)).close();
  t.same(readFileSync(file), made);
  writeFileSync(file, made.fill(0, 30, 40));
  const again = await quickRig(rig.folder);
  t.teardown(again.close);
  t.same(texts(again), ['one']);
  t.not(readFileSync(file)[30], 0);
});

t.test('the copy of another store is not believed', async (t) => {
  const other = await changed('SELECT 1');
  const rig = await changed('SELECT 1');
  writeFileSync(join(rig.options.folder, 'key-copy'), readFileSync(join(other.options.folder, 'key-copy')));
  const again = await quickRig(rig.folder);
  t.teardown(again.close);
  t.same(texts(again), ['one']);
  t.same(again.store.state().notices, []);
});

t.test('a data key of today that is damaged: what it sealed is named, and intake goes on under another', async (t) => {
  const rig = await changed('UPDATE data_key SET wrapped=zeroblob(61)');
  const again = await quickRig(rig.folder);
  t.teardown(again.close);
  t.match(await again.accept('two'), { seq: 2, outcome: 'stored' });
  t.same(texts(again), ['QUE-4003', 'two']);
});
