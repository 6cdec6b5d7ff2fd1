import { giveBack } from '../../agent/support/memory.ts';

/**
 * MLLP framing on bytes: 0x0B payload 0x1C 0x0D (HL7 LLP appendix §4; reference/hl7v2.md §3.2 points
 * 1–13). Bytes, not text: 0x0B, 0x1C and 0x0D never occur inside a UTF-8 or GB18030 character.
 */
export const startBlock = 0x0b;
export const endBlock = 0x1c;
export const carriageReturn = 0x0d;

/** How much of a frame over the limit is kept, so that its header can still be read for the answer. */
const headBytes = 64 * 1024;
const smallestBlock = 4 * 1024;
const largestBlock = 256 * 1024;

export interface FramerOptions {
  /** Largest payload taken, in bytes. */
  maxMessageBytes: number;
  /** False: a frame whose final 0x0D is missing is also taken (`acceptOpenEnd`, or 0x0B right after 0x1C). */
  requireEnd: boolean;
}

export type FrameEvent =
  /** A complete payload in an ArrayBuffer of its own. Never a partial one. */
  | { kind: 'frame'; bytes: Uint8Array }
  /** Bytes outside any frame were skipped. */
  | { kind: 'garbage'; count: number }
  /** 0x0B inside a frame: what had come of it is dropped. */
  | { kind: 'restarted'; dropped: number }
  /** The payload exceeds the limit. The framer takes nothing more; `head` is its beginning. */
  | { kind: 'oversize'; head: Uint8Array };

/**
 * Pull side of the framing: the caller takes one event at a time and can stop between two frames of one
 * chunk (back pressure), so that nothing beyond one chunk and one payload is ever held.
 */
export interface Framer {
  /** Hands over a chunk; it must stay unchanged until consumed. */
  push(chunk: Uint8Array): void;
  /** The next event, or undefined when more bytes are needed. */
  next(): FrameEvent | undefined;
  /** Payload bytes of the unfinished frame that are held. */
  heldBytes(): number;
  /** Number of the frame now open, counted from 1; 0 when between frames. */
  openFrame(): number;
  /** True when the last byte was 0x1C and all that is missing is 0x0D. */
  endsOpen(): boolean;
  /**
   * The other side has gone silent or finished: the frame that lacks only its final 0x0D, if the options
   * allow it. Anything else that is unfinished is never given.
   */
  acceptOpenEnd(): FrameEvent | undefined;
  /** The connection is gone, and with it what is held of an unfinished frame. */
  abandon(): void;
}

/** Collects a payload in blocks: no quadratic copying, and no object per byte when bytes come one by one. */
function createPayload() {
  let blocks: Array<Uint8Array<ArrayBuffer>> = [];
  let fill = 0;
  let size = 0;
  const clear = () => {
    for (const block of blocks) giveBack(block);
    blocks = [];
    fill = 0;
    size = 0;
  };
  const take = (limit: number): Uint8Array => {
    const whole = new Uint8Array(Math.min(size, limit));
    let at = 0;
    for (const block of blocks) {
      if (at === whole.length) break;
      const part = block.subarray(0, Math.min(block.length, whole.length - at));
      whole.set(part, at);
      at += part.length;
    }
    clear();
    return whole;
  };
  return {
    size: () => size,
    clear,
    take,
    append(bytes: Uint8Array) {
      let at = 0;
      while (at < bytes.length) {
        let block = blocks.at(-1);
        if (block === undefined || fill === block.length) {
          block = new Uint8Array(Math.min(largestBlock, Math.max(smallestBlock, size)));
          blocks.push(block);
          fill = 0;
        }
        const part = bytes.subarray(at, at + block.length - fill);
        block.set(part, fill);
        fill += part.length;
        size += part.length;
        at += part.length;
      }
    },
  };
}

/** Makes a framer for one connection. */
export function createFramer(options: FramerOptions): Framer {
  const { maxMessageBytes, requireEnd } = options;
  const payload = createPayload();
  const waiting: Buffer[] = [];
  let chunk: Buffer | undefined;
  let at = 0;
  /** Next 0x0B in the chunk at or after `at`; kept so that many 0x1C cost no repeated searches. */
  let nextStart = -2;
  let state: 'between' | 'inside' | 'after-end' | 'dead' = 'between';
  let frames = 0;

  const open = () => {
    state = 'inside';
    frames += 1;
  };
  const done = (bytes: Uint8Array): FrameEvent | undefined => {
    state = 'between';
    return bytes.length === 0 ? undefined : { kind: 'frame', bytes };
  };
  const oversize = (rest: Uint8Array): FrameEvent => {
    if (payload.size() < headBytes) payload.append(rest.subarray(0, headBytes - payload.size()));
    state = 'dead';
    chunk = undefined;
    waiting.length = 0;
    return { kind: 'oversize', head: payload.take(headBytes) };
  };
  const between = (bytes: Buffer): FrameEvent | undefined => {
    const start = bytes.indexOf(startBlock, at);
    const count = (start < 0 ? bytes.length : start) - at;
    at += count;
    if (start >= 0) {
      at += 1;
      open();
    }
    return count === 0 ? undefined : { kind: 'garbage', count };
  };
  /**
   * The next 0x1C before `limit` that may end the frame. One that is followed by another byte is content, and
   * is passed over here: a frame of nothing but 0x1C must cost no more than any other (invariant 11).
   */
  const findEnd = (bytes: Buffer, limit: number): number => {
    const part = bytes.subarray(0, limit);
    let end = part.indexOf(endBlock, at);
    while (end >= 0 && end + 1 < limit && part[end + 1] !== carriageReturn)
      end = part[end + 1] === endBlock ? end + 1 : part.indexOf(endBlock, end + 2);
    return end;
  };
  const inside = (bytes: Buffer): FrameEvent | undefined => {
    if (nextStart !== -1 && nextStart < at) nextStart = bytes.indexOf(startBlock, at);
    const end = findEnd(bytes, nextStart < 0 ? bytes.length : nextStart);
    const stop = end >= 0 ? end : nextStart >= 0 ? nextStart : bytes.length;
    const part = bytes.subarray(at, stop);
    if (payload.size() + part.length > maxMessageBytes) return oversize(part);
    if (end >= 0) {
      if (payload.size() === 0 && bytes[end + 1] === carriageReturn) {
        at = end + 2;
        return done(new Uint8Array(part));
      }
      payload.append(part);
      at = end + 1;
      state = 'after-end';
      return undefined;
    }
    if (nextStart >= 0) {
      const dropped = payload.size() + part.length;
      payload.clear();
      at = nextStart + 1;
      open();
      return { kind: 'restarted', dropped };
    }
    payload.append(part);
    at = bytes.length;
    return undefined;
  };
  const afterEnd = (bytes: Buffer): FrameEvent | undefined => {
    const byte = bytes[at];
    if (byte === carriageReturn) {
      at += 1;
      return done(payload.take(maxMessageBytes));
    }
    if (byte === startBlock && !requireEnd) return done(payload.take(maxMessageBytes));
    // 0x1C without 0x0D after it is content (point 7).
    const content = Uint8Array.of(endBlock);
    if (payload.size() + 1 > maxMessageBytes) return oversize(content);
    payload.append(content);
    state = 'inside';
    return undefined;
  };

  return {
    push(bytes) {
      if (state === 'dead' || bytes.length === 0) return;
      waiting.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    },
    next() {
      while (state !== 'dead') {
        if (chunk === undefined || at === chunk.length) {
          chunk = waiting.shift();
          at = 0;
          nextStart = -2;
          if (chunk === undefined) return undefined;
        }
        const event = state === 'between' ? between(chunk) : state === 'inside' ? inside(chunk) : afterEnd(chunk);
        if (event !== undefined) return event;
      }
      return undefined;
    },
    heldBytes: () => payload.size(),
    openFrame: () => (state === 'inside' || state === 'after-end' ? frames : 0),
    endsOpen: () => state === 'after-end',
    acceptOpenEnd: () => (state === 'after-end' && !requireEnd ? done(payload.take(maxMessageBytes)) : undefined),
    abandon() {
      state = 'dead';
      payload.clear();
    },
  };
}

/** Puts a payload into an MLLP frame. */
export function frame(payload: Uint8Array): Uint8Array {
  const framed = new Uint8Array(payload.length + 3);
  framed[0] = startBlock;
  framed.set(payload, 1);
  framed[payload.length + 1] = endBlock;
  framed[payload.length + 2] = carriageReturn;
  return framed;
}
