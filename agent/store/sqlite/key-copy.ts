import { createHmac } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { syncFolderNow } from '../../support/folders.ts';

/** What a store cannot be opened or go on without, in one row of the database each: written once and never changed. */
export interface StoreIdentity {
  /** 16 bytes. */
  storeId: Uint8Array;
  /** Index key, wrapped. */
  indexKey: Uint8Array;
  agentId: string;
  demo: boolean;
}

const FILE = 'key-copy';
const MAGIC = 'QZKC1\0\0\0';

/** Of the key and the store: tells a wrong key from a damaged entry. */
const checkOf = (kek: Uint8Array, storeId: Uint8Array): Buffer =>
  createHmac('sha256', kek).update('kek-check').update(storeId).digest().subarray(0, 16);

/**
 * The copy beside the database: one bit in the page of that row, and everything behind its keys would be lost.
 * Undefined when there is none, it is torn, or it is not of this key.
 */
export function readKeyCopy(folder: string, kek: Uint8Array): StoreIdentity | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(folder, FILE));
  } catch {
    return undefined;
  }
  const end = bytes.length - 4;
  if (end < 46 || bytes.toString('latin1', 0, 8) !== MAGIC || crc32(bytes.subarray(0, end)) !== bytes.readUInt32BE(end))
    return undefined;
  const storeId = new Uint8Array(bytes.subarray(8, 24));
  if (!bytes.subarray(24, 40).equals(checkOf(kek, storeId))) return undefined;
  const wrapped = bytes.readUInt16BE(41);
  return {
    storeId,
    demo: bytes[40] === 1,
    indexKey: new Uint8Array(bytes.subarray(43, 43 + wrapped)),
    agentId: bytes.toString('latin1', 43 + wrapped, end),
  };
}

/** Durable when it returns; without room for it the store goes on, and tries again at the next start. */
export function writeKeyCopy(folder: string, kek: Uint8Array, identity: StoreIdentity): void {
  const { storeId, indexKey, agentId, demo } = identity;
  const head = Buffer.alloc(43);
  head.write(MAGIC, 0, 'latin1');
  head.set(storeId, 8);
  head.set(checkOf(kek, storeId), 24);
  head[40] = demo ? 1 : 0;
  head.writeUInt16BE(indexKey.length, 41);
  const body = Buffer.concat([head, indexKey, Buffer.from(agentId, 'latin1')]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  const beside = join(folder, `${FILE}.new`);
  try {
    const file = openSync(beside, 'w', 0o600);
    try {
      writeSync(file, Buffer.concat([body, sum]));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, join(folder, FILE));
    syncFolderNow(folder);
  } catch (error) {
    if (typeof (error as { syscall?: unknown }).syscall !== 'string') throw error;
  }
}
