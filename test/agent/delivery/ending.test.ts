import t from 'tap';
import type { PlatformConnection } from '../../../agent/delivery/platform.ts';
import { document } from '../../adapters/platforms/https/documents.ts';
import { rig, some, twice, until } from './rig.ts';

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
