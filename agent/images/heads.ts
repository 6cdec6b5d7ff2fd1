/**
 * Beginnings of instances as they were received, kept until their headers are read, so that nothing has to be unsealed for that.
 * Only a short cut: whoever has no head reads the file, as after a start (invariant 12: they are few).
 */
export interface InstanceHead {
  /** Of its file in the spool. */
  file: string;
  /** Of the file's content, at most `HEAD_BYTES`, in a buffer of its own. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** From so much a header is read first (adapters/dicom/read-header.ts); few need more. Each goes to another thread and is garbage there. */
const HEAD_BYTES = 16 * 1024;
/** So many wait at most, and as many are with the reader: what a tenth of a second brings, and more. */
const MOST_HEADS = 32;

/** Takes an instance's bytes as they pass; gives the first of them. */
export function gatherHead(): { add(bytes: Uint8Array): void; bytes(): Uint8Array<ArrayBuffer> } {
  const head = Buffer.allocUnsafeSlow(HEAD_BYTES);
  let filled = 0;
  return {
    add(bytes) {
      if (filled === HEAD_BYTES) return;
      const more = bytes.subarray(0, HEAD_BYTES - filled);
      head.set(more, filled);
      filled += more.length;
    },
    bytes: () => head.subarray(0, filled),
  };
}

/** Heads on their way to the thread that reads headers. */
export interface HeadsToRead {
  /** Dropped where there are enough already. */
  put(head: InstanceHead): void;
  /** Those to be handed over now; none while the reader has not said that it is done with the last ones. */
  take(): InstanceHead[];
  /** The reader is done with what it was handed. */
  done(): void;
}

export function headsToRead(): HeadsToRead {
  const waiting: InstanceHead[] = [];
  let withReader = false;
  return {
    put(head) {
      if (waiting.length < MOST_HEADS) waiting.push(head);
    },
    take() {
      if (withReader) return [];
      withReader = waiting.length > 0;
      return waiting.splice(0);
    },
    done() {
      withReader = false;
    },
  };
}

/** Where the thread that reads headers keeps what it was handed. */
export interface HeadsInHand {
  put(heads: InstanceHead[]): void;
  /** Takes it out. Undefined: read the file. */
  take(file: string): Uint8Array | undefined;
}

export function headsInHand(): HeadsInHand {
  const heads = new Map<string, Uint8Array>();
  return {
    put(more) {
      // What nobody asked for was read from its file before it came.
      if (heads.size + more.length > 2 * MOST_HEADS) heads.clear();
      for (const { file, bytes } of more) heads.set(file, bytes);
    },
    take(file) {
      const bytes = heads.get(file);
      heads.delete(file);
      return bytes;
    },
  };
}
