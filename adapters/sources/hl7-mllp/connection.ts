import type { Socket } from 'node:net';
import type { Accepted, Incoming } from '../../../agent/store/contract.ts';
import type { Clock } from '../../../agent/support/clock.ts';
import { codeOf, type ErrorCode } from '../../../agent/support/errors.ts';
import { type Answer, buildAck } from '../../hl7v2/ack.ts';
import { createFramer, type FrameEvent, frame } from '../../hl7v2/framing.ts';
import type { IntakeRules } from '../../hl7v2/intake-rules.ts';
import { type Msh, readMsh } from '../../hl7v2/msh.ts';
import type { LargeFrames } from './large-frames.ts';
import { judgeFrame } from './verdict.ts';

/** Messages of one connection taken and not yet answered, beyond which it is not read. */
const mostUnanswered = 64;
/** After our FIN, how long what still comes in is thrown away, so that a reset does not overtake the answer. */
const lingerMs = 1000;
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
  let inGarbage = false;
  let garbageBytes = 0;
  let everFramed = false;

  let lastTick = clock.monotonic();
  const openedAt = lastTick;
  let lastActive = lastTick;
  let lastByteAt = lastTick;
  let lingerUntil = 0;
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

  const store = async (bytes: Uint8Array, verdict: Extract<ReturnType<typeof judgeFrame>, { kind: 'store' }>) => {
    const slot = openSlot();
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
    const answer: Answer = failure === undefined ? { code: 'AA' } : { code: 'AE', condition: 207 };
    const said = failure === undefined ? verdict.success : verdict.failure;
    settle(slot, verdict.msh, said === 'answer' ? answer : undefined);
    notes.stored(failure);
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
          settle(openSlot(), msh, { code: 'AE', condition: 207, text: 'Message exceeds the size limit' });
        return;
      }
      case 'frame': {
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
    slots.length < mostUnanswered &&
    unansweredBytes <= limits.maxMessageBytes &&
    !writeBlocked &&
    !parts.storeIsBehind();
  const updateReading = () => {
    if (phase === 'closed') return;
    const reads = phase === 'lingering' || (phase === 'open' && !waitsForPermit && mayTake());
    if (reads && socket.isPaused()) socket.resume();
    else if (!reads && !socket.isPaused()) socket.pause();
  };
  const linger = () => {
    phase = 'lingering';
    lingerUntil = clock.monotonic() + lingerMs;
    socket.end();
  };

  let pumping = false;
  const pump = () => {
    if (pumping || phase === 'closed' || phase === 'lingering') return;
    pumping = true;
    let exhausted = false;
    while (mayTake()) {
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
    if (phase !== 'open') return;
    lastByteAt = clock.monotonic();
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
        if (now >= lingerUntil) destroy();
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
