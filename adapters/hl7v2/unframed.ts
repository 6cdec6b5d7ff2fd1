import type { FrameEvent, Framer } from './framing.ts';
import { beginsLine, beginsMessage, endOfPart, headerNames, isByteOrderMark, segmentFrom } from './take-apart.ts';

/** How much of a message over the limit is kept, so that its header can still be read for the answer. */
const headBytes = 64 * 1024;
/** What must be there to tell a header from text that looks like one. */
const headerBytes = 16;
/** With these a message or an envelope begins. */
const names = [...headerNames, 'BHS', 'bhs', 'Bhs', 'FHS', 'fhs', 'Fhs'];

/**
 * Messages without MLLP around them, as a few old senders write them (reference/hl7v2.md §3.2 point 17). One begins where a
 * line begins with MSH, and ends where the next begins; the last ends when the caller says so (`acceptOpenEnd`): at the end of
 * the connection, or when nothing has come for a while. An envelope (BHS, FHS) holds its messages together. The same pull side
 * as a framer's; what is held is at most one message and what came with it.
 */
export function createUnframed({ maxMessageBytes }: { maxMessageBytes: number }): Framer {
  let held: Buffer = Buffer.alloc(0);
  let start = 0;
  let end = 0;
  /** Behind `start` no message begins before this. */
  let searched = 0;
  /** What stands at `start` stands at the beginning of a line. */
  let startsAtLine = true;
  let isOpen = false;
  let isEnvelope = false;
  let messages = 0;
  let dead = false;
  /** Where each name was last found; each byte is searched once for each. */
  const found = new Map<string, number>();

  const drop = (count: number) => {
    start += count;
    searched = Math.max(start, searched);
    if (start < end) return;
    start = end = searched = 0;
    found.clear();
  };
  const append = (chunk: Uint8Array) => {
    if (end + chunk.length > held.length) {
      const next = Buffer.allocUnsafe(Math.max(headBytes, 2 * (end - start + chunk.length)));
      held.copy(next, 0, start, end);
      searched -= start;
      end -= start;
      start = 0;
      held = next;
    }
    held.set(chunk, end);
    end += chunk.length;
    found.clear();
  };
  /** The next name at or behind `from`; `end` when there is none. */
  const nextName = (from: number): number => {
    let nearest = end;
    for (const name of names) {
      let at = found.get(name) ?? -1;
      if (at < from) {
        const next = held.subarray(from, end).indexOf(name);
        at = next < 0 ? end : from + next;
        found.set(name, at);
      }
      nearest = Math.min(nearest, at);
    }
    return nearest;
  };
  const isAtLineStart = (at: number): boolean => beginsLine(held, at, start, startsAtLine);
  const beginsAt = (at: number): boolean =>
    isAtLineStart(at) && beginsMessage(held.subarray(at, Math.min(end, at + headerBytes)));

  const take = (count: number): FrameEvent => {
    const bytes = new Uint8Array(held.subarray(start, start + count));
    drop(count);
    startsAtLine = true;
    isOpen = false;
    return { kind: 'frame', bytes };
  };
  const abandon = () => {
    dead = true;
    isOpen = false;
    held = Buffer.alloc(0);
    start = end = 0;
  };
  const oversize = (): FrameEvent => {
    const head = new Uint8Array(held.subarray(start, Math.min(end, start + headBytes)));
    abandon();
    return { kind: 'oversize', head };
  };
  /** Not in the middle of a byte order mark. */
  const beforeMark = (at: number): number => {
    for (const back of [1, 2]) if (at - back >= start && isByteOrderMark(held, at - back)) return at - back;
    return at;
  };
  /** Goes to the beginning of a message; what is skipped and is more than blanks is told. */
  const open = (): FrameEvent | undefined => {
    let at = nextName(start);
    while (at < end && !beginsAt(at)) at = nextName(at + 1);
    isOpen = at < end;
    // The last bytes may still become a header.
    const upTo = isOpen ? at : beforeMark(Math.max(start, end - headerBytes));
    const isContent = segmentFrom(held.subarray(start, upTo), 0) < upTo - start;
    const count = upTo - start;
    const continues = isAtLineStart(upTo);
    drop(count);
    startsAtLine = continues;
    if (isOpen) {
      messages += 1;
      isEnvelope = /^[BF]HS/i.test(held.toString('latin1', start, start + 3));
      searched = start + 3;
    }
    return isContent ? { kind: 'garbage', count } : undefined;
  };
  /** Where the next message begins; -1 when that is not known yet. */
  const nextStart = (): number => {
    if (isEnvelope) return -1;
    for (;;) {
      const at = nextName(searched);
      // A name, or a header, may have come in part.
      searched = at === end ? Math.max(searched, end - 2) : at;
      if (at + headerBytes > end) return -1;
      if (beginsAt(at)) return at;
      searched = at + 1;
    }
  };

  return {
    push(chunk) {
      if (!dead && chunk.length > 0) append(chunk);
    },
    next() {
      if (dead || start === end) return undefined;
      if (!isOpen) {
        const garbage = open();
        if (garbage !== undefined || !isOpen) return garbage;
      }
      const next = nextStart();
      if ((next < 0 ? end : next) - start > maxMessageBytes) return oversize();
      return next < 0 ? undefined : take(endOfPart(held, start, next) - start);
    },
    heldBytes: () => end - start,
    openFrame: () => (isOpen ? messages : 0),
    endsOpen: () => isOpen,
    acceptOpenEnd: () => (isOpen ? take(endOfPart(held, start, end) - start) : undefined),
    abandon,
  };
}
