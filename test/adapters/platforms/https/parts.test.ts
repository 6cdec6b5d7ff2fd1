import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { compress, documentLines } from '../../../../adapters/platforms/https/batch.ts';
import { httpsConfig } from '../../../../adapters/platforms/https/config.ts';
import { readReceipts } from '../../../../adapters/platforms/https/receipts.ts';
import { faultCode, isStop, retryAfterMs } from '../../../../adapters/platforms/mutual-tls/faults.ts';
import { phi } from '../../../../agent/support/phi.ts';
import { document } from './documents.ts';
import { sha256, type WireItem } from './fault-platform.ts';

t.test('whatever the bytes are, the wire gives them back', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom('application/xml', 'image/png'), (bytes, type) => {
      const [line] = documentLines([document(1, { bytes: phi(bytes), mediaType: type })])
        .toString('utf8')
        .split('\n');
      const item = JSON.parse(line!) as WireItem;
      const back =
        item.content === undefined ? Buffer.from(item.content64!, 'base64') : Buffer.from(item.content, 'utf8');
      return Buffer.compare(back, bytes) === 0 && item.sha256 === sha256(bytes);
    }),
  );
  t.end();
});

t.test('text goes as JSON writes it, control characters and all', (t) => {
  const characters = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary-ascii' }));
  fc.assert(
    fc.property(fc.array(characters), (parts) => {
      const text = parts.join('');
      const body = documentLines([document(1, { bytes: phi(Buffer.from(text)), mediaType: 'application/xml' })]);
      const item = JSON.parse(body.toString('utf8')) as WireItem;
      return item.content === text && body.toString('utf8') === `${JSON.stringify(item)}\n`;
    }),
  );
  t.end();
});

t.test('both compressions unfold to the same body', async (t) => {
  const body = documentLines([document(1), document(2)]);
  t.same(zstdDecompressSync(await compress(body, 'zstd')), body);
  t.same(gunzipSync(await compress(body, 'gzip')), body);
});

t.test('only https addresses, and no switch that turns checks off', (t) => {
  const tls = { ca: 'a', cert: 'b', key: 'c' };
  const ok = (url: string, more: object = {}) => httpsConfig.safeParse({ url, tls: { ...tls, ...more } }).success;
  t.ok(ok('https://platform.example:8443/base'));
  for (const url of ['http://platform.example', 'ftp://a', 'https://u:p@a.example', 'https://a.example?x=1', 'x']) {
    t.notOk(ok(url), url);
  }
  t.notOk(ok('https://a.example', { insecure: true }));
  t.notOk(ok('https://a.example', { min_version: '1.1' }));
  t.same(httpsConfig.parse({ url: 'https://a.example', tls }), {
    url: 'https://a.example',
    tls: { ...tls, min_version: '1.3' },
    batch: { documents: 100, bytes: 262_144 },
    parent_wait_hours: 24,
  });
  t.end();
});

t.test('certificate alerts, wrapped errors and the unknown have a code', (t) => {
  const fault = (code: string, cause?: unknown) => Object.assign(new Error('x', { cause }), { code });
  t.equal(faultCode(fault('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), 'request'), 'TLS-1204');
  t.equal(faultCode(fault('ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED'), 'request'), 'TLS-1204');
  t.equal(faultCode(fault('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'), 'request'), 'TLS-1204');
  t.equal(faultCode(fault('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'), 'connect'), 'TLS-1210');
  t.equal(faultCode(fault('UND_ERR_X', fault('ECONNREFUSED')), 'connect'), 'NET-1002');
  t.equal(faultCode(new AggregateError([fault('EHOSTUNREACH')]), 'connect'), 'NET-1003');
  t.equal(faultCode('no error at all', 'connect'), 'TLS-1210');
  t.equal(faultCode(undefined, 'request'), 'NET-1006');
  t.ok(['TLS-1201', 'TLS-1205', 'TLS-1209', 'PLT-1301'].every(isStop));
  t.notOk(['TLS-1210', 'TLS-1208', 'NET-1002', 'PLT-1304'].some(isStop));
  t.end();
});

t.test('Retry-After in both forms, capped, and nonsense ignored', (t) => {
  const now = Date.UTC(2026, 4, 1, 0, 0, 0);
  t.equal(retryAfterMs('120', now), 120_000);
  t.equal(retryAfterMs('999999999', now), 3_600_000);
  t.equal(retryAfterMs('Fri, 01 May 2026 00:00:30 GMT', now), 30_000);
  t.equal(retryAfterMs('Thu, 30 Apr 2026 00:00:30 GMT', now), undefined);
  for (const text of [undefined, '', '-1', '1.5', 'soon', 'NaN', '1e3', '2026-05-01']) {
    t.equal(retryAfterMs(text, now), undefined);
  }
  t.end();
});

t.test('receipts: what is not shaped like a code or a receipt number is dropped, the word counts', (t) => {
  const body = Buffer.from(
    [
      { key: 'agent-1.x-1', status: 'refused', code: '患者 姓名' },
      { key: 'agent-1.x-2', status: 'accepted', receipt: 'x'.repeat(500) },
      { key: 'agent-1.x-3', status: 'retry', retryAfterSeconds: -4 },
    ]
      .map((line) => JSON.stringify(line))
      .join('\r\n'),
  );
  t.same(readReceipts(body, [document(1), document(2), document(3)], true, 'documents'), {
    items: [
      { n: 1, outcome: 'refused', code: 'PLT-1305' },
      { n: 2, outcome: 'accepted' },
      { n: 3, outcome: 'retry', code: 'PLT-1310' },
    ],
    strange: 0,
  });
  t.end();
});

t.test('receipts: no bytes make the reader throw or answer for what was not asked', (t) => {
  const asked = [document(1), document(2)];
  const piece = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom('{"key":"agent-1.x-1","status":"accepted"}', '{"key":"agent-1.x-9","status":"accepted"}', '\n'),
  );
  fc.assert(
    fc.property(fc.array(piece), fc.boolean(), (pieces, complete) => {
      const { items } = readReceipts(Buffer.from(pieces.join('\n')), asked, complete, 'documents');
      return items.every((item) => item.n === 1) && items.length <= 1;
    }),
  );
  t.end();
});
