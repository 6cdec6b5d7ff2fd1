import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MessageRow } from '../../agent/status/model.ts';
import type { ReadyLine } from '../demo/launcher.ts';
import { type MllpClient, makeMllpClient } from '../demo/mllp-client.ts';
import { bodies, demoFolder, type RunningDemo, runDemo, until } from '../demo/running.ts';
import type { Sidecar } from '../platform/received.ts';

/** A document that the province accepted: its exact bytes and what came with it. */
export interface Accepted {
  file: string;
  bytes: Buffer;
  sidecar: Sidecar;
}

/** The whole product as a user starts it: agent and simulated province in processes of their own. */
export interface Rig {
  mllp: { host: string; port: number };
  /** Address of the status page. */
  status: string;
  ready: ReadyLine;
  demo: RunningDemo;
  /** Our own sender, on one connection. */
  client: MllpClient;
  /** Everything accepted so far, in the order of acceptance. */
  received(): Accepted[];
  /** Waits for that many documents of a report and gives them in the order of acceptance. */
  documents(report: string, count?: number): Promise<Accepted[]>;
  /** What the status page shows of the messages, oldest first. */
  messages(): Promise<MessageRow[]>;
  /** Waits until that many messages came in and none is on its way any more; gives all of them. */
  settled(count: number): Promise<MessageRow[]>;
  /** Ends everything; gives the exit code and signal of the demo. */
  stop(): Promise<unknown>;
}

/** Starts the demo without its own traffic on free ports in a folder, the test's own by default. */
export async function startRig(
  t: { teardown(handler: () => unknown): void; testdir(): string },
  folder: string = demoFolder(t),
): Promise<Rig> {
  const demo = runDemo(t, folder, '--no-traffic');
  const ready = await demo.next();
  const client = makeMllpClient(ready.mllp);
  t.teardown(() => client.close());

  const received = (): Accepted[] =>
    bodies(ready.received)
      // The sidecar comes a moment after the body; with it the document is accepted.
      .filter((file) => existsSync(join(ready.received, `${file}.json`)))
      .map((file) => ({
        file,
        bytes: readFileSync(join(ready.received, file)),
        sidecar: JSON.parse(readFileSync(join(ready.received, `${file}.json`), 'utf8')) as Sidecar,
      }))
      .sort((a, b) => a.sidecar.n - b.sidecar.n);
  const documents = async (report: string, count = 1): Promise<Accepted[]> => {
    const found = () => received().filter(({ sidecar }) => sidecar.report === report);
    if (!(await until(() => found().length >= count))) {
      throw new Error(`${found().length} of ${count} documents of ${report} arrived`);
    }
    return found();
  };
  const messages = async (): Promise<MessageRow[]> => {
    const answer = await fetch(new URL('/api/v1/messages?limit=200', ready.status));
    const { messages: rows } = (await answer.json()) as { messages: MessageRow[] };
    return rows.reverse();
  };

  return {
    mllp: ready.mllp,
    status: ready.status,
    ready,
    demo,
    client,
    received,
    documents,
    messages,
    async settled(count) {
      let rows: MessageRow[] = [];
      const done = async () => {
        rows = await messages();
        const onTheWay = rows.some(
          ({ states }) => states.length === 0 || states.some(({ state, code }) => state === 'waiting' && !code),
        );
        return rows.length >= count && !onTheWay;
      };
      if (!(await until(done))) throw new Error(`messages are still on their way: ${JSON.stringify(rows)}`);
      return rows;
    },
    async stop() {
      demo.child.stdin!.end();
      return demo.exit;
    },
  };
}
