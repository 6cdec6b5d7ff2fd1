import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Hl7Message } from '@medplum/core';
import { Hl7Client as MedplumClient } from '@medplum/hl7';
import { HL7Message as PanatesMessage } from 'hl7v2';
import { Hl7Client as PanatesClient } from 'hl7v2-net';
import iconv from 'iconv-lite';
import NodeHl7Client, { Message as NodeHl7Message } from 'node-hl7-client';

const run = promisify(execFile);

/** Somebody else's MLLP client. */
export interface ForeignClient {
  name: string;
  /** How it can put Chinese on the wire, with the label it writes (or leaves) in MSH-18 for it. */
  charsets: Array<{ encoding: 'utf-8' | 'gb18030'; label: string }>;
  /** Sends messages one after the other, each when the one before is answered. What its own reader made of each answer: `AA:id`. */
  send(where: { host: string; port: number }, texts: string[], encoding: 'utf-8' | 'gb18030'): Promise<string[]>;
}

const utf8 = { encoding: 'utf-8', label: 'UNICODE UTF-8' } as const;
const gb18030 = { encoding: 'gb18030', label: 'GB18030' } as const;

const medplum: ForeignClient = {
  name: '@medplum/hl7 5.0.10',
  charsets: [utf8, gb18030],
  async send(where, texts, encoding) {
    const client = new MedplumClient({ ...where, encoding, keepAlive: true });
    const answers: string[] = [];
    for (const text of texts) {
      const msa = (await client.sendAndWait(Hl7Message.parse(text))).getSegment('MSA');
      answers.push(`${msa?.getField(1)?.toString()}:${msa?.getField(2)?.toString()}`);
    }
    await client.close();
    return answers;
  },
};

const nodeHl7Client: ForeignClient = {
  name: 'node-hl7-client 4.0.0',
  // It writes UTF-8 whatever MSH-18 says.
  charsets: [utf8],
  async send({ host, port }, texts) {
    // It wants to be told MSH-12 of what it will send.
    const version = texts[0]?.split('\r')[0]?.split('|')[11] === '2.4' ? '2.4' : '2.5.1';
    const client = new NodeHl7Client({ host, version });
    const answers: string[] = [];
    let answered = () => {};
    const connection = client.createConnection({ port, version }, async (response) => {
      const message = response.getMessage();
      answers.push(`${message.get('MSA.1').toString()}:${message.get('MSA.2').toString()}`);
      answered();
    });
    for (const text of texts) {
      const answer = new Promise<void>((resolve) => {
        answered = resolve;
      });
      await connection.sendMessage(new NodeHl7Message({ text }));
      await answer;
    }
    await connection.close();
    return answers;
  },
};

const panates: ForeignClient = {
  name: 'hl7v2-net 1.9.0, which acknowledges our acknowledgements',
  charsets: [utf8, gb18030],
  async send(where, texts) {
    const client = PanatesClient.createClient(where);
    const answers: string[] = [];
    let written = 0;
    client.on('send', () => void written++);
    for (const text of texts) {
      const msa = (await client.sendMessageWaitAck(PanatesMessage.parse(text))).getSegment('MSA');
      answers.push(`${msa?.field(1).getValue()}:${msa?.field(2).getValue()}`);
    }
    // Its acknowledgement of our last acknowledgement too: closed before, it throws.
    while (written < 2 * texts.length) await new Promise((resolve) => setTimeout(resolve, 5));
    await client.close();
    return answers;
  },
};

/** What of simple-hl7 is used; it has no types. */
interface SimpleHl7 {
  Parser: new (options: { segmentSeperator: string }) => { parse(text: string): object };
  Server: {
    createTcpClient(options: { host: string; port: number; keepalive: boolean }): {
      send(message: object, answered: (error: unknown, ack: SimpleAck) => void): void;
      close(): void;
    };
  };
}
interface SimpleAck {
  getSegment(name: string): { getField(n: number): string } | undefined;
}

const simpleHl7: ForeignClient = {
  name: 'simple-hl7 3.3.0, which leaves out the last CR',
  // It writes strings, and Node makes UTF-8 of them.
  charsets: [utf8],
  async send(where, texts) {
    const { Parser, Server } = createRequire(import.meta.url)('simple-hl7') as SimpleHl7;
    const client = Server.createTcpClient({ ...where, keepalive: true });
    const answers: string[] = [];
    for (const text of texts) {
      const ack = await new Promise<SimpleAck>((resolve, reject) => {
        const message = new Parser({ segmentSeperator: '\r' }).parse(text);
        client.send(message, (error, answer) => (error ? reject(error) : resolve(answer)));
      });
      const msa = ack.getSegment('MSA');
      answers.push(`${msa?.getField(1)}:${msa?.getField(2)}`);
    }
    client.close();
    return answers;
  },
};

const mllpNode: ForeignClient = {
  name: 'mllp-node 2.0.0, a connection for each message',
  // It writes strings, and Node makes UTF-8 of them.
  charsets: [utf8],
  async send({ host, port }, texts) {
    // It opens a port of its own that nothing closes: it has a process to itself.
    const script = fileURLToPath(new URL('mllp-node-sender.ts', import.meta.url));
    const { stdout } = await run(process.execPath, [script, host, String(port), JSON.stringify(texts)]);
    return stdout.trim().split('\n');
  },
};

const pythonScript = `
import sys, json, hl7
from hl7.client import MLLPClient
host, port, encoding, texts = sys.argv[1], int(sys.argv[2]), sys.argv[3], json.loads(sys.stdin.read())
with MLLPClient(host, port, encoding=encoding) as client:
    for n, text in enumerate(texts):
        message = hl7.parse(text) if n % 2 == 0 else text
        msa = hl7.parse(client.send_message(message), encoding=encoding).segment('MSA')
        print('%s:%s' % (msa[1], msa[2]))
`;

/** Of Debian's python3-hl7. */
export const pythonHl7: ForeignClient = {
  name: 'MLLPClient of python3-hl7',
  charsets: [utf8, gb18030],
  async send({ host, port }, texts, encoding) {
    const python = execFile('/usr/bin/python3', ['-c', pythonScript, host, String(port), encoding]);
    let said = '';
    python.stdout?.on('data', (text: string) => {
      said += text;
    });
    python.stdin?.end(JSON.stringify(texts));
    await once(python, 'close');
    return said.trim().split('\n');
  },
};

/** What npm has. */
export const foreignClients: ForeignClient[] = [medplum, nodeHl7Client, panates, simpleHl7, mllpNode];

/** The bytes of a text as a client with this encoding puts them on the wire. */
export const encoded = (text: string, encoding: 'utf-8' | 'gb18030'): Buffer => iconv.encode(text, encoding);
