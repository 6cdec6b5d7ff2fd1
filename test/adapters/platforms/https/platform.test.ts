import t from 'tap';
import { phi } from '../../../../agent/support/phi.ts';
import { document } from './documents.ts';
import { sha256 } from './fault-platform.ts';
import { never, open, rig } from './rig.ts';

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

t.test('a platform with TLS 1.2 only is used by choice', async (t) => {
  const { pki, platform, connection } = await rig(t, {}, { maxVersion: 'TLSv1.2' });
  t.same(await connection.send([document(1)], never), { kind: 'retry', code: 'TLS-1210' });
  const old = await open(t, platform.url, pki, { min_version: '1.2' });
  t.match(await old.send([document(1)], never), { kind: 'items' });
});
