import t from 'tap';
import { quickRig, quickRigClaimed, record, textOf } from './rig.ts';

t.setTimeout(600_000);

t.test('retraction: what was never attempted is cancelled and nothing is sent', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  await rig.accept('a');
  await rig.accept('b');
  await rig.map(1, record('R1', 1));
  await rig.map(2, record('R1', 2, { action: 'retract' }));
  await rig.render('R1v1', 'retract');
  t.same(await rig.claim(), []);
  t.same(await rig.states(), { 1: 'absorbed', 2: 'absorbed' });
});

t.test('retraction: after an attempt of unknown outcome it takes the place of what it withdraws', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  for (const m of ['a', 'b', 'c']) await rig.accept(m);
  await rig.map(1, record('R1', 1));
  await rig.map(2, record('R2', 1));
  await rig.render('R1v1', 'R2v1');
  const [head] = await rig.claim();
  await rig.map(3, record('R1', 2, { action: 'retract' }));
  await rig.render('retract');
  t.same(await rig.claim(), [], 'the lane waits for the answer that is still out');
  await rig.settle(head, 'retry');
  const [next] = await rig.claim();
  t.same([next?.operation, textOf(next)], ['retract', 'retract'], 'the wrong document is never sent again');
  await rig.settle(next, 'accepted');
  t.same((await rig.claim()).map(textOf), ['R2v1']);
  t.same(await rig.states(), { 1: 'absorbed', 2: 'waiting', 3: 'delivered' });
});

t.test('retraction: after delivery it is sent, and a later report is published anew', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  for (const m of ['a', 'b', 'c', 'd']) await rig.accept(m);
  const operations: string[] = [];
  for (const [seq, action] of [
    [1, 'publish'],
    [2, 'publish'],
    [3, 'retract'],
    [4, 'publish'],
  ] as const) {
    await rig.map(seq, record('R1', seq, { action }));
    await rig.render(`v${seq}`);
    const [doc] = await rig.claim();
    operations.push(doc!.operation);
    await rig.settle(doc, 'accepted');
  }
  t.same(operations, ['publish', 'replace', 'retract', 'publish']);
});

/** One report's life at the platform: P publish, S send and accept, U send with unknown outcome, R refuse, W withdraw. */
async function life(rig: Awaited<ReturnType<typeof quickRig>>, steps: string): Promise<string[]> {
  const sent: string[] = [];
  let seq = 0;
  for (const step of steps) {
    if (step === 'P' || step === 'W') {
      seq += 1;
      await rig.accept(`m${seq}`);
      await rig.map(seq, record('R1', seq, { action: step === 'P' ? 'publish' : 'retract' }));
      await rig.render(`v${seq}`);
      continue;
    }
    const [doc] = await rig.claim();
    if (!doc) {
      sent.push('-');
      continue;
    }
    sent.push(`${doc.operation} ${textOf(doc)}`);
    await rig.settle(doc, step === 'S' ? 'accepted' : step === 'R' ? 'refused' : 'retry');
  }
  return sent;
}

for (const [steps, expected, why] of [
  ['PSWUPWS', ['publish v1', 'retract v2', 'retract v2'], 'an open retraction is not cancelled by the next one'],
  ['PUWPSWS', ['publish v1', 'retract v2', '-'], 'and what came after it was never sent'],
  ['PURWS', ['publish v1', 'publish v1', 'retract v2'], 'a refusal after an unknown outcome leaves the first open'],
  ['PRWPS', ['publish v1', 'publish v3'], 'refused, withdrawn, issued anew: the platform never had it'],
  ['PSPWS', ['publish v1', 'retract v3'], 'an unsent correction goes, the published one is withdrawn'],
  ['PSWSWS', ['publish v1', 'retract v2', '-'], 'withdrawn twice is withdrawn once'],
] as const) {
  t.test(`retraction, ${steps}: ${why}`, async (t) => {
    const rig = await quickRig();
    t.teardown(rig.close);
    t.same(await life(rig, steps), expected);
  });
}

t.test('a refusal in the second stage does not hold the withdrawal behind it', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  t.same(await life(rig, 'PS'), ['publish v1']);
  await rig.accept('two');
  await rig.map(2, record('R1', 2));
  await rig.render('v2');
  const [second] = await rig.claim();
  await rig.settle(second, 'received');
  await rig.accept('three');
  await rig.map(3, record('R1', 3, { action: 'retract' }));
  await rig.render('v3');
  await rig.claim();
  await rig.settle(second, 'refused');
  t.same((await rig.claim()).map(textOf), ['v3']);
});

t.test(
  'what is withdrawn is not sent from the moment it is known, also when the retraction cannot be rendered yet',
  async (t) => {
    const { rig, doc } = await quickRigClaimed();
    t.teardown(rig.close);
    await rig.accept('two');
    await rig.map(2, record('R1', 2, { action: 'retract' }));
    t.same(await rig.store.withdrawn([doc.n]), [doc.n]);
    await rig.settle(doc, 'retry');
    t.same(await rig.claim(), []);
    await rig.render('retraction');
    t.same((await rig.claim()).map(textOf), ['retraction'], 'it was attempted, so its retraction goes out');
  },
);

t.test('a received document that the platform lost and that was withdrawn meanwhile is not sent again', async (t) => {
  const { rig, doc } = await quickRigClaimed();
  t.teardown(rig.close);
  await rig.accept('two');
  await rig.settle(doc, 'received');
  await rig.map(2, record('R1', 2, { action: 'retract' }));
  await rig.render('retraction');
  await rig.claim();
  await rig.store.settle('province', [{ n: doc.n, outcome: 'retry', code: 'PLT-1311', retryAtMs: 0 }]);
  t.same((await rig.claim()).map(textOf), ['retraction']);
});

t.test('what is rendered only after its retraction is known is never sent', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  await rig.accept('one');
  await rig.accept('two');
  await rig.map(1, record('R1', 1));
  await rig.map(2, record('R1', 2, { action: 'retract' }));
  t.equal(await rig.render('wrong patient'), 1, 'the platform has room for one');
  t.same(await rig.claim(), []);
  await rig.render('retraction');
  t.same(await rig.claim(), [], 'and there is nothing to withdraw');
  t.same(await rig.states(), { 1: 'absorbed', 2: 'absorbed' });
});

for (const verdict of [
  { outcome: 'retry', code: 'PLT-1311', retryAtMs: 0 },
  { outcome: 'wait-for-parent', retryAtMs: 0 },
] as const) {
  t.test(`received, withdrawn while its retraction is held, then ${verdict.outcome}: not sent again`, async (t) => {
    const { rig, doc } = await quickRigClaimed();
    t.teardown(rig.close);
    await rig.accept('two');
    await rig.settle(doc, 'received');
    await rig.map(2, record('R1', 2, { action: 'retract' }));
    await rig.render({ held: 'MAP-3009' });
    t.match(await rig.claim(), [{ n: doc.n, received: true }], 'it is asked after');
    await rig.store.settle('province', [{ n: doc.n, ...verdict }]);
    t.same(await rig.claim(), []);
    t.same(await rig.states(), { 1: 'absorbed', 2: 'quarantined' });
  });
}

t.test('a refusal that comes after the withdrawal needs nobody, and what is issued anew does not wait', async (t) => {
  const { rig, doc } = await quickRigClaimed();
  t.teardown(rig.close);
  for (const m of ['two', 'three']) await rig.accept(m);
  await rig.settle(doc, 'received');
  await rig.map(2, record('R1', 2, { action: 'retract' }));
  await rig.render('v2');
  await rig.settle(doc, 'refused');
  await rig.map(3, record('R1', 3));
  await rig.render('v3');
  t.same(await rig.states(), { 1: 'absorbed', 2: 'waiting', 3: 'waiting' });
  const [retraction] = await rig.claim();
  t.equal(retraction?.operation, 'retract');
  await rig.settle(retraction, 'accepted');
  t.match(await rig.claim(), [{ operation: 'publish', version: 3 }]);
});
