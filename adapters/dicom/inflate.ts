import type { Transform } from 'node:stream';
import { createInflate, createInflateRaw, type Zlib } from 'node:zlib';
import type { ByteWindow, SeekSource } from './byte-window.ts';

/** Why no more bytes come: the stream's own end, the file's end before it, bytes that are no deflate stream, the limit. */
export type InflateEnd = 'end' | 'short' | 'damaged' | 'limit';

export interface InflatedWindow extends ByteWindow {
  /** Undefined while more may come. */
  ended(): InflateEnd | undefined;
  close(): void;
}

const piece = 64 * 1024;
const options = { chunkSize: piece };

/**
 * A window on the dataset of a deflated file (PS3.5 §A.5: RFC 1951; a zlib header, which some writers add, is
 * tolerated). It moves forward only; what it has passed is gone, so that memory stays at a few pieces. After
 * `limit` bytes of output it takes the stream for ended: a small file can inflate a thousandfold.
 */
export function inflatedWindow(source: SeekSource, from: number, limit: number): InflatedWindow {
  let chunks: AsyncIterator<Buffer> | undefined;
  let inflate: (Transform & Zlib) | undefined;
  let readAt = from;
  let total = 0;
  let end: InflateEnd | undefined;

  async function feed(into: Transform): Promise<void> {
    while (readAt < source.size && !into.destroyed) {
      const bytes = await source.readAt(readAt, Math.min(piece, source.size - readAt));
      if (bytes.length === 0) break;
      readAt += bytes.length;
      // The callback comes when the bytes are inflated and read, and also when the stream was closed under us.
      await new Promise<void>((resolve) => into.write(bytes, () => resolve()));
    }
    if (!into.destroyed) into.end();
  }

  async function next(): Promise<Buffer | undefined> {
    if (end !== undefined) return undefined;
    if (chunks === undefined) {
      const head = await source.readAt(from, 2);
      const [first = 0, second = 0] = head;
      inflate =
        first === 0x78 && (first * 256 + second) % 31 === 0 ? createInflate(options) : createInflateRaw(options);
      chunks = (inflate as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
      feed(inflate).catch((error: Error) => inflate?.destroy(error));
    }
    try {
      const { value, done } = await chunks.next();
      if (done === true) end = 'end';
      else if (total + value.length > limit) end = 'limit';
      else {
        total += value.length;
        return value;
      }
    } catch (error) {
      end = endOf(error);
    }
    inflate?.destroy();
    return undefined;
  }

  const window: InflatedWindow = {
    bytes: new Uint8Array(0),
    start: 0,
    ended: () => end,
    close: () => {
      end ??= 'limit';
      inflate?.on('error', () => {}).destroy();
    },
    async load(at, length) {
      while (at + length > window.start + window.bytes.length) {
        const more = await next();
        if (more === undefined) break;
        const kept = window.bytes.subarray(Math.max(0, Math.min(at - window.start, window.bytes.length)));
        window.start += window.bytes.length - kept.length;
        window.bytes = kept.length === 0 ? more : Buffer.concat([kept, more]);
      }
      return Math.min(length, window.start + window.bytes.length - at);
    },
  };
  return window;
}

/** Errors of zlib are the data's fault; any other is the source's, and not ours to hide. */
function endOf(error: unknown): InflateEnd {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'Z_BUF_ERROR') return 'short';
  if (typeof code === 'string' && code.startsWith('Z_')) return 'damaged';
  throw error;
}
