import t from 'tap';
import type { Verdict } from '../../../agent/store/contract.ts';
import { quickRig, record, textOf } from './rig.ts';

t.setTimeout(600_000);

const soon = Date.now() - 1000;
const wantsParent = (n: number): Verdict => ({ n, outcome: 'wait-for-parent', retryAtMs: soon });
const unknown = (n: number): Verdict => ({ n, outcome: 'retry', code: 'NET-1006', retryAtMs: 0 });

/** One report of a retired number, rendered, and what issues it again under the survivor's after a merge. */
async function rigWithReport(t: { teardown(f: () => Promise<void>): void }) {
  const rig = await quickRig();
  t.teardown(rig.close);
  await rig.accept('report');
  await rig.accept('merge');
  await rig.map(1, record('R1', 1, { patient: 'P2' }));
  await rig.render('v1');
  return {
    ...rig,
    settle: (...verdicts: Verdict[]) => rig.store.settle('province', verdicts),
    async merge() {
      await rig.map(2, record('R1', 2, { patient: 'P1' }));
      await rig.render('v2');
    },
  };
}

t.test('what the platform only ever sent back for its parent is replaced at once after a merge', async (t) => {
  const rig = await rigWithReport(t);
  for (let attempt = 1; attempt <= 2; attempt++) {
    const [doc] = await rig.claim();
    await rig.settle(wantsParent(doc!.n));
  }
  await rig.merge();
  t.same(
    (await rig.claim()).map((d) => [d.operation, textOf(d)]),
    [['publish', 'v2']],
  );
  t.same(await rig.states(), { 1: 'absorbed', 2: 'waiting' });
});

t.test('and also when it is sent back after the merge', async (t) => {
  const rig = await rigWithReport(t);
  const [doc] = await rig.claim();
  await rig.merge();
  t.same(await rig.claim(), [], 'its answer is awaited');
  await rig.settle(wantsParent(doc!.n));
  t.same((await rig.claim()).map(textOf), ['v2']);
  t.same(await rig.states(), { 1: 'absorbed', 2: 'waiting' });
});

t.test('one attempt of unknown outcome, before or after, and the platform may have it', async (t) => {
  for (const outcomes of [
    [unknown, wantsParent],
    [wantsParent, unknown, wantsParent],
  ]) {
    const rig = await rigWithReport(t);
    for (const outcome of outcomes) {
      const [doc] = await rig.claim();
      await rig.settle(outcome(doc!.n));
    }
    await rig.merge();
    t.same((await rig.claim()).map(textOf), ['v1'], 'it goes first, under the retired number');
  }
});

t.test('what was received and then sent back may be held', async (t) => {
  const rig = await rigWithReport(t);
  const [doc] = await rig.claim();
  await rig.settle({ n: doc!.n, outcome: 'received', retryAtMs: 0 });
  await rig.claim();
  await rig.settle(wantsParent(doc!.n));
  await rig.merge();
  t.same((await rig.claim()).map(textOf), ['v1']);
});

t.test('a retraction of what was only ever sent back has nothing to withdraw', async (t) => {
  const rig = await rigWithReport(t);
  const [doc] = await rig.claim();
  await rig.settle(wantsParent(doc!.n));
  await rig.map(2, record('R1', 2, { patient: 'P2', action: 'retract' }));
  await rig.render('retraction');
  t.same(await rig.claim(), []);
  t.same(await rig.states(), { 1: 'absorbed', 2: 'absorbed' });
});

for (const [outcome, left] of [
  ['accepted', ['retract']],
  ['received', ['received', 'retract']],
] as const) {
  t.test(`a late ${outcome} after it was sent back: the platform has it, and a withdrawal is sent`, async (t) => {
    const rig = await rigWithReport(t);
    const [doc] = await rig.claim();
    await rig.settle(wantsParent(doc!.n));
    await rig.settle({ n: doc!.n, outcome, retryAtMs: soon } as Verdict);
    await rig.map(2, record('R1', 2, { patient: 'P2', action: 'retract' }));
    await rig.render('withdrawal');
    const sent: string[] = [];
    for (let claimed = await rig.claim(); claimed.length > 0; claimed = await rig.claim()) {
      sent.push(...claimed.map((d) => (d.received ? 'received' : d.operation)));
      await rig.settle(...claimed.map(({ n }): Verdict => ({ n, outcome: 'accepted' })));
    }
    t.same(sent, left);
  });
}
