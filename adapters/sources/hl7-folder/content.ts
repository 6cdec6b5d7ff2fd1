import { createFramer } from '../../hl7v2/framing.ts';
import {
  type Cutter,
  createCutter,
  type InTurns,
  inTurns,
  lastHeaderIn,
  segmentFrom,
  type TakenApart,
  takingApart,
} from '../../hl7v2/take-apart.ts';
import type { OpenFile } from '../watching/open-file.ts';

/** What stands in a file, in its order. */
export type Content =
  /** Messages, and what stands outside of them; views that are good until the next is asked for. */
  | ({ kind: 'parts'; envelope: TakenApart['envelope'] } & Pick<TakenApart, 'parts' | 'headers'>)
  /** The parts until here belong together: a frame, or a file without frames. */
  | { kind: 'end'; miscounted: boolean }
  /** Frames with one message each: by themselves each, and given together for the store's sake. */
  | { kind: 'frames'; parts: Uint8Array[] }
  /** A message over the limit; nothing behind it is read. */
  | { kind: 'oversize' }
  /** Frames that are none: something between them, or one that never ended. */
  | { kind: 'broken-frames' };

export interface ContentOptions {
  framed: boolean;
  maxMessageBytes: number;
  requireEnd: boolean;
  /** Label of the source profile. */
  charset?: string | undefined;
  /** A buffer of the caller's that is free meanwhile. */
  piece: Uint8Array;
}

/** The file became shorter while it was read. */
export class EndedEarly extends Error {}

/** More parts than this are not cut out of a window at once; the bytes bound them anyhow. */
const everyPart = Number.MAX_SAFE_INTEGER;
/** Messages of one frame: each costs more than its bytes while it waits. */
const mostOfFrame = 100_000;
/** Bytes between frames that are line ends and blanks of a sender's taste. */
const mostBetweenFrames = 8;

/** What stands in a file, read piece by piece: never more of it is held than a window or one message. */
export function contentOf(file: OpenFile, options: ContentOptions): AsyncGenerator<Content> {
  return options.framed ? framesOf(file, options) : messagesOf(file, options);
}

const finished = <T>(work: InTurns<T>): Promise<T> => new Promise((resolve, reject) => inTurns(work, resolve, reject));

async function* framesOf(file: OpenFile, options: ContentOptions): AsyncGenerator<Content> {
  const { maxMessageBytes, requireEnd, charset, piece } = options;
  const framer = createFramer({ maxMessageBytes, requireEnd });
  let single: Uint8Array[] = [];
  function* together(): Generator<Content> {
    if (single.length > 0) yield { kind: 'frames', parts: single };
    single = [];
  }
  for (let offset = 0; ; ) {
    const event = framer.next() ?? (offset === file.size ? framer.acceptOpenEnd() : undefined);
    if (event?.kind === 'frame') {
      const apart = await finished(takingApart(event.bytes, mostOfFrame, charset));
      if (apart?.overfull) {
        yield* together();
        return yield { kind: 'oversize' };
      }
      if (apart === undefined) single.push(event.bytes);
      else {
        yield* together();
        yield* partsOf(event.bytes, apart);
      }
      continue;
    }
    yield* together();
    if (event === undefined) {
      if (offset === file.size) break;
      // The framer has taken in what it was given before.
      const length = await fill(file, piece, offset);
      framer.push(piece.subarray(0, length));
      offset += length;
    } else if (event.kind === 'oversize') {
      return yield { kind: 'oversize' };
    } else if (event.kind === 'restarted' || event.count > mostBetweenFrames) {
      return yield { kind: 'broken-frames' };
    }
  }
  if (framer.openFrame() > 0) yield { kind: 'broken-frames' };
}

/**
 * Windows that each end before a message begins. A window in which none does grows; so a file of any size costs no more than its
 * largest message.
 */
async function* messagesOf(file: OpenFile, options: ContentOptions): AsyncGenerator<Content> {
  const { maxMessageBytes, charset, piece } = options;
  let window = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
  let held = 0;
  let cutter: Cutter | undefined;
  for (let offset = 0; ; ) {
    const length = await fill(file, window.subarray(held), offset);
    offset += length;
    held += length;
    const bytes = window.subarray(0, held);
    const isLast = offset === file.size;
    if (isLast && cutter === undefined)
      return yield* partsOf(bytes, await finished(takingApart(bytes, everyPart, charset)));
    const upTo = isLast ? held : lastHeaderIn(bytes);
    if (upTo <= 0) {
      if (held > maxMessageBytes) return yield { kind: 'oversize' };
      window = Buffer.concat([bytes], Math.min(2 * held, maxMessageBytes + piece.length));
      continue;
    }
    cutter ??= createCutter(charset);
    const whole = bytes.subarray(0, upTo);
    const cut = await finished(cutter.cut(whole, segmentFrom(whole, 0), everyPart));
    yield { kind: 'parts', ...cut, envelope: cutter.envelope() };
    if (isLast) break;
    window.copyWithin(0, upTo, held);
    held -= upTo;
  }
  yield { kind: 'end', miscounted: cutter.miscounted() };
}

/** Reads on; as much as there is room for, or as there is. */
async function fill(file: OpenFile, into: Uint8Array, offset: number): Promise<number> {
  const wanted = Math.min(into.length, file.size - offset);
  const read = await file.readInto(into, wanted, offset);
  if (read < wanted) throw new EndedEarly();
  return read;
}

/** A payload held whole is taken apart as a frame of MLLP is. */
function* partsOf(payload: Uint8Array, apart: TakenApart | undefined): Generator<Content> {
  yield { kind: 'parts', parts: apart?.parts ?? [payload], headers: apart?.headers ?? [], envelope: apart?.envelope };
  yield { kind: 'end', miscounted: apart?.miscounted === true };
}
