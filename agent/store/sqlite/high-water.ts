import { closeSync, existsSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { errnoOf } from '../../support/errors.ts';
import { syncFolderNow } from '../../support/folders.ts';
import { storeFiles } from './open.ts';

/**
 * The loss detector: after each commit the highest numbers go to a 64-byte side file (no sync of its
 * own, synced once a second and at start). At start, a side file that is ahead of the database means that
 * committed data has vanished from the tail, for example by a flipped bit in the WAL: QUE-4006. One that is
 * gone or torn beside a database with messages means that this start cannot tell: QUE-4014.
 */
export interface HighWater {
  seq: number;
  outbox: number;
  /** Attempts ever begun: a lost mark of one would let a withdrawal believe that nothing was sent (invariant 6). */
  claims: number;
  /** Images: what the spool holds has to have its rows. */
  instances: number;
}

const MAGIC = 'QZHW2\0\0\0';
const block32 = (bytes: Buffer): number => crc32(bytes.subarray(0, 52));

export interface HighWaterFile {
  /** What the file says; undefined when absent, torn or of another store. */
  read(): HighWater | undefined;
  write(value: HighWater): void;
  sync(): void;
  close(): void;
}

/** @param storeTag 8 bytes of the store id, so that another store's file is not believed. */
export function openHighWater(folder: string, storeTag: Uint8Array): HighWaterFile {
  const path = join(folder, storeFiles.highWater);
  if (!existsSync(path)) {
    closeSync(openSync(path, 'a', 0o600));
    // A detector that a power cut takes away detects nothing.
    syncFolderNow(folder);
  }
  const fd = openSync(path, 'r+');
  const block = Buffer.alloc(64);
  let dirty = false;
  return {
    read() {
      const bytes = Buffer.alloc(64);
      if (readSync(fd, bytes, 0, 64, 0) < 64) return undefined;
      if (bytes.toString('latin1', 0, 8) !== MAGIC || !bytes.subarray(8, 16).equals(storeTag)) return undefined;
      if (bytes.readUInt32BE(40) !== crc32(bytes.subarray(0, 40))) return undefined;
      const at = (offset: number) => Number(bytes.readBigUInt64BE(offset));
      // Appended with images, under a sum of its own: a file of before says nothing of them.
      const instances = block32(bytes) === bytes.readUInt32BE(52) ? at(44) : 0;
      return { seq: at(16), outbox: at(24), claims: at(32), instances };
    },
    write(value) {
      block.write(MAGIC, 0, 'latin1');
      block.set(storeTag, 8);
      block.writeBigUInt64BE(BigInt(value.seq), 16);
      block.writeBigUInt64BE(BigInt(value.outbox), 24);
      block.writeBigUInt64BE(BigInt(value.claims), 32);
      block.writeUInt32BE(crc32(block.subarray(0, 40)), 40);
      block.writeBigUInt64BE(BigInt(value.instances), 44);
      block.writeUInt32BE(block32(block), 52);
      try {
        writeSync(fd, block, 0, 64, 0);
      } catch (error) {
        // On a full disk it stays behind, which raises no alarm; deliveries go on (invariant 7).
        if (errnoOf(error) !== 'ENOSPC') throw error;
        return;
      }
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
