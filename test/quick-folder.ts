import { existsSync, mkdtempSync, realpathSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
const ROOM_BYTES = 1e9;

const hasRoom = (): boolean => {
  if (!existsSync(MEMORY)) return false;
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize > ROOM_BYTES;
};

/** A new folder in memory where the system has room for it, for tests that have nothing to prove about syncs. */
export const quickFolder = (name: string): string =>
  realpathSync(mkdtempSync(join(hasRoom() ? MEMORY : tmpdir(), `qianzhi-${name}-`)));
