import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { errnoOf } from './errors.ts';

/**
 * Makes a folder and what is missing above it, under names that outlast a power cut: what is synced inside it is
 * lost with it otherwise. Also when it is there: the process that made it may have died before its sync.
 */
export function makeFolder(folder: string): void {
  const first = mkdirSync(folder, { recursive: true, mode: 0o700 });
  const top = resolve(first ?? folder);
  for (let made = resolve(folder); ; made = dirname(made)) {
    syncFolderNow(dirname(made));
    if (made === top || made === dirname(made)) return;
  }
}

/** Folders cannot be opened on Windows, where NTFS journals the rename. */
const syncsFolders = process.platform !== 'win32';

/** Makes created, renamed and removed names of a folder durable. Throws the system's error. */
export function syncFolderNow(path: string): void {
  if (!syncsFolders) return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** The same without holding the thread. Rejects with the system's error. */
export async function syncFolder(path: string): Promise<void> {
  if (!syncsFolders) return;
  let folder: FileHandle | undefined;
  try {
    folder = await open(path, 'r');
    await folder.sync();
  } finally {
    await folder?.close().catch(() => {});
  }
}

/** What systems say whose shares sync no folders. */
const syncsNone = new Set(['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP']);

/** The same for a folder that may lie on a share: where it cannot be synced it is as the system has it. */
export async function syncShare(path: string): Promise<void> {
  try {
    await syncFolder(path);
  } catch (error) {
    if (!syncsNone.has(errnoOf(error) ?? '')) throw error;
  }
}
