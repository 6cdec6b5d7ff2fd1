import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Pki } from '../platform/pki.ts';
import type { Sidecar } from '../platform/received.ts';
import { startUntilLine } from './process.ts';

/** The simulated province, a process of its own on the same machine. */
export interface BenchProvince {
  url: string;
  pid: number;
  up(): void;
  /** How many documents it accepted, and the time between the first and the last in its own books. */
  accepted(): { documents: number; seconds: number; firstMs: number; lastMs: number; documentBytes: number };
  stop(): Promise<void>;
}

export async function startProvince(folder: string, pki: Pki, state: 'up' | 'down'): Promise<BenchProvince> {
  const { child, pid, line, lines } = await startUntilLine(process.execPath, [
    fileURLToPath(new URL('../platform/province.ts', import.meta.url)),
    ...['--folder', folder, '--cert', pki.serverCert, '--key', pki.serverKey, '--ca', pki.ca],
    ...(state === 'down' ? ['--down'] : []),
  ]);
  lines.resume();
  const { url, received } = JSON.parse(line) as { url: string; received: string };
  return {
    url,
    pid,
    up: () => void child.stdin!.write('up\n'),
    accepted() {
      let firstMs = Number.POSITIVE_INFINITY;
      let lastMs = 0;
      const names = readdirSync(received).filter((name) => name.endsWith('.json'));
      for (const name of names) {
        const { receivedAt } = JSON.parse(readFileSync(join(received, name), 'utf8')) as Sidecar;
        firstMs = Math.min(firstMs, Date.parse(receivedAt));
        lastMs = Math.max(lastMs, Date.parse(receivedAt));
      }
      const [some] = names;
      const documentBytes =
        some === undefined ? 0 : readFileSync(join(received, some.slice(0, -'.json'.length))).length;
      return { documents: names.length, seconds: (lastMs - firstMs) / 1000, firstMs, lastMs, documentBytes };
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.stdin!.end();
      await gone;
    },
  };
}
