import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Test } from 'tap';
import { peerSocket } from '../listening/peer-socket.ts';
import { deviceTitle, ourTitle } from './listener.ts';

/** A device of our own that can say anything, right or wrong. It shares no code with what it tests. */

export const ctImage = '1.2.840.10008.5.1.4.1.1.2';
export const verification = '1.2.840.10008.1.1';
export const explicitLittle = '1.2.840.10008.1.2.1';
export const implicitLittle = '1.2.840.10008.1.2';
export const jpegBaseline = '1.2.840.10008.1.2.4.50';

export function pdu(type: number, body: Uint8Array, length = body.length): Buffer {
  const head = Buffer.alloc(6);
  head[0] = type;
  head.writeUInt32BE(length, 2);
  return Buffer.concat([head, body]);
}

export const item = (type: number, value: Uint8Array | string, length = value.length): Buffer =>
  Buffer.concat([Buffer.from([type, 0, length >> 8, length & 255]), Buffer.from(value as string, 'latin1')]);

export interface Proposal {
  id: number;
  abstractSyntax: string;
  transferSyntaxes: string[];
}

export interface Request {
  called?: string;
  calling?: string;
  contexts?: Proposal[];
  applicationContext?: string;
  version?: number;
  maxLength?: number;
  /** More items of the user information, and of the request itself. */
  user?: Buffer[];
  items?: Buffer[];
}

export const context = (id: number, abstractSyntax: string, ...transferSyntaxes: string[]): Proposal => ({
  id,
  abstractSyntax,
  transferSyntaxes,
});
export const usual = [context(1, ctImage, explicitLittle), context(3, verification, implicitLittle)];

export function associateRq(request: Request = {}): Buffer {
  const { called = ourTitle, calling = deviceTitle, contexts = usual, version = 1, maxLength = 16_384 } = request;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(maxLength);
  return pdu(
    1,
    Buffer.concat([
      Buffer.from([version >> 8, version & 255, 0, 0]),
      Buffer.from(called.padEnd(16), 'latin1'),
      Buffer.from(calling.padEnd(16), 'latin1'),
      Buffer.alloc(32),
      item(0x10, request.applicationContext ?? '1.2.840.10008.3.1.1.1'),
      ...(request.items ?? []),
      ...contexts.map(({ id, abstractSyntax, transferSyntaxes }) =>
        item(
          0x20,
          Buffer.concat([
            Buffer.from([id, 0, 0, 0]),
            item(0x30, abstractSyntax),
            ...transferSyntaxes.map((uid) => item(0x40, uid)),
          ]),
        ),
      ),
      item(0x50, Buffer.concat([item(0x51, length), item(0x52, '1.2.3.4'), ...(request.user ?? [])])),
    ]),
  );
}

export const pdv = (id: number, control: number, data: Uint8Array, length = data.length + 2): Buffer => {
  const head = Buffer.alloc(6);
  head.writeUInt32BE(length);
  head[4] = id;
  head[5] = control;
  return Buffer.concat([head, data]);
};

/** Data in P-DATA PDUs of at most `most` bytes each, header not counted. */
export function pdata(id: number, kind: 'command' | 'dataset', data: Uint8Array, most = 16_384): Buffer {
  const flag = kind === 'command' ? 1 : 0;
  const pdus: Buffer[] = [];
  for (let at = 0; at === 0 || at < data.length; at += most - 6) {
    const last = at + most - 6 >= data.length;
    pdus.push(pdu(4, pdv(id, flag | (last ? 2 : 0), data.subarray(at, at + most - 6))));
  }
  return Buffer.concat(pdus);
}

const uid = (text: string): Buffer => Buffer.from(text.length % 2 ? `${text}\0` : text, 'latin1');
const us = (value: number): Buffer => Buffer.from([value & 255, value >> 8]);
export const element = (tag: number, value: Buffer, group = 0, length = value.length): Buffer => {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(group, 0);
  head.writeUInt16LE(tag, 2);
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, value]);
};
export function commandSet(...elements: Buffer[]): Buffer {
  const body = Buffer.concat(elements);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  return Buffer.concat([element(0, length), body]);
}

export interface StoreRq {
  sopClass?: string;
  sopInstance?: string;
  messageId?: number;
  dataset?: boolean;
  more?: Buffer[];
}
export const storeRq = (rq: StoreRq = {}): Buffer =>
  commandSet(
    element(0x0002, uid(rq.sopClass ?? ctImage)),
    element(0x0100, us(0x0001)),
    element(0x0110, us(rq.messageId ?? 1)),
    element(0x0700, us(0)),
    element(0x0800, us(rq.dataset === false ? 0x0101 : 0x0000)),
    element(0x1000, uid(rq.sopInstance ?? '1.2.3.4.5')),
    ...(rq.more ?? []),
  );
export const plainRq = (field: number, dataset = false, messageId = 7): Buffer =>
  commandSet(
    element(0x0002, uid(verification)),
    element(0x0100, us(field)),
    element(0x0110, us(messageId)),
    element(0x0800, us(dataset ? 0 : 0x0101)),
  );
export const echoRq = (): Buffer => plainRq(0x0030);

export const releaseRq = pdu(5, Buffer.alloc(4));
export const releaseRp = pdu(6, Buffer.alloc(4));
export const abortPdu = (source = 0, reason = 0): Buffer => pdu(7, Buffer.from([0, 0, source, reason]));

export interface Answer {
  type: number;
  body: Buffer;
}
export interface Response {
  contextId: number;
  /** By element number of group 0000. */
  values: Map<number, Buffer>;
  status: string;
  field: number;
  respondsTo: number;
  comment: string;
}

export interface Device {
  socket: Socket;
  send(...parts: Uint8Array[]): void;
  /** The next PDU that comes, or undefined when the other side has ended. */
  pdu(): Promise<Answer | undefined>;
  /** The next PDUs as one response. */
  response(): Promise<Response>;
  /** Associates and gives the results of the contexts as `1:0:1.2.840…`. */
  associate(request?: Request): Promise<string[]>;
  /** Sends an instance; gives the response's status. */
  store(dataset: Uint8Array, rq?: StoreRq & { contextId?: number; most?: number }): Promise<string>;
  /** Releases and waits for the end. */
  release(): Promise<void>;
  /** All that comes until the end, as PDU types. */
  rest(): Promise<number[]>;
  closed: Promise<void>;
}

export function readResponse(contextId: number, bytes: Buffer): Response {
  const values = new Map<number, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4);
    values.set(bytes.readUInt16LE(at + 2), bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  const number = (tag: number) => values.get(tag)?.readUInt16LE() ?? -1;
  return {
    contextId,
    values,
    status: number(0x0900).toString(16).padStart(4, '0').toUpperCase(),
    field: number(0x0100),
    respondsTo: number(0x0120),
    comment: values.get(0x0902)?.toString('latin1').trim() ?? '',
  };
}

export function contextResults(body: Buffer): string[] {
  const found: string[] = [];
  for (let at = 68; at < body.length; at += 4 + body.readUInt16BE(at + 2))
    if (body[at] === 0x21) {
      const value = body.subarray(at + 4, at + 4 + body.readUInt16BE(at + 2));
      found.push(`${value[0]}:${value[2]}:${value.subarray(8).toString('latin1')}`);
    }
  return found;
}

export async function connectDevice(
  t: Pick<Test, 'teardown'>,
  port: number,
  options: { from?: string; host?: string; tls?: ConnectionOptions } = {},
): Promise<Device> {
  const where = {
    port,
    host: options.host ?? '127.0.0.1',
    ...(options.from === undefined ? {} : { localAddress: options.from }),
  };
  const socket: Socket = options.tls
    ? connectTls({ ...where, ...options.tls })
    : connect({ ...where, allowHalfOpen: true });
  const peer = await peerSocket(t, socket, options.tls ? 'secureConnect' : 'connect');
  const have = async (length: number): Promise<boolean> => {
    while (peer.received.length < length && !peer.ended()) await peer.more();
    return peer.received.length >= length;
  };
  const device: Device = {
    socket,
    send: (...parts) => void socket.write(Buffer.concat(parts)),
    async pdu() {
      if (!(await have(6))) return undefined;
      const length = peer.received.readUInt32BE(2);
      if (!(await have(6 + length))) return undefined;
      const answer = { type: peer.received[0]!, body: peer.received.subarray(6, 6 + length) };
      peer.received = peer.received.subarray(6 + length);
      return answer;
    },
    async response() {
      const parts: Buffer[] = [];
      for (;;) {
        const answer = await device.pdu();
        if (answer?.type !== 4) throw new Error(`no response but a PDU of type ${answer?.type}`);
        for (let at = 0; at < answer.body.length; ) {
          const length = answer.body.readUInt32BE(at);
          parts.push(answer.body.subarray(at + 6, at + 4 + length));
          const [id, control] = [answer.body[at + 4]!, answer.body[at + 5]!];
          at += 4 + length;
          if (control === 3) return readResponse(id, Buffer.concat(parts));
        }
      }
    },
    async associate(request) {
      device.send(associateRq(request));
      const answer = await device.pdu();
      if (answer?.type !== 2) throw new Error(`no association but a PDU of type ${answer?.type}`);
      return contextResults(answer.body);
    },
    async store(dataset, rq = {}) {
      const { contextId = 1, most } = rq;
      device.send(pdata(contextId, 'command', storeRq(rq)), pdata(contextId, 'dataset', dataset, most));
      return (await device.response()).status;
    },
    async release() {
      device.send(releaseRq);
      const answer = await device.pdu();
      if (answer?.type !== 6) throw new Error(`no release but a PDU of type ${answer?.type}`);
      await peer.closed;
    },
    async rest() {
      const types: number[] = [];
      for (let next = await device.pdu(); next !== undefined; next = await device.pdu()) types.push(next.type);
      return types;
    },
    closed: peer.closed,
  };
  return device;
}

/** A device that sends command upon command and reads none of the responses. */
export async function connectDeafDevice(t: Pick<Test, 'teardown'>, port: number): Promise<Device> {
  const deaf = await connectDevice(t, port);
  // In pieces as small as can be, so that the responses fill the buffers sooner.
  await deaf.associate({ maxLength: 8 });
  deaf.socket.pause();
  const many = Buffer.concat(Array.from({ length: 200 }, () => pdata(1, 'command', storeRq({ dataset: false }))));
  const pour = () => {
    while (!deaf.socket.destroyed && deaf.socket.write(many));
  };
  deaf.socket.on('drain', pour);
  pour();
  return deaf;
}

/** Bytes that are nobody's: the listener does not look into a dataset. */
export const anyDataset = (length: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 255));
