import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf } from '../../../agent/support/errors.ts';

/** What systems say that sync no folders: Windows, and some shares. */
const syncsNone = new Set(['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP']);

/** The new name outlasts a power cut; where a folder cannot be synced it is as the system has it. Rejects with the system's error. */
export async function syncFolder(path: string): Promise<void> {
  let folder: FileHandle | undefined;
  try {
    folder = await open(path, 'r');
    await folder.sync();
  } catch (error) {
    if (!syncsNone.has(errnoOf(error) ?? '')) throw error;
  } finally {
    await folder?.close().catch(() => {});
  }
}
