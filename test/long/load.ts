import { makeMllpClient } from '../demo/mllp-client.ts';
import { dealPatients, playLaboratory, type ReportVersion } from './laboratory.ts';

export interface LoadOptions {
  host: string;
  port: number;
  connections: number;
  patients: number;
  seed: number;
  /** Share of corrections among the messages. */
  corrections: number;
  /** Mean pause of a connection between two messages, asked before each; 0 for none. */
  pauseMs: () => number;
  /** Ends by itself after so many messages in all. */
  messages?: number;
  /** Called at each AA, with the attempts at this message that had failed before. */
  onAcknowledged?: (failedBefore: number) => void;
}

export interface Load {
  /** By connection, in order of acknowledgement. */
  acknowledged: ReportVersion[][];
  count(): number;
  /** Sends that ended without an answer and were repeated, and answers other than AA. */
  repeated(): number;
  refusals: Map<string, number>;
  /** No new messages; resolves when each connection has its last one acknowledged. */
  stop(): Promise<void>;
  /** Resolves when all of `messages` are acknowledged, or the load was stopped. */
  done: Promise<void>;
}

/** The first connection looks for the agent this often, so that its return is seen; the others as a LIS would. */
const probeMs = 10;
const reconnectMs = 200;

/**
 * Load as a hospital's systems make it: each connection sends one message, waits for its answer, and
 * after a broken connection sends the same bytes again until they are acknowledged. Closed loop.
 */
export function startLoad(options: LoadOptions): Load {
  const { connections, host, port, onAcknowledged = () => {} } = options;
  const acknowledged: ReportVersion[][] = Array.from({ length: connections }, () => []);
  const refusals = new Map<string, number>();
  const dealt = dealPatients(options.patients, connections, options.seed);
  let taken = 0;
  let count = 0;
  let repeated = 0;
  let stopped = false;
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

  async function run(connection: number): Promise<void> {
    const localAddress = `127.0.0.${connection + 1}`;
    const client = makeMllpClient({ host, port }, host === '127.0.0.1' ? { localAddress } : {});
    const laboratory = playLaboratory(dealt[connection]!, connection, options.seed, options.corrections);
    while (!stopped && taken < (options.messages ?? Infinity)) {
      taken += 1;
      const message = laboratory.next().value as ReportVersion;
      let failed = 0;
      for (;;) {
        const code = await client.send(message.bytes, message.controlId).catch(() => 'none');
        if (code === 'AA') break;
        repeated += 1;
        failed += 1;
        if (code !== 'none') refusals.set(code, (refusals.get(code) ?? 0) + 1);
        await sleep(connection === 0 ? probeMs : reconnectMs * (0.5 + Math.random()));
      }
      acknowledged[connection]!.push(message);
      count += 1;
      onAcknowledged(failed);
      const pauseMs = options.pauseMs() * 2 * Math.random();
      if (pauseMs > 0) await sleep(pauseMs);
    }
    client.close();
  }
  const done = Promise.all(Array.from({ length: connections }, (_, connection) => run(connection))).then(() => {});

  return {
    acknowledged,
    count: () => count,
    repeated: () => repeated,
    refusals,
    stop() {
      stopped = true;
      return done;
    },
    done,
  };
}
