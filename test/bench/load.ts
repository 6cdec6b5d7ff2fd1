import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { makeMessages } from './messages.ts';
import { cpuSeconds, rssMb } from './process.ts';

/** One burst of closed-loop load, one message in flight a connection. */
export interface LoadJob {
  port: number;
  /** The server's process, whose CPU and memory are read. */
  pid: number;
  connections: number;
  warmupMs: number;
  /** Measured after the warm-up. */
  windowMs: number;
  /** Instead of a window: so many messages, then the end. */
  count?: number;
}

export interface LoadResult {
  /** Acknowledged within the window, and since the start. */
  acked: number;
  ackedInAll: number;
  seconds: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  /** Of the server, in the window. */
  cpuSeconds?: number;
  peakRssMb?: number;
  bytes: number;
}

const patients = 2000;
const quantile = (sorted: Float64Array, q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;

/** Sends what `next` gives as long as it gives, each when the last was answered; rejects on any answer but AA with its id. */
async function sender(
  socket: Socket,
  next: () => { framed: Buffer; controlId: string } | undefined,
  took: (ms: number) => void,
) {
  await new Promise<void>((resolve, reject) => {
    let waitsFor = '';
    let sentMs = 0;
    let answer = '';
    const send = () => {
      const message = next();
      if (message === undefined) return resolve();
      waitsFor = message.controlId;
      sentMs = performance.now();
      socket.write(message.framed);
    };
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      if (!answer.endsWith('\x1c\r')) return;
      const now = performance.now();
      if (!answer.includes(`MSA|AA|${waitsFor}`)) return reject(new Error(`not acknowledged: ${answer.slice(0, 300)}`));
      answer = '';
      took(now - sentMs);
      send();
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server closed the connection')));
    send();
  });
}

const maker = makeMessages(patients);

async function run(job: LoadJob): Promise<LoadResult> {
  const sockets = await Promise.all(
    Array.from({ length: job.connections }, async () => {
      const socket = connect({ host: '127.0.0.1', port: job.port });
      await once(socket, 'connect');
      return socket.setNoDelay(true);
    }),
  );
  const latencies: number[] = [];
  let phase: 'warming' | 'measuring' | 'over' = job.count === undefined ? 'warming' : 'measuring';
  let started = 0;
  let ackedInAll = 0;
  let peakRssMb: number | undefined;
  let fromMs = performance.now();
  let cpuBefore = cpuSeconds(job.pid);
  const look = setInterval(() => {
    const now = rssMb(job.pid);
    if (phase === 'measuring' && now !== undefined) peakRssMb = Math.max(peakRssMb ?? 0, now);
  }, 100);
  let seconds = 0;
  let cpuUsed: number | undefined;
  const close = () => {
    seconds = (performance.now() - fromMs) / 1000;
    const after = cpuSeconds(job.pid);
    if (cpuBefore !== undefined && after !== undefined) cpuUsed = after - cpuBefore;
    phase = 'over';
  };
  const timers =
    job.count === undefined
      ? [
          setTimeout(() => {
            fromMs = performance.now();
            cpuBefore = cpuSeconds(job.pid);
            phase = 'measuring';
          }, job.warmupMs),
          setTimeout(close, job.warmupMs + job.windowMs),
        ]
      : [];
  const next = () => {
    if (phase === 'over' || (job.count !== undefined && started >= job.count)) return undefined;
    started++;
    return maker.next();
  };
  const took = (ms: number) => {
    ackedInAll++;
    if (phase === 'measuring') latencies.push(ms);
  };
  try {
    await Promise.all(sockets.map((socket) => sender(socket, next, took)));
  } finally {
    clearInterval(look);
    for (const timer of timers) clearTimeout(timer);
    for (const socket of sockets) {
      socket.removeAllListeners('close');
      socket.destroy();
    }
  }
  if (job.count !== undefined) close();
  const sorted = Float64Array.from(latencies).sort();
  return {
    acked: latencies.length,
    ackedInAll,
    seconds,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    maxMs: sorted.at(-1) ?? Number.NaN,
    ...(cpuUsed === undefined ? {} : { cpuSeconds: cpuUsed }),
    ...(peakRssMb === undefined ? {} : { peakRssMb }),
    bytes: maker.size,
  };
}

// The load generator is a process of its own: bench.ts forks it once and gives it one job after the other.
if (import.meta.main) {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (job: LoadJob) => {
    run(job).then(
      (result) => process.send?.({ result }),
      (error: Error) => process.send?.({ failed: error.message }),
    );
  });
  process.send?.({ ready: true });
}
