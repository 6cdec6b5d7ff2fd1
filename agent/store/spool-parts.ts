import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ErrorCode, errnoOf, QianzhiError } from '../support/errors.ts';
import { syncFolder } from '../support/folders.ts';

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

/** Files of one folder, which is synced once for all of them. Each rejects by itself when it cannot be made. */
export function openParts(folder: string, names: string[]): Array<Promise<OpenPart>> {
  const made = names.map(async (name) => {
    const path = join(folder, name);
    const part = `${path}${PART}`;
    return { name, path, part, handle: await open(part, 'wx', 0o600) };
  });
  const entered = Promise.allSettled(made)
    .then(() => syncFolder(folder))
    .catch((error: unknown) => {
      throw writeFailure(error);
    });
  // Whoever waits for it hears of it.
  entered.catch(() => {});
  return made.map(async (file) => ({ ...(await file), entered }));
}

/** How long they wait to be written to. */
const AHEAD_MS = 5_000;

/** Files made ahead, from the first that is asked for on. */
export function makeAhead(
  most: number,
  make: (count: number) => Array<Promise<OpenPart>>,
): { take(): Promise<OpenPart> } {
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
  const makeOne = async (): Promise<OpenPart> => {
    const [file] = make(1);
    return await (file as Promise<OpenPart>);
  };
  return {
    async take() {
      if (most === 0) return await makeOne();
      clearTimeout(timer);
      timer = setTimeout(expire, AHEAD_MS);
      timer.unref();
      const file = ready.shift();
      // Half of them at a time: they share a folder, and its sync.
      while (ready.length <= most / 2) {
        const more = make(Math.ceil(most / 2));
        for (const next of more) next.catch(() => {});
        ready.push(...more);
      }
      // One that could not be made says nothing of one made now.
      return (await file?.catch(() => undefined)) ?? (await makeOne());
    },
  };
}
