import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { outboxState } from '../../agent/store/sqlite/schema.ts';
import type { AgentSite, BenchAgent } from './agent.ts';

/** How far the messages of a store have come, each a count. */
export interface Progress {
  received: number;
  mapped: number;
  rendered: number;
  delivered: number;
}

export interface ProgressWatch {
  now(): Progress;
  close(): void;
}

export const databaseOf = (site: { folder: string }): string => join(site.folder, 'data', 'qianzhi.db');

/**
 * Reads the agent's own database beside it, in short reads: exact at the moment, where the status page is up to
 * two seconds late. One platform, and each message one document, is what the benchmark sends.
 */
export function watchProgress(site: AgentSite): ProgressWatch {
  if (!existsSync(databaseOf(site))) throw new Error('the agent has no store yet');
  const db = new DatabaseSync(databaseOf(site), { readOnly: true, timeout: 5000 });
  const read = db.prepare(`SELECT (SELECT ifnull(max(seq),0) FROM message) AS received,
    ifnull((SELECT at FROM cursor WHERE stage='mapping'),0) AS mapped,
    (SELECT ifnull(max(n),0) FROM outbox) AS rendered,
    (SELECT count(*) FROM outbox WHERE platform=(SELECT id FROM name WHERE kind='platform')
      AND state=${outboxState.accepted}) AS delivered`);
  return { now: () => ({ ...(read.get() as unknown as Progress) }), close: () => db.close() };
}

/** Waits until every one of so many messages has come so far; false when the time is over. Throws when the agent ends. */
export async function reached(
  agent: BenchAgent,
  watch: ProgressWatch,
  stage: keyof Progress,
  count: number,
  withinMs: number,
): Promise<boolean> {
  const startedMs = performance.now();
  while (watch.now()[stage] < count) {
    if (agent.child.exitCode !== null || agent.child.signalCode !== null) throw new Error('the agent ended');
    if (performance.now() - startedMs > withinMs) return false;
    await sleep(50);
  }
  return true;
}
