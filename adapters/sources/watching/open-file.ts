import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { codeOf, errnoOf } from '../../../agent/support/errors.ts';
import { type Identity, identityOf, sameIdentity } from './identity.ts';
import type { FolderCodes, Taking } from './taking.ts';

/** A file that is open and was, when it was opened, what the scan saw. */
export interface OpenFile {
  /** Bytes it had then. */
  size: number;
  identity: Identity;
  /** Reads up to `length` bytes at `offset` into the buffer; gives how many there were. */
  readInto(into: Uint8Array, length: number, offset: number): Promise<number>;
  /** What it is now. */
  identityNow(): Promise<Identity>;
}

/** A symbolic link, or a pipe that would wait for a writer, may have taken the file's place since the scan. */
const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** A read failed in the system: kept apart from what the intake rejects with. */
export class ReadFailure extends Error {}

/**
 * Opens one file of a watched folder for `work`, and closes it. What is wrong with the file, or (with its code) that the intake
 * did not take it, is the answer. Never rejects.
 */
export async function takeOpened(
  path: Buffer | string,
  expected: Identity,
  codes: Pick<FolderCodes, 'unreadable' | 'unfinished'>,
  work: (file: OpenFile) => Promise<Taking>,
): Promise<Taking> {
  const unreadable = (error: unknown): Taking => {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP') return { kind: 'gone' };
    // On Windows: a program that writes it lets nobody else open it.
    return { kind: 'unreadable', code: errno === 'EBUSY' ? codes.unfinished : codes.unreadable };
  };
  let handle: FileHandle;
  try {
    handle = await open(path, flags);
  } catch (error) {
    return unreadable(error);
  }
  try {
    const stats = await statOf(handle);
    if (!stats.isFile()) return { kind: 'gone' };
    const identity = identityOf(stats);
    if (!sameIdentity(identity, expected)) return { kind: 'changed', identity };
    return await work({
      size: identity.size,
      identity,
      readInto: (into, length, offset) => readInto(handle, into, length, offset),
      identityNow: async () => identityOf(await statOf(handle)),
    });
  } catch (error) {
    if (error instanceof ReadFailure) return unreadable(error.cause);
    return { kind: 'refused', code: codeOf(error, 'QUE-4007') };
  } finally {
    await handle.close().catch(() => {});
  }
}

const statOf = async (handle: FileHandle) => {
  try {
    return await handle.stat({ bigint: true });
  } catch (error) {
    throw new ReadFailure('stat', { cause: error });
  }
};

async function readInto(handle: FileHandle, into: Uint8Array, length: number, offset: number): Promise<number> {
  let read = 0;
  try {
    while (read < length) {
      const { bytesRead } = await handle.read(into, read, length - read, offset + read);
      if (bytesRead === 0) break;
      read += bytesRead;
    }
  } catch (error) {
    throw new ReadFailure('read', { cause: error });
  }
  return read;
}
