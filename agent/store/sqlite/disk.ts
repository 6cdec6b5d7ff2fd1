import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { storeFiles } from './open.ts';

/** normal, or what has stopped for want of space (invariant 7). */
export type DiskMode = 'normal' | 'mapping-stopped' | 'intake-stopped';

export interface DiskLimits {
  /** Share of the disk, 0–1, below which mapping stops. */
  mapping: number;
  /** Share below which intake stops. */
  intake: number;
  ballastBytes: number;
}
export const defaultDiskLimits: DiskLimits = { mapping: 0.04, intake: 0.02, ballastBytes: 64 * 1024 * 1024 };

export interface DiskGuard {
  mode(): DiskMode;
  freeBytes(): number;
  /** Reads the free space and moves the mode; call it every second or so. */
  look(): void;
  /** A write met a full disk: gives the ballast up so that deliveries, their marks and checkpoints go on. */
  full(): void;
}

/**
 * Watches the disk and keeps a ballast file of real blocks: on a full disk even DELETE and a checkpoint
 * fail in SQLite, and giving up the ballast is what lets them succeed.
 */
export function watchDisk(folder: string, limits: DiskLimits): DiskGuard {
  const path = join(folder, storeFiles.ballast);
  const unfinished = `${path}.new`;
  let mode: DiskMode = 'normal';
  let free = 0;
  // Given up for deliveries and their marks: what that made free is not room for anything else.
  let spent = false;

  const measure = (): number => {
    const s = statfsSync(folder);
    free = s.bavail * s.bsize;
    return s.blocks === 0 ? 1 : (free - (spent ? limits.ballastBytes : 0)) / (s.blocks * s.bsize);
  };

  const fill = (): void => {
    if (existsSync(path) && statSync(path).size >= limits.ballastBytes) return;
    if (free < limits.ballastBytes * 2) return;
    try {
      // Beside and renamed: after a power cut a file of the right size could have holes where its blocks should be.
      const fd = openSync(unfinished, 'w', 0o600);
      try {
        const block = Buffer.alloc(1024 * 1024, 0x51);
        for (let done = 0; done < limits.ballastBytes; done += block.length) {
          writeSync(fd, block, 0, Math.min(block.length, limits.ballastBytes - done));
        }
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      renameSync(unfinished, path);
      spent = false;
    } catch {
      drop(); // no room for it after all: half a ballast is none
    }
  };
  const drop = (): void => {
    for (const file of [path, unfinished]) if (existsSync(file)) unlinkSync(file);
  };

  const guard: DiskGuard = {
    mode: () => mode,
    freeBytes: () => free,
    look() {
      const share = measure();
      // A quarter above the limit before going back, so that the mode does not flutter.
      const back = (limit: number) => limit * 1.25;
      if (share < limits.intake || (mode === 'intake-stopped' && share < back(limits.intake))) mode = 'intake-stopped';
      else if (share < limits.mapping || (mode !== 'normal' && share < back(limits.mapping))) mode = 'mapping-stopped';
      else mode = 'normal';
      if (mode === 'normal') fill();
    },
    full() {
      spent ||= existsSync(path);
      drop();
      mode = 'intake-stopped';
    },
  };
  guard.look();
  return guard;
}
