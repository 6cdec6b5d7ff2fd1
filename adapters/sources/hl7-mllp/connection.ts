import type { Socket } from 'node:net';
import type { Accepted, Incoming } from '../../../agent/store/contract.ts';
import type { Clock } from '../../../agent/support/clock.ts';
import { codeOf, type ErrorCode, errorTable } from '../../../agent/support/errors.ts';
import { type Answer, buildAck } from '../../hl7v2/ack.ts';
import { type Batch, buildBatchAck, splitBatch } from '../../hl7v2/batch.ts';
import { createFramer, type FrameEvent, frame } from '../../hl7v2/framing.ts';
import type { IntakeRules } from '../../hl7v2/intake-rules.ts';
import { type Msh, readMsh } from '../../hl7v2/msh.ts';
import type { LargeFrames } from './large-frames.ts';
import { type FrameVerdict, judgeFrame } from './verdict.ts';

/** Messages of one connection taken and not yet answered, beyond which it is not read. */
const mostUnanswered = 64;
/** Frames (or what is wrong between them) of one connection in one turn; then the others have theirs. */
const mostInTurn = 64;
/** Messages of one batch: its answer is held until the last of them is durable. */
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
  answer?: { code: string; bytes: Uint8Array };
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
      const answer = slots.shift()?.answer;
      if (answer === undefined) continue;
      if (socket.writable) {
        if (!socket.write(frame(answer.bytes))) writeBlocked = true;
        notes.answered(answer.code);
      }
    }
    lastActive = clock.monotonic();
  };
  const settle = (slot: Slot, msh: Msh | undefined, answer: Answer | undefined) => {
    if (answer !== undefined)
      slot.answer = { code: answer.code, bytes: buildAck(msh, answer, parts.ackId(), clock.now()) };
    slot.settled = true;
    flush();
  };
  const openSlot = (): Slot => {
    const slot: Slot = { settled: false };
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
  const judgeAndKeep = async (part: Uint8Array) => {
    const verdict = judgeFrame(part, rules);
    if (verdict.kind === 'ignore') return undefined;
    if (verdict.kind === 'refuse') notes.problem(verdict.problem);
    // What goes to the store is in a buffer of its own.
    const answer = verdict.kind === 'refuse' ? verdict.answer : await keep(part.slice(), verdict);
    return answer && { code: answer.code, bytes: buildAck(verdict.msh, answer, parts.ackId(), clock.now()) };
  };
  /** Each message of a batch is judged and stored by itself; the sender of one frame gets one frame back. */
  const storeBatch = async (batch: Batch) => {
    const slot = openSlot();
    inBatch = true;
    const acks: Array<{ code: string; bytes: Uint8Array }> = [];
    for (let at = 0; at < batch.messages.length; at += mostUnanswered) {
      const some = await Promise.all(batch.messages.slice(at, at + mostUnanswered).map(judgeAndKeep));
      for (const ack of some) if (ack !== undefined) acks.push(ack);
    }
    const first = acks.find(({ code }) => code !== 'AA') ?? acks[0];
    if (first !== undefined) {
      const bytes = acks.map((ack) => ack.bytes);
      slot.answer = { code: first.code, bytes: buildBatchAck(batch, bytes, parts.ackId(), clock.now()) };
    }
    inBatch = false;
    slot.settled = true;
    flush();
    pump();
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
        const batch = splitBatch(event.bytes, mostInBatch, rules.charset);
        if (batch?.overfull === true) {
          const answer: Answer = { code: 'AR', condition: 207, text: 'Too many messages in one batch' };
          return refuse(undefined, answer, 'MLLP-2004');
        }
        if (batch !== undefined) return void storeBatch(batch);
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
      const limit = everFramed ? lastActive + limits.idleMs : openedAt + limits.firstByteMs;
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
