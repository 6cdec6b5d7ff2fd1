import { randomBytes } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { mapBatch } from '../../../agent/mapping/map.ts';
import type { MessageReader } from '../../../agent/mapping/mapper.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import { quickRig, record, setIdOf } from './rig.ts';

t.setTimeout(600_000);

/** Overwrites the head of one leaf page of a table, as a failing disk would. */
function damagePageOf(table: string, folder: string): void {
  const db = new DatabaseSync(join(folder, 'qianzhi.db'));
  const { rootpage } = db.prepare('SELECT rootpage FROM sqlite_schema WHERE name=?').get(table) as { rootpage: number };
  const leaf = db.prepare("SELECT pageno FROM dbstat WHERE name=? AND pagetype='leaf' AND pageno<>? LIMIT 1");
  const { pageno } = leaf.get(table, rootpage) as { pageno: number };
  db.close();
  const file = openSync(join(folder, 'qianzhi.db'), 'r+');
  writeSync(file, Buffer.alloc(64, 0xff), 0, 64, (pageno - 1) * 4096);
  closeSync(file);
}

t.test('a damaged page of documents is set aside and named, and the others are delivered', async (t) => {
  const rig = await quickRig();
  for (let i = 1; i <= 30; i++) {
    await rig.accept(`m${i}`);
    await rig.map(i, record(`R${i}`, 1, { patient: `P${i}` }));
  }
  for (let left = 30; left > 0; )
    left -= await rig.render(...Array.from({ length: left }, () => randomBytes(900).toString('hex')));
  await rig.close();
  damagePageOf('document', rig.options.folder);
  const again = await quickRig(rig.folder);
  t.teardown(again.close);
  const delivered = await again.claim();
  t.ok(delivered.length > 0 && delivered.length < 30, `${delivered.length} of 30 could be read`);
  t.match(await again.store.problems(10), [{ code: 'QUE-4003', platform: 'province', count: 30 - delivered.length }]);
});

t.test('a body that was tampered with is named, and its neighbours are read', async (t) => {
  const rig = await quickRig();
  for (const m of ['one', 'two', 'three']) await rig.accept(m);
  await rig.close();
  const db = new DatabaseSync(join(rig.options.folder, 'qianzhi.db'));
  db.exec('UPDATE body SET sealed = (SELECT sealed FROM body WHERE seq=1) WHERE seq=2');
  db.close();
  const again = await quickRig(rig.folder);
  t.teardown(again.close);
  const inbox = [...again.view.inbox(0, 10)];
  t.same(
    inbox.map((m) => ('damaged' in m ? m.damaged : 'ok')),
    ['ok', 'QUE-4003', 'ok'],
  );
});

t.test('a damaged page of bodies does not stop mapping: its messages are set aside and named', async (t) => {
  const rig = await quickRig();
  for (let i = 1; i <= 30; i++) await rig.accept(randomBytes(900).toString('hex'));
  await rig.close();
  damagePageOf('body', rig.options.folder);
  const again = await quickRig(rig.folder);
  t.teardown(again.close);
  const reader: MessageReader = {
    corrections: 'unknown',
    quietMs: 0,
    parkMs: 0,
    read: () => ({ kind: 'filtered', type: 'other', rule: 'type', lookups: [] }),
  };
  const stage = { timeZone: 'Asia/Shanghai', setIdOf, clock: systemClock, readers: new Map([['lis', reader]]) };
  let mapped = 0;
  for (let n = -1; n !== 0; mapped += n) n = await mapBatch({ ...stage, store: again.view });
  t.equal(mapped, 30);
  const states = Object.values(await again.states());
  const aside = states.filter((state) => state === 'quarantined').length;
  t.ok(aside > 0 && aside < 30, `${aside} of 30 could not be read`);
  t.equal(states.filter((state) => state === 'filtered').length, 30 - aside, 'their neighbours went on');
  t.match(await again.store.problems(10), [{ code: 'QUE-4003', where: 'body', count: aside }]);
  t.match(await again.accept('another'), { outcome: 'stored' });
  t.same(again.fatal, []);
});

/** Puts a row into a table behind the back of one of its indexes. */
function forgetInIndex(folder: string, index: string, sql: string): void {
  const path = join(folder, 'qianzhi.db');
  const withSchema = <T>(work: (db: DatabaseSync) => T): T => {
    const db = new DatabaseSync(path, { defensive: false });
    db.exec('PRAGMA writable_schema=ON');
    try {
      return work(db);
    } finally {
      db.close();
    }
  };
  const columns = ['type', 'name', 'tbl_name', 'rootpage', 'sql'];
  const row = withSchema((db) => {
    const found = db.prepare(`SELECT ${columns} FROM sqlite_schema WHERE name=?`).get(index) as Record<string, string>;
    db.prepare('DELETE FROM sqlite_schema WHERE name=?').run(index);
    return columns.map((column) => found[column] as string);
  });
  withSchema((db) => {
    db.exec(sql);
    db.prepare('INSERT INTO sqlite_schema VALUES(?,?,?,?,?)').run(...row);
  });
}

t.test('an index that does not fit its table is found once somebody met it, not at every start again', async (t) => {
  const rig = await quickRig();
  await rig.accept('m1');
  await rig.map(1, record('R1', 1));
  await rig.render('v1');
  await rig.close();
  const { folder } = rig.options;
  forgetInIndex(folder, 'outbox_open', 'UPDATE outbox SET due_ms = due_ms + 1');
  closeSync(openSync(join(folder, 'damaged'), 'a'));
  const again = await quickRig(rig.folder);
  t.teardown(again.close);
  t.match(again.store.state().notices, [{ code: 'QUE-4009' }]);
});
