import t from 'tap';
import { document } from './documents.ts';
import { type Behaviour, hang, reset } from './fault-platform.ts';
import { never, open, patient, quick, rig } from './rig.ts';

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
