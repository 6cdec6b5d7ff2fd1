import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import { openDesk } from './desk.ts';
import { type Answer, type FaultPath, type Faults, isPoisoned, takeAnswer } from './faults.ts';
import { type Item, readItems, readKeys, type Verdict } from './items.ts';
import { choosePort } from './ports.ts';
import { openReceived, type Sidecar } from './received.ts';

export interface ProvinceOptions {
  /** Where it keeps `received/` and its own files; what is there already goes on. */
  folder: string;
  /** PEM files: the server's pair and the CA that client certificates must come from. */
  tls: { cert: string; key: string; ca: string };
  /** Default: a free one, the same after `down` and `up`. */
  port?: number;
  /** Starts without listening. */
  down?: boolean;
  faults?: Faults;
  /** Lowest TLS version offered; default 1.3. */
  minVersion?: 'TLSv1.2' | 'TLSv1.3';
  maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** Called after each request that accepted something, with the count of all accepted documents. */
  onAccepted?: (count: number) => void;
}

/** A request as the province saw it. */
export interface Request {
  path: string;
  /** Agent id of the header. */
  agent: string;
  encoding: string;
  items: number;
  /** Keys of the documents it held, in order, as far as it was read; also of requests that were then refused or lost. */
  keys: string[];
  status: number;
}

export interface Province {
  url: string;
  port: number;
  folder: string;
  /** Folder of accepted documents and their sidecars. */
  receivedFolder: string;
  /** Merges faults in; `undefined` as a value ends one, a call without argument ends all. */
  setFault(faults?: Faults): void;
  /** Sidecars in order of acceptance. */
  received(): Sidecar[];
  /** Requests since the start, the last 1000. */
  requests(): Request[];
  /** Closes the port and every connection; `up` listens on the same port again. */
  down(): Promise<void>;
  up(): Promise<void>;
  stop(): Promise<void>;
}

const mostItems = 1000;
const mostBytes = 32 * 1024 * 1024;
const versions = [1];
const compression = ['zstd', 'gzip'];
const expand: Record<string, (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>> = {
  zstd: promisify(zstdDecompress),
  gzip: promisify(gunzip),
  identity: async (body) => body,
};

interface Reply {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}
const plain = (status: number, headers: Record<string, string> = {}): Reply => ({ status, headers });
const verdictLines = (verdicts: Verdict[]): Reply => ({
  status: 200,
  headers: { 'content-type': 'application/x-ndjson' },
  body: verdicts.map((verdict) => `${JSON.stringify(verdict)}\n`).join(''),
});

/** Reads the body whole; undefined when it is larger than allowed or ends early. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > mostBytes) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}

/** A simulated province: HTTPS that demands a client certificate, after docs/platform-api.md. */
export async function startProvince(options: ProvinceOptions): Promise<Province> {
  const port = options.port ?? (await choosePort());
  const faults: Faults = { ...options.faults };
  const received = openReceived(options.folder);
  const desk = openDesk(received, faults);
  const requests: Request[] = [];
  const sockets = new Set<Duplex>();
  /** Read at each `up`, so that a renewed certificate is shown after it. */
  const tls = () =>
    ({
      cert: readFileSync(options.tls.cert),
      key: readFileSync(options.tls.key),
      ca: readFileSync(options.tls.ca),
      minVersion: options.minVersion ?? 'TLSv1.3',
      ...(options.maxVersion === undefined ? {} : { maxVersion: options.maxVersion }),
      requestCert: true,
      rejectUnauthorized: true,
    }) as const;

  const now = () => new Date(Date.now() + (faults.clockAheadMs ?? 0));

  /** Notes what a request holds that is not going to be worked on. */
  async function skim(request: IncomingMessage, note: Request): Promise<void> {
    const sent = await readBody(request);
    const inflate = expand[note.encoding];
    if (sent === undefined || inflate === undefined || sent.length === 0) return;
    const body = (await inflate(sent, { maxOutputLength: mostBytes })).toString('utf8');
    note.keys = readKeys(body) ?? [];
    note.items = note.keys.length;
  }

  async function work(path: FaultPath, request: IncomingMessage, note: Request, answer?: Answer): Promise<Reply> {
    if (path === 'hello') {
      const hello = { platform: 'qianzhi simulated province', time: now().toISOString(), versions, compression };
      return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(hello) };
    }
    const inflate = expand[note.encoding];
    if (inflate === undefined) return plain(415, { 'accept-encoding': compression.join(', ') });
    const sent = await readBody(request);
    if (sent === undefined) return plain(413);
    let body: string;
    try {
      body = new TextDecoder('utf-8', { fatal: true }).decode(await inflate(sent, { maxOutputLength: mostBytes }));
    } catch (error) {
      return plain((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 413 : 400);
    }
    if (path === 'receipts') {
      const keys = readKeys(body);
      if (keys === undefined) return plain(400);
      note.items = keys.length;
      return verdictLines(keys.map((key) => desk.ask(key)));
    }
    const items = readItems(body);
    if (items === undefined || note.agent === '') return plain(400);
    note.items = items.length;
    note.keys = items.map((item) => item.key);
    if (items.length > (faults.maxItems ?? mostItems)) return plain(413);
    if (items.reduce((sum, item) => sum + item.bytes.length, 0) > (faults.maxBytes ?? mostBytes)) return plain(413);
    if (isPoisoned(faults, items)) return plain(faults.poisonStatus ?? 422);
    const { subject, fingerprint256 } = (request.socket as TLSSocket).getPeerCertificate();
    const name = typeof subject?.CN === 'string' ? subject.CN : fingerprint256;
    const verdicts = items.map((item) => desk.judge(item, name));
    return verdictLines(answer?.mode === 'verdicts' ? spoilt(verdicts, items, answer) : verdicts);
  }

  function spoilt(verdicts: Verdict[], items: Item[], answer: Answer & { mode: 'verdicts' }): Verdict[] {
    switch (answer.as) {
      case 'other-key':
        return verdicts.map((verdict) => ({ ...verdict, key: `${verdict.key}-other` }));
      case 'contradicting':
        return verdicts.flatMap((verdict) => [verdict, { key: verdict.key, status: 'refused', code: 'OTHERWISE' }]);
      case 'missing':
        return verdicts.filter((_, i) => !new RegExp(answer.report).test(items[i]!.report));
    }
  }

  function fail(answer: Answer, request: IncomingMessage, response: ServerResponse, reply: Reply): void {
    switch (answer.mode) {
      case 'hang':
        return;
      case 'reset':
      case 'reset-after':
        (request.socket as TLSSocket).destroy();
        return;
      case 'truncate': {
        const body = reply.body ?? '';
        response.writeHead(reply.status, { ...reply.headers, 'content-length': Buffer.byteLength(body) });
        const whole =
          body
            .split('\n')
            .slice(0, answer.lines ?? 0)
            .join('\n').length + (answer.lines ? 1 : 0);
        const cut = answer.lines === undefined ? Math.floor(body.length / 2) : whole + 20;
        response.write(body.slice(0, cut), () => request.socket.destroy());
        return;
      }
      case 'redirect':
        response.writeHead(302, { location: answer.location ?? 'https://localhost:1/elsewhere' }).end();
        return;
      case 'portal':
        response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>login</title>');
        return;
      case 'body':
        response.writeHead(answer.status ?? 200, { 'content-type': answer.type ?? 'application/x-ndjson' });
        response.end(answer.body);
        return;
      case 'trickle': {
        const body = Buffer.from(reply.body ?? '');
        response.writeHead(reply.status, { ...reply.headers, 'content-length': body.length });
        response.flushHeaders();
        let sent = 0;
        const timer = setInterval(() => {
          if (sent >= body.length || response.destroyed) clearInterval(timer);
          else if (sent === body.length - 1) response.end(body.subarray(sent++));
          else response.write(body.subarray(sent, ++sent));
        }, answer.everyMs);
        return;
      }
      case 'verdicts':
        return;
      case 'status': {
        const { retryAfterDateMs } = answer;
        const date =
          retryAfterDateMs === undefined ? undefined : new Date(now().getTime() + retryAfterDateMs).toUTCString();
        const retryAfter = answer.retryAfter ?? date;
        response.writeHead(answer.status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end();
      }
    }
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = `${request.method} ${request.url?.split('?')[0]}`;
    const known: Record<string, FaultPath> = {
      'POST /v1/documents': 'documents',
      'POST /v1/receipts': 'receipts',
      'GET /v1/hello': 'hello',
    };
    const at = known[path];
    const note: Request = {
      path: path.split(' ')[1] ?? '',
      agent: String(request.headers['qianzhi-agent'] ?? ''),
      encoding: String(request.headers['content-encoding'] ?? 'identity').toLowerCase(),
      items: 0,
      keys: [],
      status: 0,
    };
    requests.push(note);
    if (requests.length > 1000) requests.shift();
    if (faults.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, faults.delayMs));
    if (at === undefined) {
      response.writeHead(404).end();
      return;
    }
    const answer = takeAnswer(faults, at);
    const works = answer === undefined || ['reset-after', 'truncate', 'trickle', 'verdicts'].includes(answer.mode);
    const count = received.count();
    if (!works) await skim(request, note);
    const reply = works ? await work(at, request, note, answer) : plain(0);
    if (received.count() > count) options.onAccepted?.(received.count());
    response.setHeader('date', now().toUTCString());
    if (answer !== undefined && answer.mode !== 'verdicts') {
      fail(answer, request, response, reply);
      return;
    }
    note.status = reply.status;
    // A body that was not read to its end must not be taken for the next request.
    const close = request.complete ? {} : { connection: 'close' };
    const length = { 'content-length': Buffer.byteLength(reply.body ?? '') };
    response.writeHead(reply.status, { ...reply.headers, ...length, ...close }).end(reply.body);
  }

  let servers: Server[] = [];
  /** `localhost` may mean either loopback address. */
  async function up(): Promise<void> {
    if (servers.length > 0) return;
    for (const host of ['127.0.0.1', '::1']) {
      const server = createServer(tls(), (request, response) => {
        handle(request, response).catch(() => request.socket.destroy());
      });
      server.on('connection', (socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
        socket.on('error', () => {});
      });
      server.on('tlsClientError', () => {});
      try {
        await new Promise<void>((resolve, reject) => {
          server.once('error', reject);
          server.listen({ port, host, exclusive: true }, resolve);
        });
        servers.push(server);
      } catch (error) {
        // A machine without IPv6 has only the first.
        if (host === '127.0.0.1' || (error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
          await down();
          throw error;
        }
      }
    }
  }

  async function down(): Promise<void> {
    const closing = servers.map((server) => new Promise((resolve) => server.close(resolve)));
    servers = [];
    for (const socket of sockets) socket.destroy();
    await Promise.all(closing);
  }

  if (!options.down) await up();
  return {
    url: `https://localhost:${port}`,
    port,
    folder: options.folder,
    receivedFolder: received.folder,
    setFault(next) {
      if (next === undefined) for (const key of Object.keys(faults)) delete faults[key as keyof Faults];
      else Object.assign(faults, structuredClone(next));
    },
    received: () => received.sidecars(),
    requests: () => [...requests],
    down,
    up,
    stop: down,
  };
}
