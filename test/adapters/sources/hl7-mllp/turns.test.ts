import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { createAnswering } from '../../../../adapters/sources/hl7-mllp/answering.ts';
import { onlyOwn } from '../../../../adapters/sources/hl7-mllp/parties.ts';
import { systemClock } from '../../../../agent/support/clock.ts';
import { intakeOf } from './intake-of.ts';
import { oru, until } from './listener.ts';

/** A turn of the thread that took more than this of one frame's messages held up every other connection. */
const most = 64;

for (const [what, head, message] of [
  ['a batch', 'BHS|^~\\&|LIS|HOSP\r', oru('B1')],
  ['several messages in a frame', '', oru('S1')],
  ['messages that are all refused', '', 'MSH|^~\\&|A|B|C|D|2026||QRY^Q02|1|P|2.4\r'],
  ['acknowledgements, which are nothing to answer', '', 'MSH|^~\\&|A|B|C|D|2026||ACK|1|P|2.4\rMSA|AA|1\r'],
] as const)
  t.test(`${what}: ten thousand leave the other connections their turns`, async (t) => {
    const inTurn = { noted: 0, made: 0, sent: 0 };
    const longest = { ...inTurn };
    let turns = 0;
    let ended = false;
    const watch = async () => {
      while (!ended) {
        await nextTurn();
        turns += 1;
        for (const what of ['noted', 'made', 'sent'] as const) {
          longest[what] = Math.max(longest[what], inTurn[what]);
          inTurn[what] = 0;
        }
      }
    };
    const watching = watch();
    let acks = 0;
    const note = () => void inTurn.noted++;
    const answering = createAnswering({
      peer: '127.0.0.1',
      parties: onlyOwn({
        rules: intakeOf('intake: {several_messages: each, queries: refuse}').intake,
        accept: async () => ({ seq: 1, outcome: 'stored', controlIdReused: false }),
        message: note,
        answered() {},
        problem: note,
      }),
      clock: systemClock,
      ackId: () => `Q${inTurn.made++}`,
      notes: { stored() {} },
      send({ bytes }) {
        inTurn.sent += 1;
        acks += Buffer.from(bytes).toString('latin1').split('\rMSA|').length - 1;
      },
      settled() {},
      failed: () => t.fail(),
    });
    answering.take(Buffer.from(head + message.repeat(10_000)));
    await until(() => answering.isIdle());
    ended = true;
    await watching;
    t.equal(acks, message.includes('MSA') ? 0 : 10_000);
    t.ok(turns >= 10_000 / most, `${turns} turns in all`);
    t.ok(longest.noted <= most, `${longest.noted} were judged in one turn`);
    t.ok(longest.made <= most + 1, `${longest.made} answers were made in one turn`);
    t.ok(longest.sent <= most, `${longest.sent} were sent in one turn`);
  });

const lines = 500_000;
for (const [what, head, line] of [
  ['what looks like headers and is none', oru('L1'), 'MSH\r'],
  ['lines of a batch', `BHS|^~\\&|LIS\r${oru('L2')}`, 'Z\r'],
] as const)
  t.test(`a frame of very many lines is taken apart in turns: ${what}`, async (t) => {
    let settled = 0;
    const [stored, sent]: [number[], string[]] = [[], []];
    const answering = createAnswering({
      peer: '127.0.0.1',
      parties: onlyOwn({
        rules: intakeOf().intake,
        async accept({ bytes }) {
          stored.push(bytes.length);
          return { seq: 1, outcome: 'stored', controlIdReused: false };
        },
        message() {},
        answered() {},
        problem() {},
      }),
      clock: systemClock,
      ackId: () => 'Q1',
      notes: { stored() {} },
      send: ({ bytes }) => void sent.push(Buffer.from(bytes).toString('latin1')),
      settled: () => void settled++,
      failed: () => t.fail(),
    });
    answering.take(Buffer.from(head + line.repeat(lines)));
    let turns = 0;
    for (; !answering.isIdle(); turns++) {
      if (stored.length === 0) {
        t.notOk(answering.hasRoom(), 'nothing overtakes it');
        t.ok(answering.holdsPayload(), 'and its memory is counted');
      }
      await nextTurn();
    }
    t.ok(turns >= (lines * line.length) / (512 * 1024), `${turns} turns`);
    t.same(stored, [oru('L1').length + line.length * lines]);
    t.equal(sent.length, 1);
    t.match(sent[0], /\rMSA\|AA\|L/);
    t.ok(settled > 0);
    t.notOk(answering.holdsPayload());
  });
