import { connect, createServer, type Server, type Socket } from 'node:net';
import { choosePort } from '../../platform/ports.ts';

/** What the line between agent and platform does to connections, those that stand and those to come. */
export type LineMode =
  | 'forward'
  /** The peer is gone without a FIN: nothing is forwarded either way, nothing is closed. */
  | 'vanished'
  /** RST as soon as the agent has sent `afterBytes` on one connection. */
  | { reset: number }
  /** FIN at the first bytes of a handshake. */
  | 'closed-in-handshake'
  /** What answers speaks HTTP without TLS. */
  | 'plain-http'
  /** One byte at a time, both ways, with a pause after each from the agent. */
  | { trickle: number };

/** A TCP line of ours before the platform. */
export interface Line {
  port: number;
  /** Ends what stands; what comes is treated so. `vanished` leaves standing connections standing. */
  set(mode: LineMode): void;
  /** Where new connections lead; ends what stands. */
  to(port: number): void;
  down(): Promise<void>;
  up(): Promise<void>;
}

export async function startLine(target: number): Promise<Line> {
  const port = await choosePort([target]);
  const pairs = new Set<{ near: Socket; far: Socket | undefined }>();
  let mode: LineMode = 'forward';
  let leadsTo = target;
  let servers: Server[] = [];

  function cut(): void {
    for (const { near, far } of pairs) {
      near.destroy();
      far?.destroy();
    }
    pairs.clear();
  }

  async function trickle(from: Socket, to: Socket, pauseMs: number): Promise<void> {
    for await (const piece of from) {
      for (const byte of piece as Buffer) {
        if (to.destroyed) return;
        to.write(Buffer.of(byte));
        await new Promise((resolve) => (pauseMs > 0 ? setTimeout(resolve, pauseMs) : setImmediate(resolve)));
      }
    }
    to.end();
  }

  function accept(near: Socket): void {
    const pair: { near: Socket; far: Socket | undefined } = { near, far: undefined };
    pairs.add(pair);
    near.on('error', () => {});
    near.on('close', () => {
      pairs.delete(pair);
      pair.far?.destroy();
    });
    const now = mode;
    if (now === 'vanished') return;
    if (now === 'closed-in-handshake') return void near.once('data', () => near.end());
    if (now === 'plain-http') return void near.once('data', () => near.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const far = connect({ port: leadsTo, host: '127.0.0.1', noDelay: true });
    pair.far = far;
    far.on('error', () => near.destroy());
    far.on('close', () => {
      // Who has vanished does not say goodbye.
      if (mode !== 'vanished') near.destroy();
    });
    near.setNoDelay(true);
    if (typeof now === 'object' && 'trickle' in now) {
      trickle(near, far, now.trickle).catch(() => far.destroy());
      trickle(far, near, 0).catch(() => near.destroy());
      return;
    }
    let sent = 0;
    near.on('data', (piece) => {
      sent += piece.length;
      if (mode === 'vanished') return;
      if (typeof now === 'object' && sent > now.reset) near.resetAndDestroy();
      else far.write(piece);
    });
    far.on('data', (piece) => {
      if (mode !== 'vanished') near.write(piece);
    });
  }

  async function up(): Promise<void> {
    for (const host of ['127.0.0.1', '::1']) {
      const server = createServer(accept);
      const listening = await new Promise<boolean>((resolve) => {
        server.once('error', () => resolve(false));
        server.listen({ port, host, exclusive: true }, () => resolve(true));
      });
      if (listening) servers.push(server);
      else if (host === '127.0.0.1') throw new Error('the port of the line is taken');
    }
  }

  await up();
  return {
    port,
    set(next) {
      if (next !== 'vanished') cut();
      mode = next;
    },
    to(next) {
      leadsTo = next;
      cut();
    },
    async down() {
      const closing = servers.map((server) => new Promise((resolve) => server.close(resolve)));
      servers = [];
      cut();
      await Promise.all(closing);
    },
    up,
  };
}
