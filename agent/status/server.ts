import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import type { StudyDesk } from '../control/study-desk.ts';
import type { MessageRow, PageStore, Seq } from '../store/contract.ts';
import { type ReadAsset, readAsset } from '../support/assets.ts';
import type { Clock } from '../support/clock.ts';
import { codeOf, errnoOf, QianzhiError } from '../support/errors.ts';
import type { Log } from '../support/log.ts';
import { createEventHub, type EventHub } from './events.ts';
import { messageSearch } from './message-search.ts';
import type { StatusModel } from './model.ts';
import { shield, shieldHeaders } from './shield.ts';
import { studyRoutes } from './study-routes.ts';
import { readiness } from './verdict.ts';

export interface StatusServerOptions {
  /** A loopback address; anything else is refused with CFG-5003 (a page for the network needs accounts). */
  host: string;
  /** 0 takes a free port. */
  port: number;
  model: () => StatusModel;
  /** Newest first, before `before` when given (PageStore.messages). */
  messages: (limit: number, before?: Seq) => Promise<MessageRow[]>;
  findMessages: PageStore['findMessages'];
  /** Of studies the page asks no more than this: what cannot be undone is the command line's (decision 0011). */
  studies: Pick<StudyDesk, 'list' | 'find' | 'show' | 'instances' | 'resend'>;
  subscribe: (changed: () => void) => () => void;
  clock: Clock;
  log: Log;
  /** Where the built page (installer/build-page.ts) is read from; the product's own assets by default. */
  readAsset?: ReadAsset;
  maxStreams?: number;
}

export interface StatusServer {
  url: string;
  port: number;
  close(): Promise<void>;
}

const pageFiles = {
  'index.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
} as const;

const loopback = new Set(['127.0.0.1', '::1', 'localhost']);
const maxRows = 200;

/** A whole number of at least 1 in decimal digits, or undefined. */
const wholeNumber = (text: string | undefined): number | undefined =>
  text !== undefined && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;

/** How many rows, and before which; undefined when that is not what was written. */
function pageOf({ limit, before }: Record<string, string>): [limit: number, before?: number] | undefined {
  const count = limit === undefined ? 50 : wholeNumber(limit);
  const last = before === undefined ? undefined : wholeNumber(before);
  if (count === undefined || count > maxRows || (before !== undefined && last === undefined)) return undefined;
  return last === undefined ? [count] : [count, last];
}
const badPage = (of: string) => ({ error: 'bad-request', expected: `limit=1..${maxRows}, before=<${of}>` });

function routes(options: StatusServerOptions, hub: EventHub, port: () => number): Hono {
  const { model, messages, studies, log } = options;
  const app = new Hono();
  app.use(shield(port));

  const asset = (name: keyof typeof pageFiles): Response => {
    const headers = { 'Content-Type': pageFiles[name] };
    try {
      return new Response((options.readAsset ?? readAsset)(`dist/web/${name}`), { headers });
    } catch {
      const text = '状态页尚未生成。请用 npm start 启动。\nThe page has not been built. Start with npm start.\n';
      return new Response(text, { status: 503, headers: { 'Content-Type': 'text/plain; charset=utf-8' } });
    }
  };
  app.get('/', () => asset('index.html'));
  app.get('/page.js', () => asset('page.js'));
  app.get('/page.css', () => asset('page.css'));

  app.get('/livez', (c) => c.json({ status: 'alive' }));
  app.get('/readyz', (c) => {
    const ready = readiness(model());
    return c.json(ready, ready.status === 'not-ready' ? 503 : 200);
  });

  app.get('/api/v1/status', (c) => c.json(model()));
  app.get('/api/v1/messages', async (c) => {
    const asked = pageOf(c.req.query());
    return asked ? c.json({ messages: await messages(...asked) }) : c.json(badPage('seq'), 400);
  });
  messageSearch(app, options.findMessages);
  app.get('/api/v1/studies', async (c) => {
    const asked = pageOf(c.req.query());
    if (!asked) return c.json(badPage('study'), 400);
    return c.json({ studies: await studies.list(...asked) });
  });
  studyRoutes(app, studies);
  app.get('/api/v1/events', (c) => {
    const stream = hub.open();
    if (stream === undefined) return c.json({ error: 'too-many-streams' }, 503, { 'Retry-After': '5' });
    return c.body(stream, 200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' });
  });

  app.notFound((c) => c.json({ error: 'not-found' }, 404));
  app.onError((error, c) => {
    const code = codeOf(error, 'SYS-6004');
    log.error('status page request failed', { code });
    return c.json({ error: 'failed', code }, 500, { ...shieldHeaders });
  });
  return app;
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => {
      const taken = errnoOf(error) === 'EADDRINUSE';
      reject(new QianzhiError(taken ? 'SYS-6005' : 'CFG-5003', taken ? undefined : 'status.host', { cause: error }));
    };
    server.once('error', failed);
    server.listen({ host, port }, () => {
      server.removeListener('error', failed);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/**
 * Serves the status page and its API on loopback: `/`, `/page.js`, `/page.css`, `/livez`, `/readyz`,
 * `/api/v1/status`, `/api/v1/messages?limit&before` (and `/search`), `/api/v1/studies?limit&before`, `/api/v1/events` (SSE). Read-only. Rejects with
 * SYS-6005 when the port is in use, with CFG-5003 when the host is not loopback or cannot be bound.
 */
export async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const { host, log, clock } = options;
  if (!loopback.has(host)) throw new QianzhiError('CFG-5003', 'status.host');
  const hub = createEventHub({
    model: options.model,
    subscribe: options.subscribe,
    now: () => clock.now(),
    ...(options.maxStreams === undefined ? {} : { maxStreams: options.maxStreams }),
  });
  let port = options.port;
  const app = routes(options, hub, () => port);
  const server = createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false }));
  // Room for every stream and a few requests; more connections than that are closed at once.
  server.maxConnections = (options.maxStreams ?? 32) + 64;
  try {
    port = await listen(server, host, options.port);
  } catch (error) {
    hub.close();
    throw error;
  }
  server.on('error', (error) => log.error('status server error', { errno: errnoOf(error) ?? 'UNKNOWN' }));
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}/`,
    port,
    close() {
      hub.close();
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        // What has not ended by itself is cut, so that shutting down never waits for a browser.
        setTimeout(() => server.closeAllConnections(), 500).unref();
      });
    },
  };
}
