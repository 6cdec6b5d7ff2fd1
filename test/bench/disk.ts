import { closeSync, fdatasyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export interface DiskRate {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

/** The disk's own pace: 4 KB written and fdatasync'd, one after the other, as a write-ahead log does. */
export function measureDisk(folder: string, ms: number): DiskRate {
  const path = join(folder, 'fdatasync-probe');
  const fd = openSync(path, 'w', 0o600);
  const block = Buffer.alloc(4096, 0x51);
  const took: number[] = [];
  const started = performance.now();
  try {
    for (let now = started; now - started < ms; ) {
      writeSync(fd, block);
      fdatasyncSync(fd);
      const after = performance.now();
      took.push(after - now);
      now = after;
    }
  } finally {
    closeSync(fd);
    unlinkSync(path);
  }
  const sorted = Float64Array.from(took).sort();
  const at = (q: number) => sorted[Math.floor(sorted.length * q)] ?? Number.NaN;
  return { perSecond: (took.length * 1000) / (performance.now() - started), p50Ms: at(0.5), p99Ms: at(0.99) };
}
