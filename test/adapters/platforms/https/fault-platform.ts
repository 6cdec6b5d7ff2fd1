import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { Pki } from '../../../platform/pki.ts';

export interface WireItem {
  key: string;
  operation?: string;
  type?: string;
  mediaType?: string;
  setId?: string;
  version?: number;
  report?: string;
  lane?: string;
  attempt?: number;
  sha256?: string;
  content?: string;
  content64?: string;
}

export interface Call {
  path: string;
  headers: IncomingMessage['headers'];
  items: WireItem[];
  res: ServerResponse;
  socket: Socket;
  fingerprint: string | undefined;
  /** Cuts the connection with RST. */
  reset(): void;
  /** Answers 200 with these lines. */
  lines(answers: object[]): void;
  /** Answers with a status and no body. */
  status(code: number, headers?: Record<string, string>): void;
  /** Takes what is new into effect and answers `accepted` for each. */
  accept(): void;
  /** Into effect, without answering. */
  take(items?: WireItem[]): void;
}

export type Behaviour = (call: Call) => void;

/** A small platform of the protocol whose every answer a test can script. */
export interface FaultPlatform {
  url: string;
  port: number;
  /** One behaviour for each coming call to /v1/documents; then `always`. */
  next: Behaviour[];
  always: Behaviour;
  onReceipts: Behaviour;
  onHello: Behaviour;
  /** Calls to /v1/documents and /v1/receipts. */
  calls: Array<{ path: string; keys: string[]; encoding: string | undefined; fingerprint: string | undefined }>;
  /** How often each key was seen. */
  seen: Map<string, number>;
  /** What took effect, in order, once a key. */
  effects: WireItem[];
  connections: number;
  close(): Promise<void>;
}

const unpack = (encoding: string | undefined, body: Buffer): Buffer =>
  encoding === 'zstd' ? zstdDecompressSync(body) : encoding === 'gzip' ? gunzipSync(body) : body;

export async function startFaultPlatform(
  pki: Pki,
  options: { port?: number; requireCertificate?: boolean; maxVersion?: 'TLSv1.2' | 'TLSv1.3' } = {},
): Promise<FaultPlatform> {
  const sockets = new Set<Socket>();
  /** TCP below TLS by the client's port: only it can send a reset. */
  const tcp = new Map<number | undefined, Socket>();
  const server = createServer({
    key: readFileSync(pki.serverKey),
    cert: readFileSync(pki.serverCert),
    ca: readFileSync(pki.ca),
    requestCert: true,
    rejectUnauthorized: options.requireCertificate ?? true,
    maxVersion: options.maxVersion ?? 'TLSv1.3',
  });
  const platform: FaultPlatform = {
    url: '',
    port: 0,
    next: [],
    always: (call) => call.accept(),
    onReceipts: (call) => call.lines(call.items.map(({ key }) => ({ key, status: 'accepted', receipt: `R-${key}` }))),
    onHello: (call) =>
      call.res.end(
        JSON.stringify({
          platform: 'test',
          time: new Date().toISOString(),
          versions: [1],
          compression: ['zstd', 'gzip'],
        }),
      ),
    calls: [],
    seen: new Map(),
    effects: [],
    connections: 0,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    const { remotePort } = socket;
    tcp.set(remotePort, socket);
    socket.on('close', () => {
      sockets.delete(socket);
      tcp.delete(remotePort);
    });
  });
  server.on('secureConnection', (socket) => {
    platform.connections++;
    socket.on('error', () => {});
  });
  server.on('tlsClientError', () => {});
  server.on('request', async (req: IncomingMessage, res: ServerResponse) => {
    const pieces: Buffer[] = [];
    try {
      for await (const piece of req) pieces.push(piece);
    } catch {
      return;
    }
    const path = req.url ?? '';
    const encoding = req.headers['content-encoding'];
    const items = unpack(encoding, Buffer.concat(pieces))
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as WireItem);
    const peer = (req.socket as TLSSocket).getPeerX509Certificate();
    const fingerprint = peer?.fingerprint256.replaceAll(':', '').toLowerCase();
    const take = (some = items): void => {
      for (const item of some) {
        if (!platform.effects.some((effect) => effect.key === item.key)) platform.effects.push(item);
      }
    };
    const call: Call = {
      path,
      headers: req.headers,
      items,
      res,
      socket: req.socket,
      reset: () => tcp.get(req.socket.remotePort)?.resetAndDestroy(),
      fingerprint,
      take,
      lines: (answers) => {
        res.writeHead(200, { 'content-type': 'application/x-ndjson' });
        res.end(answers.map((answer) => `${JSON.stringify(answer)}\n`).join(''));
      },
      status: (code, headers) => res.writeHead(code, { ...headers, 'content-length': '0' }).end(),
      accept: () => {
        take();
        call.lines(items.map(({ key }) => ({ key, status: 'accepted', receipt: `R-${key}` })));
      },
    };
    if (path.endsWith('/v1/hello')) return platform.onHello(call);
    platform.calls.push({ path, keys: items.map(({ key }) => key), encoding, fingerprint });
    if (path.endsWith('/v1/receipts')) return platform.onReceipts(call);
    for (const { key } of items) platform.seen.set(key, (platform.seen.get(key) ?? 0) + 1);
    (platform.next.shift() ?? platform.always)(call);
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  platform.port = (server.address() as AddressInfo).port;
  platform.url = `https://localhost:${platform.port}`;
  return platform;
}

export const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');

/** Cuts the connection with RST. */
export const reset: Behaviour = (call) => call.reset();
/** Never answers. */
export const hang: Behaviour = () => {};
