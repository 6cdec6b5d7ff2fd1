import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { frame } from '../../../../adapters/hl7v2/framing.ts';
import { hl7MllpConfig } from '../../../../adapters/sources/hl7-mllp/config.ts';
import { hl7Mllp } from '../../../../adapters/sources/hl7-mllp/source.ts';
import type { RunningSource } from '../../../../agent/intake/source.ts';
import type { Accepted, Incoming } from '../../../../agent/store/contract.ts';
import { type Clock, systemClock } from '../../../../agent/support/clock.ts';
import type { LogFields } from '../../../../agent/support/log.ts';
import { peerSocket } from '../listening/peer-socket.ts';
import { intakeOf } from './intake-of.ts';

type Message = Omit<Incoming, 'source'>;

export interface Listener {
  source: RunningSource;
  port: number;
  /** What the store took, in order. */
  stored: string[];
  /** Replaces the store's answer: delay it, or make it fail. */
  /** Under which source name each was. */
  storedBy: string[];
  behave(accept: (message: Message) => Promise<Partial<Accepted>>): void;
  setPendingBytes(bytes: number): void;
  logged: Array<{ event: string; fields: LogFields }>;
  problems(): string[];
}

/** A listener on a free port whose store is in the test's hands. */
export async function startListener(
  t: { teardown(done: () => unknown): void },
  given: { config?: Record<string, unknown>; profile?: string; senders?: Record<string, string>; clock?: Clock } = {},
): Promise<Listener> {
  const stored: string[] = [];
  const storedBy: string[] = [];
  const logged: Listener['logged'] = [];
  const write = (event: string, fields: LogFields = {}) => void logged.push({ event, fields });
  let accept: (message: Message) => Promise<Partial<Accepted>> = async () => ({});
  let pending = 0;
  const source = await hl7Mllp.start(
    {
      name: 'lis',
      profile: intakeOf(given.profile),
      senders: Object.entries(given.senders ?? {}).map(([name, text]) => ({ name, profile: intakeOf(text) })),
      clock: given.clock ?? systemClock,
      log: { info: write, warn: write, error: write },
      async accept(message, sender = 'lis') {
        const said = await accept(message);
        stored.push(Buffer.from(message.bytes).toString('latin1'));
        storedBy.push(sender);
        return { seq: stored.length, outcome: 'stored', controlIdReused: false, ...said };
      },
      pendingBytes: () => pending,
      changed() {},
      // Of listening/listener.ts: how often certificate files are looked at.
      ...{ renewMs: 20 },
    },
    hl7MllpConfig.parse({ port: 0, ...given.config }),
  );
  t.teardown(() => source.stop(0));
  return {
    source,
    port: Number(source.status().address?.split(':').at(-1)),
    stored,
    storedBy,
    behave: (next) => {
      accept = next;
    },
    setPendingBytes: (bytes) => {
      pending = bytes;
    },
    logged,
    problems: () => source.status().senders.flatMap((sender) => (sender.problem ? [sender.problem.code] : [])),
  };
}

export interface Sender {
  socket: Socket;
  send(...parts: Array<string | Uint8Array>): void;
  /** Sends messages, each in a frame. */
  frames(...messages: string[]): void;
  /** Waits until that many acknowledgements have come in all; gives all of them as `AA:id`. */
  acks(count: number): Promise<string[]>;
  received(): string;
  closed: Promise<void>;
}

export async function connectSender(
  t: { teardown(done: () => unknown): void },
  port: number,
  options: { host?: string; from?: string; allowHalfOpen?: boolean; tls?: ConnectionOptions } = {},
): Promise<Sender> {
  const where = {
    port,
    host: options.host ?? '127.0.0.1',
    allowHalfOpen: options.allowHalfOpen ?? true,
    ...(options.from === undefined ? {} : { localAddress: options.from }),
  };
  const socket: Socket = options.tls ? connectTls({ ...where, ...options.tls }) : connect(where);
  const peer = await peerSocket(t, socket, options.tls ? 'secureConnect' : 'connect');
  const text = () => peer.received.toString('latin1');
  const found = (): string[] =>
    [...text().matchAll(/\rMSA\|(\w\w)\|([^|\r]*)[^\x1c]*\x1c\r/g)].map((m) => `${m[1]}:${m[2]}`);
  const send = (...parts: Array<string | Uint8Array>) =>
    void socket.write(
      Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part))),
    );
  return {
    socket,
    send,
    frames: (...messages) => send(...messages.map((message) => frame(Buffer.from(message)))),
    async acks(count) {
      while (found().length < count && !socket.destroyed && !socket.readableEnded) {
        await Promise.race([peer.more(), new Promise((resolve) => setTimeout(resolve, 50))]);
      }
      return found();
    },
    received: text,
    closed: peer.closed,
  };
}

/** Waits until a condition holds; the test's own timeout is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

export const oru = (id: string, more = ''): string =>
  `MSH|^~\\&|LIS|HOSP|HIP|PROV|20260115103000||ORU^R01^ORU_R01|${id}|P|2.5.1\rPID|1||T0001||ZHANG^SAN\r${more}`;
