import { createRequire } from 'node:module';
import { choosePort } from '../../../platform/ports.ts';

/** `<host> <port> <JSON of messages>`: sends them with mllp-node and prints what it made of each answer. */
interface MllpNode {
  MLLPServer: new (
    host: string,
    port: number,
    logger: () => void,
  ) => {
    send(host: string, port: number, text: string, answered: (error: Error | null, msa: string | null) => void): void;
  };
}

const [host = '', port = '', texts = '[]'] = process.argv.slice(2);
const { MLLPServer } = createRequire(import.meta.url)('mllp-node') as MllpNode;
const client = new MLLPServer('127.0.0.1', await choosePort([]), () => {});
for (const text of JSON.parse(texts) as string[]) {
  const msa = await new Promise<string | null>((resolve, reject) =>
    client.send(host, Number(port), text, (error, answer) => (error ? reject(error) : resolve(answer))),
  );
  const [, code, id] = msa?.split('|') ?? [];
  process.stdout.write(`${code}:${id}\n`);
}
process.exit();
