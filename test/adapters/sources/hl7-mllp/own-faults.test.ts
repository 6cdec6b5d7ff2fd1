import { createServer } from 'node:net';
import t, { type Test } from 'tap';
import { frame } from '../../../../adapters/hl7v2/framing.ts';
import { createConnection } from '../../../../adapters/sources/hl7-mllp/connection.ts';
import { createLargeFrames } from '../../../../adapters/sources/hl7-mllp/large-frames.ts';
import { onlyOwn } from '../../../../adapters/sources/hl7-mllp/parties.ts';
import { systemClock } from '../../../../agent/support/clock.ts';
import type { ErrorCode } from '../../../../agent/support/errors.ts';
import { intakeOf } from './intake-of.ts';
import { connectSender, oru, until } from './listener.ts';

/** What a connection asks of others, each of which fails once, unlike anything that may happen. */
const asked = ['of', 'message', 'answered', 'now', 'ackId', 'storeIsBehind', 'stored'] as const;
type Asked = (typeof asked)[number];

interface Played {
  /** How often each was asked. */
  calls: Map<Asked, number>;
  accepted: string[];
  acked: string[];
  problems: ErrorCode[];
}

const several = (id: string, count: number) => Array.from({ length: count }, (_, n) => oru(`${id}${n}`)).join('');
/** One message; a batch whose answer is made in two turns; several with their answers; many lines; some one after the other. */
const script = [
  oru('ONE'),
  `BHS|^~\\&|LIS|HOSP\r${several('B', 70)}`,
  several('S', 70),
  `${oru('L')}${'MSH\r'.repeat(70_000)}`,
  ...Array.from({ length: 70 }, (_, n) => oru(`P${n}`)),
];
const messages = 1 + 70 + 70 + 1 + 70;

/** A sender plays the script to a connection in which one thing fails at its nth time. Resolves when the connection is over. */
async function play(t: Test, failing?: Asked, nth = 0): Promise<Played> {
  const calls = new Map<Asked, number>();
  const may = (what: Asked) => {
    const n = (calls.get(what) ?? 0) + 1;
    calls.set(what, n);
    if (what === failing && n === nth) throw new TypeError('of ours');
  };
  const accepted: string[] = [];
  const problems: ErrorCode[] = [];
  let closed = 0;
  let ids = 0;
  const own = {
    rules: intakeOf('intake: {several_messages: each}').intake,
    async accept({ controlId }: { controlId: Uint8Array }) {
      await new Promise((resolve) => setImmediate(resolve));
      accepted.push(Buffer.from(controlId).toString());
      return { seq: accepted.length, outcome: 'stored' as const, controlIdReused: false };
    },
    message: () => may('message'),
    answered: () => may('answered'),
    problem() {},
  };
  const server = createServer(
    { allowHalfOpen: true },
    (socket) =>
      void createConnection({
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
        largeFrames: createLargeFrames(1, 1, 256 * 1024),
        clock: {
          ...systemClock,
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
          problem: (code) => void problems.push(code),
          closed: () => void closed++,
        },
      }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const sender = await connectSender(t, typeof address === 'object' && address ? address.port : 0);
  sender.socket.end(Buffer.concat(script.map((message) => frame(Buffer.from(message)))));
  await sender.closed;
  await until(() => closed === 1);
  server.close();
  const acked = [...sender.received().matchAll(/\rMSA\|(\w\w)\|(\w+)/g)].map(([, code, id]) => `${code} ${id}`);
  return { calls, accepted, acked, problems };
}

t.test('without a fault all of the script is stored and answered', async (t) => {
  const { accepted, acked, problems } = await play(t);
  t.equal(accepted.length, messages);
  t.same(
    acked,
    accepted.map((id) => `AA ${id}`),
  );
  t.same(problems, []);
});

for (const failing of asked)
  t.test(`a fault of ours ends one connection, answered or not as far as it came: ${failing}`, async (t) => {
    const { calls } = await play(t);
    const times = calls.get(failing) ?? 0;
    t.ok(times >= messages / 2, `asked ${times} times`);
    let ended = 0;
    for (const nth of [1, 2, 3, 5, 40, 65, 72, 100, 141, 142, 143, 144, 180, times]) {
      if (nth > times) continue;
      const { accepted, acked, problems } = await play(t, failing, nth);
      const taken = acked.filter((ack) => ack.startsWith('AA')).map((ack) => ack.slice(3));
      t.same(
        taken.filter((id) => !accepted.includes(id)),
        [],
        'nothing is acknowledged that was not stored',
      );
      t.equal(new Set(accepted).size, accepted.length, 'nor stored twice');
      if (problems.length > 0) t.same(problems, ['MLLP-2015'], 'told once');
      else t.equal(acked.length, messages, 'all are answered, one of them with an error');
      ended += problems.length;
    }
    t.ok(ended > 0);
  });
