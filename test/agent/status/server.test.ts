import { request } from 'node:http';
import t from 'tap';
import { createEventHub } from '../../../agent/status/events.ts';
import { startStatusServer } from '../../../agent/status/server.ts';
import { judge } from '../../../agent/status/shield.ts';
import { composeStatus } from '../../../agent/status/verdict.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { faultParts, healthyParts, knownAccession, messageRows, night, serveModel, studyDesk } from './fixture.ts';

interface Answer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
}

/** fetch() forbids setting Host and Sec-Fetch-*; a plain request does not. */
function ask(
  port: number,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
  sent = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = request({ host: '127.0.0.1', port, path, method, headers }, (res) => {
      let body = '';
      res.setEncoding('utf8');
      res.on('data', (chunk: string) => {
        body += chunk;
      });
      res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body }));
    });
    req.on('error', reject);
    req.end(sent);
  });
}

/** The first events of a stream, as [name, data] pairs. */
async function events(url: string, count: number, onFirst?: () => void): Promise<Array<[string, string]>> {
  const abort = new AbortController();
  const answer = await fetch(url, { signal: abort.signal });
  const found: Array<[string, string]> = [];
  let text = '';
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const name = /^event: (.*)$/m.exec(block)?.[1];
      if (name !== undefined) found.push([name, /^data: (.*)$/m.exec(block)?.[1] ?? '']);
      if (found.length === 1) onFirst?.();
    }
    if (found.length >= count) break;
  }
  abort.abort();
  return found;
}

const healthy = composeStatus(healthyParts());

t.test('the API gives the model, the messages and health, and 404 as JSON', async (t) => {
  const server = await serveModel(healthy);
  t.teardown(() => server.close());
  const { port } = server;
  t.equal(server.url, `http://127.0.0.1:${port}/`);
  t.equal(JSON.parse((await ask(port, '/api/v1/status')).body).verdict.level, 'ok');
  t.equal((await ask(port, '/livez')).status, 200);
  t.match(await ask(port, '/readyz'), { status: 200, body: '{"status":"ready","reasons":[]}' });
  const page = JSON.parse((await ask(port, '/api/v1/messages?limit=2&before=182030')).body);
  t.same(
    page.messages.map((row: { seq: number }) => row.seq),
    [182_029, 182_028],
  );
  t.match(await ask(port, '/nowhere'), { status: 404, body: '{"error":"not-found"}' });
  t.equal((await ask(port, '/..%2fpackage.json')).status, 404);
});

t.test('a limit or position that is not a number in range is refused', async (t) => {
  const server = await serveModel(healthy);
  t.teardown(() => server.close());
  for (const query of ['limit=0', 'limit=201', 'limit=x', 'limit=-1', 'before=1e3', 'before=']) {
    t.equal((await ask(server.port, `/api/v1/messages?${query}`)).status, 400, query);
  }
});

t.test('readyz is 503 with codes only when messages cannot be taken', async (t) => {
  const parts = healthyParts();
  const server = await serveModel(composeStatus({ ...parts, store: { ...parts.store, mode: 'intake-stopped' } }));
  t.teardown(() => server.close());
  t.match(await ask(server.port, '/readyz'), { status: 503, body: '{"status":"not-ready","reasons":["QUE-4002"]}' });
});

t.test('a name that is not this machine’s is refused, and told where the page is', async (t) => {
  const server = await serveModel(healthy);
  t.teardown(() => server.close());
  const { port } = server;
  for (const host of [`evil.test:${port}`, '127.0.0.1', `127.0.0.1:${port + 1}`, `localhost.evil.test:${port}`]) {
    const answer = await ask(port, '/api/v1/status', { Host: host });
    t.equal(answer.status, 421, host);
    t.match(answer.body, `http://127.0.0.1:${port}/`);
    t.notMatch(answer.body, 'evil');
  }
  for (const host of [`localhost:${port}`, `[::1]:${port}`, `LOCALHOST:${port}`]) {
    t.equal((await ask(port, '/api/v1/status', { Host: host })).status, 200, host);
  }
});

t.test('nothing but GET is answered', async (t) => {
  const server = await serveModel(healthy);
  t.teardown(() => server.close());
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD']) {
    const answer = await ask(server.port, '/api/v1/status', {}, method);
    t.match(answer, { status: 405, headers: { allow: 'GET' } }, method);
  }
});

t.test('only the page itself may post, JSON, and only searches and what does no harm twice', async (t) => {
  const server = await serveModel(healthy);
  t.teardown(() => server.close());
  const { port } = server;
  const own = {
    Host: `127.0.0.1:${port}`,
    Origin: `http://127.0.0.1:${port}`,
    'Sec-Fetch-Site': 'same-origin',
    'Content-Type': 'application/json',
  };
  const search = JSON.stringify({ by: 'accession', term: knownAccession });
  const post = (path: string, sent: string, headers: Record<string, string> = own) =>
    ask(port, path, headers, 'POST', sent);
  const found = await post('/api/v1/studies/search', search);
  t.equal(found.status, 200);
  t.match(JSON.parse(found.body), { studies: [{ study: 6, modalities: ['DX'] }] });
  t.match(JSON.parse((await post('/api/v1/studies/6/resend', '{}')).body), { resent: 2, rest: [] });
  const json = { ...own, 'Content-Type': 'application/json; charset=utf-8' };
  t.equal((await post('/api/v1/studies/6/resend', '{"platform":"cloud"}', json)).status, 200);

  const without = (...names: string[]) =>
    Object.fromEntries(Object.entries(own).filter(([name]) => !names.includes(name)));
  for (const path of ['/api/v1/studies/search', '/api/v1/studies/6/resend']) {
    for (const [status, headers] of [
      [403, { ...own, 'Sec-Fetch-Site': 'same-site' }],
      [403, { ...own, 'Sec-Fetch-Site': 'cross-site' }],
      [403, { ...own, 'Sec-Fetch-Site': 'none' }],
      [403, { ...own, Origin: `http://localhost:${port}` }],
      [403, { ...own, Origin: 'null' }],
      [403, without('Origin')],
      [403, without('Sec-Fetch-Site')],
      [403, without('Origin', 'Sec-Fetch-Site')],
      [415, without('Content-Type')],
      [415, { ...own, 'Content-Type': 'text/plain' }],
      [415, { ...own, 'Content-Type': 'application/x-www-form-urlencoded' }],
      [421, { ...own, Host: `evil.test:${port}` }],
    ] as Array<[number, Record<string, string>]>) {
      t.equal((await post(path, search, headers)).status, status, `${path} ${JSON.stringify(headers)}`);
    }
    t.not((await ask(port, path, own)).status, 200, 'nor by GET');
    t.equal((await ask(port, path, own, 'PUT', search)).status, 405);
  }
  for (const path of [
    '/api/v1/studies',
    '/api/v1/studies/6',
    '/api/v1/studies/6/withdraw',
    '/api/v1/studies/6/deleted',
    '/api/v1/studies/search/',
    '/api/v1/studies/6/resend/7',
    '/api/v1//studies/search',
  ]) {
    t.equal((await post(path, search)).status, 405, path);
  }
  for (const body of ['', '{', '[]', '{"by":"name","term":"x"}', '{"by":"uid"}', '{"by":"uid","term":"x","more":1}']) {
    t.equal((await post('/api/v1/studies/search', body)).status, 400, body);
  }
  t.equal((await post('/api/v1/studies/6/resend', '{"platform":7}')).status, 400);
  t.equal((await post('/api/v1/studies/search', `"${'x'.repeat(5_000)}"`)).status, 413);
  t.match(await post('/api/v1/studies/search', '{"by":"uid","term":" "}'), { status: 422, body: /"DCM-2286"/ });
  t.match(await post('/api/v1/studies/9/resend', '{}'), { status: 404, body: /"DCM-2281"/ });
});

t.test('a study is given by its number, its images in pages', async (t) => {
  const server = await serveModel(healthy);
  t.teardown(() => server.close());
  const get = async (path: string) => {
    const { status, body } = await ask(server.port, `/api/v1/studies/${path}`);
    return { status, ...(JSON.parse(body) as { instances?: Array<{ n: number }> }) };
  };
  t.match(await get('7'), { status: 200, study: { study: 7, source: 'pacs' } });
  t.match(await get('9'), { status: 404, code: 'DCM-2281' });
  t.equal((await get('7/instances?after=7010')).instances?.[0]?.n, 7011);
  for (const path of ['x', '-1', '7/instances?after=x', '7/instances?after=-1', '1e3']) {
    t.equal((await get(path)).status, 400, path);
  }
});

t.test('other sites may open the page and read nothing', async (t) => {
  const server = await serveModel(healthy);
  t.teardown(() => server.close());
  const status = async (path: string, headers: Record<string, string>) =>
    (await ask(server.port, path, headers)).status;
  const site = (value: string) => ({ 'Sec-Fetch-Site': value, 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' });
  const navigation = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };
  t.equal(await status('/api/v1/status', site('same-origin')), 200);
  t.equal(await status('/api/v1/status', site('none')), 200);
  t.equal(await status('/api/v1/status', site('cross-site')), 403);
  t.equal(await status('/api/v1/events', site('same-site')), 403, 'another port of localhost is the same site');
  t.equal(await status('/api/v1/status', navigation), 403);
  t.equal(await status('/', { ...navigation, 'Sec-Fetch-Dest': 'iframe' }), 403);
  t.not(await status('/', navigation), 403);
  t.equal(await status('/api/v1/status', { Origin: 'http://127.0.0.1:1' }), 403, 'an old browser is held to Origin');
  t.equal(await status('/api/v1/status', { Origin: `http://127.0.0.1:${server.port}` }), 200);
});

t.test('every answer carries the shield’s headers, refusals too', async (t) => {
  const server = await serveModel(healthy);
  t.teardown(() => server.close());
  for (const [path, headers] of [
    ['/', {}],
    ['/api/v1/status', {}],
    ['/nowhere', {}],
    ['/', { Host: 'evil.test' }],
  ] as const) {
    t.match(
      (await ask(server.port, path, headers)).headers,
      {
        'content-security-policy': /default-src 'none'.*require-trusted-types-for 'script'; trusted-types 'none'/,
        'x-content-type-options': 'nosniff',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
        'cache-control': 'no-store',
      },
      path,
    );
  }
});

t.test('the default HTTP port needs no port in the name', async (t) => {
  const request = { method: 'GET', path: '/', header: (name: string) => (name === 'host' ? '127.0.0.1' : undefined) };
  t.equal(judge(request, 80), undefined);
  t.equal(judge(request, 8600)?.status, 421);
});

t.test('a stream begins with the model and tells of every change', async (t) => {
  const server = await serveModel(healthy);
  t.teardown(() => server.close());
  const found = await events(`${server.url}api/v1/events`, 2, () => server.show(composeStatus(faultParts())));
  t.same(
    found.map(([name, data]) => [name, JSON.parse(data).verdict.level]),
    [
      ['status', 'ok'],
      ['status', 'fault'],
    ],
  );
});

t.test('a quiet stream ticks, so that quiet and hung can be told apart', async (t) => {
  const server = await serveModel(healthy);
  t.teardown(() => server.close());
  const found = await events(`${server.url}api/v1/events`, 2);
  t.equal(found[1]?.[0], 'tick');
  t.ok(JSON.parse(found[1]![1]).atMs > night);
});

t.test('more streams than the limit are refused, and a closed one makes room', async (t) => {
  const server = await startStatusServer({
    host: '127.0.0.1',
    port: 0,
    model: () => healthy,
    messages: async () => [],
    findMessages: async () => [],
    studies: studyDesk(),
    subscribe: () => () => {},
    clock: systemClock,
    log: silentLog,
    maxStreams: 1,
  });
  t.teardown(() => server.close());
  const url = `${server.url}api/v1/events`;
  const abort = new AbortController();
  const first = await fetch(url, { signal: abort.signal });
  t.equal(first.status, 200);
  t.match(first.headers.get('content-type'), 'text/event-stream');
  const second = await fetch(url);
  t.equal(second.status, 503);
  t.equal(second.headers.get('retry-after'), '5');
  abort.abort();
  let status = 503;
  while (status === 503) {
    const again = await fetch(url);
    status = again.status;
    await again.body?.cancel();
  }
  t.equal(status, 200);
});

t.test('many changes at once become few events, and a reader that stalls costs one model', async (t) => {
  let changed = () => {};
  let models = 0;
  const hub = createEventHub({
    model: () => {
      models += 1;
      return healthy;
    },
    subscribe: (fn) => {
      changed = fn;
      return () => {};
    },
    now: () => night,
    minGapMs: 20,
  });
  t.teardown(() => hub.close());
  const reader = hub.open()!.getReader();
  for (let i = 0; i < 1000; i++) changed();
  t.ok(models <= 2, 'the greeting and the first change; the rest wait for the gap');
  const decoder = new TextDecoder();
  const read = async () => decoder.decode((await reader.read()).value);
  t.match(await read(), 'retry:');
  t.match(await read(), 'id: 1\n');
  t.match(await read(), 'id: 2\n', 'what was missed while stalled comes when it reads again');
  await reader.cancel();
  t.equal(hub.streams(), 0);
});

t.test('closing ends open streams and frees the port', async (t) => {
  const server = await serveModel(healthy);
  const answer = await fetch(`${server.url}api/v1/events`);
  const ended = (async () => {
    for await (const _chunk of answer.body!) {
      // Read to the end: it must come.
    }
  })();
  await server.close();
  await ended;
  const again = await serveModel(healthy, [], server.port);
  t.equal(again.port, server.port);
  await again.close();
});

t.test('a port in use is SYS-6005 and an address off loopback is refused', async (t) => {
  const server = await serveModel(healthy);
  t.teardown(() => server.close());
  await t.rejects(serveModel(healthy, [], server.port), { code: 'SYS-6005' });
  const options = {
    port: 0,
    model: () => healthy,
    messages: async () => messageRows(),
    findMessages: async () => [],
    studies: studyDesk(),
    subscribe: () => () => {},
    clock: systemClock,
    log: silentLog,
  };
  for (const host of ['0.0.0.0', '::', '10.1.1.1', 'example.org']) {
    await t.rejects(startStatusServer({ ...options, host }), { code: 'CFG-5003' }, host);
  }
});

t.test('a page that was never built says so, and a failing list of messages is a code', async (t) => {
  const server = await startStatusServer({
    host: '127.0.0.1',
    port: 0,
    model: () => healthy,
    messages: () => Promise.reject(new Error('text that must not leave')),
    findMessages: async () => [],
    studies: studyDesk(),
    subscribe: () => () => {},
    clock: systemClock,
    log: silentLog,
    readAsset(path) {
      if (path === 'dist/web/page.css') return 'p{}';
      throw new Error('not there');
    },
  });
  t.teardown(() => server.close());
  t.match(await ask(server.port, '/'), { status: 503, body: /npm start/ });
  t.match(await ask(server.port, '/page.css'), { status: 200, body: 'p{}' });
  t.match(await ask(server.port, '/api/v1/messages'), { status: 500, body: '{"error":"failed","code":"SYS-6004"}' });
});
