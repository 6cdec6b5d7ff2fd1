import type { Socket } from 'node:net';

/** The other end of a connection to a listener. */
export interface PeerSocket {
  /** What came and was not taken off yet. */
  received: Buffer;
  /** The listener has ended or cut the connection. */
  ended(): boolean;
  /** Waits until more came, or the end. */
  more(): Promise<void>;
  closed: Promise<void>;
}

/** Collects what comes on a socket, and answers the end of the other side with its own. Resolves when it is connected. */
export async function peerSocket(
  t: { teardown(done: () => unknown): void },
  socket: Socket,
  connected: 'connect' | 'secureConnect' = 'connect',
): Promise<PeerSocket> {
  t.teardown(() => socket.destroy());
  socket.setNoDelay(true);
  let ended = false;
  let heard = () => {};
  socket.on('data', (chunk: Buffer) => {
    peer.received = Buffer.concat([peer.received, chunk]);
    heard();
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => {
    const done = () => {
      ended = true;
      heard();
      resolve();
    };
    socket.once('end', () => {
      socket.end();
      done();
    });
    socket.once('close', done);
  });
  const peer: PeerSocket = {
    received: Buffer.alloc(0),
    ended: () => ended,
    more: () =>
      new Promise((resolve) => {
        heard = resolve;
        if (ended) resolve();
      }),
    closed,
  };
  await new Promise<void>((resolve, reject) => {
    socket.once(connected, resolve);
    socket.once('error', reject);
  });
  return peer;
}
