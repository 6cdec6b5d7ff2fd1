import type { Socket } from 'node:net';
import type { Clock } from '../../../agent/support/clock.ts';
import type { ErrorCode } from '../../../agent/support/errors.ts';
import { giveBack } from '../../../agent/support/memory.ts';
import { createFramer, type FrameEvent, frame } from '../../hl7v2/framing.ts';
import { createUnframed } from '../../hl7v2/unframed.ts';
import { type AnsweringParts, createAnswering, type StoreNotes } from './answering.ts';
import type { LargeFrames } from './large-frames.ts';

/** Frames (or what is wrong between them) of one connection in one turn; then the others have theirs. */
const mostInTurn = 64;
/**
 * After our FIN what still comes in is thrown away, until the sender has been silent this long (and for the
 * time of a frame at most): many write their whole message before they read, and a reset would take the
 * answer from them.
 */
const lingerMs = 5000;
/** Silence that ends what has no end of its own: with `require_end: false` after 0x1C, without framing anywhere. */
const openEndMs = 1000;

/** The first record of TLS, a ClientHello (RFC 8446 §5.1): nothing that may stand before a start block. */
const beginsTls = (bytes: Uint8Array): boolean => bytes[0] === 0x16 && bytes[1] === 0x03 && (bytes[2] ?? 5) < 5;

export interface ConnectionLimits {
  maxMessageBytes: number;
  idleMs: number;
  frameMs: number;
  firstByteMs: number;
}

/** What a connection tells its listener; of its messages it tells those whose they are. */
export interface ConnectionNotes extends StoreNotes {
  problem(code: ErrorCode, count?: number): void;
  /** Something was thrown that cannot be; the connection ends. */
  fault(error: unknown): void;
  closed(): void;
}

export interface ConnectionParts extends Pick<AnsweringParts, 'parties' | 'clock' | 'ackId'> {
  socket: Socket;
  peer: string;
  limits: ConnectionLimits;
  largeFrames: LargeFrames;
  clock: Clock;
  /** True while the store is behind: nothing more is taken. */
  storeIsBehind(): boolean;
  notes: ConnectionNotes;
}

export interface Connection {
  /** Looks at the timeouts; called regularly. */
  tick(): void;
  /** Goes on if what held it up is gone. */
  wake(): void;
  /** For how long it has been silent; undefined while something is under way. */
  silentMs(): number | undefined;
  /** Takes no more bytes, answers what has been framed, then closes. */
  stop(): void;
  destroy(): void;
}

/**
 * One sender's connection: its bytes, its timeouts and its end. Whatever goes wrong here ends here (invariant 11).
 *
 * `open` reads and frames; `draining` pushes no new bytes but finishes what is framed; `lingering` has
 * sent FIN and throws away what still comes.
 */
export function createConnection(parts: ConnectionParts): Connection {
  const { socket, peer, parties, limits, largeFrames, clock, notes } = parts;
  const { maxMessageBytes } = limits;
  const { rules } = parties.own;
  const framer =
    rules.framing === 'none'
      ? createUnframed({ maxMessageBytes })
      : createFramer({ maxMessageBytes, requireEnd: rules.require_end });
  const self = {};
  /** Given to the framer, and not all of it framed yet. */
  const pushed: Buffer[] = [];
  const givePushedBack = () => {
    for (const chunk of pushed) giveBack(chunk);
    pushed.length = 0;
  };
  let phase: 'open' | 'draining' | 'lingering' | 'closed' = 'open';
  let peerEnded = false;
  let stopping = false;
  let writeBlocked = false;
  let waitsForPermit = false;
  let inGarbage = false;
  let garbageBytes = 0;
  let heard = false;
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
  /** A fault of ours ends this connection, and nothing else (invariant 11). What its sender has not heard of, it sends again. */
  const faulted = (error: unknown) => {
    try {
      fail('MLLP-2015');
      notes.fault(error);
    } catch {
      // It is gone in any case; who is told of it must not bring down the others.
    }
  };
  const contained =
    <T extends unknown[]>(work: (...given: T) => void) =>
    (...given: T): void => {
      try {
        work(...given);
      } catch (error) {
        faulted(error);
      }
    };

  const answering = createAnswering({
    peer,
    parties,
    clock,
    ackId: parts.ackId,
    notes,
    send({ party, code, bytes }) {
      if (phase === 'closed' || !socket.writable) return;
      if (!socket.write(rules.answer_framing === 'mllp' ? frame(bytes) : bytes)) writeBlocked = true;
      party.answered(peer, code);
    },
    settled() {
      lastActive = clock.monotonic();
      pump();
    },
    failed: faulted,
  });

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
      case 'oversize':
        phase = 'draining';
        answering.refuseOversize(event.head);
        return;
      case 'frame':
        answering.take(event.bytes);
        return;
    }
  };

  const granted = contained(() => {
    waitsForPermit = false;
    updateReading();
  });
  /** Above the free part an unfinished message needs a permit; without one the connection is not read. */
  const checkPermit = () => {
    if (answering.holdsPayload()) return;
    if (framer.heldBytes() <= largeFrames.freeBytes) {
      largeFrames.release(self);
      waitsForPermit = false;
    } else waitsForPermit = !largeFrames.request(self, peer, granted);
  };
  const mayTake = (): boolean => answering.hasRoom() && !writeBlocked && !parts.storeIsBehind();
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
    if (pumping || yielded || socket.destroyed || phase === 'lingering') return;
    pumping = true;
    let exhausted = false;
    for (let taken = 0; mayTake(); taken++) {
      if (taken === mostInTurn) {
        yielded = true;
        setImmediate(
          contained(() => {
            yielded = false;
            pump();
          }),
        );
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
    if (exhausted) givePushedBack();
    // Frames without content are some senders' sign of life.
    everFramed ||= lastByteAt > openedAt && !inGarbage;
    checkPermit();
    if (exhausted && phase === 'draining' && answering.isIdle()) linger();
    updateReading();
  };

  const fail = (code: ErrorCode) => {
    if (socket.destroyed) return;
    // The frame is accounted for; `close` shall not report it again.
    stopping = true;
    destroy();
    notes.problem(code);
  };

  socket.setNoDelay(true);
  // A device that lost power leaves a half-open connection; the probes find out within minutes.
  socket.setKeepAlive(true, 60_000);
  const receive = (chunk: Buffer) => {
    lastByteAt = clock.monotonic();
    if (phase !== 'open') return giveBack(chunk);
    if (!heard && beginsTls(chunk)) return fail('MLLP-2012');
    heard = true;
    pushed.push(chunk);
    framer.push(chunk);
    pump();
  };
  const ended = () => {
    peerEnded = true;
    if (phase === 'open') phase = 'draining';
    pump();
  };
  const drained = () => {
    writeBlocked = false;
    blockedMs = 0;
    pump();
  };
  socket.on('data', contained(receive));
  socket.on('end', contained(ended));
  socket.on('drain', contained(drained));
  // A reset is told by `close`, which always follows.
  socket.on('error', () => {});
  const closed = () => {
    phase = 'closed';
    largeFrames.release(self);
    if (framer.openFrame() > 0 && !stopping) notes.problem('MLLP-2005');
    framer.abandon();
    givePushedBack();
  };
  socket.on('close', contained(closed));
  socket.on('close', notes.closed);

  const tick = () => {
    const now = clock.monotonic();
    const passed = now - lastTick;
    lastTick = now;
    if (socket.destroyed) return;
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
    if (!answering.isIdle()) return;
    const limit = everFramed ? Math.max(lastActive, lastByteAt) + limits.idleMs : openedAt + limits.firstByteMs;
    if (now > limit) linger();
  };

  return {
    tick: contained(tick),
    wake: contained(pump),
    silentMs() {
      const isIdle = phase === 'open' && answering.isIdle() && framer.openFrame() === 0;
      return isIdle ? clock.monotonic() - Math.max(lastActive, lastByteAt) : undefined;
    },
    stop: contained(() => {
      if (phase !== 'open') return;
      stopping = true;
      phase = 'draining';
      pump();
    }),
    destroy() {
      stopping = true;
      destroy();
    },
  };
}
