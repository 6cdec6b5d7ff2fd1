import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import t from 'tap';
import { sha256, type Verdict } from './items.ts';
import { createPki, type Pki } from './pki.ts';
import { type Province, type ProvinceOptions, startProvince } from './province.ts';

interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

const read = (path: string) => readFileSync(path, 'utf8');

/** One request on a connection of its own. Rejects when the connection breaks. */
function call(
  url: string,
  pki: Pki,
  path: string,
  body?: string,
  { encoding, certificate = true }: { encoding?: 'gzip' | 'zstd' | 'br' | undefined; certificate?: boolean } = {},
): Promise<Reply> {
  const pair = certificate ? { cert: read(pki.clientCert), key: read(pki.clientKey) } : {};
  const agent = new Agent({ ca: read(pki.ca), ...pair });
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${url}${path}`,
      {
        agent,
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          'content-type': 'application/x-ndjson',
          'qianzhi-agent': 'agent-1',
          ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
        },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      },
    );
    outgoing.on('error', reject);
    const bytes = Buffer.from(body ?? '');
    outgoing.end(encoding === 'gzip' ? gzipSync(bytes) : encoding === 'zstd' ? zstdCompressSync(bytes) : bytes);
  });
}

const verdicts = (reply: Reply): Verdict[] =>
  reply.body
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Verdict);

/** An item with content of its own. */
function item(key: string, over: Record<string, unknown> = {}): Record<string, unknown> {
  const content = String(over.content ?? `<?xml version="1.0"?><文档 key="${key}"/>`);
  return {
    key,
    operation: 'publish',
    type: 'C0007',
    mediaType: 'application/xml',
    setId: `set-${key}`,
    version: 1,
    report: `LR-${key}`,
    lane: 'lane-1',
    attempt: 1,
    sha256: sha256(Buffer.from(content)),
    content,
    ...over,
  };
}
const ndjson = (...items: object[]) => items.map((one) => `${JSON.stringify(one)}\n`).join('');

async function setUp(t: Tap, options: Partial<ProvinceOptions> = {}) {
  const root = t.testdir();
  const pki = createPki(`${root}/pki`);
  const open = (): Promise<Province> =>
    startProvince({
      folder: `${root}/province`,
      tls: { cert: pki.serverCert, key: pki.serverKey, ca: pki.ca },
      ...options,
    });
  const province = await open();
  t.teardown(() => province.stop());
  const send = async (...items: object[]) => verdicts(await call(province.url, pki, '/v1/documents', ndjson(...items)));
  const ask = async (...keys: string[]) =>
    verdicts(await call(province.url, pki, '/v1/receipts', ndjson(...keys.map((key) => ({ key })))));
  return { pki, province, open, send, ask };
}
type Tap = { testdir(): string; teardown(handler: () => unknown): void };

t.test('answers only who shows a certificate of its CA', async (t) => {
  const { pki, province } = await setUp(t);
  const hello = await call(province.url, pki, '/v1/hello');
  t.equal(hello.status, 200);
  t.match(JSON.parse(hello.body), { platform: String, time: /Z$/, versions: [1], compression: ['zstd', 'gzip'] });
  await t.rejects(call(province.url, pki, '/v1/hello', undefined, { certificate: false }));
  const stranger = createPki(`${pki.folder}/stranger`, { client: 'other-ca' });
  await t.rejects(call(province.url, { ...stranger, ca: pki.ca }, '/v1/hello'));
});

t.test('an accepted document is a file of the exact bytes beside its sidecar', async (t) => {
  const { pki, province } = await setUp(t);
  const document = item('k1', { content: '\ufeff<a>汉字\r\n</a>' });
  const retraction = item('k2', {
    setId: 'set-k1',
    version: 2,
    operation: 'retract',
    mediaType: 'application/json',
    content: '{}',
  });
  const binary = item('k3', { mediaType: 'application/pdf', content64: 'AP8=', content: undefined });
  binary.sha256 = sha256(Buffer.from([0, 255]));
  const reply = await call(province.url, pki, '/v1/documents', ndjson(document, retraction, binary), {
    encoding: 'zstd',
  });
  t.match(reply.headers['content-type'], 'application/x-ndjson');
  t.same(verdicts(reply), [
    { key: 'k1', status: 'accepted', receipt: 'SIM-1' },
    { key: 'k2', status: 'accepted', receipt: 'SIM-2' },
    { key: 'k3', status: 'accepted', receipt: 'SIM-3' },
  ]);
  t.same(readdirSync(province.receivedFolder).sort(), [
    '000001.xml',
    '000001.xml.json',
    '000002.json',
    '000002.json.json',
    '000003.bin',
    '000003.bin.json',
  ]);
  t.equal(read(`${province.receivedFolder}/000001.xml`), document.content);
  t.same(readFileSync(`${province.receivedFolder}/000003.bin`), Buffer.from([0, 255]));
  const { receivedAt, ...sidecar } = JSON.parse(read(`${province.receivedFolder}/000001.xml.json`));
  t.match(receivedAt, /^\d{4}-\d\d-\d\dT.*Z$/);
  t.same(sidecar, {
    n: 1,
    key: 'k1',
    operation: 'publish',
    type: 'C0007',
    setId: 'set-k1',
    version: 1,
    report: 'LR-k1',
    lane: 'lane-1',
    attempt: 1,
    clientCertificate: 'qianzhi-demo-agent',
  });
  t.same(readdirSync(`${province.folder}/writing`), [], 'nothing half-written is left');
});

t.test('a key counts once: again it gives the first verdict, with other content it is refused', async (t) => {
  const { province, send } = await setUp(t);
  const [first] = await send(item('k1'));
  const [again] = await send(item('k1', { attempt: 2 }));
  t.same(again, first);
  t.same(await send(item('k1', { content: '<other/>' })), [
    { key: 'k1', status: 'refused', code: 'KEY_CONTENT_MISMATCH' },
  ]);
  t.equal(readdirSync(province.receivedFolder).length, 2);
  t.equal(province.received()[0]?.attempt, 2);
});

t.test('an older version never replaces a newer one', async (t) => {
  const { send } = await setUp(t);
  t.match(await send(item('k2', { setId: 's', version: 2, operation: 'replace' })), [{ status: 'accepted' }]);
  const refused = [{ key: 'k1', status: 'refused', code: 'VERSION_ORDER' }];
  t.same(await send(item('k1', { setId: 's', version: 1 })), refused);
  t.same(await send(item('k1', { setId: 's', version: 1, attempt: 2 })), refused, 'the first verdict again');
  t.match(await send(item('k3', { setId: 's', version: 2 })), [{ status: 'refused', code: 'VERSION_EXISTS' }]);
  t.match(await send(item('k4', { setId: 's', version: 4, operation: 'retract' })), [{ status: 'accepted' }]);
});

t.test('a document damaged on the way is asked for again', async (t) => {
  const { province, send } = await setUp(t);
  t.match(await send(item('k1', { sha256: 'a'.repeat(64) })), [{ status: 'retry', code: 'CONTENT_HASH' }]);
  t.match(await send(item('k1')), [{ status: 'accepted' }]);
  t.equal(province.received().length, 1);
});

t.test('numbers, keys, versions and refusals outlive the process', async (t) => {
  const { province, open, pki } = await setUp(t);
  const post = async (to: Province, ...items: object[]) =>
    verdicts(await call(to.url, pki, '/v1/documents', ndjson(...items)));
  await post(province, item('k1'), item('k2', { setId: 's', version: 3 }), item('bad', { setId: 's', version: 1 }));
  await province.stop();
  const second = await open();
  t.teardown(() => second.stop());
  t.same(await post(second, item('k1')), [{ key: 'k1', status: 'accepted', receipt: 'SIM-1' }]);
  t.match(await post(second, item('bad', { setId: 's', version: 1 })), [{ status: 'refused', code: 'VERSION_ORDER' }]);
  t.match(await post(second, item('k3', { setId: 's', version: 2 })), [{ status: 'refused', code: 'VERSION_ORDER' }]);
  t.match(await post(second, item('k4')), [{ status: 'accepted', receipt: 'SIM-3' }]);
  t.same(
    second.received().map(({ n, key, attempt }) => ({ n, key, attempt })),
    [
      { n: 1, key: 'k1', attempt: 2 },
      { n: 2, key: 'k2', attempt: 1 },
      { n: 3, key: 'k4', attempt: 1 },
    ],
  );
});

t.test('takes gzip, zstd and neither; says so for any other', async (t) => {
  const { pki, province } = await setUp(t);
  for (const encoding of ['gzip', 'zstd', undefined] as const) {
    const reply = await call(province.url, pki, '/v1/documents', ndjson(item(`k-${encoding}`)), { encoding });
    t.match(verdicts(reply), [{ status: 'accepted' }], String(encoding));
  }
  const other = await call(province.url, pki, '/v1/documents', ndjson(item('k')), { encoding: 'br' });
  t.equal(other.status, 415);
  t.equal(other.headers['accept-encoding'], 'zstd, gzip');
});

t.test('a batch that breaks the protocol is refused whole and has no effect', async (t) => {
  const { pki, province } = await setUp(t);
  const broken = [
    '',
    'not json\n',
    ndjson(item('k1'), { key: 'k2' }),
    ndjson(item('k1', { version: '1' })),
    ndjson(item('k1', { content64: 'AA==' })),
    ndjson(item('k1'), item('k1')),
  ];
  for (const body of broken) t.equal((await call(province.url, pki, '/v1/documents', body)).status, 400, body);
  t.equal((await call(province.url, pki, '/v1/elsewhere')).status, 404);
  t.equal(province.received().length, 0);
});

t.test('two stages: received first, accepted when asked later, unknown when never seen', async (t) => {
  const { province, send, ask } = await setUp(t, { faults: { acceptAfterMs: 3_600_000 } });
  t.same(await send(item('k1')), [{ key: 'k1', status: 'received' }]);
  t.same(await send(item('k1')), [{ key: 'k1', status: 'received' }]);
  t.same(await ask('k1', 'k9'), [
    { key: 'k1', status: 'received' },
    { key: 'k9', status: 'unknown' },
  ]);
  t.equal(province.received().length, 0, 'not accepted yet');
  province.setFault({ acceptAfterMs: 0 });
  await send(item('k2'));
  t.same(await ask('k2'), [{ key: 'k2', status: 'accepted', receipt: 'SIM-1' }]);
  t.same(await ask('k2'), [{ key: 'k2', status: 'accepted', receipt: 'SIM-1' }]);
  t.equal(province.received()[0]?.attempt, 1, 'asking is no delivery');
});

t.test('faults can be ordered: whole answers', async (t) => {
  const { pki, province } = await setUp(t);
  const post = () => call(province.url, pki, '/v1/documents', ndjson(item('k1')));
  province.setFault({ documents: { answer: { mode: 'status', status: 429, retryAfter: '7' }, times: 1 } });
  t.match(await post(), { status: 429, headers: { 'retry-after': '7' } });
  province.setFault({ documents: { answer: { mode: 'redirect' }, times: 1 } });
  t.match(await post(), { status: 302, headers: { location: /^https:/ } });
  province.setFault({ documents: { answer: { mode: 'reset' }, times: 1 } });
  await t.rejects(post());
  t.equal(province.received().length, 0);
  province.setFault({ documents: { answer: { mode: 'reset-after' }, times: 1 } });
  await t.rejects(post());
  t.equal(province.received().length, 1, 'done, though the agent cannot know');
  province.setFault({ documents: { answer: { mode: 'truncate' }, times: 1 } });
  await t.rejects(post());
  province.setFault({ maxItems: 1 });
  t.equal((await call(province.url, pki, '/v1/documents', ndjson(item('k1'), item('k2')))).status, 413);
  province.setFault({ poison: '^LR-k2$' });
  t.equal((await call(province.url, pki, '/v1/documents', ndjson(item('k2')))).status, 422);
  province.setFault();
  t.match(verdicts(await post()), [{ status: 'accepted', receipt: 'SIM-1' }]);
  t.match(province.received(), [{ attempt: 3 }]);
});

t.test('faults can be ordered: single items by report number', async (t) => {
  const { province, send } = await setUp(t);
  province.setFault({
    items: [
      { report: '-bad$', status: 'refused', code: 'NO_SUCH_PATIENT' },
      { report: '-slow$', status: 'retry', retryAfterSeconds: 2 },
      { report: '-child$', status: 'wait-for-parent' },
    ],
  });
  t.same(await send(item('bad'), item('slow'), item('child'), item('good')), [
    { key: 'bad', status: 'refused', code: 'NO_SUCH_PATIENT' },
    { key: 'slow', status: 'retry', retryAfterSeconds: 2 },
    { key: 'child', status: 'wait-for-parent' },
    { key: 'good', status: 'accepted', receipt: 'SIM-1' },
  ]);
  province.setFault({ items: undefined });
  t.match(await send(item('slow'), item('child'), item('bad')), [
    { status: 'accepted' },
    { status: 'accepted' },
    { status: 'refused', code: 'NO_SUCH_PATIENT' },
  ]);
});

t.test('it can want a parent of the same lane first', async (t) => {
  const { province, send } = await setUp(t);
  province.setFault({ parent: { child: '^C0007$', parent: '^C0001$' } });
  const child = item('child', { lane: 'a' });
  t.match(await send(child, item('other', { type: 'C0001', lane: 'b' })), [
    { status: 'wait-for-parent' },
    { status: 'accepted' },
  ]);
  t.match(await send(item('parent', { type: 'C0001', lane: 'a' }), child), [
    { status: 'accepted' },
    { status: 'accepted' },
  ]);
});

t.test('goes down and comes up on the same port', async (t) => {
  const { pki, province } = await setUp(t);
  await province.down();
  await t.rejects(call(province.url, pki, '/v1/hello'), { code: 'ECONNREFUSED' });
  await province.up();
  t.equal((await call(province.url, pki, '/v1/hello')).status, 200);
});

t.test('as a process: obeys over IPC and ends with whoever started it', async (t) => {
  const root = t.testdir();
  const pki = createPki(`${root}/pki`);
  const options = ['--folder', `${root}/p`, '--cert', pki.serverCert, '--key', pki.serverKey, '--ca', pki.ca, '--down'];
  const child = fork(new URL('province.ts', import.meta.url), options, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const tell = async (line: string) => {
    const answer = once(child, 'message');
    child.send(line);
    return (await answer)[0];
  };
  const [ready] = (await once(child, 'message')) as [{ url: string; received: string }];
  await t.rejects(call(ready.url, pki, '/v1/hello'), { code: 'ECONNREFUSED' });
  t.same(await tell('up'), { done: 'up' });
  t.equal((await call(ready.url, pki, '/v1/hello')).status, 200);
  t.same(await tell('fault {"hello":{"answer":{"mode":"status","status":503}}}'), {
    done: 'fault {"hello":{"answer":{"mode":"status","status":503}}}',
  });
  t.equal((await call(ready.url, pki, '/v1/hello')).status, 503);
  t.same(await tell('nonsense'), { failed: 'nonsense' });
  const gone = once(child, 'exit');
  child.disconnect();
  t.same(await gone, [0, null]);
});
