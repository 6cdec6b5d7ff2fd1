import t from 'tap';
import { document } from '../../adapters/platforms/https/documents.ts';
import { reset } from '../../adapters/platforms/https/fault-platform.ts';
import { rig, some, until, wholeWith } from './rig.ts';

t.test('400 for the whole batch: the poisonous one is found and held, the innocents go through', async (t) => {
  const { platform, store, start } = await rig(t);
  store.add(...some(100));
  platform.always = wholeWith(
    (item) => item.key === 'agent-1.x-37',
    (c) => c.status(400),
  );
  start();
  await until(() => store.count('accepted') === 99 && store.count('refused') === 1);
  t.match(store.rows.get(37), { state: 'refused', code: 'PLT-1305' });
  t.equal(platform.effects.length, 99);
  t.ok(platform.calls.length <= 20, 'found by halving');
});

t.test('422 for everything is the platform’s fault: none is held, uploads stop with an alarm', async (t) => {
  const { platform, store, start, events } = await rig(t);
  store.add(...some(100));
  platform.always = (call) => call.status(422);
  const delivery = start();
  await until(() => delivery.status().state === 'stopped');
  t.equal(delivery.status().halted, 'PLT-1312');
  await until(() => platform.calls.length > 30);
  t.equal(store.count('refused'), 0, 'nor by probing again');
  t.ok(events.some((e) => e.level === 'error' && e.event === 'uploads-stopped' && e.code === 'PLT-1312'));
  platform.always = (call) => call.accept();
  await until(() => store.count('accepted') === 100);
});

t.test('413 for everything holds none either', async (t) => {
  const { platform, store, start } = await rig(t);
  store.add(...some(30));
  platform.always = (call) => call.status(413);
  const delivery = start();
  await until(() => delivery.status().halted === 'PLT-1312');
  await until(() => platform.calls.length > 30);
  t.equal(store.count('refused'), 0);
  platform.always = (call) => call.accept();
  await until(() => store.count('accepted') === 30);
});

t.test('several poisonous documents at the head of the queue do not keep the innocents behind them', async (t) => {
  const { platform, store, start } = await rig(t);
  store.add(...some(40));
  platform.always = wholeWith(
    (item) => Number(item.key?.split('-').at(-1)) <= 7,
    (c) => c.status(400),
  );
  start();
  await until(() => store.count('accepted') === 33 && store.count('refused') === 7);
  t.equal(platform.effects.length, 33);
});

for (const documents of [100, 1]) {
  t.test(
    `one poisonous document alone is held as soon as another has been taken, in batches of ${documents}`,
    async (t) => {
      const { platform, store, start } = await rig(t, {}, { documents });
      store.add(document(1));
      platform.always = wholeWith(
        (item) => item.key === 'agent-1.x-1',
        (c) => c.status(422),
      );
      const delivery = start();
      await until(() => delivery.status().halted === 'PLT-1312');
      t.equal(store.count('refused'), 0);
      store.add(document(2));
      delivery.wake();
      await until(() => store.count('accepted') === 1 && store.count('refused') === 1);
      await until(() => delivery.status().state === 'idle');
      t.match(store.rows.get(1), { state: 'refused', code: 'PLT-1305' });
    },
  );
}

t.test('a document that kills the request blocks nobody but itself', async (t) => {
  const { platform, store, start } = await rig(t);
  store.add(...some(60));
  platform.always = wholeWith((item) => item.key === 'agent-1.x-1', reset);
  start();
  await until(() => store.count('accepted') === 59);
  t.match(store.rows.get(1), { state: 'ready' }, 'and is tried on for as long as it takes');
  store.add(...some(20, 100));
  platform.always = (call) => call.accept();
  await until(() => store.count('accepted') === 80);
});

t.test('a document the platform answers 503 to blocks nobody but itself', async (t) => {
  const { platform, store, start } = await rig(t);
  store.add(...some(60));
  platform.always = wholeWith(
    (item) => item.key === 'agent-1.x-30',
    (c) => c.status(503),
  );
  start();
  await until(() => store.count('accepted') === 59);
  t.match(store.rows.get(30), { state: 'ready' });
});

t.test('413 halves the batch until it fits, and a single one that never fits is held', async (t) => {
  const { platform, store, start } = await rig(t);
  store.add(...some(64));
  store.add(document(70, { text: `<a>${'x'.repeat(20_000)}</a>` }));
  platform.always = (call) =>
    call.items.length > 10 || call.items.some((item) => (item.content ?? '').length > 10_000)
      ? call.status(413)
      : call.accept();
  const delivery = start();
  await until(() => store.count('accepted') === 64 && store.count('refused') === 1);
  t.match(store.rows.get(70), { state: 'refused', code: 'PLT-1302' });
  const before = platform.calls.length;
  store.add(...some(64, 100));
  delivery.wake();
  await until(() => store.count('accepted') === 128);
  t.ok(
    platform.calls.slice(before, before + 3).every((call) => call.keys.length <= 20),
    'the size is remembered',
  );
});
