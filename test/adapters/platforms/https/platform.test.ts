import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createPlainServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { httpsConfig } from '../../../../adapters/platforms/https/config.ts';
import { openHttps } from '../../../../adapters/platforms/https/platform.ts';
import type { Timing } from '../../../../adapters/platforms/mutual-tls/exchange.ts';
import { systemClock } from '../../../../agent/support/clock.ts';
import { silentLog } from '../../../../agent/support/log.ts';
import { phi } from '../../../../agent/support/phi.ts';
import { createPki, type Pki, type PkiOptions } from '../../../platform/pki.ts';
import { document } from './documents.ts';
import { type Behaviour, hang, reset, sha256, startFaultPlatform } from './fault-platform.ts';

const patient: Timing = { connectMs: 5_000, answerMs: 5_000, exchangeMs: 20_000, certificateCheckMs: 0 };
/** For the peers that never answer. */
const quick: Timing = { ...patient, connectMs: 400, answerMs: 400 };
const never = new AbortController().signal;

const settings = (url: string, pki: Pki, tls: object = {}) =>
  httpsConfig.parse({ url, tls: { ca: pki.ca, cert: pki.clientCert, key: pki.clientKey, ...tls } });

const open = (t: Test, url: string, pki: Pki, tls: object = {}, timing: Timing = patient) =>
  openHttps(
    { name: 'p', clock: systemClock, log: silentLog, agentId: 'agent-1' },
    settings(url, pki, tls),
    timing,
  ).then((connection) => {
    t.teardown(() => connection.close());
    return connection;
  });

async function rig(t: Test, options: PkiOptions = {}, server: Parameters<typeof startFaultPlatform>[1] = {}) {
  const pki = createPki(join(t.testdir(), 'pki'), options);
  const platform = await startFaultPlatform(pki, server);
  t.teardown(() => platform.close());
  return { pki, platform, connection: await open(t, platform.url, pki) };
}

t.test('a batch goes out as the protocol says and comes back item by item', async (t) => {
  const { platform, connection } = await rig(t);
  let headers: Record<string, unknown> = {};
  platform.always = (call) => {
    headers = call.headers;
    call.accept();
  };
  const text = '﻿<报告 a="1">钾 3.9 mmol/L\r\n</报告>';
  const result = await connection.send([document(1, { text }), document(2, { operation: 'retract', text: '' })], never);
  t.same(result, {
    kind: 'items',
    items: [
      { n: 1, outcome: 'accepted', receipt: 'R-agent-1.x-1' },
      { n: 2, outcome: 'accepted', receipt: 'R-agent-1.x-2' },
    ],
  });
  t.equal(headers['content-type'], 'application/x-ndjson');
  t.equal(headers['content-encoding'], 'zstd');
  t.equal(headers['qianzhi-agent'], 'agent-1');
  t.match(headers['user-agent'], /^qianzhi\/\d/);
  const [first, second] = platform.effects;
  t.strictSame(Object.keys(first!).sort(), [
    'attempt',
    'content',
    'key',
    'lane',
    'mediaType',
    'operation',
    'report',
    'setId',
    'sha256',
    'type',
    'version',
  ]);
  t.equal(sha256(Buffer.from(first!.content!, 'utf8')), first!.sha256, 'the text gives the stored bytes back, BOM too');
  t.equal(first!.content, text);
  t.match(second, { operation: 'retract', content: '' });
});

t.test('bytes that are no UTF-8 text go as content64', async (t) => {
  const { platform, connection } = await rig(t);
  const gbk = Buffer.from([0x3c, 0xbc, 0xd8, 0x3e]);
  await connection.send(
    [document(1, { bytes: phi(gbk) }), document(2, { mediaType: 'application/dicom', text: 'abc' })],
    never,
  );
  for (const item of platform.effects) {
    t.equal(item.content, undefined);
    t.equal(sha256(Buffer.from(item.content64!, 'base64')), item.sha256);
  }
  t.equal(platform.effects.length, 2);
});

t.test('all statuses of an item are understood', async (t) => {
  const { platform, connection } = await rig(t);
  const documents = [1, 2, 3, 4, 5].map((n) => document(n));
  const key = (n: number) => `agent-1.x-${n}`;
  platform.next.push((call) =>
    call.lines([
      { key: key(5), status: 'retry', retryAfterSeconds: 7 },
      { key: key(1), status: 'accepted', receipt: 'A', more: 1 },
      { key: key(2), status: 'received', receipt: 'B' },
      { key: key(4), status: 'wait-for-parent' },
      { key: key(3), status: 'refused', code: 'E-17' },
    ]),
  );
  const result = await connection.send(documents, never);
  t.same(result.kind === 'items' && result.items.sort((a, b) => a.n - b.n), [
    { n: 1, outcome: 'accepted', receipt: 'A' },
    { n: 2, outcome: 'received', receipt: 'B' },
    { n: 3, outcome: 'refused', code: 'PLT-1305', platformCode: 'E-17' },
    { n: 4, outcome: 'wait-for-parent' },
    { n: 5, outcome: 'retry', code: 'PLT-1310', retryAfterMs: 7000 },
  ]);
  platform.onReceipts = (call) => call.lines([{ key: key(2), status: 'unknown' }]);
  t.same(await connection.ask([document(2)], never), {
    kind: 'items',
    items: [{ n: 2, outcome: 'retry', code: 'PLT-1311' }],
  });
});

const raw =
  (text: string, headers: Record<string, string> = {}): Behaviour =>
  (call) =>
    call.res.writeHead(200, headers).end(text);
const later = new Date(Date.now() + 90_000).toUTCString();
const farAway = new Date(Date.now() + 90_000_000).toUTCString();

const answers: Array<[what: string, behaviour: Behaviour, expected: object]> = [
  ['reset', reset, { kind: 'retry', code: 'NET-1006' }],
  ['hang', hang, { kind: 'retry', code: 'NET-1003' }],
  ['302 is not followed', (c) => c.status(302, { location: '/elsewhere' }), { kind: 'retry', code: 'PLT-1306' }],
  ['400', (c) => c.status(400), { kind: 'refused-whole', code: 'PLT-1308' }],
  ['422', (c) => c.status(422), { kind: 'refused-whole', code: 'PLT-1308' }],
  [
    '400 by which nginx refuses a certificate',
    (c) => c.res.writeHead(400).end('<html><title>400 The SSL certificate error</title>'),
    { kind: 'stop', code: 'TLS-1204' },
  ],
  ['401', (c) => c.status(401), { kind: 'stop', code: 'PLT-1301' }],
  ['403', (c) => c.status(403), { kind: 'stop', code: 'PLT-1301' }],
  ['404', (c) => c.status(404), { kind: 'retry', code: 'PLT-1307' }],
  ['413', (c) => c.status(413), { kind: 'too-large', code: 'PLT-1302' }],
  [
    '429, Retry-After in seconds',
    (c) => c.status(429, { 'retry-after': '17' }),
    { kind: 'retry', code: 'PLT-1303', retryAfterMs: 17_000 },
  ],
  [
    '429, Retry-After as a far date is capped',
    (c) => c.status(429, { 'retry-after': farAway }),
    { kind: 'retry', code: 'PLT-1303', retryAfterMs: 3_600_000 },
  ],
  ['429, Retry-After negative', (c) => c.status(429, { 'retry-after': '-5' }), { kind: 'retry', code: 'PLT-1303' }],
  ['429, Retry-After nonsense', (c) => c.status(429, { 'retry-after': 'soon' }), { kind: 'retry', code: 'PLT-1303' }],
  ['503', (c) => c.status(503), { kind: 'retry', code: 'PLT-1304' }],
  ['204', (c) => c.status(204), { kind: 'retry', code: 'PLT-1307' }],
  ['200 and nothing', raw(''), { kind: 'retry', code: 'PLT-1307' }],
  ['nonsense', raw('<html>welcome to the portal</html>\n{}\n[1]\nnull\n'), { kind: 'retry', code: 'PLT-1307' }],
  [
    'an answer for another key',
    raw('{"key":"agent-1.x-99","status":"accepted"}\n'),
    { kind: 'retry', code: 'PLT-1307' },
  ],
  [
    'a status that does not exist',
    raw('{"key":"agent-1.x-1","status":"filed"}\n'),
    { kind: 'retry', code: 'PLT-1307' },
  ],
  [
    '`unknown` where nothing was asked after',
    raw('{"key":"agent-1.x-1","status":"unknown"}\n'),
    { kind: 'retry', code: 'PLT-1307' },
  ],
  [
    'an answer that contradicts itself',
    raw('{"key":"agent-1.x-1","status":"accepted"}\n{"key":"agent-1.x-1","status":"refused"}\n'),
    { kind: 'retry', code: 'PLT-1307' },
  ],
  [
    'an encoded answer',
    raw('{"key":"agent-1.x-1","status":"accepted"}\n', { 'content-encoding': 'gzip' }),
    { kind: 'retry', code: 'PLT-1307' },
  ],
  ['an endless answer', (c) => c.res.end(Buffer.alloc(3_000_000, 0x20)), { kind: 'retry', code: 'PLT-1307' }],
];
for (const [what, behaviour, expected] of answers) {
  t.test(`answer: ${what}`, async (t) => {
    const { pki, platform, connection: usual } = await rig(t);
    const connection = behaviour === hang ? await open(t, platform.url, pki, {}, quick) : usual;
    platform.next.push(behaviour);
    t.same(await connection.send([document(1)], never), expected);
    t.equal(platform.calls.length, 1, 'one request, nothing followed and nothing repeated inside');
    t.match(await connection.send([document(1)], never), { kind: 'items' }, 'and the next request works');
  });
}

t.test('429 with Retry-After as a date waits until then', async (t) => {
  const { platform, connection } = await rig(t);
  platform.next.push((c) => c.status(429, { 'retry-after': later }));
  const result = await connection.send([document(1)], never);
  t.equal(result.kind, 'retry');
  const wait = result.kind === 'retry' ? (result.retryAfterMs ?? 0) : 0;
  t.ok(wait > 0 && wait <= 90_000);
});

t.test('a truncated answer counts for its whole lines only', async (t) => {
  const { platform, connection } = await rig(t);
  platform.next.push((call) => {
    call.res.writeHead(200, { 'content-length': '5000' });
    call.res.write('{"key":"agent-1.x-1","status":"accepted"}\n{"key":"agent-1.x-2","status":"accepted"}');
    setTimeout(() => call.socket.destroy(), 50);
  });
  t.same(await connection.send([document(1), document(2)], never), {
    kind: 'items',
    items: [{ n: 1, outcome: 'accepted' }],
  });
});

t.test('415 makes it gzip, once and for all', async (t) => {
  const { platform, connection } = await rig(t);
  platform.always = (call) => (call.headers['content-encoding'] === 'zstd' ? call.status(415) : call.accept());
  t.match(await connection.send([document(1)], never), { kind: 'items' });
  t.match(await connection.send([document(2)], never), { kind: 'items' });
  t.same(
    platform.calls.map((call) => call.encoding),
    ['zstd', 'gzip', 'gzip'],
  );
});

t.test('a slow drip ends at the limit of the whole exchange', async (t) => {
  const { platform, pki } = await rig(t);
  platform.next.push((call) => {
    call.res.writeHead(200);
    const drip = setInterval(() => call.res.write(' '), 20);
    call.socket.on('close', () => clearInterval(drip));
  });
  const connection = await open(t, platform.url, pki, {}, { ...patient, exchangeMs: 300 });
  t.match(await connection.send([document(1)], never), { kind: 'retry', code: 'PLT-1307' });
});

t.test('abort ends a request at once', async (t) => {
  const { platform, connection } = await rig(t);
  const abort = new AbortController();
  platform.next.push(() => abort.abort());
  t.same(await connection.send([document(1)], abort.signal), { kind: 'retry', code: 'NET-1006' });
  t.same(await connection.send([document(1)], abort.signal), { kind: 'retry', code: 'NET-1006' });
});

t.test('hello gives the clock offset, and the compression both know', async (t) => {
  const { platform, connection } = await rig(t);
  platform.onHello = (call) =>
    call.res.end(
      JSON.stringify({
        platform: 'test',
        time: new Date(Date.now() + 3_600_000).toISOString(),
        versions: [1],
        compression: ['gzip'],
      }),
    );
  const probe = await connection.probe(never);
  t.equal(probe.ok, true);
  const offset = probe.ok ? (probe.clockOffsetMs ?? 0) : 0;
  t.ok(Math.abs(offset - 3_600_000) < 60_000);
  await connection.send([document(1)], never);
  t.equal(platform.calls[0]!.encoding, 'gzip');
  platform.onHello = (call) => call.res.end('{"platform":"x","versions":[2]}');
  t.same(await connection.probe(never), { ok: false, code: 'PLT-1307' });
  platform.onHello = (call) => call.status(403);
  t.same(await connection.probe(never), { ok: false, code: 'PLT-1301' });
});

t.test('refused connection', async (t) => {
  const { platform, connection } = await rig(t);
  await platform.close();
  t.same(await connection.send([document(1)], never), { kind: 'retry', code: 'NET-1002' });
  t.same(await connection.probe(never), { ok: false, code: 'NET-1002' });
});

t.test('unknown host name', async (t) => {
  const { pki } = await rig(t);
  const connection = await open(t, 'https://no-such-platform.invalid:8443', pki);
  t.same(await connection.send([document(1)], never), { kind: 'retry', code: 'NET-1001' });
});

t.test('plain HTTP on the port', async (t) => {
  const { pki } = await rig(t);
  const server = createPlainServer((_, res) => res.end()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  const connection = await open(t, `https://localhost:${(server.address() as AddressInfo).port}`, pki);
  t.same(await connection.send([document(1)], never), { kind: 'retry', code: 'NET-1005' });
});

t.test('TCP answers and TLS never does', async (t) => {
  const { pki } = await rig(t);
  const server = createTcpServer((socket) => void socket.on('error', () => {})).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  const connection = await open(t, `https://localhost:${(server.address() as AddressInfo).port}`, pki, {}, quick);
  t.same(await connection.send([document(1)], never), { kind: 'retry', code: 'NET-1003' });
});

t.test('the line is cut within the handshake', async (t) => {
  const { pki } = await rig(t);
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.destroy());
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  const connection = await open(t, `https://localhost:${(server.address() as AddressInfo).port}`, pki);
  t.same(await connection.send([document(1)], never), { kind: 'retry', code: 'TLS-1210' });
});

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

t.test('a platform with TLS 1.2 only is used by choice', async (t) => {
  const { pki, platform, connection } = await rig(t, {}, { maxVersion: 'TLSv1.2' });
  t.same(await connection.send([document(1)], never), { kind: 'retry', code: 'TLS-1210' });
  const old = await open(t, platform.url, pki, { min_version: '1.2' });
  t.match(await old.send([document(1)], never), { kind: 'items' });
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
