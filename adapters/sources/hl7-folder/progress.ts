import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SeenKey } from '../watching/key-table.ts';

/**
 * How far files have been taken that were not taken to their end: a large one when the agent was killed, one in which the store
 * could take no more. What a sender sends again is recognised among the last 12,288 messages of a source (agent/store), so
 * nothing may depend on more of them than that.
 */
export interface Progress {
  /** Parts from the beginning of the file that need no second acceptance. */
  of(key: SeenKey): number;
  /** Durable when it resolves. Rejects with the system's error. */
  mark(key: SeenKey, parts: number): Promise<void>;
  /** The file is decided; its mark is kept until that decision is written down too, which `settled` says. */
  done(key: SeenKey): void;
  settled(): void;
}

/** Files that were begun and not finished; there is one at a time, and some that a full disk left. */
const mostFiles = 1000;

/**
 * Opens or makes the marks in `file`. What cannot be read there is forgotten. Never rejects. `rules` names the rules by which
 * parts were judged: under others a part that was refused may be one to store, so that no mark counts.
 */
export async function openProgress(file: string, rules: string): Promise<Progress> {
  const nameOf = (key: SeenKey): string => `${Buffer.from(key).toString('hex', 0, 15)} ${rules}`;
  const marks = new Map<string, number>();
  const decided = new Set<string>();
  let writing: Promise<void> = Promise.resolve();
  try {
    const read: unknown = JSON.parse(await readFile(file, 'utf8'));
    for (const [name, parts] of Object.entries(read as Record<string, unknown>))
      if (Number.isSafeInteger(parts)) marks.set(name, Number(parts));
  } catch {
    // There is none yet, or a power cut left half of one: then no more than a mark's worth is read twice.
  }

  const write = async () => {
    await mkdir(dirname(file), { recursive: true });
    const handle = await open(`${file}.new`, 'w', 0o600);
    try {
      await handle.writeFile(JSON.stringify(Object.fromEntries(marks)));
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(`${file}.new`, file);
  };

  return {
    of: (key) => marks.get(nameOf(key)) ?? 0,
    mark(key, parts) {
      marks.delete(nameOf(key));
      marks.set(nameOf(key), parts);
      const [oldest] = marks.keys();
      if (marks.size > mostFiles && oldest !== undefined) marks.delete(oldest);
      writing = writing.then(write, write);
      return writing;
    },
    done(key) {
      if (marks.has(nameOf(key))) decided.add(nameOf(key));
    },
    settled() {
      for (const name of decided) marks.delete(name);
      decided.clear();
    },
  };
}
