import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { storeFiles } from './open.ts';

/**
 * The loss detector: after each commit the highest numbers go to a 64-byte side file (no sync of its
 * own, synced once a second). At start, a side file that is ahead of the database means that
 * committed data has vanished from the tail, for example by a flipped bit in the WAL: QUE-4006.
 */
export interface HighWater {
  seq: number;
  outbox: number;
}

const MAGIC = 'QZHW1\0\0\0';

export interface HighWaterFile {
  /** What the file says; undefined when absent, torn or of another store. */
  read(): HighWater | undefined;
  write(value: HighWater): void;
  sync(): void;
  close(): void;
}

/** @param storeTag 8 bytes of the store id, so that another store's file is not believed. */
export function openHighWater(folder: string, storeTag: Uint8Array): HighWaterFile {
  const file = openSync(join(folder, storeFiles.highWater), 'a+', 0o600);
  closeSync(file);
  const fd = openSync(join(folder, storeFiles.highWater), 'r+');
  const block = Buffer.alloc(64);
  let dirty = false;
  return {
    read() {
      const bytes = Buffer.alloc(64);
      if (readSync(fd, bytes, 0, 64, 0) < 64) return undefined;
      if (bytes.toString('latin1', 0, 8) !== MAGIC || !bytes.subarray(8, 16).equals(storeTag)) return undefined;
      if (bytes.readUInt32BE(32) !== crc32(bytes.subarray(0, 32))) return undefined;
      return { seq: Number(bytes.readBigUInt64BE(16)), outbox: Number(bytes.readBigUInt64BE(24)) };
    },
    write(value) {
      block.write(MAGIC, 0, 'latin1');
      block.set(storeTag, 8);
      block.writeBigUInt64BE(BigInt(value.seq), 16);
      block.writeBigUInt64BE(BigInt(value.outbox), 24);
      block.writeUInt32BE(crc32(block.subarray(0, 32)), 32);
      writeSync(fd, block, 0, 64, 0);
      dirty = true;
    },
    sync() {
      if (!dirty) return;
      fsyncSync(fd);
      dirty = false;
    },
    close() {
      fsyncSync(fd);
      closeSync(fd);
    },
  };
}
