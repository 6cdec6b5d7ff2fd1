import t from 'tap';
import type { LookupKind } from '../../../agent/store/contract.ts';
import { phi } from '../../../agent/support/phi.ts';
import { mapped, quickRig } from './rig.ts';

t.test('messages are found by what they name, whole and of that kind, the newest first', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  const keys: Array<Array<[LookupKind, string]>> = [
    [
      ['name', '张  晋'],
      ['name', '张晋'],
      ['report', 'R1'],
    ],
    [['name', '张晋']],
    [
      ['patient', 'R1'],
      ['name', 'Zhang San'],
      ['name', 'ZhangSan'],
    ],
    [['name', '张晋义']],
  ];
  for (const at of keys.keys()) await rig.accept(`m${at}`);
  const messages = keys.map((of, at) => ({
    ...mapped(at + 1, [{ kind: 'filtered', rule: 'type' }]),
    lookups: of.map(([kind, value]) => ({ kind, value: phi(value) })),
  }));
  await rig.view.commitMapping({ messages, reports: [], through: keys.length });
  const find = async (by: LookupKind, term: string, limit = 50, before?: number): Promise<number[]> =>
    (await rig.store.findMessages(by, phi(term), limit, before)).map(({ seq }) => seq);
  t.same(await find('name', '张晋'), [2, 1]);
  t.same(await find('name', ' 张　晋 '), [2, 1], 'however it is spaced');
  t.same(await find('name', '张  晋'), [2, 1], 'the same message is one row');
  t.same(await find('name', 'Zhang San'), [3]);
  t.same(await find('name', '张'), [], 'a part of a name names nobody');
  t.same(await find('report', 'R1'), [1]);
  t.same(await find('patient', 'R1'), [3]);
  t.same(await find('visit', 'R1'), []);
  t.same(await find('name', '张晋', 1), [2]);
  t.same(await find('name', '张晋', 50, 2), [1]);
  t.match(await rig.store.findMessages('report', phi('R1'), 1), [
    { seq: 1, source: 'lis', states: [{ state: 'filtered', rule: 'type' }] },
  ]);
});
