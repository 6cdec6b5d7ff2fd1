import t, { type Test } from 'tap';
import type { OutboxDocument, RecordEntry } from '../../../agent/store/contract.ts';
import { document, entry, quickRig, record, records, textOf } from './rig.ts';

t.setTimeout(600_000);

/** A store told of reports message by message. */
async function speakingRig() {
  const rig = await quickRig();
  let seq = 0;
  return {
    ...rig,
    /** The next message, of the given entries, rendered as `R1 v1`, `R1 v2` … by their reports and versions. */
    async say(...entries: RecordEntry[]): Promise<void> {
      await rig.accept(`m${++seq}`);
      await rig.map(seq, records(entries));
      await rig.render(...entries.map((e) => `${e.reportKey} v${e.version}`));
    },
  };
}
/** The same, closed with the test. */
async function openRig(t: Test) {
  const rig = await speakingRig();
  t.teardown(rig.close);
  return rig;
}
const said = (documents: OutboxDocument[]) => documents.map((d) => `${d.operation} ${textOf(d)}`);

t.test('a merge before anything was sent: only the survivor’s document goes out', async (t) => {
  const rig = await openRig(t);
  await rig.say(entry('R1', 1, { patient: 'P1' }));
  await rig.say(entry('R1', 2, { patient: 'P2' }));
  const [doc, ...others] = await rig.claim();
  t.same([said([doc!]), others.length], [['publish R1 v2'], 0], 'the platform never had the first');
  await rig.settle(doc, 'accepted');
  t.same(await rig.states(), { 1: 'absorbed', 2: 'delivered' });
  t.match(await rig.store.messages(1, 2), [{ states: [{ rule: 'replaced', by: 2 }] }]);
});

t.test(
  'a merge after an attempt of unknown outcome: the survivor’s document waits, other reports do not',
  async (t) => {
    const rig = await openRig(t);
    await rig.say(entry('R1', 1, { patient: 'P1' }));
    const [first] = await rig.claim();
    await rig.say(entry('R1', 2, { patient: 'P2' }), entry('R2', 1, { patient: 'P2' }));
    await rig.say(entry('R1', 3, { patient: 'P2' }));
    const [other, ...none] = await rig.claim();
    t.same([said([other!]), none], [['publish R2 v1'], []], 'while it is on the wire');
    await rig.settle(other, 'accepted');
    await rig.settle(first, 'retry');
    const [again, ...nothing] = await rig.claim();
    t.same([again?.key, nothing], [first?.key, []], 'while its outcome is unknown');
    t.equal(rig.view.unsent('province'), 3);
    await rig.settle(again, 'accepted');
    for (const expected of ['replace R1 v2', 'replace R1 v3']) {
      const next = await rig.claim();
      t.same(said(next), [expected]);
      await rig.settle(next[0], 'accepted');
    }
    t.same(await rig.states(), { 1: 'delivered', 2: 'delivered', 3: 'delivered' });
  },
);

t.test('a report that was another patient’s: withdrawn there first, then published here', async (t) => {
  const rig = await openRig(t);
  await rig.say(entry('R1', 1, { patient: 'P1' }));
  const [first] = await rig.claim();
  await rig.settle(first, 'accepted');
  await rig.say(entry('R1', 2, { patient: 'P1', action: 'retract' }), entry('R1', 3, { patient: 'P2' }));
  t.same(await rig.states(), { 1: 'delivered', 2: 'waiting' });
  const [retraction, ...none] = await rig.claim();
  t.same([said([retraction!]), none], [['retract R1 v2'], []]);
  t.equal(retraction?.lane, first?.lane, 'the retraction keeps its lane');
  await rig.settle(retraction, 'retry');
  t.same(said(await rig.claim()), ['retract R1 v2'], 'until it is accepted');
  await rig.settle(retraction, 'accepted');
  const published = await rig.claim();
  t.same(said(published), ['publish R1 v3']);
  t.not(published[0]?.lane, first?.lane);
  await rig.settle(published[0], 'accepted');
  t.same(await rig.states(), { 1: 'delivered', 2: 'delivered' });
});

t.test('moved before it was ever sent: nothing to withdraw, nothing to wait for', async (t) => {
  const rig = await openRig(t);
  await rig.say(entry('R1', 1, { patient: 'P1' }));
  await rig.say(entry('R1', 2, { patient: 'P1', action: 'retract' }), entry('R1', 3, { patient: 'P2' }));
  t.same(said(await rig.claim()), ['publish R1 v3']);
});

t.test('moved while the retraction cannot be said: the publication is held with it, and follows it', async (t) => {
  const rig = await openRig(t);
  await rig.accept('one');
  await rig.map(1, record('R1', 1, { patient: 'P1' }));
  await rig.render('v1');
  const [first] = await rig.claim();
  await rig.settle(first, 'accepted');
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
    await rig.settle(next[0], 'accepted');
  }
});

t.test(
  'merged and then withdrawn while the old document is on the wire: the retraction waits for its answer',
  async (t) => {
    const rig = await openRig(t);
    await rig.say(entry('R1', 1, { patient: 'P1' }));
    const [first] = await rig.claim();
    await rig.say(entry('R1', 2, { patient: 'P2' }));
    await rig.say(entry('R1', 3, { patient: 'P2', action: 'retract' }));
    t.same(await rig.claim(), []);
    await rig.settle(first, 'retry');
    t.same(said(await rig.claim()), ['retract R1 v3'], 'and what it withdraws is not sent again');
    t.same(await rig.states(), { 1: 'absorbed', 2: 'absorbed', 3: 'waiting' });
  },
);

t.test('after a restart nothing is on the wire: what waited for that alone goes on', async (t) => {
  const rig = await speakingRig();
  await rig.say(entry('R1', 1, { patient: 'P1' }));
  await rig.claim();
  await rig.say(entry('R1', 2, { patient: 'P2' }));
  await rig.say(entry('R1', 3, { patient: 'P2', action: 'retract' }));
  t.same(await rig.claim(), []);
  await rig.close();
  const again = await quickRig(rig.folder);
  t.teardown(again.close);
  t.same(said(await again.claim()), ['retract R1 v3']);
});

t.test('a refusal in the old lane holds the later version in the new one', async (t) => {
  const rig = await openRig(t);
  await rig.say(entry('R1', 1, { patient: 'P1' }));
  const [first] = await rig.claim();
  await rig.say(entry('R1', 2, { patient: 'P2' }));
  await rig.settle(first, 'refused');
  t.same(await rig.claim(), []);
  t.same(await rig.states(), { 1: 'quarantined', 2: 'waiting' });
});

t.test('a document that waits for its parent blocks nothing but later versions of its own report', async (t) => {
  const rig = await openRig(t);
  await rig.say(entry('R1', 1), entry('R2', 1));
  const [child] = await rig.claim();
  const retryAtMs = Date.now() + 60_000;
  await rig.settle(child, 'wait-for-parent', retryAtMs);
  await rig.say(entry('R1', 2));
  const [other, ...none] = await rig.claim();
  t.same([said([other!]), none], [['publish R2 v1'], []]);
  await rig.settle(other, 'received');
  t.equal(await rig.store.nextDueMs('province'), 0, 'the other is asked after');
  t.equal((await rig.store.figures(Date.now())).platforms[0]?.unsent, 3);
  await rig.settle((await rig.claim())[0], 'accepted');
  const [again] = await rig.claim();
  t.match(again, { n: child!.n, key: child!.key, attempt: 2 }, 'what was accepted may have been its parent');
  await rig.settle(again, 'accepted');
  t.same(said(await rig.claim()), ['replace R1 v2']);
});

t.test('without its parent it is tried again when its time comes, also after a restart', async (t) => {
  const rig = await speakingRig();
  await rig.say(entry('R1', 1), entry('R2', 1));
  const [child] = await rig.claim();
  const retryAtMs = Date.now() + 60_000;
  await rig.settle(child, 'wait-for-parent', retryAtMs);
  await rig.close();
  const again = await quickRig(rig.folder);
  t.teardown(again.close);
  const [other] = await again.store.claim('province', 1, 1e6, retryAtMs - 1);
  t.same(said([other!]), ['publish R2 v1']);
  await again.settle(other, 'refused');
  t.equal(await again.store.nextDueMs('province'), retryAtMs);
  const [then] = await again.store.claim('province', 1, 1e6, retryAtMs);
  t.equal(then?.key, child?.key);
  t.ok(then?.parentSinceMs !== undefined && then.parentSinceMs <= Date.now(), 'since when it waits is known');
});

t.test('withdrawn while it waits for its parent: nothing was taken, nothing is withdrawn', async (t) => {
  const rig = await openRig(t);
  await rig.say(entry('R1', 1));
  const [child] = await rig.claim();
  await rig.settle(child, 'wait-for-parent', Date.now() + 60_000);
  await rig.say(entry('R1', 2), entry('R1', 3, { action: 'retract' }));
  t.same(said(await rig.claim()), []);
  t.same(await rig.states(), { 1: 'absorbed', 2: 'absorbed' });
});

t.test('withdrawn while it waits for its parent, after an answer was lost: the retraction does not wait', async (t) => {
  const rig = await openRig(t);
  await rig.say(entry('R1', 1));
  const [child] = await rig.claim();
  await rig.settle(child, 'retry');
  await rig.claim();
  await rig.settle(child, 'wait-for-parent', Date.now() + 60_000);
  await rig.say(entry('R1', 2), entry('R1', 3, { action: 'retract' }));
  t.same(said(await rig.claim()), ['retract R1 v3']);
  t.same(await rig.states(), { 1: 'absorbed', 2: 'waiting' });
});
