import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeRandom } from '../demo/people.ts';
import { makeMessages } from './messages.ts';
import { cpuSeconds, rssMb, serveJobs } from './process.ts';

/** One burst of load; on each connection one message in flight, as hospital systems send. */
export interface LoadJob {
  port: number;
  /** The server's process, whose CPU and memory are read. */
  pid: number;
  connections: number;
  /** What is answered before that counts for no latency and no rate. */
  warmupMs: number;
  /** Measured after the warm-up. */
  windowMs: number;
  /**
   * Open loop: messages arrive at random (Poisson) at this rate whatever the server does, and wait for a free
   * connection. Without it closed loop: each connection sends when it was answered.
   */
  perSecond?: number;
}

export interface LoadResult {
  /** Acknowledged within the window, and since the start. */
  acked: number;
  ackedInAll: number;
  seconds: number;
  /** Closed loop: from sending to the answer. Open loop: from the arrival, waiting for a connection included. */
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  /** Of the server, in the window. */
  cpuSeconds?: number;
  /** Of the load generator itself, in the window. */
  loadCpuSeconds?: number;
  peakRssMb?: number;
  bytes: number;
  /** Open loop: how late the generator itself was, 99th percentile. */
  lateP99Ms?: number;
}

const patients = 2000;
const quantile = (values: number[], q: number): number => {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
};

/** A connection on which one message after the other is sent. */
interface Line {
  send(answered: () => void): void;
}

const maker = makeMessages(patients);

/** `failed` is called on any answer but AA with the message's own id. */
function openLine(socket: Socket, failed: (error: Error) => void): Line {
  let waitsFor = '';
  let answer = '';
  let then = () => {};
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
    if (!answer.endsWith('\x1c\r')) return;
    if (!answer.includes(`MSA|AA|${waitsFor}`)) return failed(new Error(`not acknowledged: ${answer.slice(0, 300)}`));
    answer = '';
    then();
  });
  socket.on('error', failed);
  socket.on('close', () => failed(new Error('the server closed the connection')));
  return {
    send(answered) {
      const message = maker.next();
      waitsFor = message.controlId;
      then = answered;
      socket.write(message.framed);
    },
  };
}

interface Clocked {
  /** False when the time is over. */
  goesOn(): boolean;
  took(ms: number): void;
}

/** Each line sends as soon as it was answered, until the time is over. */
const closedLoop = (lines: Line[], { goesOn, took }: Clocked): Promise<unknown> =>
  Promise.all(
    lines.map(
      (line) =>
        new Promise<void>((resolve) => {
          const next = () => {
            if (!goesOn()) return resolve();
            const sentMs = performance.now();
            line.send(() => {
              took(performance.now() - sentMs);
              next();
            });
          };
          next();
        }),
    ),
  );

/** Arrivals after their own clock; resolves when the last is answered. */
async function openLoop(lines: Line[], perSecond: number, { goesOn, took }: Clocked): Promise<number[]> {
  const random = makeRandom(11);
  const idle = [...lines];
  const waiting: number[] = [];
  const late: number[] = [];
  const serve = () => {
    while (idle.length > 0 && waiting.length > 0) {
      const line = idle.pop()!;
      const arrivedMs = waiting.shift()!;
      line.send(() => {
        took(performance.now() - arrivedMs);
        idle.push(line);
        serve();
      });
    }
  };
  let dueMs = performance.now();
  while (goesOn()) {
    const now = performance.now();
    for (; dueMs <= now; dueMs += (-Math.log(1 - random()) * 1000) / perSecond) {
      late.push(now - dueMs);
      waiting.push(now);
    }
    serve();
    await sleep(Math.max(0, dueMs - performance.now()));
  }
  while (waiting.length > 0 || idle.length < lines.length) await sleep(5);
  return late;
}

async function run(job: LoadJob): Promise<LoadResult> {
  const sockets = await Promise.all(
    Array.from({ length: job.connections }, async () => {
      const socket = connect({ host: '127.0.0.1', port: job.port });
      await once(socket, 'connect');
      return socket.setNoDelay(true);
    }),
  );
  const latencies: number[] = [];
  let phase: 'warming' | 'measuring' | 'over' = 'warming';
  let ackedInAll = 0;
  let peakRssMb: number | undefined;
  let fromMs = performance.now();
  const used = () => [cpuSeconds(job.pid), cpuSeconds(process.pid)];
  let before = used();
  let cpu: Array<number | undefined> = [];
  let seconds = 0;
  const look = setInterval(() => {
    const now = rssMb(job.pid);
    if (phase === 'measuring' && now !== undefined) peakRssMb = Math.max(peakRssMb ?? 0, now);
  }, 100);
  const timers = [
    setTimeout(() => {
      fromMs = performance.now();
      before = used();
      phase = 'measuring';
    }, job.warmupMs),
    setTimeout(() => {
      seconds = (performance.now() - fromMs) / 1000;
      cpu = used().map((after, i) => (after === undefined || before[i] === undefined ? undefined : after - before[i]));
      phase = 'over';
    }, job.warmupMs + job.windowMs),
  ];
  const clocked: Clocked = {
    goesOn: () => phase !== 'over',
    took(ms) {
      ackedInAll++;
      // In the open loop a late answer belongs to an arrival in the window: leaving it out would flatter.
      if (phase === 'measuring' || (phase === 'over' && job.perSecond !== undefined)) latencies.push(ms);
    },
  };
  let late: number[] | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const lines = sockets.map((socket) => openLine(socket, reject));
      if (job.perSecond === undefined) closedLoop(lines, clocked).then(() => resolve(), reject);
      else {
        openLoop(lines, job.perSecond, clocked).then((found) => {
          late = found;
          resolve();
        }, reject);
      }
    });
  } finally {
    phase = 'over';
    clearInterval(look);
    for (const timer of timers) clearTimeout(timer);
    for (const socket of sockets) {
      socket.removeAllListeners('close');
      socket.destroy();
    }
  }
  const [server, generator] = cpu;
  return {
    acked: latencies.length,
    ackedInAll,
    seconds,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    maxMs: quantile(latencies, 1),
    ...(server === undefined ? {} : { cpuSeconds: server }),
    ...(generator === undefined ? {} : { loadCpuSeconds: generator }),
    ...(peakRssMb === undefined ? {} : { peakRssMb }),
    ...(late === undefined ? {} : { lateP99Ms: quantile(late, 0.99) }),
    bytes: maker.size,
  };
}

// A process of its own: bench.ts starts it once and gives it one job after the other.
if (import.meta.main) serveJobs(run);
