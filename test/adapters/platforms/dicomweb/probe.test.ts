import t from 'tap';
import { dicomwebPlatform } from '../../../../adapters/platforms/dicomweb/adapter.ts';
import { dicomwebConfig } from '../../../../adapters/platforms/dicomweb/config.ts';
import { systemClock } from '../../../../agent/support/clock.ts';
import { silentLog } from '../../../../agent/support/log.ts';
import { phi } from '../../../../agent/support/phi.ts';
import { never, rig } from './rig.ts';
import type { Behaviour } from './store-platform.ts';

const study = '1.2.826.0.1.3680043.8.498.1';
const row = (uid: string, count: unknown) => ({
  '0020000D': { vr: 'UI', Value: [uid] },
  '00201208': { vr: 'IS', Value: [count] },
});

const counts: Array<[what: string, behaviour: Behaviour, expected: number | undefined]> = [
  ['a number', (call) => call.json(200, [row(study, 12)]), 12],
  ['a number as a string', (call) => call.json(200, [row(study, '12')]), 12],
  ['no study of the UID', (call) => call.json(200, []), 0],
  ['no study of the UID, by status', (call) => call.text(204), 0],
  ['another study', (call) => call.json(200, [row('1.2.3', 12)]), undefined],
  ['no count', (call) => call.json(200, [{ '0020000D': { vr: 'UI', Value: [study] } }]), undefined],
  ['nonsense for a count', (call) => call.json(200, [row(study, 'many')]), undefined],
  ['a page', (call) => call.text(200, '<html>'), undefined],
  ['404', (call) => call.text(404), undefined],
  ['500', (call) => call.text(500), undefined],
  ['nothing', (call) => call.req.socket.destroy(), undefined],
];
for (const [what, behaviour, expected] of counts) {
  t.test(`count of a study, answered with ${what}`, async (t) => {
    const { platform, connection } = await rig(t);
    platform.onGet = behaviour;
    t.equal(await connection.countInstances!(phi(study), never), expected);
    t.equal(platform.calls[0]!.req.url, `/dicom-web/studies?StudyInstanceUID=${study}&includefield=00201208&limit=1`);
  });
}

t.test('what is no UID is never put into an address', async (t) => {
  const { platform, connection } = await rig(t);
  for (const text of ['', '1.2&limit=9', '1.2/../..', '1'.repeat(65)]) {
    t.equal(await connection.countInstances!(phi(text), never), undefined);
  }
  t.equal(platform.calls.length, 0);
});

const probes: Array<[what: string, behaviour: Behaviour, expected: object]> = [
  ['an empty list', (call) => call.json(200, []), { ok: true }],
  ['204', (call) => call.text(204), { ok: true }],
  ['a page', (call) => call.text(200, '<html>'), { ok: false, code: 'PLT-1307' }],
  ['302', (call) => call.text(302, '', { location: '/login' }), { ok: false, code: 'PLT-1306' }],
  ['400', (call) => call.text(400), { ok: false, code: 'PLT-1307' }],
  [
    '400 by which nginx refuses our certificate',
    (call) => call.text(400, '<html><title>400 No required SSL certificate was sent</title>'),
    { ok: false, code: 'TLS-1204' },
  ],
  ['403', (call) => call.text(403), { ok: false, code: 'PLT-1301' }],
  ['404', (call) => call.text(404), { ok: false, code: 'PLT-1307' }],
  ['409', (call) => call.text(409), { ok: false, code: 'PLT-1307' }],
  ['503', (call) => call.text(503), { ok: false, code: 'PLT-1304' }],
  ['nothing', (call) => call.req.socket.destroy(), { ok: false, code: 'NET-1006' }],
];
for (const [what, behaviour, expected] of probes) {
  t.test(`a probe answered with ${what}`, async (t) => {
    const { platform, connection } = await rig(t);
    platform.onGet = behaviour;
    t.match(await connection.probe(never), expected);
    t.equal(platform.calls[0]!.req.url, '/dicom-web/studies?StudyInstanceUID=2.25.0&limit=1', 'asks for nobody’s data');
  });
}

t.test('a probe tells how far the platform’s clock is from ours', async (t) => {
  const { platform, connection } = await rig(t);
  const ahead = 7_200_000;
  platform.onGet = (call) => call.json(200, [], { date: new Date(Date.now() + ahead).toUTCString() });
  const probed = await connection.probe(never);
  t.ok(probed.ok && Math.abs((probed.clockOffsetMs ?? 0) - ahead) < 60_000);
});

const tls = { ca: '/pki/ca.pem', cert: '/pki/cert.pem', key: '/pki/key.pem' };

t.test('limits have defaults and come from the configuration', async (t) => {
  const plain = dicomwebConfig.parse({ url: 'https://cloud.example/dicom-web', tls });
  t.match(plain, { batch: { instances: 10, bytes: 16 * 1024 * 1024 }, concurrency: 4 });
  const { connection } = await rig(t, { config: { batch: { instances: 3 }, concurrency: 2 } });
  t.match(connection, { limits: { instances: 3, bytes: 16 * 1024 * 1024 }, concurrency: 2 });
  t.equal(connection.certificates().length, 2);
});

t.test('an address without TLS, or with a user, is refused', async (t) => {
  for (const url of ['http://cloud.example/dicom-web', 'https://u:p@cloud.example/', 'https://cloud.example/?a=1']) {
    t.notOk(dicomwebConfig.safeParse({ url, tls }).success, url);
  }
  t.notOk(dicomwebConfig.safeParse({ url: 'https://cloud.example/', tls: {} }).success, 'nor one without certificates');
});

t.test('without usable certificate files it opens, and every call says so', async (t) => {
  const config = dicomwebConfig.parse({ url: 'https://localhost:1/dicom-web', tls });
  const context = { name: 'cloud', clock: systemClock, log: silentLog, agentId: 'agent-1' };
  const connection = await dicomwebPlatform.open(context, config);
  t.teardown(() => connection.close());
  t.same(await connection.probe(never), { ok: false, code: 'TLS-1209' });
  t.same(await connection.send([], never), { kind: 'stop', code: 'TLS-1209' });
  t.equal(await connection.countInstances!(phi(study), never), undefined);
});
