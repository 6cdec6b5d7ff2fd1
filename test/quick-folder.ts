import { existsSync, mkdtempSync, realpathSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
const ROOM_BYTES = 1e9;

const hasRoom = (): boolean => {
  if (!existsSync(MEMORY)) return false;
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize > ROOM_BYTES;
};

const made: string[] = [];

/**
 * A new folder in memory where the system has room for it, for tests that have nothing to prove about syncs. It goes with
 * the process that made it: what lies in memory must not pile up there.
 */
export function quickFolder(name: string): string {
  const folder = realpathSync(mkdtempSync(join(hasRoom() ? MEMORY : tmpdir(), `qianzhi-${name}-`)));
  if (made.push(folder) === 1) {
    process.once('exit', () => {
      for (const one of made) rmSync(one, { recursive: true, force: true });
    });
  }
  return folder;
}
