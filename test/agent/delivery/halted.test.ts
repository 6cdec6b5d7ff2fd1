import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { document } from '../../adapters/platforms/https/documents.ts';
import { makeCertificate } from '../../platform/certificate.ts';
import type { PkiOptions } from '../../platform/pki.ts';
import { rig, some, until } from './rig.ts';

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
