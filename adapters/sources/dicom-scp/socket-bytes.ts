import type { Socket } from 'node:net';
import { QianzhiError } from '../../../agent/support/errors.ts';

/** Bytes read ahead while the disk is written; beyond that the socket is not read. */
const mostAheadBytes = 256 * 1024;

/** A socket as bytes to be asked for, so that whoever asks slowly is sent slowly (back pressure). */
export interface SocketBytes {
  /** The next bytes; undefined when the peer has ended or the socket is closed. Rejects once after `fail`. */
  next(): Promise<Uint8Array | undefined>;
  /** Somebody waits for bytes that have not come: only then time counts against the peer. */
  waiting(): boolean;
  /** Ends the wait under way, or else the next one. */
  fail(error: Error): void;
  /** Writes; resolves when the peer may be sent more. Rejects with DCM-2243 when the socket is closed. */
  write(bytes: Uint8Array): Promise<void>;
  /** A write waits for the peer to read. */
  blocked(): boolean;
}

export function createSocketBytes(socket: Socket): SocketBytes {
  const chunks: Uint8Array[] = [];
  let ahead = 0;
  let ended = false;
  let failure: Error | undefined;
  let waiter: { resolve(bytes: Uint8Array | undefined): void; reject(error: Error): void } | undefined;
  let drained: (() => void) | undefined;

  const letGo = () => {
    drained?.();
    drained = undefined;
  };
  const end = () => {
    ended = true;
    waiter?.resolve(undefined);
    waiter = undefined;
  };
  socket.on('data', (chunk: Buffer) => {
    if (waiter !== undefined) {
      waiter.resolve(chunk);
      waiter = undefined;
      return;
    }
    chunks.push(chunk);
    ahead += chunk.length;
    if (ahead >= mostAheadBytes) socket.pause();
  });
  socket.on('end', end);
  socket.on('drain', letGo);
  // A reset is told by `close`, which always follows.
  socket.on('error', () => {});
  socket.on('close', () => {
    // Nobody is left to answer: what was read ahead is not taken any more.
    chunks.length = 0;
    end();
    letGo();
  });

  return {
    async next() {
      if (failure !== undefined) {
        const error = failure;
        failure = undefined;
        throw error;
      }
      const chunk = chunks.shift();
      if (chunk !== undefined) {
        ahead -= chunk.length;
        if (socket.isPaused() && ahead < mostAheadBytes) socket.resume();
        return chunk;
      }
      if (ended) return undefined;
      return new Promise((resolve, reject) => {
        waiter = { resolve, reject };
      });
    },
    waiting: () => waiter !== undefined,
    fail(error) {
      if (waiter === undefined) failure = error;
      else waiter.reject(error);
      waiter = undefined;
    },
    async write(bytes) {
      if (!socket.destroyed) {
        if (!socket.writable || socket.write(bytes)) return;
        await new Promise<void>((resolve) => {
          drained = resolve;
        });
      }
      if (socket.destroyed) throw new QianzhiError('DCM-2243');
    },
    blocked: () => drained !== undefined,
  };
}
