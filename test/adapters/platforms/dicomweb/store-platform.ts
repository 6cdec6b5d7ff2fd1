import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Pki } from '../../../platform/pki.ts';

export interface StoreCall {
  req: IncomingMessage;
  res: ServerResponse;
  /** Bytes of the body. */
  length: number;
  parts: Buffer[];
  /** SOP Instance UIDs of the parts. */
  uids: string[];
  /** Answers in the DICOM JSON Model. */
  json(status: number, dataset: unknown, headers?: Record<string, string>): void;
  /** Answers with any text, by default none. */
  text(status: number, text?: string, headers?: Record<string, string>): void;
  /** Stores everything and says so. */
  store(): void;
}

export type Behaviour = (call: StoreCall) => void;

/** A small DICOMweb store over mutual TLS whose every answer a test can script. */
export interface StorePlatform {
  url: string;
  /** One behaviour for each coming POST; then `always`. */
  next: Behaviour[];
  always: Behaviour;
  onGet: Behaviour;
  /** True when it has answered without reading the body, or wants it left unread. */
  early: (req: IncomingMessage, res: ServerResponse) => boolean;
  calls: StoreCall[];
  /** Requests whose body broke off. */
  brokenOff: number;
  connections: number;
  close(): Promise<void>;
}

type Item = Record<string, { vr: string; Value: unknown[] }>;

/** An item of (0008,1199) or (0008,1198). */
export function item(uid: string, extra: { failure?: number; warning?: number } = {}): Item {
  return {
    '00081150': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.2'] },
    '00081155': { vr: 'UI', Value: [uid] },
    ...(extra.warning === undefined ? {} : { '00081196': { vr: 'US', Value: [extra.warning] } }),
    ...(extra.failure === undefined ? {} : { '00081197': { vr: 'US', Value: [extra.failure] } }),
  };
}

/** A Store Instances Response Module. */
export const response = (stored: Item[], failed: Item[] = []) => ({
  '00081190': { vr: 'UR', Value: ['https://platform.example/studies'] },
  ...(failed.length === 0 ? {} : { '00081198': { vr: 'SQ', Value: failed } }),
  ...(stored.length === 0 ? {} : { '00081199': { vr: 'SQ', Value: stored } }),
});

/** Splits multipart/related by the form of RFC 2046 §5.1, whole and exactly, or throws. */
function split(body: Buffer, contentType: string): Buffer[] {
  const boundary = /^multipart\/related; type="application\/dicom"; boundary=([\w-]+)$/.exec(contentType)?.[1];
  if (boundary === undefined) throw new Error('no multipart/related of application/dicom');
  const head = Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`);
  const next = Buffer.from(`\r\n--${boundary}`);
  const parts: Buffer[] = [];
  let at = 0;
  while (body.subarray(at, at + head.length).equals(head)) {
    const end = body.indexOf(next, at);
    parts.push(body.subarray(at + head.length, end));
    at = end + 2;
  }
  if (body.subarray(at).toString('latin1') !== `--${boundary}--\r\n`)
    throw new Error('the body does not end as it should');
  return parts;
}

/** (0008,0018) of an Explicit VR Little Endian file of ours. */
function sopOf(part: Buffer): string {
  const at = part.indexOf(Buffer.from([0x08, 0x00, 0x18, 0x00, 0x55, 0x49]));
  if (at < 0) return '';
  return part.toString('latin1', at + 8, at + 8 + part.readUInt16LE(at + 6)).replace(/\0+$/, '');
}

export async function startStorePlatform(pki: Pki): Promise<StorePlatform> {
  const sockets = new Set<Socket>();
  const server = createServer({
    key: readFileSync(pki.serverKey),
    cert: readFileSync(pki.serverCert),
    ca: readFileSync(pki.ca),
    requestCert: true,
    rejectUnauthorized: true,
  });
  const platform: StorePlatform = {
    url: '',
    next: [],
    always: (call) => call.store(),
    onGet: (call) => call.json(200, []),
    early: () => false,
    calls: [],
    brokenOff: 0,
    connections: 0,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('secureConnection', (socket) => {
    platform.connections++;
    socket.on('error', () => {});
  });
  server.on('tlsClientError', () => {});
  server.on('request', async (req: IncomingMessage, res: ServerResponse) => {
    if (platform.early(req, res)) return;
    const pieces: Buffer[] = [];
    try {
      for await (const piece of req) pieces.push(piece);
    } catch {
      platform.brokenOff++;
      return;
    }
    const body = Buffer.concat(pieces);
    const parts = req.method === 'POST' ? split(body, req.headers['content-type'] ?? '') : [];
    const call: StoreCall = {
      req,
      res,
      length: body.length,
      parts,
      uids: parts.map(sopOf),
      json: (status, dataset, headers) =>
        call.text(status, JSON.stringify(dataset), { 'content-type': 'application/dicom+json', ...headers }),
      text: (status, text = '', headers) => res.writeHead(status, headers).end(text),
      store: () => call.json(200, response(call.uids.map((uid) => item(uid)))),
    };
    platform.calls.push(call);
    (req.method === 'POST' ? (platform.next.shift() ?? platform.always) : platform.onGet)(call);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  platform.url = `https://localhost:${(server.address() as AddressInfo).port}/dicom-web`;
  return platform;
}
