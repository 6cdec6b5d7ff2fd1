import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeMllpClient } from '../../demo/mllp-client.ts';
import { oru } from '../damage/history.ts';
import type { AgentRig } from './agent-rig.ts';

/** A sender that knows what was acknowledged to it. One report a patient, so that every report is a document. */
export interface Laboratory {
  /** Reports acknowledged AA, with the bytes' items. */
  acked: Set<number>;
  /** Answers other than AA, and `none` for a connection that broke, with how often. */
  answers: Map<string, number>;
  /** Sends one report once; gives MSA-1 or `none`. */
  send(report: number, items?: number): Promise<string>;
  /** Sends reports until told to stop, each until it is acknowledged; `connections` side by side. */
  load(from: number, connections: number, pauseMs?: number, items?: number): { stop(): Promise<void> };
  /** Reports of which the province has a document with its digits. */
  delivered(): Set<number>;
  close(): void;
}

export function startLaboratory(rig: AgentRig, timeoutMs = 10_000): Laboratory {
  const acked = new Set<number>();
  const answers = new Map<string, number>();
  const clients = new Set<ReturnType<typeof makeMllpClient>>();
  const client = () => {
    const made = makeMllpClient(rig.mllp, { timeoutMs });
    clients.add(made);
    return made;
  };
  const own = client();
  const sendOn = async (on: typeof own, report: number, items?: number): Promise<string> => {
    const bytes = Buffer.from(oru({ report, items }));
    const code = await on.send(bytes, `C${report}.1F`).catch(() => 'none');
    if (code === 'AA') acked.add(report);
    else answers.set(code, (answers.get(code) ?? 0) + 1);
    return code;
  };
  return {
    acked,
    answers,
    send: (report, items) => sendOn(own, report, items),
    load(from, connections, pauseMs = 0, items) {
      let next = from;
      let stopped = false;
      const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
      const run = async (): Promise<void> => {
        const on = client();
        while (!stopped) {
          const report = next++;
          while ((await sendOn(on, report, items)) !== 'AA') {
            if (stopped) return;
            await sleep(100);
          }
          if (pauseMs > 0) await sleep(pauseMs);
        }
      };
      const all = Promise.all(Array.from({ length: connections }, run));
      return {
        async stop() {
          stopped = true;
          await all;
        },
      };
    },
    delivered() {
      const found = new Set<number>();
      const folder = rig.province.receivedFolder;
      const bodies = new Map(
        readdirSync(folder).flatMap((name) =>
          name.endsWith('.xml') ? [[Number.parseInt(name, 10), name] as const] : [],
        ),
      );
      for (const { n, report } of rig.province.received()) {
        const digits = Number(/^LR(\d+)$/.exec(report)?.[1]);
        const body = readFileSync(join(folder, String(bodies.get(n))), 'utf8');
        if (body.includes(`value="${digits}.10"`)) found.add(digits);
      }
      return found;
    },
    close() {
      for (const c of clients) c.close();
    },
  };
}

export const missing = (lab: Laboratory): number[] => {
  const delivered = lab.delivered();
  return [...lab.acked].filter((report) => !delivered.has(report));
};
