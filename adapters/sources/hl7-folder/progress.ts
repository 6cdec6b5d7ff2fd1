import { hash } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SeenKey } from '../watching/key-table.ts';

/** How far a file was taken. Parts are counted from its beginning. */
export interface Mark {
  /** So many parts are durable, refused, or none for the store. */
  handled: number;
  /** Those of them that were refused, ascending: under other rules they may be some to store. */
  open: readonly number[];
  /** What those parts were, see `chained`: what another file of that name begins with is another thing. */
  chain: string;
  /** The same without the last of them, to which its sender may have added. */
  before: string;
  /** The whole file was looked at. */
  whole: boolean;
}

/**
 * How far files have been taken whose parts must not be stored again: a large one when the agent was killed, one in which the
 * store could take no more or whose answer cannot be written, one that is held for a part of it, a large one that is left and
 * written on. What a sender sends again is recognised among the last 12,288 messages of a source (agent/store), so nothing may
 * depend on more of them than that.
 */
export interface Progress {
  of(key: SeenKey): Mark | undefined;
  /** Durable when it resolves. Rejects with the system's error. */
  mark(key: SeenKey, mark: Mark): Promise<void>;
  /** The file needs no mark once what was decided about it is written down too, which `settled` says. */
  done(key: SeenKey): void;
  settled(): void;
  /** Another mark takes the place of the oldest. */
  full(): boolean;
}

const mostFiles = 4000;

/** Of nothing. */
export const chainStart = '';

/** What stands for the parts of a file up to and with this one. */
export const chained = (chain: string, part: Uint8Array): string =>
  hash('sha256', Buffer.from(`${chain}${hash('sha256', part, 'hex')}`), 'hex').slice(0, 40);

function isMark(value: unknown): value is Mark {
  const { handled, open: refused, chain, before, whole } = (value ?? {}) as Partial<Record<keyof Mark, unknown>>;
  return (
    Number.isSafeInteger(handled) &&
    Array.isArray(refused) &&
    refused.every(Number.isSafeInteger) &&
    typeof chain === 'string' &&
    typeof before === 'string' &&
    typeof whole === 'boolean'
  );
}

/** Opens or makes the marks in `file`. What cannot be read there is forgotten. Never rejects. */
export async function openProgress(file: string): Promise<Progress> {
  const nameOf = (key: SeenKey): string => Buffer.from(key).toString('hex', 0, 15);
  const marks = new Map<string, Mark>();
  const decided = new Set<string>();
  let writing: Promise<void> = Promise.resolve();
  try {
    const read: unknown = JSON.parse(await readFile(file, 'utf8'));
    for (const [name, mark] of Object.entries(read as Record<string, unknown>)) if (isMark(mark)) marks.set(name, mark);
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
    of: (key) => marks.get(nameOf(key)),
    mark(key, mark) {
      decided.delete(nameOf(key));
      marks.delete(nameOf(key));
      marks.set(nameOf(key), mark);
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
    full: () => marks.size >= mostFiles,
  };
}
