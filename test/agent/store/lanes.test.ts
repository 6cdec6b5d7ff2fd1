import t from 'tap';
import type { OutboxDocument, RecordEntry } from '../../../agent/store/contract.ts';
import { document, entry, quickRig, record, records, textOf } from './rig.ts';

t.setTimeout(600_000);

type Rig = Awaited<ReturnType<typeof quickRig>>;

/** The next message, of the given entries, rendered as `v1`, `v2` … by their versions. */
function speaker(rig: Rig) {
  let seq = 0;
  return async (...entries: RecordEntry[]): Promise<number> => {
    await rig.accept(`m${++seq}`);
    await rig.map(seq, records(entries));
    await rig.render(...entries.map((e) => `${e.reportKey} v${e.version}`));
    return seq;
  };
}
const settle = (rig: Rig, d: OutboxDocument | undefined, outcome: 'accepted' | 'retry' | 'received') =>
  rig.store.settle('province', [
    outcome === 'accepted'
      ? { n: d!.n, outcome }
      : outcome === 'retry'
        ? { n: d!.n, outcome, code: 'NET-1006', retryAtMs: 0 }
        : { n: d!.n, outcome, retryAtMs: 0 },
  ]);
const said = (documents: OutboxDocument[]) => documents.map((d) => `${d.operation} ${textOf(d)}`);

t.test('a merge before anything was sent: only the survivor’s document goes out', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  const say = speaker(rig);
  await say(entry('R1', 1, { patient: 'P1' }));
  await say(entry('R1', 2, { patient: 'P2' }));
  const [doc, ...others] = await rig.claim();
  t.same([said([doc!]), others.length], [['publish R1 v2'], 0], 'the platform never had the first');
  await settle(rig, doc, 'accepted');
  t.same(await rig.states(), { 1: 'absorbed', 2: 'delivered' });
  t.match(await rig.store.messages(1, 2), [{ states: [{ rule: 'replaced', by: 2 }] }]);
});

t.test(
  'a merge after an attempt of unknown outcome: the survivor’s document waits, other reports do not',
  async (t) => {
    const rig = await quickRig();
    t.teardown(rig.close);
    const say = speaker(rig);
    await say(entry('R1', 1, { patient: 'P1' }));
    const [first] = await rig.claim();
    await say(entry('R1', 2, { patient: 'P2' }), entry('R2', 1, { patient: 'P2' }));
    await say(entry('R1', 3, { patient: 'P2' }));
    const [other, ...none] = await rig.claim();
    t.same([said([other!]), none], [['publish R2 v1'], []], 'while it is on the wire');
    await settle(rig, other, 'accepted');
    await settle(rig, first, 'retry');
    const [again, ...nothing] = await rig.claim();
    t.same([again?.key, nothing], [first?.key, []], 'while its outcome is unknown');
    t.equal(rig.view.unsent('province'), 3);
    await settle(rig, again, 'accepted');
    for (const expected of ['replace R1 v2', 'replace R1 v3']) {
      const next = await rig.claim();
      t.same(said(next), [expected]);
      await settle(rig, next[0], 'accepted');
    }
    t.same(await rig.states(), { 1: 'delivered', 2: 'delivered', 3: 'delivered' });
  },
);

t.test('a report that was another patient’s: withdrawn there first, then published here', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  const say = speaker(rig);
  await say(entry('R1', 1, { patient: 'P1' }));
  const [first] = await rig.claim();
  await settle(rig, first, 'accepted');
  await say(entry('R1', 2, { patient: 'P1', action: 'retract' }), entry('R1', 3, { patient: 'P2' }));
  t.same(await rig.states(), { 1: 'delivered', 2: 'waiting' });
  const [retraction, ...none] = await rig.claim();
  t.same([said([retraction!]), none], [['retract R1 v2'], []]);
  t.equal(retraction?.lane, first?.lane, 'the retraction keeps its lane');
  await settle(rig, retraction, 'retry');
  t.same(said(await rig.claim()), ['retract R1 v2'], 'until it is accepted');
  await settle(rig, retraction, 'accepted');
  const published = await rig.claim();
  t.same(said(published), ['publish R1 v3']);
  t.not(published[0]?.lane, first?.lane);
  await settle(rig, published[0], 'accepted');
  t.same(await rig.states(), { 1: 'delivered', 2: 'delivered' });
});

t.test('moved before it was ever sent: nothing to withdraw, nothing to wait for', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  const say = speaker(rig);
  await say(entry('R1', 1, { patient: 'P1' }));
  await say(entry('R1', 2, { patient: 'P1', action: 'retract' }), entry('R1', 3, { patient: 'P2' }));
  t.same(said(await rig.claim()), ['publish R1 v3']);
});

t.test('moved while the retraction cannot be said: the publication is held with it, and follows it', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  await rig.accept('one');
  await rig.map(1, record('R1', 1, { patient: 'P1' }));
  await rig.render('v1');
  const [first] = await rig.claim();
  await settle(rig, first, 'accepted');
  await rig.accept('two');
  await rig.map(2, records([entry('R1', 2, { patient: 'P1', action: 'retract' }), entry('R1', 3, { patient: 'P2' })]));
  await rig.render({ held: 'MAP-3009' }, 'v3');
  t.same(await rig.claim(), [], 'the platform would have it under both patients');
  t.same(await rig.states(), { 1: 'delivered', 2: 'quarantined' });
  for (const { jseq, action } of rig.view.held('province', 0, 10)) {
    await rig.view.commitRendering('province', undefined, [{ jseq, rendered: document(action) }], 0);
  }
  for (const expected of ['retract retract', 'publish publish']) {
    const next = await rig.claim();
    t.same(said(next), [expected]);
    await settle(rig, next[0], 'accepted');
  }
});

t.test(
  'merged and then withdrawn while the old document is on the wire: the retraction waits for its answer',
  async (t) => {
    const rig = await quickRig();
    t.teardown(rig.close);
    const say = speaker(rig);
    await say(entry('R1', 1, { patient: 'P1' }));
    const [first] = await rig.claim();
    await say(entry('R1', 2, { patient: 'P2' }));
    await say(entry('R1', 3, { patient: 'P2', action: 'retract' }));
    t.same(await rig.claim(), []);
    await settle(rig, first, 'retry');
    t.same(said(await rig.claim()), ['retract R1 v3'], 'and what it withdraws is not sent again');
    t.same(await rig.states(), { 1: 'absorbed', 2: 'absorbed', 3: 'waiting' });
  },
);

t.test('after a restart nothing is on the wire: what waited for that alone goes on', async (t) => {
  const rig = await quickRig();
  const say = speaker(rig);
  await say(entry('R1', 1, { patient: 'P1' }));
  await rig.claim();
  await say(entry('R1', 2, { patient: 'P2' }));
  await say(entry('R1', 3, { patient: 'P2', action: 'retract' }));
  t.same(await rig.claim(), []);
  await rig.close();
  const again = await quickRig(rig.folder);
  t.teardown(again.close);
  t.same(said(await again.claim()), ['retract R1 v3']);
});

t.test('a refusal in the old lane holds the later version in the new one', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  const say = speaker(rig);
  await say(entry('R1', 1, { patient: 'P1' }));
  const [first] = await rig.claim();
  await say(entry('R1', 2, { patient: 'P2' }));
  await rig.store.settle('province', [{ n: first!.n, outcome: 'refused', code: 'PLT-1305' }]);
  t.same(await rig.claim(), []);
  t.same(await rig.states(), { 1: 'quarantined', 2: 'waiting' });
});

t.test('a document that waits for its parent blocks nothing but later versions of its own report', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  const say = speaker(rig);
  await say(entry('R1', 1), entry('R2', 1));
  const [child] = await rig.claim();
  const retryAtMs = Date.now() + 60_000;
  await rig.store.settle('province', [{ n: child!.n, outcome: 'wait-for-parent', retryAtMs }]);
  await say(entry('R1', 2));
  const [other, ...none] = await rig.claim();
  t.same([said([other!]), none], [['publish R2 v1'], []]);
  await settle(rig, other, 'received');
  t.equal(await rig.store.nextDueMs('province'), 0, 'the other is asked after');
  t.equal((await rig.store.figures(Date.now())).platforms[0]?.unsent, 3);
  await settle(rig, (await rig.claim())[0], 'accepted');
  const [again] = await rig.claim();
  t.match(again, { n: child!.n, key: child!.key, attempt: 2 }, 'what was accepted may have been its parent');
  await settle(rig, again, 'accepted');
  t.same(said(await rig.claim()), ['replace R1 v2']);
});

t.test('without its parent it is tried again when its time comes, also after a restart', async (t) => {
  const rig = await quickRig();
  const say = speaker(rig);
  await say(entry('R1', 1), entry('R2', 1));
  const [child] = await rig.claim();
  const retryAtMs = Date.now() + 60_000;
  await rig.store.settle('province', [{ n: child!.n, outcome: 'wait-for-parent', retryAtMs }]);
  await rig.close();
  const again = await quickRig(rig.folder);
  t.teardown(again.close);
  const [other] = await again.store.claim('province', 1, 1e6, retryAtMs - 1);
  t.same(said([other!]), ['publish R2 v1']);
  await again.store.settle('province', [{ n: other!.n, outcome: 'refused', code: 'PLT-1305' }]);
  t.equal(await again.store.nextDueMs('province'), retryAtMs);
  const [then] = await again.store.claim('province', 1, 1e6, retryAtMs);
  t.equal(then?.key, child?.key);
  t.ok(then?.parentSinceMs !== undefined && then.parentSinceMs <= Date.now(), 'since when it waits is known');
});

t.test('withdrawn while it waits for its parent: nothing was taken, nothing is withdrawn', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  const say = speaker(rig);
  await say(entry('R1', 1));
  const [child] = await rig.claim();
  await rig.store.settle('province', [{ n: child!.n, outcome: 'wait-for-parent', retryAtMs: Date.now() + 60_000 }]);
  await say(entry('R1', 2), entry('R1', 3, { action: 'retract' }));
  t.same(said(await rig.claim()), []);
  t.same(await rig.states(), { 1: 'absorbed', 2: 'absorbed' });
});

t.test('withdrawn while it waits for its parent, after an answer was lost: the retraction does not wait', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  const say = speaker(rig);
  await say(entry('R1', 1));
  const [child] = await rig.claim();
  const { n } = child!;
  await rig.store.settle('province', [{ n, outcome: 'retry', code: 'NET-1006', retryAtMs: 0 }]);
  await rig.claim();
  await rig.store.settle('province', [{ n, outcome: 'wait-for-parent', retryAtMs: Date.now() + 60_000 }]);
  await say(entry('R1', 2), entry('R1', 3, { action: 'retract' }));
  t.same(said(await rig.claim()), ['retract R1 v3']);
  t.same(await rig.states(), { 1: 'absorbed', 2: 'waiting' });
});
