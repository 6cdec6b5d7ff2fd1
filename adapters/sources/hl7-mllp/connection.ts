import type { Socket } from 'node:net';
import type { Accepted, Incoming } from '../../../agent/store/contract.ts';
import type { Clock } from '../../../agent/support/clock.ts';
import { codeOf, type ErrorCode, errorTable } from '../../../agent/support/errors.ts';
import { type Answer, buildAck } from '../../hl7v2/ack.ts';
import { buildBatchAck } from '../../hl7v2/batch.ts';
import { createFramer, type FrameEvent, frame } from '../../hl7v2/framing.ts';
import type { IntakeRules } from '../../hl7v2/intake-rules.ts';
import { type Msh, readMsh } from '../../hl7v2/msh.ts';
import { type TakenApart, takeApart } from '../../hl7v2/take-apart.ts';
import type { LargeFrames } from './large-frames.ts';
import { type FrameVerdict, judgeFrame } from './verdict.ts';

/** Messages of one connection taken and not yet answered, beyond which it is not read. */
const mostUnanswered = 64;
/** Frames (or what is wrong between them) of one connection in one turn; then the others have theirs. */
const mostInTurn = 64;
/** Messages of one frame: its answer is held until the last of them is durable. */
const mostInBatch = 10_000;
/**
 * After our FIN what still comes in is thrown away, until the sender has been silent this long (and for the
 * time of a frame at most): many write their whole message before they read, and a reset would take the
 * answer from them.
 */
const lingerMs = 5000;
/** With `require_end: false`: silence after 0x1C that ends a frame. */
const openEndMs = 1000;

export interface ConnectionLimits {
  maxMessageBytes: number;
  idleMs: number;
  frameMs: number;
  firstByteMs: number;
}

/** What a connection tells its listener. */
export interface ConnectionNotes {
  problem(code: ErrorCode, count?: number): void;
  /** A message was taken for storing. */
  message(): void;
  /** An answer was written: `AA`, `AE`, `AR`. */
  answered(code: string): void;
  /** The store took a message, or (with its code) could not. Every waiting connection may try again. */
  stored(failure?: ErrorCode): void;
  closed(): void;
}

export interface ConnectionParts {
  socket: Socket;
  peer: string;
  rules: IntakeRules;
  limits: ConnectionLimits;
  largeFrames: LargeFrames;
  clock: Clock;
  accept(message: Omit<Incoming, 'source'>): Promise<Accepted>;
  /** True while the store is behind: nothing more is taken. */
  storeIsBehind(): boolean;
  ackId(): string;
  notes: ConnectionNotes;
}

export interface Connection {
  /** Looks at the timeouts; called regularly. */
  tick(): void;
  /** Goes on if what held it up is gone. */
  wake(): void;
  /** Takes no more bytes, answers what has been framed, then closes. */
  stop(): void;
  destroy(): void;
}

type StoreVerdict = Extract<FrameVerdict, { kind: 'store' }>;

interface Slot {
  settled: boolean;
  /** One a frame. */
  answers: Array<{ code: string; bytes: Uint8Array }>;
}
/** What is to be said about one message. */
interface Said {
  msh: Msh | undefined;
  answer: Answer;
}

/**
 * One sender's connection. Messages go to the store in the order received, several at a time if the
 * sender pipelines; answers leave in the same order, each only after its message is durable
 * (invariant 1). Whatever goes wrong here ends here (invariant 11).
 *
 * `open` reads and frames; `draining` pushes no new bytes but finishes what is framed; `lingering` has
 * sent FIN and throws away what still comes.
 */
export function createConnection(parts: ConnectionParts): Connection {
  const { socket, peer, rules, limits, largeFrames, clock, notes } = parts;
  const framer = createFramer({ maxMessageBytes: limits.maxMessageBytes, requireEnd: rules.require_end });
  const self = {};
  const slots: Slot[] = [];
  let phase: 'open' | 'draining' | 'lingering' | 'closed' = 'open';
  let peerEnded = false;
  let stopping = false;
  let unansweredBytes = 0;
  let writeBlocked = false;
  let waitsForPermit = false;
  /** Nothing after a batch goes to the store before the last of it. */
  let inBatch = false;
  let inGarbage = false;
  let garbageBytes = 0;
  let everFramed = false;

  let lastTick = clock.monotonic();
  const openedAt = lastTick;
  let lastActive = lastTick;
  let lastByteAt = lastTick;
  let lingerSince = 0;
  let openFrame = 0;
  let frameMs = 0;
  let blockedMs = 0;

  const destroy = () => socket.destroy();

  const flush = () => {
    while (slots[0]?.settled === true && phase !== 'closed') {
      for (const answer of slots.shift()?.answers ?? []) {
        if (!socket.writable) break;
        if (!socket.write(frame(answer.bytes))) writeBlocked = true;
        notes.answered(answer.code);
      }
    }
    lastActive = clock.monotonic();
  };
  const written = ({ msh, answer }: Said) => ({
    code: answer.code,
    bytes: buildAck(msh, answer, parts.ackId(), clock.now()),
  });
  const settle = (slot: Slot, msh: Msh | undefined, answer: Answer | undefined) => {
    if (answer !== undefined) slot.answers.push(written({ msh, answer }));
    slot.settled = true;
    flush();
  };
  const openSlot = (): Slot => {
    const slot: Slot = { settled: false, answers: [] };
    slots.push(slot);
    return slot;
  };
  const refuse = (msh: Msh | undefined, answer: Answer, code: ErrorCode) => {
    notes.problem(code);
    settle(openSlot(), msh, answer);
  };

  /** Makes a message durable; gives what is to be said about it, if anything. */
  const keep = async (bytes: Uint8Array, verdict: StoreVerdict): Promise<Answer | undefined> => {
    unansweredBytes += bytes.length;
    notes.message();
    let failure: ErrorCode | undefined;
    try {
      const accepted = await parts.accept({ bytes, controlId: verdict.msh.controlId, receivedMs: clock.now() });
      if (accepted.controlIdReused) notes.problem('HL7-2103');
    } catch (error) {
      failure = codeOf(error, 'QUE-4007');
    }
    unansweredBytes -= bytes.length;
    notes.stored(failure);
    const answer: Answer =
      failure === undefined
        ? { code: 'AA' }
        : // With the code that page and log show, so that both sides can talk about the same thing.
          { code: 'AE', condition: 207, text: `${failure} ${errorTable[failure].en.title}` };
    const said = failure === undefined ? verdict.success : verdict.failure;
    return said === 'answer' ? answer : undefined;
  };
  const store = async (bytes: Uint8Array, verdict: StoreVerdict) => {
    const slot = openSlot();
    settle(slot, verdict.msh, await keep(bytes, verdict));
    pump();
  };
  const judgeAndKeep = async (part: Uint8Array): Promise<Said | undefined> => {
    const verdict = judgeFrame(part, rules);
    if (verdict.kind === 'ignore') return undefined;
    if (verdict.kind === 'refuse') notes.problem(verdict.problem);
    // What goes to the store is in a buffer of its own.
    const answer = verdict.kind === 'refuse' ? verdict.answer : await keep(new Uint8Array(part), verdict);
    return answer && { msh: verdict.msh, answer };
  };
  /** Each message of a frame is judged and stored by itself. */
  const storeEach = async ({ envelope, parts: messages, miscounted }: TakenApart) => {
    const slot = openSlot();
    inBatch = true;
    if (miscounted) notes.problem('HL7-2107');
    const said: Said[] = [];
    for (let at = 0; at < messages.length; at += mostUnanswered) {
      const some = await Promise.all(messages.slice(at, at + mostUnanswered).map(judgeAndKeep));
      for (const one of some) if (one !== undefined) said.push(one);
    }
    slot.answers = answersTo(said, envelope);
    inBatch = false;
    slot.settled = true;
    flush();
    pump();
  };
  /** One frame back for a batch. Without an envelope one for each message, or by rule one for all. */
  const answersTo = (said: Said[], envelope: TakenApart['envelope']): Slot['answers'] => {
    if (envelope === undefined) {
      // What stands outside of the messages nobody waits to hear of, where a message is there to be answered.
      const messages = said.filter(({ msh }) => msh !== undefined);
      const told = messages.length > 0 ? messages : said;
      const [first] = told;
      if (rules.several_messages === 'each' || first === undefined) return told.map(written);
      const { answer } = told.find((one) => one.answer.code !== 'AA') ?? first;
      return [written({ msh: first.msh, answer })];
    }
    const first = said.find(({ answer }) => answer.code !== 'AA') ?? said[0];
    if (first === undefined) return [];
    const acks = said.map((one) => written(one).bytes);
    return [{ code: first.answer.code, bytes: buildBatchAck(envelope, acks, parts.ackId(), clock.now()) }];
  };

  const take = (event: FrameEvent) => {
    if (event.kind !== 'garbage') {
      inGarbage = false;
      garbageBytes = 0;
    }
    switch (event.kind) {
      case 'garbage':
        notes.problem('MLLP-2003', inGarbage ? 0 : 1);
        inGarbage = true;
        garbageBytes += event.count;
        // Endless bytes without a start block are another protocol.
        if (garbageBytes > limits.maxMessageBytes) destroy();
        return;
      case 'restarted':
        notes.problem('MLLP-2008');
        return;
      case 'oversize': {
        const msh = readMsh(event.head, rules.charset);
        phase = 'draining';
        notes.problem('MLLP-2004');
        if (msh !== undefined && msh.messageType.code.toUpperCase() !== 'ACK' && !msh.hasMsa)
          // AR: the same message would be refused for ever; with AE a sender's queue stands behind it.
          settle(openSlot(), msh, { code: 'AR', condition: 207, text: 'Message exceeds the size limit' });
        return;
      }
      case 'frame': {
        const apart = takeApart(event.bytes, mostInBatch, rules.charset);
        if (apart?.overfull === true) {
          const answer: Answer = { code: 'AR', condition: 207, text: 'Too many messages in one batch' };
          const { envelope } = apart;
          const header = envelope?.header && { ...envelope.header, controlId: envelope.controlId };
          return refuse(header, answer, 'MLLP-2004');
        }
        if (apart !== undefined) return void storeEach(apart);
        const verdict = judgeFrame(event.bytes, rules);
        if (verdict.kind === 'refuse') refuse(verdict.msh, verdict.answer, verdict.problem);
        else if (verdict.kind === 'store') void store(event.bytes, verdict);
        return;
      }
    }
  };

  /** Above the free part an unfinished message needs a permit; without one the connection is not read. */
  const checkPermit = () => {
    if (framer.heldBytes() <= largeFrames.freeBytes) {
      largeFrames.release(self);
      waitsForPermit = false;
    } else
      waitsForPermit = !largeFrames.request(self, peer, () => {
        waitsForPermit = false;
        updateReading();
      });
  };
  const mayTake = (): boolean =>
    !inBatch &&
    slots.length < mostUnanswered &&
    unansweredBytes <= limits.maxMessageBytes &&
    !writeBlocked &&
    !parts.storeIsBehind();
  const updateReading = () => {
    if (phase === 'closed') return;
    const reads = phase === 'lingering' || (phase === 'open' && !waitsForPermit && !yielded && mayTake());
    if (reads && socket.isPaused()) socket.resume();
    else if (!reads && !socket.isPaused()) socket.pause();
  };
  const linger = () => {
    phase = 'lingering';
    lingerSince = clock.monotonic();
    socket.end();
  };

  let pumping = false;
  let yielded = false;
  const pump = () => {
    if (pumping || yielded || phase === 'closed' || phase === 'lingering') return;
    pumping = true;
    let exhausted = false;
    for (let taken = 0; mayTake(); taken++) {
      if (taken === mostInTurn) {
        yielded = true;
        setImmediate(() => {
          yielded = false;
          pump();
        });
        break;
      }
      let event = framer.next();
      // After FIN a frame that lacks only its last byte may count, by rule; a partial one never does.
      if (event === undefined && peerEnded) event = framer.acceptOpenEnd();
      everFramed ||= framer.openFrame() > 0 || (event !== undefined && event.kind !== 'garbage');
      if (event === undefined) {
        exhausted = true;
        break;
      }
      take(event);
      if (socket.destroyed) break;
    }
    pumping = false;
    // Frames without content are some senders' sign of life.
    everFramed ||= lastByteAt > openedAt && !inGarbage;
    checkPermit();
    if (exhausted && phase === 'draining' && slots.length === 0) linger();
    updateReading();
  };

  const fail = (code: ErrorCode) => {
    notes.problem(code);
    // The frame is accounted for; `close` shall not report it again.
    stopping = true;
    destroy();
  };

  socket.setNoDelay(true);
  // A device that lost power leaves a half-open connection; the probes find out within minutes.
  socket.setKeepAlive(true, 60_000);
  socket.on('data', (chunk: Buffer) => {
    lastByteAt = clock.monotonic();
    if (phase !== 'open') return;
    framer.push(chunk);
    pump();
  });
  socket.on('end', () => {
    peerEnded = true;
    if (phase === 'open') phase = 'draining';
    pump();
  });
  socket.on('drain', () => {
    writeBlocked = false;
    blockedMs = 0;
    pump();
  });
  // A reset is told by `close`, which always follows.
  socket.on('error', () => {});
  socket.on('close', () => {
    phase = 'closed';
    largeFrames.release(self);
    if (framer.openFrame() > 0 && !stopping) notes.problem('MLLP-2005');
    notes.closed();
  });

  return {
    tick() {
      const now = clock.monotonic();
      const passed = now - lastTick;
      lastTick = now;
      if (phase === 'closed') return;
      if (phase === 'lingering') {
        const silentSince = Math.max(lingerSince, lastByteAt);
        if (now - silentSince >= lingerMs || now - lingerSince >= limits.frameMs) destroy();
        return;
      }
      blockedMs = writeBlocked ? blockedMs + passed : 0;
      if (blockedMs > limits.frameMs) return fail('MLLP-2009');
      pump();
      if (phase !== 'open' || socket.isPaused()) return;
      const current = framer.openFrame();
      if (current > 0) {
        // Only time in which we were reading counts against the sender.
        frameMs = current === openFrame ? frameMs + passed : 0;
        openFrame = current;
        if (framer.endsOpen() && now - lastByteAt >= openEndMs) {
          const event = framer.acceptOpenEnd();
          if (event !== undefined) take(event);
          pump();
        } else if (frameMs > limits.frameMs) fail('MLLP-2005');
        return;
      }
      openFrame = 0;
      if (slots.length > 0) return;
      const limit = everFramed ? Math.max(lastActive, lastByteAt) + limits.idleMs : openedAt + limits.firstByteMs;
      if (now > limit) linger();
    },
    wake: pump,
    stop() {
      if (phase !== 'open') return;
      stopping = true;
      phase = 'draining';
      pump();
    },
    destroy() {
      stopping = true;
      destroy();
    },
  };
}
