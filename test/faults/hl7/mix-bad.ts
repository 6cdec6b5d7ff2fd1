import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Dialect, framed, makeMixed } from './mix-messages.ts';
import type { Line } from './mix-senders.ts';

/** One bad sender of a port, for as long as it goes on. */
export interface Play {
  dialect: Dialect;
  /** Begins the ids of its messages. */
  name: string;
  open(): Promise<Line>;
  goesOn(): boolean;
  heard(answers: Array<{ code: string; id: string }>): void;
  /** It did once what it does. */
  did(): void;
}

const pauseMs = 200;
const pause = () => sleep(pauseMs * (0.5 + Math.random()));
/** A part of a frame, from its first byte to anything but its end. */
const beginningOf = (frame: Buffer): Buffer => frame.subarray(0, 1 + Math.floor(Math.random() * (frame.length - 2)));

/** A connection for each turn; what was heard on it is told. */
const turns =
  (turn: (line: Line, play: Play, id: string, n: number) => Promise<void>) =>
  async (play: Play): Promise<void> => {
    for (let n = 0; play.goesOn(); n++) {
      const line = await play.open();
      await turn(line, play, `${play.name}-${n}`, n);
      play.heard(line.answers());
      line.socket.destroy();
      play.did();
      await pause();
    }
  };

/** Everything that hospitals' devices and networks do to a listener, each by one sender a port. */
export const badSenders: Record<string, (play: Play) => Promise<void>> = {
  'reset within a frame': turns(async ({ socket }, { dialect }, id, n) => {
    socket.write(beginningOf(framed(makeMixed(dialect, id, n))));
    await sleep(20);
    socket.resetAndDestroy();
  }),

  'end within a frame': turns(async ({ socket, closed }, { dialect }, id, n) => {
    socket.end(beginningOf(framed(makeMixed(dialect, id, n))));
    await closed;
  }),

  'half a frame and silence': turns(async ({ socket, closed }, { dialect }, id, n) => {
    socket.write(beginningOf(framed(makeMixed(dialect, id, n))));
    await closed;
  }),

  'reset without waiting for the answer': turns(async ({ socket }, { dialect }, id, n) => {
    socket.write(framed(makeMixed(dialect, id, n)));
    await sleep(Math.random() * 10);
    socket.resetAndDestroy();
  }),

  'a byte at a time': turns(async (line, { dialect }, id, n) => {
    for (const byte of framed(makeMixed(dialect, id, n))) {
      if (line.socket.destroyed) return;
      line.socket.write(Uint8Array.of(byte));
      await sleep(8);
    }
    await line.answered(dialect.answers.length);
  }),

  garbage: turns(async ({ socket }, { goesOn }) => {
    while (!socket.destroyed && goesOn()) {
      // Everything but a start block.
      socket.write(randomBytes(16 * 1024).map((byte) => (byte === 0x0b ? 0x0a : byte)));
      await pause();
    }
  }),

  'too long a message': turns(async (line, { dialect }, id, n) => {
    line.socket.write(framed(makeMixed(dialect, id, n)).subarray(0, -2));
    const filler = Buffer.alloc(64 * 1024, 'QUJD');
    for (let sent = 0; sent < 24 && !line.socket.destroyed; sent++) {
      line.socket.write(filler);
      await sleep(10);
    }
    line.socket.end('\r\x1c\r');
    await line.closed;
    await sleep(1_000);
  }),

  'answers never read': turns(async ({ socket }, { dialect, name, goesOn }, _id, n) => {
    socket.pause();
    // Answers of some size, so that what the systems keep for a reader is soon full.
    for (let sent = 0; !socket.destroyed && goesOn(); sent++) {
      const message = makeMixed(dialect, `${name}-${n}-${sent}-${'X'.repeat(4_000)}`, 1);
      if (!socket.write(framed(message))) await sleep(200);
      await sleep(25);
    }
  }),

  'many at once': turns(async (line, { dialect, name, goesOn }, _id, n) => {
    let wanted = 0;
    for (let burst = 0; burst < 10 && goesOn() && !line.socket.destroyed; burst++) {
      const messages = Array.from({ length: 20 }, (_, i) => makeMixed(dialect, `${name}-${n}-${burst}-${i}`, i));
      const isBatch = burst === 9;
      const batch = Buffer.concat([Buffer.from('BHS|^~\\&|LIS|H\r'), ...messages, Buffer.from('BTS|20\r')]);
      line.socket.write(isBatch ? framed(batch) : Buffer.concat(messages.map(framed)));
      wanted += messages.length * dialect.answers.length;
      await line.answered(wanted);
      await pause();
    }
  }),
};
