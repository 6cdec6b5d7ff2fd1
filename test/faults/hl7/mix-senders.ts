import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { badSenders } from './mix-bad.ts';
import { answersIn, type Dialect, framed, makeMixed } from './mix-messages.ts';

/** What a process of senders is given as its one argument, in JSON; it goes on until a message comes. Good and bad ones each have a process of their own. */
export interface SendersJob {
  kind: 'good' | 'bad';
  ports: Array<Dialect & { port: number }>;
  /** Connections to each port; of bad ones there is one of each kind. */
  connections: number;
  /** Begins the ids of this process. */
  prefix: string;
  /** Where the report is written. */
  report: string;
}

export interface SendersReport {
  /** Answers of good senders: when they came (Unix ms), and how long each took. */
  waits: Array<[atMs: number, waitMs: number]>;
  /** Ids answered AA or CA, and ids answered otherwise. */
  acked: string[];
  refused: string[];
  /** What a good sender must not see. */
  wrong: string[];
  /** How often each kind of bad sender did what it does. */
  done: Record<string, number>;
}

/** A connection on which one message is sent after the other. */
export interface Line {
  socket: Socket;
  /** Answers so far; complete frames only. */
  answers(): Array<{ code: string; id: string }>;
  /** Resolves when there are that many answers, or the connection is gone. */
  answered(count: number): Promise<void>;
  closed: Promise<void>;
}

export async function openLine(port: number): Promise<Line> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.setNoDelay(true);
  const found: Array<{ code: string; id: string }> = [];
  let rest = '';
  let heard = () => {};
  socket.on('data', (chunk: Buffer) => {
    rest += chunk.toString('latin1');
    const end = rest.lastIndexOf('\x1c\r');
    if (end < 0) return;
    found.push(...answersIn(rest.slice(0, end + 2)));
    rest = rest.slice(end + 2);
    heard();
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  void closed.then(() => heard());
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve);
    socket.once('close', () => resolve());
  });
  return {
    socket,
    answers: () => found,
    async answered(count) {
      while (found.length < count && !socket.destroyed)
        await new Promise<void>((resolve) => {
          heard = resolve;
        });
    },
    closed,
  };
}

const job = JSON.parse(process.argv[2] ?? '{}') as SendersJob;
const report: SendersReport = { waits: [], acked: [], refused: [], wrong: [], done: {} };
let stopped = false;
process.once('message', () => {
  stopped = true;
});
process.once('disconnect', () => process.exit());
const goesOn = (): boolean => !stopped;

/** One message in flight, four a second: what a busy analyser does. */
async function playGood(dialect: Dialect & { port: number }, name: string): Promise<void> {
  await sleep(Math.random() * 250);
  const line = await openLine(dialect.port);
  for (let n = 0; goesOn(); n++) {
    const id = `${name}-${n}`;
    const at = performance.now();
    const before = line.answers().length;
    line.socket.write(framed(makeMixed(dialect, id, n)));
    await line.answered(before + dialect.answers.length);
    const heard = line.answers().slice(before);
    const wanted = dialect.answers.map((code) => `${code}:${id}`).join();
    const said = heard.map((answer) => `${answer.code}:${answer.id}`).join();
    if (said !== wanted) {
      report.wrong.push(`${said || 'nothing'} instead of ${wanted}`);
      break;
    }
    const now = performance.now();
    report.waits.push([performance.timeOrigin + now, now - at]);
    report.acked.push(id);
    await sleep(Math.max(0, 250 * (0.5 + Math.random()) - (now - at)));
  }
  line.socket.destroy();
}

const playing = job.ports.flatMap((dialect, p) =>
  job.kind === 'good'
    ? Array.from({ length: job.connections }, (_, n) => playGood(dialect, `${job.prefix}${p}${n}`))
    : Object.entries(badSenders).map(([kind, play]) =>
        play({
          dialect,
          name: `${job.prefix}${p}${kind}`,
          open: () => openLine(dialect.port),
          goesOn,
          heard(answers) {
            for (const { code, id } of answers) (/^.A$/.test(code) ? report.acked : report.refused).push(id);
          },
          did() {
            report.done[kind] = (report.done[kind] ?? 0) + 1;
          },
        }),
      ),
);
await Promise.all(playing);
writeFileSync(job.report, JSON.stringify(report));
process.exit();
