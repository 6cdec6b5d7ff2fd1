import { promisify } from 'node:util';
import { constants, zstdCompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { giveBack } from './memory.ts';

/** Level 1: measured best for our values and batches (reference/storage-and-delivery.md §5). */
const params = { [constants.ZSTD_c_compressionLevel]: 1 };
const compressApart = promisify(zstdCompress);

/** From here on room is a buffer of its own, not a share of Node's pool of 64 KB. */
const LEAST_ROOM = 1 << 15;
/** Room for what will come of a value, mostly all of it. Odd, so that no pool is as large. */
const roomFor = (likely: number): number => Math.min(1 << 20, Math.max(LEAST_ROOM, likely)) | 1;

/**
 * What zstd made, without the room it worked in. Node's stream behind it is found dead only with the next look among all, and
 * holds its room until then; as a share of the pool that would be all 64 KB of it, for each value of a few hundred bytes.
 */
function withoutRoom(made: Buffer, room: number): Buffer {
  if (made.length > room || made.buffer.byteLength !== room) return made;
  const own = Buffer.from(new Uint8Array(made).buffer);
  giveBack(new Uint8Array(made.buffer));
  return own;
}

/** Compresses at once. */
export function compressed(plain: Uint8Array): Buffer {
  const chunkSize = roomFor(plain.length >> 1);
  return withoutRoom(zstdCompressSync(plain, { chunkSize, params }), chunkSize);
}

/** Compresses beside the thread; the bytes must stay as they are meanwhile. The room, out of reach there, is the least. */
export const compressedBeside = (plain: Uint8Array): Promise<Buffer> =>
  compressApart(plain, { chunkSize: LEAST_ROOM, params });

/** The opposite. Throws Node's error when it is not zstd, or damaged. */
export function decompressed(bytes: Uint8Array): Buffer {
  const chunkSize = roomFor(bytes.length * 8);
  return withoutRoom(zstdDecompressSync(bytes, { chunkSize }), chunkSize);
}
