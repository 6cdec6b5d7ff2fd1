import t from 'tap';
import { quickRig, record, storeRig } from './rig.ts';

t.setTimeout(600_000);

t.test('messages get their numbers in the order they were posted, and read back byte for byte', async (t) => {
  const rig = await storeRig();
  t.teardown(rig.close);
  const all = await Promise.all(Array.from({ length: 600 }, (_, i) => rig.accept(`message ${i} ${'x'.repeat(i)}`)));
  t.same(
    all.map((a) => a.seq),
    Array.from({ length: 600 }, (_, i) => i + 1),
  );
  const inbox = [...rig.view.inbox(0, 1000)];
  t.equal(inbox.length, 600);
  for (const [i, m] of inbox.entries()) {
    t.ok('raw' in m);
    if ('raw' in m && i % 97 === 0) t.equal(Buffer.from(m.raw.reveal()).toString(), `message ${i} ${'x'.repeat(i)}`);
  }
});

t.test('identical bytes from one source are stored once; from another source they are another message', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  const first = await rig.accept('same', 'lis', 'A');
  const [again, inFlight, other] = await Promise.all([
    rig.accept('same', 'lis', 'A'),
    rig.accept('same', 'lis', 'A'),
    rig.accept('same', 'his', 'A'),
  ]);
  t.match(again, { seq: first.seq, outcome: 'retransmission' });
  t.match(inFlight, { seq: first.seq, outcome: 'retransmission' });
  t.match(other, { seq: 2, outcome: 'stored' });
  t.match(await rig.accept('different', 'lis', 'A'), { outcome: 'stored', controlIdReused: true });
});

t.test('a duplicate that arrives in the same group commit as the first is still stored once', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  const both = await Promise.all([rig.accept('twin', 'lis', 'A'), rig.accept('twin', 'lis', 'A')]);
  t.same(
    both.map((b) => [b.seq, b.outcome]),
    [
      [1, 'stored'],
      [1, 'retransmission'],
    ],
  );
});

t.test('retransmissions are still recognised after a restart', async (t) => {
  const rig = await storeRig();
  await rig.accept('same', 'lis', 'A');
  await rig.close();
  const again = await storeRig(rig.folder);
  t.teardown(again.close);
  t.match(await again.accept('same', 'lis', 'A'), { seq: 1, outcome: 'retransmission' });
  t.match(await again.accept('new', 'lis', 'B'), { seq: 2, outcome: 'stored' });
});

t.test('a source that continues another knows what came under that name, also after a restart', async (t) => {
  const take = (rig: Awaited<ReturnType<typeof quickRig>>, text: string, source: string, continues?: string) =>
    rig.store.accept({
      source,
      ...(continues !== undefined && { continues }),
      bytes: Buffer.from(text),
      controlId: Buffer.from('A'),
      receivedMs: Date.now(),
    });
  const rig = await quickRig();
  const { seq } = await take(rig, 'before', 'lis');
  const [again, next, twin] = await Promise.all([
    take(rig, 'before', 'analyser', 'lis'),
    take(rig, 'after', 'analyser', 'lis'),
    take(rig, 'after', 'analyser', 'lis'),
  ]);
  t.match(again, { seq, outcome: 'retransmission' });
  t.match(next, { seq: seq + 1, outcome: 'stored', controlIdReused: true });
  t.match(twin, { seq: seq + 1, outcome: 'retransmission' });
  t.match(await take(rig, 'before', 'ward'), { seq: seq + 2, outcome: 'stored', controlIdReused: false });
  t.same(
    (await rig.store.messages(10)).map(({ source }) => source),
    ['ward', 'analyser', 'lis'],
    'each is stored under its own name',
  );
  await rig.close();
  const later = await quickRig(rig.folder);
  t.teardown(later.close);
  t.match(await take(later, 'before', 'analyser', 'lis'), { seq, outcome: 'retransmission' });
  t.match(await take(later, 'after', 'analyser', 'lis'), { seq: seq + 1, outcome: 'retransmission' });
});

t.test('what made nothing under the continued name is new when it is sent again under the new one, once', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  const take = (text: string, source: string, continues?: string) =>
    rig.store.accept({
      source,
      ...(continues !== undefined && { continues }),
      bytes: Buffer.from(text),
      controlId: Buffer.from(text),
      receivedMs: Date.now(),
    });
  for (const text of ['filtered', 'held', 'reported', 'not mapped yet']) await take(text, 'lis');
  await rig.map(1, { kind: 'filtered', rule: 'type' });
  await rig.map(2, { kind: 'quarantined', code: 'MAP-3005', where: 'PV1-2' });
  await rig.map(3, record('R1', 1));
  t.match(await take('filtered', 'analyser', 'lis'), { seq: 5, outcome: 'stored', controlIdReused: false });
  t.match(await take('held', 'analyser', 'lis'), { seq: 6, outcome: 'stored', controlIdReused: false });
  t.match(await take('reported', 'analyser', 'lis'), { seq: 3, outcome: 'retransmission' });
  t.match(await take('not mapped yet', 'analyser', 'lis'), { seq: 4, outcome: 'retransmission' });
  t.match(await take('filtered', 'lis'), { outcome: 'retransmission' }, 'under the same name it was always known');
  await rig.map(4, { kind: 'filtered', rule: 'type' });
  await rig.map(5, { kind: 'filtered', rule: 'type' });
  t.match(await take('filtered', 'analyser', 'lis'), { seq: 5, outcome: 'retransmission' }, 'nor is it new for ever');
});

t.test('the store says which names were never used, and which were and are not configured', async (t) => {
  const rig = await quickRig(undefined, { sources: ['lis', 'bc6800'] });
  t.match(rig.store.state(), { unused: ['lis', 'bc6800'], former: [] });
  await rig.accept('one', 'bc6800');
  await rig.close();
  const renamed = await quickRig(rig.folder, { sources: ['lis', 'bc-6800'] });
  t.teardown(renamed.close);
  t.match(renamed.store.state(), { unused: ['lis', 'bc-6800'], former: ['bc6800'] });
});
