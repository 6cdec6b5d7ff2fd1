import { createServer } from 'node:net';
import t, { type Test } from 'tap';
import { frame } from '../../../../adapters/hl7v2/framing.ts';
import { createConnection } from '../../../../adapters/sources/hl7-mllp/connection.ts';
import { createLargeFrames } from '../../../../adapters/sources/hl7-mllp/large-frames.ts';
import { onlyOwn } from '../../../../adapters/sources/hl7-mllp/parties.ts';
import { systemClock } from '../../../../agent/support/clock.ts';
import type { ErrorCode } from '../../../../agent/support/errors.ts';
import { intakeOf } from './intake-of.ts';
import { connectSender, oru, startListener, until } from './listener.ts';

/** What a connection asks of others, each of which fails, unlike anything that may happen. */
const asked = [
  ...['of', 'message', 'answered', 'problem', 'now', 'ackId'],
  ...['storeIsBehind', 'release', 'stored', 'noted', 'ticked'],
] as const;
type Asked = (typeof asked)[number];

interface Played {
  /** How often each was asked. */
  calls: Map<Asked, number>;
  accepted: string[];
  acked: string[];
  problems: ErrorCode[];
  faults: unknown[];
}

const several = (id: string, count: number) => Array.from({ length: count }, (_, n) => oru(`${id}${n}`)).join('');
/** One message; a batch whose answer is made in two turns; several with their answers; many lines; some with noise between. */
const script = [
  oru('ONE'),
  `BHS|^~\\&|LIS|HOSP\r${several('B', 70)}`,
  several('S', 70),
  `${oru('L')}${'MSH\r'.repeat(70_000)}`,
  ...Array.from({ length: 70 }, (_, n) => oru(`P${n}`)),
];
const messages = 1 + 70 + 70 + 1 + 70;

/** A sender plays the script to a connection in which one thing fails at its nth time. Resolves when the connection is over. */
async function play(t: Test, failing?: Asked, nth: number | 'always' = 0): Promise<Played> {
  const calls = new Map<Asked, number>();
  const may = (what: Asked) => {
    const n = (calls.get(what) ?? 0) + 1;
    calls.set(what, n);
    if (what === failing && (nth === 'always' || n === nth)) throw new TypeError('of ours');
  };
  const accepted: string[] = [];
  const problems: ErrorCode[] = [];
  const faults: unknown[] = [];
  let closed = 0;
  let ids = 0;
  const own = {
    rules: intakeOf('intake: {several_messages: each}').intake,
    async accept({ controlId }: { controlId: Uint8Array }) {
      await new Promise((resolve) => setImmediate(resolve));
      accepted.push(Buffer.from(controlId).toString());
      return { seq: accepted.length, outcome: 'stored' as const, controlIdReused: true };
    },
    message: () => may('message'),
    answered: () => may('answered'),
    problem: () => may('problem'),
  };
  const largeFrames = createLargeFrames(1, 1, 256 * 1024);
  let ticker: NodeJS.Timeout | undefined;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const connection = createConnection({
      socket,
      peer: '127.0.0.1',
      parties: {
        ...onlyOwn(own),
        of() {
          may('of');
          return own;
        },
      },
      limits: { maxMessageBytes: 16 * 1024 * 1024, idleMs: 60_000, frameMs: 60_000, firstByteMs: 60_000 },
      largeFrames: {
        ...largeFrames,
        release(holder) {
          may('release');
          largeFrames.release(holder);
        },
      },
      clock: {
        ...systemClock,
        monotonic() {
          if (ticker !== undefined) may('ticked');
          return systemClock.monotonic();
        },
        now() {
          may('now');
          return 0;
        },
      },
      ackId() {
        may('ackId');
        return `Q${ids++}`;
      },
      storeIsBehind() {
        may('storeIsBehind');
        return false;
      },
      notes: {
        stored: () => may('stored'),
        problem(code) {
          if (code === 'MLLP-2003') may('noted');
          problems.push(code);
        },
        fault: (error) => void faults.push(error),
        closed: () => void closed++,
      },
    });
    ticker = setInterval(connection.tick, 1);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const sender = await connectSender(t, typeof address === 'object' && address ? address.port : 0);
  sender.socket.end(Buffer.concat(script.flatMap((message) => [Buffer.from('x'), frame(Buffer.from(message))])));
  await sender.closed;
  await until(() => closed === 1);
  clearInterval(ticker);
  server.close();
  const acked = [...sender.received().matchAll(/\rMSA\|(\w\w)\|(\w+)/g)].map(([, code, id]) => `${code} ${id}`);
  return { calls, accepted, acked, problems: problems.filter((code) => code !== 'MLLP-2003'), faults };
}

t.test('without a fault all of the script is stored and answered', async (t) => {
  const { accepted, acked, problems, faults } = await play(t);
  t.equal(accepted.length, messages);
  t.same(
    acked,
    accepted.map((id) => `AA ${id}`),
  );
  t.same([problems, faults], [[], []]);
});

for (const failing of asked)
  t.test(`a fault of ours ends one connection, answered or not as far as it came: ${failing}`, async (t) => {
    const { calls } = await play(t);
    const times = calls.get(failing) ?? 0;
    t.ok(times >= 10, `asked ${times} times`);
    let ended = 0;
    for (const nth of [1, 2, 3, 5, 40, 65, 72, 100, 141, 142, 143, 144, 180, times, 'always'] as const) {
      if (nth !== 'always' && nth > times) continue;
      const { accepted, acked, problems, faults } = await play(t, failing, nth);
      const taken = acked.filter((ack) => ack.startsWith('AA')).map((ack) => ack.slice(3));
      t.same(
        taken.filter((id) => !accepted.includes(id)),
        [],
        'nothing is acknowledged that was not stored',
      );
      t.equal(new Set(accepted).size, accepted.length, 'nor stored twice');
      if (problems.length > 0) t.same(problems, ['MLLP-2015'], 'told once');
      else t.equal(acked.length, messages, 'all are answered, one of them with an error');
      if (problems.length > 0) t.match(faults[0], { message: 'of ours' });
      ended += problems.length;
    }
    t.ok(ended > 0);
  });

t.test('the sender, the log and the neighbours after a fault of ours', async (t) => {
  let failing = 0;
  const clock = {
    ...systemClock,
    now() {
      if (failing > 0) {
        failing -= 1;
        throw new TypeError('ZHANG^SAN');
      }
      return systemClock.now();
    },
  };
  const listener = await startListener(t, { clock });
  const neighbour = await connectSender(t, listener.port);
  neighbour.frames(oru('N1'));
  t.same(await neighbour.acks(1), ['AA:N1']);
  for (const id of ['F1', 'F2']) {
    const sender = await connectSender(t, listener.port);
    failing = 1;
    sender.frames(oru(id));
    await sender.closed;
    t.equal(sender.received(), '');
    t.same(listener.problems(), ['MLLP-2015']);
  }
  neighbour.frames(oru('N2'));
  t.same(await neighbour.acks(2), ['AA:N1', 'AA:N2']);
  const faults = listener.logged.filter(({ event }) => event === 'hl7-mllp fault');
  t.equal(faults.length, 1, 'a place is told of once');
  t.match(faults[0]?.fields.at, /^TypeError at /);
  t.notMatch(JSON.stringify(listener.logged), /ZHANG/);
});
