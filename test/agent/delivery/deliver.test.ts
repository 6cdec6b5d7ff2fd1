import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { httpsConfig } from '../../../adapters/platforms/https/config.ts';
import { openHttps } from '../../../adapters/platforms/https/platform.ts';
import { type Delivery, startDelivery } from '../../../agent/delivery/deliver.ts';
import type { PlatformConnection } from '../../../agent/delivery/platform.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import type { Log } from '../../../agent/support/log.ts';
import { document } from '../../adapters/platforms/https/documents.ts';
import {
  type Behaviour,
  type FaultPlatform,
  hang,
  reset,
  startFaultPlatform,
  type WireItem,
} from '../../adapters/platforms/https/fault-platform.ts';
import { makeCertificate } from '../../platform/certificate.ts';
import { createPki, type Pki, type PkiOptions } from '../../platform/pki.ts';
import { MemoryStore } from './memory-store.ts';

interface Rig {
  pki: Pki;
  platform: FaultPlatform;
  connection: PlatformConnection;
  store: MemoryStore;
  events: Array<{ level: string; event: string; code?: string }>;
  start(over?: object): Delivery;
}

async function rig(t: Test, options: PkiOptions = {}, batch: object = {}, answerMs = 5_000): Promise<Rig> {
  const pki = createPki(join(t.testdir(), 'pki'), options);
  const platform = await startFaultPlatform(pki);
  const events: Rig['events'] = [];
  const say =
    (level: string): Log['info'] =>
    (event, fields) =>
      void events.push({ level, event, ...(fields?.code !== undefined && { code: fields.code }) });
  const log: Log = { info: say('info'), warn: say('warn'), error: say('error') };
  const connection = await openHttps(
    { name: 'p', clock: systemClock, log, agentId: 'agent-1' },
    httpsConfig.parse({
      url: platform.url,
      tls: { ca: pki.ca, cert: pki.clientCert, key: pki.clientKey },
      batch,
    }),
    { connectMs: 5_000, answerMs, exchangeMs: 20_000, certificateCheckMs: 0 },
  );
  const store = new MemoryStore();
  const deliveries: Delivery[] = [];
  t.teardown(async () => {
    for (const delivery of deliveries) await delivery.stop();
    await connection.close();
    await platform.close();
    // Thrown, because an assertion comes too late here.
    if (store.breaches.length > 0) throw new Error(store.breaches.join('; '));
  });
  return {
    pki,
    platform,
    connection,
    store,
    events,
    start(over = {}) {
      const delivery = startDelivery({
        platform: 'p',
        connection,
        store,
        clock: systemClock,
        log,
        changed: () => {},
        timing: { retry: { baseMs: 10, maxMs: 40 }, probeMs: 60, lingerMs: 1, graceMs: 2_000 },
        ...over,
      });
      deliveries.push(delivery);
      return delivery;
    },
  };
}

/** Waits for a state, not for a time; the limit only keeps a broken build from hanging. */
async function until(what: () => boolean): Promise<void> {
  const limit = Date.now() + 20_000;
  while (!what()) {
    if (Date.now() > limit) throw new Error('did not come about');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const some = (count: number, from = 1) => Array.from({ length: count }, (_, i) => document(from + i));
const twice = (platform: FaultPlatform) => [...platform.seen.values()].filter((count) => count > 1).length;
/** Refuses the whole request when `bad` is in it. */
const wholeWith =
  (bad: (item: WireItem) => boolean, answer: Behaviour): Behaviour =>
  (call) =>
    call.items.some(bad) ? answer(call) : call.accept();

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

t.test('401 stops uploads with an alarm, the probe lets them go on', async (t) => {
  const { platform, store, start, events } = await rig(t);
  store.add(...some(10));
  platform.always = (call) => call.status(401);
  platform.onHello = (call) => call.status(401);
  const delivery = start();
  await until(() => delivery.status().state === 'stopped');
  t.match(delivery.status(), { halted: 'PLT-1301', nextTryMs: Number });
  t.ok(events.some((e) => e.level === 'error' && e.event === 'uploads-stopped' && e.code === 'PLT-1301'));
  t.equal(platform.calls.length, 0, 'no patient data goes to a platform that does not authorise us');
  platform.onHello = (call) => call.res.end('{"platform":"p","versions":[1]}');
  await until(() => platform.calls.length >= 2);
  t.equal(store.count('refused'), 0, 'hello allowed and documents not: stopped again, none refused');
  platform.always = (call) => call.accept();
  await until(() => store.count('accepted') === 10);
  await until(() => delivery.status().state === 'idle');
});

const distrust: Array<[what: string, options: PkiOptions, code: string]> = [
  ['wrong CA', { server: 'other-ca' }, 'TLS-1201'],
  ['wrong host', { server: 'wrong-name' }, 'TLS-1202'],
  ['expired platform certificate', { server: 'expired' }, 'TLS-1203'],
  ['a client certificate the platform does not take', { client: 'other-ca' }, 'TLS-1204'],
  ['our expired certificate', { client: 'expired' }, 'TLS-1205'],
];
for (const [what, options, code] of distrust) {
  t.test(`${what}: uploads stop under ${code} and nothing is sent`, async (t) => {
    const { platform, store, start } = await rig(t, options);
    store.add(...some(3));
    const delivery = start();
    await until(() => delivery.status().state === 'stopped');
    t.equal(delivery.status().halted, code);
    t.equal(platform.calls.length, 0);
    t.equal(store.count('ready'), 3);
  });
}

t.test('after our expired certificate is replaced on disk uploads go on by themselves', async (t) => {
  const { pki, platform, store, start } = await rig(t, { client: 'expired' });
  store.add(...some(3));
  const delivery = start();
  await until(() => delivery.status().halted === 'TLS-1205');
  const ca = new X509Certificate(readFileSync(pki.ca));
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const renewed = makeCertificate({
    subject: 'renewed',
    issuer: ca.subject.replace('CN=', ''),
    publicKey,
    issuerKey: createPrivateKey(readFileSync(pki.caKey)),
    notBeforeMs: Date.now() - 60_000,
    notAfterMs: Date.now() + 86_400_000,
    use: 'client',
  });
  writeFileSync(pki.clientCert, renewed);
  writeFileSync(pki.clientKey, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await until(() => store.count('accepted') === 3);
  t.equal(delivery.status().halted, undefined);
  t.equal(
    platform.calls[0]!.fingerprint,
    new X509Certificate(renewed).fingerprint256.replaceAll(':', '').toLowerCase(),
  );
});

t.test('a busy platform is asked for its time now and then as well', async (t) => {
  const { platform, store, start } = await rig(t);
  const delivery = start({ timing: { retry: { baseMs: 10, maxMs: 40 }, lingerMs: 1, heartbeatMs: 30 } });
  let n = 0;
  const busy = setInterval(() => {
    store.add(document(++n));
    delivery.wake();
  }, 3);
  t.teardown(() => clearInterval(busy));
  await until(() => store.count('accepted') > 10);
  platform.onHello = (call) =>
    call.res.end(
      JSON.stringify({ platform: 'p', versions: [1], time: new Date(Date.now() + 7_200_000).toISOString() }),
    );
  await until(() => (delivery.status().clockOffsetMs ?? 0) > 7_000_000);
  t.equal(delivery.status().lastError, undefined);
});

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

t.test('stop waits for the answer under way and claims no more', async (t) => {
  const { platform, store, start } = await rig(t, {}, { documents: 1 });
  store.add(...some(20));
  platform.next.push((call) => setTimeout(() => call.accept(), 100));
  const delivery = start();
  await until(() => platform.calls.length === 1);
  await delivery.stop();
  t.equal(store.count('accepted'), 1);
  t.equal(platform.calls.length, 1);
});

t.test('stop gives up a hanging request after the grace; after a restart it goes out under the same key', async (t) => {
  const { platform, store, start } = await rig(t);
  store.add(document(1));
  platform.next.push((call) => call.take());
  const delivery = start({ timing: { graceMs: 50 } });
  await until(() => platform.calls.length === 1);
  await delivery.stop();
  t.equal(store.verdicts.length, 0, 'unknown outcome: nothing is written');
  t.equal(store.rows.get(1)!.inFlight, true);
  store.forgetFlights();
  start();
  await until(() => store.count('accepted') === 1);
  t.equal(platform.seen.get('agent-1.x-1'), 2);
  t.equal(platform.effects.length, 1);
});

t.test('a store that fails now and then loses no receipt', async (t) => {
  const { platform, store, start } = await rig(t, {}, { documents: 4 });
  store.add(...some(12));
  store.failing = 1;
  platform.always = (call) => {
    if (platform.calls.length === 2) store.failing = 2;
    call.accept();
  };
  start();
  await until(() => store.count('accepted') === 12);
  t.equal(twice(platform), 0);
});

t.test('an adapter that throws is a retry, and the loop lives on', async (t) => {
  const { store, start, connection, events } = await rig(t);
  let throws = 3;
  store.add(...some(4));
  const delivery = start({
    connection: {
      ...connection,
      send: async (documents: Parameters<PlatformConnection['send']>[0], signal: AbortSignal) => {
        if (throws-- > 0) throw new TypeError('a mistake of ours');
        return connection.send(documents, signal);
      },
    },
  });
  await until(() => store.count('accepted') === 4);
  t.equal(delivery.status().lastError?.code, 'PLT-1307');
  t.ok(events.some((e) => e.event === 'platform-adapter-failed'));
});

t.test('a wall clock set back does not hold documents back', async (t) => {
  const { platform, store, start } = await rig(t);
  let offset = 3_600_000_000;
  store.add(document(1));
  platform.next.push((call) => {
    offset = 0;
    call.status(503);
  });
  start({ clock: { now: () => Date.now() + offset, monotonic: () => performance.now() } });
  await until(() => store.count('accepted') === 1);
});

t.test('no patient data and no text of others in log events', async (t) => {
  const { platform, store, start, events } = await rig(t);
  store.add(document(1, { text: '<name>王小明</name>' }));
  platform.next.push(
    (call) => call.lines([{ key: call.items[0]!.key, status: 'retry', code: '王小明' }]),
    (call) => call.res.end('王小明'),
    (call) => call.res.writeHead(503).end('王小明'),
    (call) => call.lines([{ key: call.items[0]!.key, status: 'refused', code: '王小明 不合格' }]),
  );
  start();
  await until(() => store.count('refused') === 1);
  t.notMatch(JSON.stringify(events), /王小明/);
  t.notMatch(JSON.stringify(store.verdicts), /王小明/);
});
