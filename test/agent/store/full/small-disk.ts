import { execFile, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { codeOf } from '../../../../agent/support/errors.ts';

/** A real small disk: a tmpfs of 64 MB in a name space of its own, which needs no rights. */
const mountOn = (folder: string) => `mount -t tmpfs -o size=64m tmpfs '${folder}'`;

/** False where there is one; else why the test is skipped. */
export function noSmallDisk(): false | string {
  const folder = mkdtempSync(join(tmpdir(), 'qianzhi-disk-'));
  const possible = spawnSync('unshare', ['-rm', 'sh', '-c', mountOn(folder)]).status === 0;
  void rm(folder, { recursive: true, force: true });
  return possible ? false : 'unshare of util-linux cannot mount here';
}

/** Runs a program beside this file on a small disk, which it is given as its argument. Gives what it said with `tell`. */
export async function onSmallDisk(program: string): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'qianzhi-disk-'));
  const child = fileURLToPath(new URL(program, import.meta.url));
  const command = `${mountOn(folder)} && exec '${process.execPath}' '${child}' '${folder}'`;
  try {
    const { stdout } = await promisify(execFile)('unshare', ['-rm', 'sh', '-c', command], {
      env: { ...process.env, NODE_OPTIONS: '' },
      timeout: 90_000,
    });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Record<string, unknown>;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Of the program: the disk, which can be filled and emptied again. */
export function smallDisk() {
  const [folder = ''] = process.argv.slice(2);
  const filler = join(folder, 'filler');
  return {
    folder,
    /** Down to what not even a write of `last` bytes fits into. */
    fill(last: number): void {
      const file = openSync(filler, 'a');
      for (let size = 1 << 20; size >= last; size >>= 1) {
        const block = Buffer.alloc(size, 1);
        try {
          for (;;) if (writeSync(file, block) < size) break;
        } catch (error) {
          if ((error as { code?: string }).code !== 'ENOSPC') throw error;
        }
      }
      closeSync(file);
    },
    empty: () => unlinkSync(filler),
  };
}

export const codeFrom = async (what: Promise<unknown>): Promise<string> =>
  what.then(
    () => 'done',
    (error: unknown) => codeOf(error, 'SYS-6004'),
  );

export async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** The program's last word. */
export function tell(said: Record<string, unknown>): never {
  process.stdout.write(`${JSON.stringify(said)}\n`);
  process.exit(0);
}
