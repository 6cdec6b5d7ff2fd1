import { type BigIntStats, type Dir, type Dirent, stat as follow, lstat } from 'node:fs';
import { opendir } from 'node:fs/promises';
import type { Clock } from '../../../agent/support/clock.ts';
import { errnoOf } from '../../../agent/support/errors.ts';
import { type Identity, identityOf } from './identity.ts';
import { type BytePath, ignoredName, joinPath, pathIn } from './paths.ts';

/** Who wants to know of the files. */
export interface Finder {
  /** Why a file of this name is passed over; undefined when it is not. */
  passedOver?(path: BytePath): string | undefined;
  /** False when nothing need be asked of the file system about this file, because it is waiting already. */
  wants(path: BytePath): boolean;
  /** False when there is no room for the file now: its folder must be listed again. */
  found(path: BytePath, identity: Identity): boolean;
  ignored(reason: string): void;
  /** A folder or file that the system does not let us look at. */
  unreadable(path: BytePath): void;
}

export interface PassResult {
  files: number;
  folders: number;
  /** Everything was looked at and told. */
  complete: boolean;
  /** The watched folder itself cannot be read: the system's error. */
  lost?: string;
}

export interface Scan {
  /** Looks at everything: the truth. */
  full(): Promise<PassResult>;
  /** Lists only folders whose modification time says that entries came or went. Cheap, and nothing relies on it. */
  quick(): Promise<PassResult>;
  /** How long the file system has not answered, milliseconds; 0 while no pass is under way. */
  silentMs(): number;
}

/** Entries that one request to the file system brings, and files asked about at the same time. */
const entriesAtOnce = 512;
const statsAtOnce = 64;
/** A folder is open while those below it are listed. */
const deepest = 100;
const mostFolders = 50_000;
/** Coarser than the modification time of any file system that is in use (FAT: 2 s). */
const coarseMs = 3000;

/** No folder has this modification time: it is listed again. */
const never = -1n;

interface Folder {
  mtimeNs: bigint;
  depth: number;
}

/**
 * The walk over a watched tree. One listing a folder, in pieces, so that a folder of a million files costs no more
 * memory than a small one; symbolic links are never followed.
 *
 * A quick pass passes over a folder whose modification time is as it was. That is safe only as far as it goes: the time
 * does not change when a file is written in place, some shares show it late, FAT does not keep it. So it is trusted only
 * when it was older than its own granularity at the listing, and only between two full passes.
 */
export function createScan(options: {
  root: string;
  /** Folders that are not entered: the archive. */
  excluded(path: BytePath): boolean;
  finder: Finder;
  clock: Clock;
  stopped(): boolean;
}): Scan {
  const { root, finder, clock, stopped } = options;
  const folders = new Map<BytePath, Folder>();
  let answeredMs: number | undefined;
  const answered = () => {
    answeredMs = clock.monotonic();
  };

  const list = async (folder: BytePath, depth: number, below: boolean, result: PassResult): Promise<void> => {
    let whole = true;
    let files: BytePath[] = [];
    const look = async () => {
      const asked = files;
      files = [];
      const answers = await Promise.all(asked.map((path) => stat(path)));
      for (const [i, path] of asked.entries()) {
        const answer = answers[i];
        if (answer === 'gone' || answer === undefined) continue;
        if (answer === 'unreadable') {
          finder.unreadable(path);
          whole = false;
        } else if (answer.isSymbolicLink()) finder.ignored('link');
        else if (!answer.isFile()) finder.ignored('special');
        else if (!finder.found(path, identityOf(answer))) whole = false;
      }
    };

    const opened = await open(folder, depth);
    if (typeof opened === 'string') {
      if (opened !== 'ENOENT' || depth === 0) failed(folder, depth, result, opened);
      return;
    }
    const { before, entries } = opened;
    result.folders += 1;
    try {
      for (;;) {
        // With encoding `buffer` names are buffers; the types of Node know only strings here.
        const entry = (await entries.read()) as unknown as Dirent<Buffer> | null;
        answered();
        if (entry === null || stopped()) break;
        const name = entry.name.toString('latin1');
        const path = joinPath(folder, name);
        const reason = ignoredName(name);
        if (entry.isDirectory()) {
          if (options.excluded(path)) continue;
          if (reason !== undefined) finder.ignored(reason);
          else if (depth + 1 > deepest) finder.unreadable(path);
          else if (below || !folders.has(path)) await list(path, depth + 1, true, result);
          continue;
        }
        result.files += 1;
        const passedOver = reason ?? finder.passedOver?.(path);
        if (passedOver !== undefined) finder.ignored(passedOver);
        else if (entry.isSymbolicLink()) finder.ignored('link');
        else if (entry.isFIFO() || entry.isSocket() || entry.isCharacterDevice() || entry.isBlockDevice())
          finder.ignored('special');
        else if (finder.wants(path)) files.push(path);
        if (files.length >= statsAtOnce) await look();
      }
      await look();
    } catch (error) {
      return failed(folder, depth, result, errnoOf(error) ?? 'EIO');
    } finally {
      close(entries);
    }
    if (stopped()) result.complete = false;
    if (folders.has(folder) || folders.size < mostFolders) {
      const settled = clock.now() - Number(before.mtimeNs / 1_000_000n) > coarseMs;
      folders.set(folder, { mtimeNs: whole && settled ? before.mtimeNs : never, depth });
    }
    if (!whole) result.complete = false;
  };

  /** Opens a folder; the system's error when that is not possible. Opening reads no entry, so `before` is from before. */
  const open = async (folder: BytePath, depth: number): Promise<{ before: BigIntStats; entries: Dir } | string> => {
    // Asked together: a share takes as long for each question.
    const [before, entries] = await Promise.all([
      stat(folder),
      opendir(pathIn(root, folder), { encoding: 'buffer', bufferSize: entriesAtOnce } as never).catch(
        (error: unknown) => errnoOf(error) ?? 'EIO',
      ),
    ]);
    const isFolder = typeof before !== 'string' && (depth === 0 || before.isDirectory());
    if (isFolder && typeof entries !== 'string') return { before, entries };
    if (typeof entries !== 'string') close(entries);
    if (before === 'gone') return 'ENOENT';
    return isFolder && typeof entries === 'string' ? entries : 'EACCES';
  };

  /** Nothing waits for it. */
  const close = (entries: Dir): void => void entries.close().catch(() => {});

  const failed = (folder: BytePath, depth: number, result: PassResult, errno: string) => {
    result.complete = false;
    folders.delete(folder);
    if (depth === 0) result.lost = errno;
    else finder.unreadable(folder);
  };

  /** With callbacks, because the promises of node:fs cost half as much again, and a full pass asks about every file. */
  const stat = (path: BytePath): Promise<BigIntStats | 'gone' | 'unreadable'> =>
    new Promise((resolve) => {
      // The watched folder itself is what a person configured and may be a link.
      (path === '' ? follow : lstat)(pathIn(root, path), { bigint: true }, (error, stats) => {
        answered();
        if (error === null) resolve(stats);
        else resolve(error.code === 'ENOENT' || error.code === 'ENOTDIR' ? 'gone' : 'unreadable');
      });
    });

  const pass = async (walk: (result: PassResult) => Promise<void>): Promise<PassResult> => {
    const result: PassResult = { files: 0, folders: 0, complete: true };
    answered();
    try {
      await walk(result);
    } finally {
      answeredMs = undefined;
    }
    return result;
  };

  return {
    full: () =>
      pass(async (result) => {
        folders.clear();
        await list('', 0, true, result);
      }),
    quick: () =>
      pass(async (result) => {
        if (!folders.has('')) await list('', 0, false, result);
        for (const [path, { mtimeNs, depth }] of [...folders]) {
          if (stopped() || result.lost !== undefined) break;
          const now = await stat(path);
          if (now === 'gone' && depth > 0) folders.delete(path);
          else if (typeof now === 'string' || now.mtimeNs !== mtimeNs) await list(path, depth, false, result);
        }
      }),
    silentMs: () => (answeredMs === undefined ? 0 : clock.monotonic() - answeredMs),
  };
}
