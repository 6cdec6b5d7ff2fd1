import { createServer } from 'node:net';

/**
 * A free loopback port below the ranges from which systems take ports for outgoing connections.
 * A listener that goes down and comes up again on the same port needs that: while it is down, a
 * client's own connection could be given the port, or connect to itself.
 */
export async function choosePort(taken: Iterable<number> = []): Promise<number> {
  const not = new Set(taken);
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (!not.has(port) && (await isFree(port))) return port;
  }
  throw new Error('no free port between 20000 and 31999');
}

/** True when 127.0.0.1, and ::1 where there is one, can be listened on. */
export async function isFree(port: number): Promise<boolean> {
  return (await canListen(port, '127.0.0.1')) && (await canListen(port, '::1'));
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE' && host === '::1'));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
