import { type FileHandle, open, rm } from 'node:fs/promises';
import { type ErrorCode, errnoOf, QianzhiError } from '../support/errors.ts';

/** What a file of the spool is called until it is whole. */
export const PART = '.part';

/** A failed write leaves this file behind, not the agent: only a full disk has a name of its own. */
export const writeFailure = (cause: unknown): QianzhiError => {
  if (cause instanceof QianzhiError) return cause;
  const errno = errnoOf(cause);
  const code: ErrorCode = errno === 'ENOSPC' || errno === 'EDQUOT' ? 'QUE-4002' : 'QUE-4020';
  return new QianzhiError(code, undefined, { cause });
};

/** A file to write to, empty yet. */
export interface OpenPart {
  name: string;
  path: string;
  part: string;
  handle: FileHandle;
  /** Its entry in the folder outlasts a power cut, under the name of a part or, once renamed, under its own. */
  entered: Promise<void>;
}

export async function openPart(name: string, path: string, folder: string): Promise<OpenPart> {
  const part = `${path}${PART}`;
  const handle = await open(part, 'wx', 0o600);
  const entered = syncEntry(folder).catch((error: unknown) => {
    throw writeFailure(error);
  });
  // Whoever waits for it hears of it.
  entered.catch(() => {});
  return { name, path, part, handle, entered };
}

/** How long they wait to be written to. */
const AHEAD_MS = 5_000;

/** Files made ahead, from the first that is asked for on. */
export function makeAhead(most: number, make: () => Promise<OpenPart>): { take(): Promise<OpenPart> } {
  const ready: Array<Promise<OpenPart>> = [];
  let timer: NodeJS.Timeout | undefined;
  async function letGo(file: Promise<OpenPart>): Promise<void> {
    const { handle, part } = await file;
    await handle.close();
    await rm(part, { force: true });
  }
  const expire = (): void => {
    timer = undefined;
    // What cannot be removed now goes with the next start.
    for (const file of ready.splice(0)) letGo(file).catch(() => {});
  };
  return {
    async take() {
      if (most === 0) return await make();
      clearTimeout(timer);
      timer = setTimeout(expire, AHEAD_MS);
      timer.unref();
      const file = ready.shift();
      while (ready.length < most) {
        const next = make();
        next.catch(() => {});
        ready.push(next);
      }
      // One that could not be made says nothing of one made now.
      return (await file?.catch(() => undefined)) ?? (await make());
    },
  };
}

/** The file's name survives a power cut. Folders cannot be opened on Windows, where NTFS journals the rename. */
export async function syncEntry(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
