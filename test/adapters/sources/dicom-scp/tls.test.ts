import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createPki } from '../../../platform/pki.ts';
import { folderFor, startListener, until } from './listener.ts';
import { anyDataset, associateRq, connectDevice } from './scu.ts';

const pki = createPki(folderFor(t, 'scp-pki'));
const foreign = createPki(folderFor(t, 'scp-pki'), { client: 'other-ca' });
const ca = readFileSync(pki.ca);
const own = { cert: readFileSync(pki.clientCert), key: readFileSync(pki.clientKey) };
const tls = { cert: pki.serverCert, key: pki.serverKey, ca: pki.ca };
const dataset = anyDataset(200_000);

t.test('over TLS with a client certificate an instance arrives as it was sent', async (t) => {
  const { port, intake, problems } = await startListener(t, { tls });
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const device = await connectDevice(t, port, { tls: { ca, ...own, maxVersion } });
    await device.associate();
    t.equal(await device.store(dataset), '0000', maxVersion);
    await device.release();
  }
  for (const { file } of intake.kept) t.ok(readFileSync(file).subarray(-dataset.length).equals(dataset));
  t.equal(intake.kept.length, 2);
  t.same(problems(), []);
});

t.test(
  'without a certificate, with one of another CA, too old or in plain text nobody gets in, and it shows',
  async (t) => {
    const { port, source, intake } = await startListener(t, { tls });
    const others: Array<[what: string, tls: object | undefined]> = [
      ['none', { ca }],
      ['another CA', { ca, cert: readFileSync(foreign.clientCert), key: readFileSync(foreign.clientKey) }],
      ['TLS 1.1', { ca, ...own, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }],
      ['plain', undefined],
    ];
    for (const [n, [what, options]] of others.entries()) {
      // With TLS 1.3 a client learns of the refusal only when it reads.
      const device = await connectDevice(t, port, options ? { tls: options } : {}).catch(() => undefined);
      device?.send(associateRq());
      t.same((await device?.rest()) ?? [], [], what);
      await until(() => source.status().senders[0]?.problem?.count === n + 1);
    }
    t.match(source.status().senders, [{ address: '127.0.0.1', connections: 0, problem: { code: 'DCM-2249' } }]);
    const device = await connectDevice(t, port, { tls: { ca, ...own } });
    await device.associate();
    t.equal(await device.store(dataset), '0000', 'the listener goes on');
    t.equal(intake.kept.length, 1);
  },
);

t.test('client certificates can be left out; TLS 1.3 only can be asked for', async (t) => {
  const { port } = await startListener(t, {
    tls: { cert: pki.serverCert, key: pki.serverKey, client_certificates: 'none', min_version: '1.3' },
  });
  const device = await connectDevice(t, port, { tls: { ca } });
  await device.associate();
  t.equal(await device.store(dataset), '0000');
  await t.rejects(connectDevice(t, port, { tls: { ca, maxVersion: 'TLSv1.2' } }));
});

t.test('a connection that never shakes hands is closed, and does not hold up the stop', async (t) => {
  const { port, source } = await startListener(t, { tls, association_timeout_seconds: 0.2 });
  const mute = await connectDevice(t, port);
  await mute.closed;
  await until(() => source.status().senders[0]?.problem?.code === 'DCM-2249');
  const other = await connectDevice(t, port);
  await source.stop(60_000);
  await other.closed;
  t.equal(source.status().state, 'stopped');
});

t.test('a probe that connects and goes takes no place, and is no failed handshake', async (t) => {
  const { port, source, problems } = await startListener(t, { tls });
  const probe = await connectDevice(t, port);
  await until(() => source.status().senders[0]?.connections === 1);
  probe.socket.end();
  await until(() => source.status().senders[0]?.connections === 0);
  t.same(problems(), []);
});

t.test('certificate files that cannot be used are told by name', async (t) => {
  const folder = folderFor(t, 'scp-pki');
  const junk = join(folder, 'junk.pem');
  writeFileSync(junk, 'no certificate');
  await t.rejects(startListener(t, { tls: { ...tls, cert: join(folder, 'absent.pem') } }), {
    code: 'TLS-1209',
    where: 'sources.ct.tls.cert',
  });
  await t.rejects(startListener(t, { tls: { ...tls, ca: junk } }), { code: 'TLS-1209', where: 'sources.ct.tls.ca' });
  await t.rejects(startListener(t, { tls: { ...tls, cert: junk } }), {
    code: 'TLS-1209',
    where: 'sources.ct.tls.cert',
  });
  await t.rejects(startListener(t, { tls: { ...tls, key: foreign.clientKey } }), {
    code: 'TLS-1209',
    where: 'sources.ct.tls.key',
  });
});

t.test('replaced certificate files are used by new connections; half-replaced ones are not', async (t) => {
  const folder = folderFor(t, 'scp-pki');
  const files = createPki(folder);
  const { port, logged } = await startListener(t, {
    tls: { cert: files.serverCert, key: files.serverKey, ca: files.ca },
  });
  const connectWith = () =>
    connectDevice(t, port, {
      tls: { ca: readFileSync(files.ca), cert: readFileSync(files.clientCert), key: readFileSync(files.clientKey) },
    });
  const open = await connectWith();
  await open.associate();
  const key = readFileSync(files.serverKey);
  writeFileSync(files.serverKey, readFileSync(files.serverKey).subarray(0, 40));
  await until(() => logged.some(({ fields }) => fields.code === 'TLS-1209'));
  await (await connectWith()).associate();
  writeFileSync(files.serverKey, key);
  createPki(folder);
  // Each file is replaced for itself: only the whole set fits.
  const next = await retried(async () => {
    const device = await connectWith();
    await device.associate();
    return device;
  });
  t.ok(logged.some(({ event }) => event === 'certificates-read'));
  t.equal(await next.store(dataset), '0000');
  t.equal(await open.store(dataset), '0000', 'who was connected stays so');
});

/** Until it succeeds; what it failed with last when it does not within ten seconds. */
async function retried<T>(attempt: () => Promise<T>): Promise<T> {
  for (const end = performance.now() + 10_000; ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
