import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncShare } from '../../../agent/support/folders.ts';
import { type BytePath, unsetAside } from './paths.ts';
import type { Seen } from './seen.ts';
import type { WaitingFile } from './waiting.ts';

/**
 * Which files are about to be taken, in their order, written down before the first of them is. After a crash some of them are
 * stored and nothing else tells of it: they come first again, as long as the intake recognises what it stored last. Age
 * alone does not bring them back in time: in a large folder they may be found late, and what came since may be older.
 */
export interface Turns {
  /** The place of a file among those of a run that was cut off; undefined when it is none of them. */
  of(path: BytePath): number | undefined;
  /** A run was cut off and the folder was not looked through since: others might come before those files. */
  awaited(): boolean;
  /** The folder was looked through. */
  lookedThrough(): void;
  /**
   * These are taken next, or may be stored already; none: all that was decided is written down. Durable when it resolves. Never
   * rejects: where nothing can be written, files are recognised as long as few come between.
   */
  next(files: readonly Pick<WaitingFile, 'path' | 'identity'>[]): Promise<void>;
}

/** Opens the turns in `file`, named under the salt of `seen`. What cannot be read there is forgotten. Never rejects. */
export async function openTurns(file: string, seen: Pick<Seen, 'keyOf' | 'get'>): Promise<Turns> {
  const nameOf = (path: BytePath): string =>
    Buffer.from(seen.keyOf(unsetAside(path), { size: 0, mtimeNs: 0n, ino: 0n })).toString('hex', 0, 15);
  const read = await readFile(file, 'utf8').catch(() => '');
  let before = new Map(
    read
      .split('\n')
      .map((line, place) => ({ name: line.slice(0, 30), key: Buffer.from(line.slice(31), 'hex'), place }))
      // One that was remembered is owed nothing: what has its name now is another file.
      .filter(({ name, key }) => name !== '' && (key.length === 0 || seen.get(key) === 0))
      .map(({ name, place }) => [name, place]),
  );
  let isThere = read !== '';

  const keyOf = ({ path, identity }: Pick<WaitingFile, 'path' | 'identity'>) =>
    Buffer.from(seen.keyOf(unsetAside(path), identity)).toString('hex');
  const write = async (files: readonly Pick<WaitingFile, 'path' | 'identity'>[]) => {
    await mkdir(dirname(file), { recursive: true });
    const handle = await open(`${file}.new`, 'w', 0o600);
    try {
      await handle.writeFile([...new Set(files.map((file) => `${nameOf(file.path)} ${keyOf(file)}`))].join('\n'));
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(`${file}.new`, file);
    isThere = true;
    await syncShare(dirname(file));
  };
  const remove = async () => {
    await rm(file, { force: true });
    isThere = false;
  };

  return {
    of: (path) => (before.size === 0 ? undefined : before.get(nameOf(path))),
    awaited: () => before.size > 0,
    lookedThrough() {
      before = new Map();
    },
    async next(files) {
      if (files.length === 0 && !isThere) return;
      await (files.length === 0 ? remove() : write(files)).catch(() => {});
    },
  };
}
