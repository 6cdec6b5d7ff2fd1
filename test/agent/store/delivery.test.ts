import t from 'tap';
import { mapped, quickRig, quickRigClaimed, record, setIdOf, storeRig, textOf } from './rig.ts';

t.setTimeout(600_000);

t.test('a record becomes a document, is delivered once, and the books say so at each step', async (t) => {
  const rig = await storeRig();
  t.teardown(rig.close);
  await rig.accept('m1');
  t.same(await rig.states(), { 1: 'unmapped' });
  await rig.map(1, record('R1', 1));
  t.same(await rig.states(), { 1: 'waiting' });
  await rig.render('<doc/>');
  const [doc] = await rig.claim();
  t.match(doc, { operation: 'publish', version: 1, attempt: 1, setId: setIdOf('R1'), received: false });
  t.equal(textOf(doc), '<doc/>');
  t.same(await rig.claim(), [], 'what is in flight is not claimed again');
  await rig.store.settle('province', [{ n: doc!.n, outcome: 'accepted', receipt: 'OK-1' }]);
  t.same(await rig.states(), { 1: 'delivered' });
  t.same(await rig.claim(), []);
  t.equal(await rig.store.nextDueMs('province'), undefined);
});

t.test('a retry sends the same bytes under the same key, also after a restart', async (t) => {
  const rig = await quickRig();
  await rig.accept('m1');
  await rig.map(1, record('R1', 1));
  await rig.render('<doc/>');
  const [first] = await rig.claim();
  await rig.store.settle('province', [{ n: first!.n, outcome: 'retry', code: 'PLT-1304', retryAtMs: 0 }]);
  const [second] = await rig.claim();
  await rig.close();
  const again = await quickRig(rig.folder);
  t.teardown(again.close);
  const [third] = await again.claim();
  t.same([second?.key, third?.key], [first?.key, first?.key]);
  t.same([first?.attempt, second?.attempt, third?.attempt], [1, 2, 3]);
  t.equal(textOf(third), '<doc/>');
});

t.test('one document of a lane at a time, in order; other lanes go on', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  for (const m of ['a', 'b', 'c']) await rig.accept(m);
  await rig.view.commitMapping({
    messages: [
      mapped(1, [record('R1', 1, { patient: 'P1' })]),
      mapped(2, [record('R2', 1, { patient: 'P1' })]),
      mapped(3, [record('R3', 1, { patient: 'P2' })]),
    ],
    reports: [],
    through: 3,
  });
  await rig.render('1', '2', '3');
  const claimed = await rig.claim();
  t.same(claimed.map(textOf), ['1', '3']);
  t.not(claimed[0]?.lane, claimed[1]?.lane);
  await rig.store.settle('province', [
    { n: claimed[0]!.n, outcome: 'retry', code: 'PLT-1304', retryAtMs: Date.now() + 60_000 },
  ]);
  t.same((await rig.claim()).map(textOf), [], 'the head of the lane blocks its lane');
  await rig.store.settle('province', [{ n: claimed[0]!.n, outcome: 'accepted' }]);
  t.same((await rig.claim()).map(textOf), ['2']);
});

t.test('a refused document holds itself and later versions of the same report only', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  for (const m of ['a', 'b', 'c']) await rig.accept(m);
  await rig.map(1, record('R1', 1));
  await rig.map(2, record('R1', 2));
  await rig.map(3, record('R2', 1));
  await rig.render('R1v1', 'R1v2', 'R2v1');
  const [head] = await rig.claim();
  await rig.settle(head, 'refused');
  t.same((await rig.claim()).map(textOf), ['R2v1']);
  t.same(await rig.states(), { 1: 'quarantined', 2: 'waiting', 3: 'waiting' });
  t.match(await rig.store.problems(10), [{ code: 'PLT-1305', platform: 'province', count: 1, exampleSeq: 1 }]);
});

t.test('an odd number in a verdict harms nothing', async (t) => {
  const { rig, doc } = await quickRigClaimed();
  t.teardown(rig.close);
  await rig.store.settle('province', [{ n: doc.n, outcome: 'retry', code: 'PLT-1303', retryAtMs: Date.now() - 0.5 }]);
  await t.rejects(
    rig.store.settle('province', [{ n: doc.n, outcome: 'retry', code: 'PLT-1303', retryAtMs: Number.NaN }]),
    { code: 'MAP-3013' },
  );
  t.same(rig.fatal, []);
  t.match(await rig.accept('two'), { outcome: 'stored' });
});

t.test('received is not accepted: the books stay open and the platform is asked', async (t) => {
  const { rig, doc } = await quickRigClaimed();
  t.teardown(rig.close);
  await rig.settle(doc, 'received');
  t.same(await rig.states(), { 1: 'waiting' });
  const [asked] = await rig.claim();
  t.match(asked, { received: true, attempt: 1 });
  await rig.settle(doc, 'accepted');
  t.same(await rig.states(), { 1: 'delivered' });
});

t.test('a platform that joins later starts with what comes from now on', async (t) => {
  const rig = await quickRig();
  await rig.accept('one');
  await rig.map(1, record('R1', 1));
  await rig.close();
  const again = await quickRig(rig.folder, { platforms: ['province', 'city'] });
  t.teardown(again.close);
  t.equal([...again.view.journal('city', 10)].length, 0);
  t.equal([...again.view.journal('province', 10)].length, 1);
});

t.test('verdicts that cannot be written leave all that was claimed in flight', async (t) => {
  const { rig, doc } = await quickRigClaimed();
  t.teardown(rig.close);
  const broken = { n: doc.n, outcome: 'retry', code: 'NET-1006', retryAtMs: Number.NaN } as const;
  await t.rejects(rig.store.settle('province', [broken]), { code: 'MAP-3013' });
  t.same(await rig.claim(), [], 'it may still be on the wire');
  await rig.settle(doc, 'accepted');
  t.same(await rig.states(), { 1: 'delivered' });
});

t.test('a next attempt written under a clock that was years ahead does not wait for those years', async (t) => {
  const { rig, doc } = await quickRigClaimed();
  const years = 10 * 365 * 86_400_000;
  await rig.settle(doc, 'retry', Date.now() + years);
  t.same(await rig.claim(), []);
  await rig.close();
  const again = await quickRig(rig.folder);
  t.teardown(again.close);
  t.match(await again.claim(), [{ n: doc.n, attempt: 2 }]);
});
