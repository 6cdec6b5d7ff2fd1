import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createPki } from '../../../platform/pki.ts';
import { document } from './documents.ts';
import { startFaultPlatform } from './fault-platform.ts';
import { never, open, rig } from './rig.ts';

t.test('wrong CA, also with NODE_TLS_REJECT_UNAUTHORIZED=0', async (t) => {
  const { pki } = await rig(t);
  const foreign = createPki(join(pki.folder, 'foreign'));
  const server = await startFaultPlatform(foreign);
  t.teardown(() => server.close());
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  t.teardown(() => delete process.env.NODE_TLS_REJECT_UNAUTHORIZED);
  const connection = await open(t, server.url, pki);
  t.same(await connection.send([document(1)], never), { kind: 'stop', code: 'TLS-1201' });
  t.equal(server.calls.length, 0);
});

t.test('wrong host', async (t) => {
  const { platform, connection } = await rig(t, { server: 'wrong-name' });
  t.same(await connection.send([document(1)], never), { kind: 'stop', code: 'TLS-1202' });
  t.equal(platform.calls.length, 0);
});

t.test('a server name that its CA may not issue', async (t) => {
  const { platform, connection } = await rig(t, { server: 'constraint' });
  t.match(await connection.send([document(1)], never), { kind: 'stop', code: /^TLS-120[12]$/ });
  t.equal(platform.calls.length, 0);
});

t.test('expired platform certificate', async (t) => {
  const { connection } = await rig(t, { server: 'expired' });
  t.same(await connection.send([document(1)], never), { kind: 'stop', code: 'TLS-1203' });
});

t.test('our expired certificate is seen before anything is sent', async (t) => {
  const { platform, connection } = await rig(t, { client: 'expired' });
  t.same(await connection.send([document(1)], never), { kind: 'stop', code: 'TLS-1205' });
  t.same(await connection.probe(never), { ok: false, code: 'TLS-1205' });
  t.equal(platform.connections, 0);
  t.ok(connection.certificates()[0]!.notAfterMs < Date.now(), 'and its dates are on the page');
});

t.test('our certificate is not yet valid', async (t) => {
  const { connection } = await rig(t, { client: 'not-yet-valid' });
  t.same(await connection.send([document(1)], never), { kind: 'stop', code: 'TLS-1205' });
});

t.test('a platform that refuses our certificate without an alert is found out', async (t) => {
  const { platform, connection } = await rig(t, { client: 'other-ca' });
  const codes: string[] = [];
  for (let i = 0; i < 3; i++) {
    const result = await connection.send([document(1)], never);
    codes.push('code' in result ? result.code : result.kind);
  }
  t.same(codes, ['NET-1006', 'NET-1006', 'TLS-1204']);
  t.equal(platform.calls.length, 0);
});

t.test('missing, foreign and broken certificate files stop uploads and are looked at again', async (t) => {
  const folder = t.testdir();
  const files = { ca: join(folder, 'ca.pem'), cert: join(folder, 'c.pem'), key: join(folder, 'c.key') };
  const restored = createPki(join(folder, 'pki'));
  const server = await startFaultPlatform(restored);
  t.teardown(() => server.close());
  const connection = await open(t, server.url, restored, files);
  const stopped = { kind: 'stop', code: 'TLS-1209' };
  t.same(await connection.send([document(1)], never), stopped, 'missing');
  copyFileSync(restored.ca, files.ca);
  copyFileSync(restored.clientCert, files.cert);
  writeFileSync(files.key, 'not a key');
  t.same(await connection.send([document(1)], never), stopped, 'broken');
  copyFileSync(restored.serverKey, files.key);
  t.same(await connection.send([document(1)], never), stopped, 'not a pair');
  copyFileSync(restored.clientKey, files.key);
  t.match(await connection.send([document(1)], never), { kind: 'items' }, 'good at last, without a restart');
});

t.test('a new certificate on disk is used without a restart, and a half-written one is not', async (t) => {
  const folder = t.testdir();
  const pki = createPki(join(folder, 'pki'));
  const platform = await startFaultPlatform(pki, { requireCertificate: false });
  t.teardown(() => platform.close());
  const renewed = createPki(join(folder, 'renewed'));
  const connection = await open(t, platform.url, pki);
  await connection.send([document(1)], never);
  const [before] = connection.certificates();
  copyFileSync(renewed.clientCert, pki.clientCert);
  t.match(await connection.send([document(2)], never), { kind: 'items' }, 'certificate there, key not yet');
  t.same(connection.certificates()[0], before);

  let release = (): void => {};
  platform.next.push((call) => {
    release = () => call.accept();
  });
  const underWay = connection.send([document(3)], never);
  while (platform.calls.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  writeFileSync(pki.clientKey, readFileSync(renewed.clientKey));
  t.match(await connection.send([document(4)], never), { kind: 'items' });
  release();
  t.match(await underWay, { kind: 'items' }, 'the request under way ends on the old line');
  t.not(connection.certificates()[0]!.fingerprint, before!.fingerprint);
  t.same(
    platform.calls.map((call) => call.fingerprint === before!.fingerprint),
    [true, true, true, false],
  );
});
