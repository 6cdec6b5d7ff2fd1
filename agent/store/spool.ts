import { createHash, createSecretKey, randomBytes, randomInt } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { CHUNK, openChunk, SEALED_CHUNK, sealChunk, TAG } from '../security/chunks.ts';
import { errnoOf, QianzhiError } from '../support/errors.ts';
import { makeFolder, syncFolder, syncFolderNow } from '../support/folders.ts';
import { tidyMemory } from '../support/memory.ts';
import type { NewSpoolFile, SpoolFile } from './image-contract.ts';
import { makeAhead, type OpenPart, openParts, PART, writeFailure } from './spool-parts.ts';

/**
 * The spool: one sealed file an instance, under a random name. Layout of a file: 1 byte format, then the content in sealed
 * chunks (security/chunks.ts), so a file that was cut, extended, reordered or changed does not open (QUE-4003). The key is
 * random and of this file alone, and lies in the store's row only.
 */
const FORMAT = Buffer.of(1);
const HEADER = FORMAT.length;

export interface SpoolWriting {
  /**
   * The next bytes; they may be changed when it resolves. Await it before the next one.
   * @param hashed whether they belong to what makes two instances the same. Default true.
   * Rejects with QUE-4002 (disk full) or QUE-4020; the file is given up then.
   */
  write(bytes: Uint8Array, hashed?: boolean): Promise<void>;
  /**
   * The content is durable when it resolves, the file's entry when `named` does, so that the row can be written meanwhile; both
   * stand before an acknowledgement. Rejects as `write` does; a file whose sync failed is never tried again.
   */
  finish(): Promise<FinishedFile>;
  /** Gives the file up. At any time, any number of times; after `finish` it does nothing. */
  discard(): Promise<void>;
}

export interface FinishedFile extends NewSpoolFile {
  /** Rejects with QUE-4002 or QUE-4020: then nobody knows whether the name outlasts a power cut. */
  named: Promise<void>;
}

export interface Spool {
  /** Rejects with QUE-4002 while intake is stopped. */
  begin(): Promise<SpoolWriting>;
  /**
   * The content from its first byte, in pieces of at most 256 KB, each proved before it is given. Throws QUE-4003 when
   * the file is damaged or gone, QUE-4020 when it cannot be read now.
   * @param end no more than so many bytes are wanted: what comes behind is neither read nor proved.
   */
  read(file: Pick<SpoolFile, 'name' | 'key'>, end?: number): AsyncGenerator<Uint8Array, void, void>;
  /** Removes a file; one that is gone is no error. */
  remove(name: string): Promise<void>;
  /** Prefixes that together hold all names, for `list`. */
  prefixes(): string[];
  /** Names of finished files with the prefix. */
  list(prefix: string): Promise<string[]>;
  /** Names under which something was being written when the process ended. */
  unfinished(prefix: string): Promise<string[]>;
  /** Gives an unfinished file its name: its row says that its content was durable, and the rename was lost. */
  adopt(name: string): Promise<void>;
  /** Removes an unfinished file. */
  drop(name: string): Promise<void>;
  /** Puts a file that no row knows beside the others, where nothing looks for it; its age there counts from `nowMs`. */
  setAside(name: string, nowMs: number): Promise<void>;
  /** Removes what was set aside before then. */
  forgetAside(beforeMs: number): Promise<void>;
}

export interface SpoolParts {
  folder: string;
  /** True while the disk is too full to take more (invariant 7). */
  full?(): boolean;
  /**
   * As many files at most are made before they are asked for, while others are written: neither making one nor the sync of
   * its folder then stands before an answer. Default 0. What nobody wanted is removed after some seconds, or by the next start.
   */
  ahead?: number;
}

const DIGITS = [...'0123456789abcdef'];
const PREFIXES = DIGITS.flatMap((a) => DIGITS.map((b) => a + b));
const ASIDE = 'aside';

/** Sealing and opening leave a buffer behind for each chunk: looked at every so many bytes (invariant 12). */
const TIDY_BYTES = 512 * 1024;
let passed = 0;
function passing(bytes: number): void {
  passed += bytes;
  if (passed < TIDY_BYTES) return;
  passed = 0;
  tidyMemory();
}

/** Buffers for a chunk that nobody uses now; as many as there are usually files being written and read. */
const spare: Buffer[] = [];
const MOST_SPARE = 8;
const takeBuffer = (): Buffer => spare.pop() ?? Buffer.allocUnsafeSlow(HEADER + SEALED_CHUNK);
const putBack = (buffer: Buffer): void => {
  if (spare.length < MOST_SPARE) spare.push(buffer);
};

const isName = (name: string): boolean => /^[0-9a-f]{32}$/.test(name);
/** Names are ours; one that is not must not lead anywhere else. */
function assertName(name: string): void {
  if (!isName(name)) throw new QianzhiError('QUE-4003');
}

/** Where the files lie whose names begin so. */
const folderIn = (folder: string, name: string): string => join(folder, name.slice(0, 1), name.slice(1, 2));
function pathIn(folder: string, name: string): string {
  assertName(name);
  return join(folderIn(folder, name), name);
}

/** A spool that somebody else has opened: makes nothing, and looks at nothing before it is asked to. */
export function openSpoolForReading({ folder }: { folder: string }): Pick<Spool, 'read'> {
  return { read: (file, end) => readFile(pathIn(folder, file.name), file.key, end) };
}

/**
 * Opens the spool; makes its folders (16 × 16) durable, so that later only files come and go. A folder that cannot be made
 * so gets no new files (`reconcileSpool` names it, for it can hardly be listed either); throws when none can.
 */
export function openSpool(parts: SpoolParts): Spool {
  const { folder } = parts;
  makeFolder(folder);
  const usable: string[] = [];
  let failure: unknown;
  for (const a of DIGITS) {
    try {
      const made: string[] = [];
      for (const b of DIGITS) {
        try {
          mkdirSync(join(folder, a, b), { recursive: true, mode: 0o700 });
          made.push(a + b);
        } catch (error) {
          failure = error;
        }
      }
      // Also when they are there: the process that made them may have died before its sync.
      syncFolderNow(join(folder, a));
      usable.push(...made);
    } catch (error) {
      failure = error;
    }
  }
  syncFolderNow(folder);
  if (usable.length === 0) throw writeFailure(failure);

  const folderOf = (name: string): string => folderIn(folder, name);
  const pathOf = (name: string): string => pathIn(folder, name);
  let asideMade = false;
  const ahead = makeAhead(parts.ahead ?? 0, (count) => {
    const prefix = usable[randomInt(usable.length)] ?? '';
    const names = Array.from({ length: count }, () => `${prefix}${randomBytes(15).toString('hex')}`);
    return openParts(folderOf(prefix), names);
  });

  return {
    ...openSpoolForReading({ folder }),
    async begin() {
      if (parts.full?.()) throw new QianzhiError('QUE-4002');
      try {
        return startWriting(await ahead.take());
      } catch (error) {
        throw writeFailure(error);
      }
    },
    async remove(name) {
      await rm(pathOf(name), { force: true });
    },
    prefixes: () => [...PREFIXES],
    async list(prefix) {
      return (await readdir(folderOf(prefix))).filter(isName);
    },
    async unfinished(prefix) {
      const names = await readdir(folderOf(prefix));
      return names.flatMap((name) => {
        const made = name.endsWith(PART) ? name.slice(0, -PART.length) : '';
        return isName(made) ? [made] : [];
      });
    },
    async adopt(name) {
      await rename(`${pathOf(name)}${PART}`, pathOf(name));
      await syncFolder(folderOf(name));
    },
    async drop(name) {
      await rm(`${pathOf(name)}${PART}`, { force: true });
    },
    async setAside(name, nowMs) {
      const path = pathOf(name);
      const aside = join(folder, ASIDE);
      // Its name is made durable once: there may be very many to put there.
      if (!asideMade) makeFolder(aside);
      asideMade = true;
      // It may have lain here for long. A clock that is far behind must not make it old.
      const { mtimeMs } = await stat(path);
      const since = new Date(Math.max(nowMs, mtimeMs));
      await utimes(path, since, since);
      await rename(path, join(aside, name));
    },
    async forgetAside(beforeMs) {
      const aside = join(folder, ASIDE);
      const names = await readdir(aside).catch((error: unknown) => {
        if (errnoOf(error) === 'ENOENT') return [];
        throw error;
      });
      for (const name of names.filter(isName)) {
        const path = join(aside, name);
        if ((await stat(path)).mtimeMs < beforeMs) await rm(path, { force: true });
      }
    },
  };
}

function startWriting({ name, path, part, handle: opened, entered }: OpenPart): SpoolWriting {
  let handle: FileHandle | undefined = opened;
  const key = randomBytes(32);
  // As an object: a raw key would be prepared anew for each chunk, which costs more than sealing 64 KB.
  const sealingKey = createSecretKey(key);
  const hash = createHash('sha256');
  const plain = takeBuffer();
  let filled = 0;
  let chunks = 0;
  let bytes = 0;
  let state: 'open' | 'finished' | 'given-up' = 'open';
  /** The one write that is under way; its failure is told with the next one. */
  let underWay: Promise<unknown> = Promise.resolve();

  async function seal(last: boolean): Promise<void> {
    const sealed: Buffer[] = sealChunk(plain.subarray(0, filled), sealingKey, { format: FORMAT, chunk: chunks, last });
    if (chunks === 0) sealed.unshift(FORMAT);
    chunks += 1;
    passing(filled);
    filled = 0;
    await underWay;
    underWay = writeAll(handle as FileHandle, sealed);
    underWay.catch(() => {});
  }
  const assertOpen = (): void => {
    if (state !== 'open') throw new QianzhiError('QUE-4020');
  };
  async function giveUp(): Promise<void> {
    if (state === 'finished') return;
    state = 'given-up';
    const closing = handle;
    handle = undefined;
    await underWay.catch(() => {});
    await closing?.close().catch(() => {});
    // What cannot be removed now goes with the next start.
    await rm(part, { force: true }).catch(() => {});
  }

  return {
    async write(more, hashed = true) {
      assertOpen();
      try {
        if (hashed) hash.update(more);
        bytes += more.length;
        for (let at = 0; at < more.length; ) {
          // A full chunk is kept until more comes: the last one has to be told apart.
          if (filled === CHUNK) await seal(false);
          const take = Math.min(CHUNK - filled, more.length - at);
          plain.set(more.subarray(at, at + take), filled);
          filled += take;
          at += take;
        }
      } catch (error) {
        await giveUp();
        throw writeFailure(error);
      }
    },
    async finish() {
      assertOpen();
      try {
        const file = handle as FileHandle;
        await seal(true);
        putBack(plain);
        await underWay;
        await file.datasync();
        handle = undefined;
        const closed = file.close();
        closed.catch(() => {});
        // Windows does not rename what is open; elsewhere nothing waits for it.
        if (process.platform === 'win32') await closed;
        await rename(part, path);
        state = 'finished';
      } catch (error) {
        await giveUp();
        throw writeFailure(error);
      }
      // The new name is not synced: where a power cut takes it back, the row finds the part (`adopt`).
      return { name, key, bytes, contentHash: hash.digest(), named: entered };
    },
    discard: giveUp,
  };
}

async function writeAll(file: FileHandle, buffers: Buffer[]): Promise<void> {
  const wanted = buffers.reduce((sum, { length }) => sum + length, 0);
  const { bytesWritten } = await file.writev(buffers);
  if (bytesWritten === wanted) return;
  // The disk took a part of it: the rest tells why, or goes through.
  let rest = Buffer.concat(buffers).subarray(bytesWritten);
  while (rest.length > 0) rest = rest.subarray((await file.write(rest)).bytesWritten);
}

async function* readFile(path: string, raw: Uint8Array, end = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
  let handle: FileHandle | undefined;
  const buffer = takeBuffer();
  try {
    const key = createSecretKey(raw);
    handle = await open(path, 'r');
    const { size } = await handle.stat();
    const chunks = Math.max(1, Math.ceil((size - HEADER) / SEALED_CHUNK));
    for (let chunk = 0; chunk < chunks && chunk * CHUNK < end; chunk++) {
      // The first chunk with the format before it.
      const header = chunk === 0 ? HEADER : 0;
      const from = chunk === 0 ? 0 : HEADER + chunk * SEALED_CHUNK;
      const wanted = Math.min(header + SEALED_CHUNK, size - from);
      const got = wanted < header + TAG ? 0 : await readFully(handle, buffer.subarray(0, wanted), from);
      if (got === 0 || got < wanted || (header > 0 && buffer[0] !== FORMAT[0])) throw new QianzhiError('QUE-4003');
      const plain = openChunk(buffer.subarray(header, got), key, { format: FORMAT, chunk, last: chunk === chunks - 1 });
      passing(plain.length);
      const left = end - chunk * CHUNK;
      if (plain.length > 0) yield plain.length > left ? plain.subarray(0, left) : plain;
    }
  } catch (error) {
    throw readFailure(error);
  } finally {
    await handle?.close();
    putBack(buffer);
  }
}

async function readFully(file: FileHandle, into: Buffer, from: number): Promise<number> {
  let at = 0;
  while (at < into.length) {
    const { bytesRead } = await file.read(into, at, into.length - at, from + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return at;
}

/** A file that is gone or whose sectors do not read is damaged; what the system lacks now (handles, memory) is not. */
function readFailure(cause: unknown): QianzhiError {
  if (cause instanceof QianzhiError) return cause;
  const damaged = ['ENOENT', 'EIO', 'EISDIR', 'EUCLEAN', 'EBADMSG'].includes(errnoOf(cause) ?? '');
  return new QianzhiError(damaged ? 'QUE-4003' : 'QUE-4020', undefined, { cause });
}
