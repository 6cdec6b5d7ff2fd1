import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { SourceStatus } from '../../../agent/intake/source.ts';
import { serviceEnvironment, v8Flags } from '../../../installer/run-settings.ts';
import { connectSender, type Sender } from '../../adapters/sources/hl7-mllp/listener.ts';
import type { AgentMessage } from '../../demo/agent.ts';
import { openFolder } from '../../demo/folder.ts';
import { demoFolder } from '../../demo/running.ts';
import { choosePort } from '../../platform/ports.ts';
import { openStoredBytes } from '../stored-bytes.ts';

interface Test {
  teardown(done: () => unknown): void;
  testdir(): string;
  same(found: unknown, wanted: unknown, message: string): boolean;
}

/** One complete message and what names it. */
export interface Message {
  id: string;
  bytes: Buffer;
}

/** An answer as it came over the wire: MSA-1, MSA-2 and the whole payload. */
export interface Answer {
  code: string;
  id: string;
  text: string;
}

export interface Audit {
  /** Messages that were stored since the audit before. */
  stored: number;
  /** AA that were heard since the audit before. */
  acked: number;
}

/**
 * The real agent in a process of its own, with its store, its mapping and a province that is never there,
 * and the account of what was sent, answered and stored.
 */
export interface Receiver {
  port: number;
  pid: number;
  /**
   * A message that nobody sent before; it may be stored, whole. `more` comes after its last segment, `idTail`
   * makes its control id, and so its answer, longer.
   */
  message(more?: string | Uint8Array, idTail?: string): Message;
  /** A connection whose answers count in the audit. */
  connect(options?: Parameters<typeof connectSender>[2]): Promise<Sender>;
  /** Sends one message on a connection of its own and gives its answer: the others go on. */
  tryOne(): Promise<string[]>;
  source(): Promise<SourceStatus>;
  /** Waits until no connection of a sender is open any more. */
  quiet(): Promise<SourceStatus>;
  /**
   * The oracle. What was answered AA is stored, byte for byte, exactly once; what was answered otherwise is
   * not; nothing is stored that is not a whole message as sent, and nothing twice.
   */
  audit(t: Test): Promise<Audit>;
  /** What the agent logged. */
  log(): string;
}

const entry = fileURLToPath(new URL('../../demo/agent.ts', import.meta.url));
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** All answers in what a connection received; throws when something else is in between. */
export function answersIn(received: string): Answer[] {
  const answers: Answer[] = [];
  let at = 0;
  for (const match of received.matchAll(/\x0b([^\x0b\x1c]*)\x1c\r/g)) {
    if (match.index !== at) throw new Error(`bytes between answers at ${at}`);
    at = match.index + match[0].length;
    const text = match[1]!;
    const msa = text.match(/\rMSA\|(\w\w)\|([^|\r]*)/);
    if (msa === null) throw new Error('an answer without MSA');
    answers.push({ code: msa[1]!, id: msa[2]!, text });
  }
  return answers;
}

/** Starts an agent whose only source has these keys besides its defaults. */
export async function startReceiver(t: Test, sourceKeys: Record<string, unknown> = {}): Promise<Receiver> {
  const folder = openFolder(demoFolder(t));
  const key = `file:${join(folder.root, 'agent', 'keys', 'data.key')}`;
  const log = join(folder.root, 'agent', 'agent.log');
  writeFileSync(
    folder.config,
    stringify({
      config_version: 1,
      site: { name: '示例市人民医院', org_code: '12100000MB0000001P', time_zone: 'Asia/Shanghai' },
      data: { folder: folder.data, key },
      status: { host: '127.0.0.1', port: 0 },
      log: { level: 'info', file: log },
      sources: [{ name: 'lis', kind: 'hl7-mllp', profile: 'cn-default', host: '127.0.0.1', port: 0, ...sourceKeys }],
      platforms: [
        {
          name: 'province',
          kind: 'https',
          format: 'wst500-cda',
          pack: 'cn-wst500',
          url: `https://localhost:${await choosePort()}`,
          tls: { ca: folder.pki.ca, cert: folder.pki.clientCert, key: folder.pki.clientKey },
        },
      ],
    }).replaceAll('${', () => '$${'),
  );
  // As the product is started.
  const child = fork(entry, [folder.config], {
    execArgv: v8Flags,
    env: { ...process.env, ...serviceEnvironment },
  });
  const exit = once(child, 'exit');
  t.teardown(async () => {
    if (child.connected) child.send({ stop: true });
    await exit;
  });
  const [ready] = (await Promise.race([
    once(child, 'message'),
    exit.then(() => {
      throw new Error('the agent ended');
    }),
  ])) as [AgentMessage];
  if (!('ready' in ready)) throw new Error(`the agent did not start: ${ready.failed}`);
  const { port } = ready.mllp;
  const store = openStoredBytes(folder.data, key);
  t.teardown(() => store.close());

  let number = 0;
  let cursor = 0;
  const whole = new Map<string, string>();
  const storedIds = new Map<string, number>();
  const heard: Array<{ sender: Sender; counted: number }> = [];

  const connect: Receiver['connect'] = async (options) => {
    const sender = await connectSender(t, port, options);
    heard.push({ sender, counted: 0 });
    return sender;
  };
  const message: Receiver['message'] = (more = '', idTail = '') => {
    number += 1;
    const id = `F${number}${idTail}`;
    const head = `MSH|^~\\&|LIS|HOSP|HIP|PROV|20260115103000||ORU^R01|${id}|P|2.4\rPID|1||T0001||ZHANG^SAN\rOBX|1|NM|K||6.21|mmol/L\r`;
    const bytes = Buffer.concat([Buffer.from(head), Buffer.from(more)]);
    whole.set(bytes.toString('latin1'), id);
    return { id, bytes };
  };
  const source = async (): Promise<SourceStatus> => {
    const answer = await fetch(new URL('/api/v1/status', ready.status));
    return ((await answer.json()) as { sources: SourceStatus[] }).sources[0]!;
  };

  return {
    port,
    pid: child.pid!,
    message,
    connect,
    async tryOne() {
      const sender = await connect();
      const one = message();
      sender.send(framed(one));
      const answers = await sender.acks(1);
      sender.socket.destroy();
      return answers.map((answer) => answer.replace(one.id, 'own'));
    },
    source,
    async quiet() {
      // The page is told of changes four times a second.
      await sleep(600);
      for (;;) {
        const status = await source();
        if (status.senders.every(({ connections }) => connections === 0)) return status;
        await sleep(50);
      }
    },
    async audit(t) {
      const answers = heard.flatMap((one) => {
        const all = answersIn(one.sender.received());
        const fresh = all.slice(one.counted);
        one.counted = all.length;
        return fresh;
      });
      const strange: string[] = [];
      const twice: string[] = [];
      let stored = 0;
      for (const { seq, bytes } of store.after(cursor)) {
        cursor = seq;
        stored += 1;
        const id = bytes && whole.get(bytes.toString('latin1'));
        if (id === undefined) strange.push(`seq ${seq}`);
        else if (storedIds.has(id)) twice.push(id);
        else storedIds.set(id, seq);
      }
      const lost = answers.filter(({ code, id }) => code === 'AA' && !storedIds.has(id)).map(({ id }) => id);
      const refused = answers.filter(({ code, id }) => code !== 'AA' && storedIds.has(id)).map(({ id }) => id);
      t.same(lost, [], 'everything answered AA is stored as sent');
      t.same(refused, [], 'nothing answered otherwise is stored');
      t.same(strange, [], 'nothing stored is a fragment');
      t.same(twice, [], 'nothing is stored twice');
      return { stored, acked: answers.filter(({ code }) => code === 'AA').length };
    },
    log: () => readFileSync(log, 'utf8'),
  };
}

/** Puts messages into frames, one after the other. */
export const framed = (...messages: Array<Message | Uint8Array | string>): Buffer =>
  Buffer.concat(
    messages.flatMap((message) => {
      const payload = typeof message === 'string' ? Buffer.from(message) : 'bytes' in message ? message.bytes : message;
      return [Buffer.of(0x0b), payload, Buffer.of(0x1c, 0x0d)];
    }),
  );
