import t from 'tap';
import { document } from '../../adapters/platforms/https/documents.ts';
import { rig, some, until } from './rig.ts';

t.test('received is asked after until it is accepted, and not sent again', async (t) => {
  const { platform, store, start, connection } = await rig(t);
  let asks = 0;
  platform.always = (call) => {
    call.take();
    call.lines(call.items.map(({ key }) => ({ key, status: 'received', receipt: `Q-${key}` })));
  };
  platform.onReceipts = (call) => {
    t.ok(
      call.items.every((item) => Object.keys(item).length === 1),
      'keys only',
    );
    if (++asks === 1) call.status(503);
    else call.lines(call.items.map(({ key }) => ({ key, status: asks < 4 ? 'received' : 'accepted' })));
  };
  store.add(...some(3));
  // The wait between questions is seconds; the store's clock is moved instead of waiting.
  let ahead = 0;
  const delivery = start({ clock: { now: () => Date.now() + ahead, monotonic: () => performance.now() + ahead } });
  await until(() => store.count('received') === 3);
  await until(() => {
    ahead += 1_000;
    delivery.wake();
    return store.count('accepted') === 3;
  });
  t.same([...platform.seen.values()], [1, 1, 1], 'the bytes went once');
  t.ok(asks >= 4);
  t.ok(connection);
});

t.test('a receipt the platform does not know any more: sent again under the same key', async (t) => {
  const { platform, store, start } = await rig(t);
  platform.next.push((call) => call.lines(call.items.map(({ key }) => ({ key, status: 'received' }))));
  platform.onReceipts = (call) => call.lines(call.items.map(({ key }) => ({ key, status: 'unknown' })));
  store.add(document(1));
  let ahead = 0;
  const delivery = start({ clock: { now: () => Date.now() + ahead, monotonic: () => performance.now() + ahead } });
  await until(() => {
    ahead += 500;
    delivery.wake();
    return store.count('accepted') === 1;
  });
  t.equal(platform.seen.get('agent-1.x-1'), 2);
  t.ok(store.verdicts.some((v) => v.outcome === 'retry' && v.code === 'PLT-1311'));
});

t.test('wait-for-parent is tried again later and holds nobody else', async (t) => {
  const { platform, store, start } = await rig(t);
  let parent = false;
  platform.always = (call) => {
    call.lines(
      call.items.map(({ key }) => ({ key, status: key.endsWith('-2') && !parent ? 'wait-for-parent' : 'accepted' })),
    );
  };
  store.add(...some(3));
  let ahead = 0;
  const delivery = start({ clock: { now: () => Date.now() + ahead, monotonic: () => performance.now() + ahead } });
  await until(() => store.count('accepted') === 2);
  const waiting = store.verdicts.find((v) => v.outcome === 'wait-for-parent');
  t.ok(waiting !== undefined && 'retryAtMs' in waiting && waiting.retryAtMs > Date.now() + 10_000);
  parent = true;
  await until(() => {
    ahead += 5_000;
    delivery.wake();
    return store.count('accepted') === 3;
  });
});

t.test('refused by the platform: held with its code, later versions of the report wait, others go on', async (t) => {
  const { platform, store, start } = await rig(t);
  platform.always = (call) =>
    call.lines(
      call.items.map(({ key }) =>
        key === 'agent-1.x-1' ? { key, status: 'refused', code: 'E-9' } : { key, status: 'accepted' },
      ),
    );
  store.add(document(1, { lane: 'l', setId: 's' }), document(2, { lane: 'l', setId: 's', version: 2 }));
  store.add(document(3, { lane: 'l', setId: 'other' }), document(4));
  start();
  await until(() => store.count('accepted') === 2);
  t.same(
    store.verdicts.find((v) => v.outcome === 'refused'),
    { n: 1, outcome: 'refused', code: 'PLT-1305', platformCode: 'E-9' },
  );
  t.equal(store.rows.get(2)!.state, 'behind');
  t.equal(platform.seen.has('agent-1.x-2'), false);
});

t.test('an answer that names no document is no sign that the platform takes any', async (t) => {
  const { store, start, connection } = await rig(t);
  store.add(...some(3));
  let answers = 0;
  const send: typeof connection.send = async (documents, signal) =>
    ++answers <= 2 ? { kind: 'items', items: [] } : connection.send(documents, signal);
  const delivery = start({ connection: { ...connection, send } });
  await until(() => delivery.status().lastError?.code === 'PLT-1307');
  t.equal(delivery.status().lastSuccessMs, undefined);
  await until(() => store.count('accepted') === 3);
  t.type(delivery.status().lastSuccessMs, 'number');
});
