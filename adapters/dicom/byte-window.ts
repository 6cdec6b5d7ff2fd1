/** A file that can be read at any place. */
export interface SeekSource {
  /** Bytes of the whole file. */
  size: number;
  /** The bytes from `offset` on, `length` of them or fewer at the end of the file. */
  readAt(offset: number, length: number): Promise<Uint8Array>;
}

/** The piece of a file, or of what a file inflates to, that is in memory; it moves forward as it is asked to. */
export interface ByteWindow {
  bytes: Uint8Array;
  /** Offset of the first of `bytes`. */
  start: number;
  /**
   * Brings `length` bytes from `at` into the window. Gives how many of them there are: fewer at the end, 0 exactly at
   * it, negative when `at` lies beyond it.
   */
  load(at: number, length: number): Promise<number>;
}

const largestPiece = 64 * 1024;
const smallestPiece = 512;
/** A jump this short costs less as one more piece than as a read of its own. */
const near = 4096;

/**
 * A window that reads 64 KB first, then little where the walk jumps and more where it goes on step by step: the values
 * of large elements are never read.
 */
export function seekWindow(source: SeekSource): ByteWindow {
  let piece = largestPiece;
  let size = source.size;
  const window: ByteWindow = {
    bytes: new Uint8Array(0),
    start: 0,
    async load(at, length) {
      const left = size - at;
      if (left <= 0) return left;
      const wanted = Math.min(length, left);
      const end = window.start + window.bytes.length;
      if (at >= window.start && at + wanted <= end) return wanted;
      if (end > 0) piece = at <= end + near ? Math.min(piece * 2, largestPiece) : smallestPiece;
      window.bytes = await source.readAt(at, Math.max(wanted, Math.min(piece, left)));
      window.start = at;
      // Cut off while we read.
      if (window.bytes.length < wanted) size = at + window.bytes.length;
      return Math.min(wanted, window.bytes.length);
    },
  };
  return window;
}
