import { type Msh, readMsh } from './msh.ts';

/** A payload that holds more than one message, or messages in an envelope (HL7 v2 §2.10.3). */
export interface TakenApart {
  /** Absent where messages only stand one after the other. */
  envelope?: {
    /** BHS (or FHS where there is none) read as a header: its fields 1 to 6 are those of MSH. Undefined when unreadable. */
    header: Msh | undefined;
    /** BHS-11 as sent; empty when there is none. */
    controlId: Uint8Array;
  };
  /**
   * The messages as received, from their MSH to before the next one or the trailer, and text that stands outside of them as
   * parts of its own: views of the payload, which together are all of it but the envelope's segments and blanks.
   */
  parts: Uint8Array[];
  /** For each part the header of the batch it stands in, which speaks for messages that name nobody. A file may have several. */
  headers: Array<Msh | undefined>;
  /** More parts than asked for; `parts` is not all of them. */
  overfull: boolean;
  /** BTS-1 or FTS-1 says another number than came. */
  miscounted: boolean;
}

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const isLineEnd = (byte: number | undefined): boolean => byte === carriageReturn || byte === lineFeed;
/** What tools put between texts: form feed, the end of a DOS text, filling, and marks of frames that are none. */
const marks = [0x0c, 0x1a, 0x00, 0x0b, 0x1c];
/** 1 for what stands between texts, 2 for marks there, else 0. Looked up: a frame may be 16 MB of them. */
const blanks = new Uint8Array(256);
for (const byte of [0x20, 0x09, carriageReturn, lineFeed]) blanks[byte] = 1;
for (const byte of marks) blanks[byte] = 2;
/** 256, beyond a payload, is in no table. */
const isBlank = (byte = 256): boolean => (blanks[byte] ?? 0) > 0;
const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;
const isAlphanumeric = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);

type SegmentName = 'MSH' | 'FHS' | 'BHS' | 'BTS' | 'FTS';
const code = (name: string): number => (name.charCodeAt(0) << 16) | (name.charCodeAt(1) << 8) | name.charCodeAt(2);
const names = new Map((['MSH', 'FHS', 'BHS', 'BTS', 'FTS'] as const).map((name) => [code(name), name]));

/** The name of the segment at `at`, if it is MSH or of the envelope. No text is made: it is asked of every line. */
function nameAt(payload: Uint8Array, at: number): SegmentName | undefined {
  const [a = 0, b = 0, c = 0] = [payload[at], payload[at + 1], payload[at + 2]];
  const name = names.get(((a & 0xdf) << 16) | ((b & 0xdf) << 8) | (c & 0xdf));
  if (name === undefined) return undefined;
  const next = payload[at + 3];
  return next === undefined || !isAlphanumeric(next) ? name : undefined;
}

/** `MSH|^~\&|`: text of a field may hold a line that only begins like a segment. */
function isHeader(payload: Uint8Array, at: number): boolean {
  const separator = payload[at + 3];
  if (separator === undefined || separator >= 0x80 || isBlank(separator)) return false;
  for (let end = at + 4; end <= at + 12; end++) {
    const byte = payload[end];
    if (byte === separator || byte === undefined || isLineEnd(byte)) return end > at + 4;
    if (isAlphanumeric(byte) || byte <= 0x20) return false;
  }
  return false;
}

/** Whether a message or an envelope begins with these bytes. */
export function beginsMessage(bytes: Uint8Array): boolean {
  const name = nameAt(bytes, 0);
  return (name === 'MSH' || name === 'BHS' || name === 'FHS') && isHeader(bytes, 0);
}

export const isByteOrderMark = (payload: Uint8Array, at: number): boolean =>
  payload[at] === 0xef && payload[at + 1] === 0xbb && payload[at + 2] === 0xbf;

/** Where the next segment begins: behind blanks, and behind the byte order mark of a file that was put behind another one. */
export function segmentFrom(payload: Uint8Array, from: number): number {
  for (let at = from; ; at += 3) {
    while (at < payload.length && blanks[payload[at] as number] !== 0) at++;
    if (!isByteOrderMark(payload, at)) return at;
  }
}

/**
 * Whether a line begins at `at`, but for blanks and marks before it.
 * @param first the first byte there is, and whether a line begins with it.
 */
export function beginsLine(payload: Uint8Array, at: number, first = 0, firstBegins = false): boolean {
  let before = at - 1;
  for (;;) {
    while (before >= first && blanks[payload[before] as number] !== 0 && !isLineEnd(payload[before])) before--;
    if (before < first + 2 || !isByteOrderMark(payload, before - 2)) break;
    before -= 3;
  }
  return before < first ? firstBegins : isLineEnd(payload[before]);
}

/** Whether a header stands at `at`, at the beginning of a line. */
const isHeaderOfLine = (payload: Uint8Array, at: number): boolean => beginsLine(payload, at) && isHeader(payload, at);

/** The usual ones first: one that is found ends the search. */
export const headerNames = ['MSH', 'msh', 'Msh', 'MSh', 'MsH', 'mSH', 'mSh', 'msH'];

/** Lines in one turn: a millisecond or two. A frame of 16 MB may be made of nothing else. */
const mostInTurn = 20_000;

/** Work that rests after each turn; what it comes to is returned. */
export type InTurns<T> = Generator<undefined, T, undefined>;

/** All of it at once. */
export function atOnce<T>(work: InTurns<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/**
 * Between its turns the others have theirs. What takes only one is done when this returns: `then` is called before that.
 * `failed` is called when the work throws, or `then` does.
 */
export function inTurns<T>(work: InTurns<T>, then: (result: T) => void, failed: (error: unknown) => void): void {
  try {
    const step = work.next();
    if (step.done) then(step.value);
    else setImmediate(() => inTurns(work, then, failed));
  } catch (error) {
    failed(error);
  }
}

/** So much is searched in one turn. */
const windowBytes = 256 * 1024;

/** Whether a header stands at the beginning of a line behind `from`. The search is the runtime's own: every message pays it. */
function* hasAnotherHeader(payload: Buffer, from: number): InTurns<boolean> {
  for (let start = from; start < payload.length; start += windowBytes) {
    if (start > from) yield;
    // With the rest of a name that begins at its end.
    const window = payload.subarray(start, start + windowBytes + 2);
    for (const name of headerNames) {
      for (let at = window.indexOf(name); at >= 0; at = window.indexOf(name, at + 3))
        if (isHeaderOfLine(payload, start + at)) return true;
    }
  }
  return false;
}

/** What is needed behind a header to tell that it is one. */
const headerBytes = 16;

/**
 * Where the last message begins that begins behind the first byte and can be told to; -1 when none does. There a payload may be
 * cut in two for a cutter.
 */
export function lastHeaderIn(payload: Buffer): number {
  let last = -1;
  for (const name of headerNames) {
    let at = payload.lastIndexOf(name, payload.length - headerBytes);
    while (at > Math.max(last, 0) && !isHeaderOfLine(payload, at)) at = payload.lastIndexOf(name, at - 1);
    if (at > 0) last = Math.max(last, at);
  }
  return last;
}

/**
 * Takes a payload apart that is a batch, or several messages one after the other (reference/hl7v2.md §3.2 points 41 and 42).
 * Undefined when it is one message, or nothing that has messages. Bytes, not text: segment ends never occur inside a UTF-8
 * or GB18030 character. Lines end in CR, LF or both, in the envelope and in the messages each as it likes. `most` bounds the
 * parts; `charset` is the label of the source profile. The payload is never written to.
 */
export function* takingApart(payload: Uint8Array, most: number, charset?: string): InTurns<TakenApart | undefined> {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const first = segmentFrom(payload, 0);
  const firstName = nameAt(payload, first);
  const isEnveloped = firstName === 'BHS' || firstName === 'FHS';
  if (!isEnveloped && !(yield* hasAnotherHeader(bytes, first + 1))) return undefined;

  const cutter = createCutter(charset);
  const { parts, headers } = yield* cutter.cut(payload, first, most);
  const envelope = cutter.envelope();
  if (cutter.messages() === 0 || (envelope === undefined && parts.length === 1)) return undefined;
  const overfull = parts.length > most;
  return { ...(envelope && { envelope }), parts, headers, overfull, miscounted: cutter.miscounted() };
}

/** The same at once. */
export const takeApart = (payload: Uint8Array, most: number, charset?: string): TakenApart | undefined =>
  atOnce(takingApart(payload, most, charset));

/** Cuts messages out of what comes in pieces, as a file does that is too large to be held whole. */
export interface Cutter {
  /**
   * The parts of a payload from `first` on, where a segment begins; a little more than `most` at most. The next payload begins
   * where a message does, or an envelope, and goes on with the envelope of this one.
   */
  cut(payload: Uint8Array, first: number, most: number): InTurns<Pick<TakenApart, 'parts' | 'headers'>>;
  envelope(): TakenApart['envelope'];
  messages(): number;
  miscounted(): boolean;
}

/** `charset` is the label of the source profile. */
export function createCutter(charset?: string): Cutter {
  let envelope: TakenApart['envelope'];
  let envelopeName = '';
  /** Of the batch that is being cut; where there is no BHS, FHS. */
  let current: Msh | undefined;
  let messages = 0;
  let inBatch = 0;
  let batches = 0;
  let miscounted = false;

  function* cut(payload: Uint8Array, first: number, most: number): ReturnType<Cutter['cut']> {
    const lineEnd = linesOf(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength));
    const parts: Uint8Array[] = [];
    const headers: Array<Msh | undefined> = [];
    let from: number | undefined;
    /** Of a later batch, where it stands: read when something stands in it. */
    let unread: [at: number, end: number] | undefined;
    const readCurrent = () => {
      if (unread !== undefined) current = readEnvelope(payload, ...unread, charset);
      unread = undefined;
    };
    const close = (at: number) => {
      if (from !== undefined) {
        readCurrent();
        parts.push(payload.subarray(from, endOfPart(payload, from, at)));
        headers.push(current);
      }
      from = undefined;
    };
    let lines = 0;
    for (let at = first; at < payload.length && parts.length <= most; ) {
      if (++lines % mostInTurn === 0) yield;
      const end = lineEnd(at);
      const next = segmentFrom(payload, end + 1);
      const name = nameAt(payload, at);
      if (name === 'MSH' && (at === first || isHeader(payload, at))) {
        close(at);
        from = at;
        messages += 1;
        inBatch += 1;
      } else if ((name === 'BHS' || name === 'FHS') && (at === first || startsAnother(payload, at, end, next))) {
        close(at);
        unread = [at, end];
        // The first BHS answers for all; FHS only where there is none.
        if (envelopeName !== 'BHS' && (name === 'BHS' || envelopeName === '')) {
          readCurrent();
          envelope = { header: current, controlId: current?.processingId ?? new Uint8Array(0) };
          envelopeName = name;
        }
        if (name === 'BHS') {
          batches += 1;
          inBatch = 0;
        }
      } else if (
        (name === 'BTS' || name === 'FTS') &&
        envelope !== undefined &&
        startsAnother(payload, at, end, next)
      ) {
        close(at);
        // What comes behind the end stands in no batch.
        current = unread = undefined;
        const said = countOf(payload, at, end);
        const came = name === 'BTS' ? inBatch : Math.max(batches, 1);
        if (said !== undefined && said !== came) miscounted = true;
      } else if (from === undefined) {
        from = at;
      }
      at = next;
    }
    close(payload.length);
    readCurrent();
    return { parts, headers };
  }

  return { cut, envelope: () => envelope, messages: () => messages, miscounted: () => miscounted };
}

/**
 * Before the first mark at the end of a part, if there is one; `next`: where the next part begins. A byte order mark is one
 * where a line begins with it: at the end of a line it may be a character of a field, or halves of two.
 */
export function endOfPart(payload: Uint8Array, from: number, next: number): number {
  let end = next;
  /** There the part ends if its line begins with what stands there. */
  let inLine: number | undefined;
  for (let at = next - 1; at > from; at--) {
    const kind = blanks[payload[at] as number] as number;
    if (kind === 0) {
      if (!isByteOrderMark(payload, at - 2)) break;
      inLine = at -= 2;
    } else if (kind === 2) {
      if (inLine === undefined) end = at;
      else inLine = at;
    } else if (inLine !== undefined && isLineEnd(payload[at])) {
      end = inLine;
      inLine = undefined;
    }
  }
  return end;
}

/** End of the line that begins at a position; positions only grow, so each byte is searched once. */
function linesOf(payload: Buffer): (at: number) => number {
  const next = { [carriageReturn]: -1, [lineFeed]: -1 };
  const after = (byte: typeof carriageReturn | typeof lineFeed, at: number): number => {
    if (next[byte] < at) {
      const found = payload.indexOf(byte, at);
      next[byte] = found < 0 ? payload.length : found;
    }
    return next[byte];
  };
  return (at) => Math.min(after(carriageReturn, at), after(lineFeed, at));
}

/** What looks like a segment of the envelope is one where only such a segment, a message or nothing follows it. */
function startsAnother(payload: Uint8Array, at: number, end: number, next: number): boolean {
  const separator = payload[at + 3];
  if (at + 3 < end && (separator === undefined || separator <= 0x20 || separator >= 0x80)) return false;
  return next >= payload.length || nameAt(payload, next) !== undefined;
}

/** BTS-1 or FTS-1; undefined when it is no number. */
function countOf(payload: Uint8Array, at: number, end: number): number | undefined {
  let from = at + 4;
  while (from < end && payload[from] === 0x20) from++;
  let count = 0;
  let to = from;
  for (; to < end && to < from + 9 && isDigit(payload[to]); to++) count = count * 10 + ((payload[to] ?? 0) - 0x30);
  return to === from || isDigit(payload[to]) ? undefined : count;
}

function readEnvelope(payload: Uint8Array, start: number, end: number, charset: string | undefined): Msh | undefined {
  // A copy: a slice of a Buffer would be the payload itself.
  const header = new Uint8Array(payload.subarray(start, end));
  header.set([0x4d, 0x53, 0x48]);
  return readMsh(header, charset);
}
