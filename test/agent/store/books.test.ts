import t from 'tap';
import { document, quickRig, record } from './rig.ts';

t.setTimeout(600_000);

t.test('an interim waits and is absorbed by the final that replaces it', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  await rig.accept('a');
  await rig.accept('b');
  await rig.map(1, { kind: 'waiting', code: 'MAP-3014', reportKey: 'R1' });
  t.same(await rig.states(), { 1: 'waiting', 2: 'unmapped' });
  await rig.map(2, record('R1', 1, { absorbs: ['1:0'] }));
  t.same(await rig.states(), { 1: 'absorbed', 2: 'waiting' });
});

t.test('what waits with a critical value is counted until its final comes', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  for (const text of ['a', 'b', 'c']) await rig.accept(text);
  await rig.map(1, { kind: 'waiting', code: 'MAP-3031', reportKey: 'R1' });
  await rig.map(2, { kind: 'waiting', code: 'MAP-3014', reportKey: 'R2' });
  t.match(await rig.store.problems(10), [{ code: 'MAP-3031', platform: '', where: '', count: 1, exampleSeq: 1 }]);
  await rig.map(3, record('R1', 1, { absorbs: ['1:0'] }));
  t.same(await rig.store.problems(10), []);
});

t.test('a withdrawal of what was never published ends the waiting of its interim', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  await rig.accept('a');
  await rig.accept('b');
  await rig.map(1, { kind: 'waiting', code: 'MAP-3014', reportKey: 'R1' });
  await rig.map(2, { kind: 'absorbed', reason: 'nothing-published', absorbs: ['1:0'] });
  t.same(await rig.states(), { 1: 'absorbed', 2: 'absorbed' });
});

t.test('a document held for a missing code is overtaken by a later version', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  await rig.accept('a');
  await rig.accept('b');
  await rig.map(1, record('R1', 1));
  await rig.render({ held: 'MAP-3009' });
  t.same(await rig.states(), { 1: 'quarantined', 2: 'unmapped' });
  t.match(await rig.store.problems(10), [{ code: 'MAP-3009', platform: 'province', where: 'specimen', count: 1 }]);
  await rig.map(2, record('R1', 2));
  await rig.render('v2');
  t.same(await rig.states(), { 1: 'absorbed', 2: 'waiting' });
});

t.test('the balance always equals what came in', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  for (let i = 1; i <= 6; i++) await rig.accept(`m${i}`);
  await rig.map(1, record('R1', 1));
  await rig.map(2, { kind: 'filtered', rule: 'type' });
  await rig.map(3, { kind: 'quarantined', code: 'MAP-3005', where: 'PV1-2' });
  await rig.map(4, record('R2', 1), { kind: 'quarantined', code: 'MAP-3008', where: 'OBR-20' });
  await rig.map(5, record('R3', 1), record('R4', 1));
  await rig.render('1', '2', { filtered: 'source' }, '4');
  const { today, receivedToday } = await rig.store.figures(Date.now());
  t.equal(receivedToday[0]?.count, 6);
  const sum = today.reduce((n, r) => n + r.count, 0);
  t.equal(sum, 5, 'five are mapped, one is still in the inbox');
  t.same(await rig.states(), {
    1: 'waiting',
    2: 'filtered',
    3: 'quarantined',
    4: 'quarantined',
    5: 'waiting',
    6: 'unmapped',
  });
});

t.test('of two versions that are held, the older one made at last does not overtake the newer', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  await rig.accept('a');
  await rig.accept('b');
  await rig.map(1, record('R1', 1));
  await rig.map(2, record('R1', 2));
  await rig.render({ held: 'MAP-3009' }, { held: 'MAP-3009' });
  const made: string[] = [];
  for (let after = 0; ; ) {
    const entry = rig.view.held('province', after, 1)[0];
    if (!entry) break;
    after = entry.jseq;
    made.push(`v${entry.version}`);
    const results = [{ jseq: entry.jseq, rendered: document(`v${entry.version}`) }];
    await rig.view.commitRendering('province', undefined, results, 0);
  }
  t.same(made, ['v1', 'v2']);
  t.same(await rig.states(), { 1: 'waiting', 2: 'waiting' });
});

t.test('a platform that joins later has no part in what was before, also when that moves on', async (t) => {
  const rig = await quickRig();
  await rig.accept('a');
  await rig.map(1, record('R1', 1));
  await rig.render('v1');
  await rig.close();
  const again = await quickRig(rig.folder, { platforms: ['province', 'city'] });
  t.teardown(again.close);
  const [doc] = await again.claim();
  await again.settle(doc, 'accepted');
  await again.accept('b');
  await again.map(2, record('R2', 1));
  t.same(
    (await again.store.messages(10)).map((m) => m.states.map((s) => `${s.platform} ${s.state}`)),
    [['province waiting', 'city waiting'], ['province delivered']],
  );
});
