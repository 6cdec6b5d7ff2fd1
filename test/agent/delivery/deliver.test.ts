import t from 'tap';
import { document } from '../../adapters/platforms/https/documents.ts';
import { type Behaviour, hang, reset, startFaultPlatform } from '../../adapters/platforms/https/fault-platform.ts';
import { rig, some, twice, until } from './rig.ts';

t.test('a backlog goes out in batches, each document once', async (t) => {
  const { platform, store, start } = await rig(t);
  store.add(...some(1000));
  const delivery = start();
  await until(() => store.count('accepted') === 1000);
  t.equal(platform.effects.length, 1000);
  t.equal(twice(platform), 0);
  t.ok(platform.calls.length <= 20, 'not one by one');
  await until(() => delivery.status().state === 'idle');
  t.match(delivery.status(), { lastSuccessMs: Number, clockOffsetMs: Number });
  store.add(document(2000));
  delivery.wake();
  await until(() => store.count('accepted') === 1001);
});

t.test('a batch keeps to the configured documents and bytes', async (t) => {
  const { platform, store, start } = await rig(t, {}, { documents: 7, bytes: 2000 });
  store.add(...some(50), document(60, { text: 'x'.repeat(5000) }));
  start();
  await until(() => store.count('accepted') === 51);
  t.ok(platform.calls.every((call) => call.keys.length <= 7));
});

t.test('a lane goes in order through faults, and one at a time', async (t) => {
  const { platform, store, start } = await rig(t);
  const faults: Behaviour[] = [
    reset,
    (c) => c.status(503),
    (c) => c.status(429),
    (call) => {
      call.take();
      call.reset();
    },
  ];
  let turn = 0;
  platform.always = (call) => (turn++ % 3 === 0 ? faults[turn % faults.length]!(call) : call.accept());
  for (let n = 1; n <= 60; n++) store.add(document(n, { lane: `lane-${n % 6}` }));
  start();
  await until(() => store.count('accepted') === 60);
  for (let lane = 0; lane < 6; lane++) {
    const order = platform.effects.filter((e) => e.lane === `lane-${lane}`).map((e) => Number(e.key.split('-').at(-1)));
    t.same(
      order,
      [...order].sort((a, b) => a - b),
    );
    t.equal(order.length, 10);
  }
});

const passing: Array<[what: string, behaviour: Behaviour, code: string]> = [
  ['reset', reset, 'NET-1006'],
  ['hang', hang, 'NET-1003'],
  ['302', (c) => c.status(302, { location: 'https://elsewhere.invalid/' }), 'PLT-1306'],
  ['429', (c) => c.status(429), 'PLT-1303'],
  ['503', (c) => c.status(503), 'PLT-1304'],
  ['nonsense', (c) => c.res.end('<html>'), 'PLT-1307'],
  ['an answer for another key', (c) => c.lines([{ key: 'agent-1.x-99', status: 'accepted' }]), 'PLT-1307'],
  [
    'an answer cut off before its first line ends',
    (c) => {
      c.res.writeHead(200, { 'content-length': '900' });
      c.res.write('{"key":"agent-1.x-1","sta');
      setTimeout(() => c.socket.destroy(), 20);
    },
    'PLT-1307',
  ],
];
for (const [what, behaviour, code] of passing) {
  t.test(`${what}: all are sent again with the same keys and bytes`, async (t) => {
    const { platform, store, start } = await rig(t, {}, {}, behaviour === hang ? 300 : undefined);
    store.add(...some(5));
    platform.next.push(behaviour, behaviour);
    const delivery = start();
    await until(() => store.count('accepted') === 5);
    t.equal(delivery.status().lastError?.code, code);
    t.equal(platform.effects.length, 5);
    t.ok([...platform.seen.values()].every((count) => count >= 2));
    t.ok(store.verdicts.every((v) => v.outcome === 'accepted' || v.outcome === 'retry'));
  });
}

t.test('a lost answer: the platform sees the key twice and keeps one', async (t) => {
  const { platform, store, start } = await rig(t);
  store.add(document(1));
  platform.next.push((call) => {
    call.take();
    call.reset();
  });
  const attempts: number[] = [];
  const bytes = new Set<string | undefined>();
  platform.always = (call) => {
    attempts.push(call.items[0]!.attempt!);
    bytes.add(call.items[0]!.sha256);
    call.accept();
  };
  start();
  await until(() => store.count('accepted') === 1);
  t.equal(platform.seen.get('agent-1.x-1'), 2);
  t.equal(platform.effects.length, 1);
  t.same(attempts, [2]);
  t.same([...bytes], [platform.effects[0]!.sha256]);
});

t.test('some answered, some not: only the others are sent again', async (t) => {
  const { platform, store, start } = await rig(t);
  store.add(...some(4));
  platform.next.push((call) => {
    call.take();
    call.lines(call.items.slice(0, 3).map(({ key }) => ({ key, status: 'accepted' })));
  });
  start();
  await until(() => store.count('accepted') === 4);
  t.same([...platform.seen.values()], [1, 1, 1, 2]);
});

t.test('429 with Retry-After: nothing is sent before', async (t) => {
  const { platform, store, start } = await rig(t);
  store.add(...some(3));
  let refusedAt = 0;
  let nextAt = 0;
  platform.next.push(
    (call) => {
      refusedAt = performance.now();
      call.status(429, { 'retry-after': '1' });
    },
    (call) => {
      nextAt = performance.now();
      call.accept();
    },
  );
  const delivery = start();
  await until(() => delivery.status().state === 'retrying');
  t.ok((delivery.status().nextTryMs ?? 0) > Date.now());
  await until(() => store.count('accepted') === 3);
  t.ok(nextAt - refusedAt >= 990);
});

t.test('the platform is down: nothing is marked as attempted, and all goes out when it is back', async (t) => {
  const { platform, store, pki, start, events } = await rig(t);
  const { port } = platform;
  await platform.close();
  store.add(...some(150));
  const delivery = start();
  await until(() => delivery.status().lastError?.code === 'NET-1002' && delivery.status().state === 'retrying');
  await until(() => events.filter((e) => e.event === 'upload-failed').length >= 4);
  t.ok([...store.rows.values()].every((row) => row.attempts === 0));
  const back = await startFaultPlatform(pki, { port });
  t.teardown(() => back.close());
  await until(() => store.count('accepted') === 150);
  await until(() => delivery.status().state === 'idle');
  t.equal(back.effects.length, 150);
});

t.test('down and up in the middle of a backlog: each document once in effect', async (t) => {
  const { platform, store, pki, start } = await rig(t, {}, { documents: 5 });
  store.add(...some(200));
  start();
  await until(() => platform.effects.length >= 40);
  await platform.close();
  const back = await startFaultPlatform(pki, { port: platform.port });
  t.teardown(() => back.close());
  await until(() => store.count('accepted') === 200);
  const keys = new Set([...platform.effects, ...back.effects].map((effect) => effect.key));
  t.equal(keys.size, 200);
});
