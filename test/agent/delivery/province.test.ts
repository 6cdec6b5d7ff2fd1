import { join } from 'node:path';
import t from 'tap';
import { httpsConfig } from '../../../adapters/platforms/https/config.ts';
import { openHttps } from '../../../adapters/platforms/https/platform.ts';
import { startDelivery } from '../../../agent/delivery/deliver.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { document } from '../../adapters/platforms/https/documents.ts';
import { createPki } from '../../platform/pki.ts';
import { startProvince } from '../../platform/province.ts';
import { MemoryStore } from './memory-store.ts';

t.test('adapter and loop deliver to the simulated province, down and up again, each document once', async (t) => {
  const folder = t.testdir();
  const pki = createPki(join(folder, 'pki'));
  const province = await startProvince({
    folder: join(folder, 'province'),
    tls: { cert: pki.serverCert, key: pki.serverKey, ca: pki.ca },
  });
  const connection = await openHttps(
    { name: 'p', clock: systemClock, log: silentLog, agentId: 'agent-1' },
    httpsConfig.parse({
      url: province.url,
      tls: { ca: pki.ca, cert: pki.clientCert, key: pki.clientKey },
      batch: { documents: 20 },
    }),
  );
  const store = new MemoryStore();
  for (let n = 1; n <= 100; n++) store.add(document(n));
  const delivery = startDelivery({
    platform: 'p',
    connection,
    store,
    clock: systemClock,
    log: silentLog,
    changed: () => {},
    timing: { retry: { baseMs: 10, maxMs: 40 } },
  });
  t.teardown(async () => {
    await delivery.stop();
    await connection.close();
    await province.stop();
  });
  const accepted = async (count: number) => {
    while (store.count('accepted') < count) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await accepted(40);
  await province.down();
  for (let n = 101; n <= 150; n++) store.add(document(n));
  delivery.wake();
  await province.up();
  await accepted(150);
  t.equal(province.received().length, 150);
  t.equal(new Set(province.received().map((sidecar) => sidecar.key)).size, 150);
  t.equal((await connection.ask([document(1)], new AbortController().signal)).kind, 'items');
  t.equal((await connection.probe(new AbortController().signal)).ok, true);
  t.same(store.breaches, []);
});
