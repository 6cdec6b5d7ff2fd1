import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import type { Statement } from '../../../agent/mapping/mapper.ts';
import { mappingRig } from './rig.ts';
import { merges, registers, report } from './statements.ts';

/** A report's state as a failing disk would leave it: it does not open. */
function damage(folder: string, id: number): void {
  const db = new DatabaseSync(join(folder, 'qianzhi.db'));
  db.prepare("UPDATE report SET sealed = x'00112233445566778899' WHERE id = ?").run(id);
  db.close();
}

t.test('one damaged report does not stop a merge: the others go, and it is named', async (t) => {
  const m = await mappingRig();
  t.teardown(m.close);
  for (const number of ['R1', 'R2', 'R3']) await m.say(report({ number, name: '张三', class: 'inpatient', of: 'A' }));
  await m.registrationSays(registers('B', { name: '张三' }));
  damage(m.options.folder, 2);
  const before = m.journal().length;
  await m.registrationSays(merges('A', 'B'));
  t.same(m.journal().slice(before), ['publish R1 v2 张三 B', 'publish R3 v2 张三 B']);
  t.same(await m.problems(), ['QUE-4003 reports']);
  await m.say(report({ number: 'R4', name: '张三', class: 'inpatient', of: 'A' }));
  t.match(m.journal().at(-1), /^publish R4 v1 张三 B$/, 'the merge stands');

  m.stage.readers.set('his', { ...m.reader });
  const { mapAgain } = await import('../../../agent/mapping/map.ts');
  await mapAgain(m.stage, 'his', 2);
  t.same(await m.problems(), ['QUE-4003 reports'], 'as long as it is damaged, whatever rules change');
  t.equal(m.journal().length, before + 3, 'and nothing is moved twice');
});

t.test('many due messages are looked for once a batch, not once each', async (t) => {
  const m = await mappingRig({ parkMs: 60_000 });
  t.teardown(m.close);
  for (let i = 1; i <= 20; i++) await m.receive(report({ number: `R${i}`, class: 'inpatient' }));
  await m.map();
  t.same(m.journal(), []);
  let asked = 0;
  const { due } = m.view;
  m.stage.store = {
    ...m.view,
    due: (nowMs, count) => {
      asked += 1;
      return due(nowMs, count);
    },
  };
  m.pass(2);
  t.equal(await m.map(), 20);
  t.equal(m.journal().length, 20);
  t.ok(asked <= 2, `asked ${asked} times`);
});

t.test('rules that change the order of a message lose no report of it', async (t) => {
  const m = await mappingRig();
  t.teardown(m.close);
  const r1 = report({ number: 'R1', name: '张三', class: 'inpatient', items: 'K 6.8' });
  const r2 = report({ number: 'R2', name: '张三', class: 'inpatient', items: 'Na 140' });
  const held: Statement = { held: { code: 'MAP-3008', where: 'report.number' } };
  await m.say(r2, held);
  m.reader.read = () => ({ kind: 'statements', type: 'ORU^R01', lookups: [], statements: [r1, r2] });
  t.equal(await m.again(2), 1);
  t.same(m.journal(), ['publish R2 v1 张三 P1', 'publish R1 v1 张三 P1']);
  t.same(await m.problems(), []);
  t.equal(await m.again(3), 0, 'and all of it is decided');
});
