import t from 'tap';
import { startStoreThread } from '../../../agent/store/sqlite/store.ts';
import { connectionOf, deliverTo } from '../delivery/rig.ts';
import { record, storeRig } from './rig.ts';

t.setTimeout(600_000);

t.test('when the store worker dies the agent is told once, and every write fails instead of waiting', async (t) => {
  const worker = startStoreThread();
  const rig = await storeRig(undefined, {}, () => worker);
  await rig.accept('one');
  const waiting = Promise.allSettled([rig.accept('two'), rig.claim(), rig.map(1)]);
  await worker.terminate();
  const codes = (await waiting).map((r) => (r.status === 'rejected' ? (r.reason as { code: string }).code : 'done'));
  t.ok(
    codes.every((code) => code === 'SYS-6004' || code === 'done'),
    'each is answered, one way or the other',
  );
  t.same(rig.fatal, ['SYS-6004']);
  await t.rejects(rig.accept('three'), { code: 'SYS-6004' });
  await t.rejects(rig.store.settle('province', []), { code: 'SYS-6004' });
  await t.rejects(rig.map(1), { code: 'SYS-6004' });
  await rig.close();
  t.pass('close does not wait for the dead');
});

t.test('when the thread of the stages is gone, reads fail instead of waiting, and close comes back', async (t) => {
  const rig = await storeRig();
  rig.view.close();
  await t.rejects(rig.store.messages(1), { code: 'SYS-6004' });
  await t.rejects(rig.store.figures(0), { code: 'SYS-6004' });
  t.match(await rig.accept('one'), { outcome: 'stored' }, 'listeners go on until the agent is restarted');
  await rig.store.close();
});

t.test('uploads stop when they are told to, although nobody can write their verdicts any more', async (t) => {
  const worker = startStoreThread();
  const rig = await storeRig(undefined, {}, () => worker);
  await rig.accept('one');
  await rig.map(1, record('R1', 1));
  await rig.render('v1');
  let died = () => {};
  const sent = new Promise<void>((resolve) => {
    died = resolve;
  });
  const connection = connectionOf(async (documents) => {
    await worker.terminate();
    died();
    return { kind: 'items', items: documents.map(({ n }) => ({ n, outcome: 'accepted' })) };
  });
  const delivery = deliverTo(connection, rig.store, { graceMs: 200 });
  await sent;
  await delivery.stop();
  await rig.close();
  t.same(rig.fatal, ['SYS-6004']);
});
