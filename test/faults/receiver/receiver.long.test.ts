import { readdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { Sender } from '../../adapters/sources/hl7-mllp/listener.ts';
import { makeRandom } from '../../demo/people.ts';
import { quantile, tried } from '../../long/figures.ts';
import { canReadProcesses, residentMemory } from '../../long/process-figures.ts';
import { chooseSeed } from '../seed.ts';
import { answersIn, framed, type Message, type Receiver, startReceiver } from './rig.ts';
import { playStreams } from './streams.ts';

const proof = process.env.QIANZHI_PROOF === '1';
const megabyte = 1024 * 1024;
const size = proof
  ? { frame: 1024, endless: 400, slow: 500, storm: 30, deaf: 16, streams: 1_000 }
  : { frame: 100, endless: 100, slow: 200, storm: 2, deaf: 4, streams: 32 };
/** Memory above what the agent had before that a case may take: two whole messages and their copies. */
const memoryBound = 64;
const frameSeconds = proof ? 5 : 1;
t.setTimeout(proof ? 1_800_000 : 600_000);

/** The agent under attack; the first test has one of its own. */
let receiver: Receiver;
const aa = ({ id }: Message) => `AA:${id}`;
const resident = () => (canReadProcesses ? residentMemory(receiver.pid) : undefined);
/** Begins a new peak of the agent's memory; gives what it has now, in MB. */
const beginPeak = (): number => {
  if (canReadProcesses) writeFileSync(`/proc/${receiver.pid}/clear_refs`, '5');
  return resident()?.nowMb ?? 0;
};
const table: string[] = [];
const tell = (name: string, what: string, beforeMb: number) => {
  const peakMb = resident()?.peakMb ?? 0;
  table.push(`${name.padEnd(34)} ${what}; RSS ${beforeMb.toFixed(0)} → at most ${peakMb.toFixed(0)} MB`);
  return peakMb - beforeMb;
};
const descriptors = (): number => (canReadProcesses ? readdirSync(`/proc/${receiver.pid}/fd`).length : 0);

/** Good senders from another address, one message after the other until told; how long each answer took. */
function others(
  t: { teardown(done: () => unknown): void },
  count: number,
): { end(): Promise<{ answered: number; wrong: string[]; waitsMs: number[] }> } {
  let going = true;
  t.teardown(() => {
    going = false;
  });
  const wrong: string[] = [];
  const waitsMs: number[] = [];
  const all = Array.from({ length: count }, async (_, n) => {
    const sender = await receiver.connect({ from: `127.0.0.${2 + n}` });
    for (let sent = 1; going; sent++) {
      const message = receiver.message();
      const at = performance.now();
      sender.send(framed(message));
      const last = (await sender.acks(sent)).at(-1);
      waitsMs.push(performance.now() - at);
      if (last !== aa(message)) {
        wrong.push(`${last} instead of ${aa(message)}`);
        break;
      }
      await sleep(5);
    }
    sender.socket.destroy();
  });
  return {
    async end() {
      going = false;
      await Promise.all(all);
      return { answered: waitsMs.length, wrong, waitsMs };
    },
  };
}
const wait = (waitsMs: number[]) => `p99 ${Math.round(quantile(waitsMs, 0.99))} ms`;

/** The agent has read on, or the connection is gone. */
const drained = ({ socket }: Sender) =>
  new Promise<void>((resolve) => {
    if (socket.destroyed) return resolve();
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });

/** Writes as a sender does that reads nothing before it has written everything; false when it was cut off. */
async function writeAll(sender: Sender, bytes: Uint8Array, times: number): Promise<boolean> {
  for (let n = 0; n < times; n++) {
    if (sender.socket.destroyed || sender.socket.errored) return false;
    if (!sender.socket.write(bytes)) await drained(sender);
  }
  return !sender.socket.destroyed;
}
const filler = Buffer.alloc(megabyte, 'QUJD');

await t.test(`a message of ${size.frame} MB: AR and its reason, bounded memory, nobody else notices`, async (t) => {
  // With the timeouts that a site has: however slowly it is written, the sender comes to its answer.
  receiver = await startReceiver(t);
  const beforeMb = beginPeak();
  const good = others(t, 2);
  const [small, large] = [receiver.message(), receiver.message('OBX|2|ED|PDF||^application^pdf^Base64^')];
  const sender = await receiver.connect();
  sender.socket.pause();
  sender.send(framed(small), framed(large).subarray(0, -2));
  t.equal(await writeAll(sender, filler, size.frame), true, 'the sender can write all of it');
  sender.send(Buffer.of(0x0d, 0x1c, 0x0d));
  sender.socket.resume();
  await sender.closed;
  t.same(await sender.acks(3), [aa(small), `AR:${large.id}`], 'and then finds its answer');
  t.match(answersIn(sender.received())[1]?.text, 'Message exceeds the size limit');
  const { answered, wrong, waitsMs } = await good.end();
  t.same(wrong, []);
  const status = await receiver.quiet();
  t.match(status.senders.find(({ address }) => address === '127.0.0.1')?.problem, { code: 'MLLP-2004' });
  t.match(receiver.log(), '"code":"MLLP-2004"', 'the reason stands in the log');
  const { stored, acked } = await receiver.audit(t);
  t.same([stored, acked], [answered + 1, answered + 1]);
  const moreMb = tell(`message of ${size.frame} MB`, `AR, closed; ${answered} others AA, ${wait(waitsMs)}`, beforeMb);
  t.ok(moreMb < memoryBound, `${moreMb.toFixed(0)} MB more`);
});

receiver = await startReceiver(t, {
  frame_timeout_seconds: frameSeconds,
  max_message_bytes: 4 * megabyte,
  max_connections: 1_000,
  max_connections_per_peer: 900,
});

t.test(`a frame without end, ${size.endless} MB and more: cut off, bounded memory`, async (t) => {
  const beforeMb = beginPeak();
  const good = others(t, 2);
  const unfinished = receiver.message('OBX|2|ED|PDF||');
  // One says what it is, one never does, one never even begins a frame; the last hears nothing of being refused.
  const openings = [framed(unfinished).subarray(0, -2), Buffer.from('\x0bNOT HL7 '), Buffer.from('GET / HTTP/1.1\r\n')];
  const deaf = openings.push(framed(receiver.message()).subarray(0, -2)) - 1;
  const answers: string[][] = [];
  await Promise.all(
    openings.map(async (opening, n) => {
      const sender = await receiver.connect();
      if (n === deaf) sender.socket.pause();
      sender.send(opening);
      let written = 0;
      // As fast as it goes, then as slowly as it takes: it never ends by itself.
      while (await writeAll(sender, filler, 1)) {
        written += 1;
        if (written >= size.endless) await sleep(50);
      }
      if (n !== deaf) answers[n] = await sender.acks(1);
    }),
  );
  // By size with its reason where that came first, by time without a word where that did; never taken.
  t.same(
    answers.filter((list) => list.length > 0 && list.join() !== `AR:${unfinished.id}`),
    [],
  );
  const { answered, wrong, waitsMs } = await good.end();
  t.same(wrong, []);
  const { stored, acked } = await receiver.audit(t);
  t.same([stored, acked], [answered, answered]);
  const moreMb = tell(
    'four streams without end',
    `cut off${answers.flat().length > 0 ? ' (one AR)' : ''}; ${answered} others AA, ${wait(waitsMs)}`,
    beforeMb,
  );
  t.ok(moreMb < memoryBound, `${moreMb.toFixed(0)} MB more`);
});

t.test(`${size.slow} slow connections beside good ones`, async (t) => {
  await receiver.quiet();
  const beforeMb = beginPeak();
  const slow = await Promise.all(Array.from({ length: size.slow }, () => receiver.connect()));
  const good = others(t, 8);
  // A third drips on without end, a third stands still inside a message, a third never begins one.
  for (const [n, sender] of slow.entries())
    if (n % 3 !== 2) sender.send(framed(receiver.message('NTE|1||')).subarray(0, 40 + (n % 60)));
  const drip = setInterval(() => {
    for (const [n, sender] of slow.entries()) if (n % 3 === 0 && !sender.socket.destroyed) sender.send('x');
  }, 100);
  const unfinished = slow.filter((_, n) => n % 3 !== 2);
  const mute = slow.filter((_, n) => n % 3 === 2);
  await Promise.all(unfinished.map(({ closed }) => closed));
  clearInterval(drip);
  const { answered, wrong, waitsMs } = await good.end();
  t.same(wrong, [], 'all the others were answered AA all the time');
  // Half of the mute ones go at last, the others begin to speak: nobody was thrown out for waiting.
  const late = mute.map(() => receiver.message());
  for (const [n, sender] of mute.entries())
    n % 2 === 0 ? sender.socket.resetAndDestroy() : sender.send(framed(late[n]!));
  const speaking = mute.filter((_, n) => n % 2 === 1);
  for (const sender of speaking) t.equal((await sender.acks(1)).length, 1);
  for (const { socket } of speaking) socket.destroy();
  t.same(unfinished.flatMap((sender) => sender.received()).join(''), '', 'nothing unfinished was answered');
  const { stored, acked } = await receiver.audit(t);
  t.same([stored, acked], [answered + speaking.length, answered + speaking.length]);
  const moreMb = tell(`${size.slow} slow connections`, `${answered} others AA, ${wait(waitsMs)}`, beforeMb);
  t.ok(moreMb < memoryBound, `${moreMb.toFixed(0)} MB more`);
});

t.test(`${size.deaf} senders that never read an answer: no longer read, closed, bounded memory`, async (t) => {
  await receiver.quiet();
  const beforeMb = beginPeak();
  const good = others(t, 2);
  const longId = 'X'.repeat(30_000);
  let sent = 0;
  await Promise.all(
    Array.from({ length: size.deaf }, async () => {
      const sender = await receiver.connect();
      sender.socket.pause();
      while (!sender.socket.destroyed && !sender.socket.errored) {
        // Answers of some size, so that what the system keeps for a reader is soon full.
        const messages = Array.from({ length: 10 }, () => receiver.message('', longId));
        sent += 10;
        if (!sender.socket.write(framed(...messages))) await drained(sender);
      }
    }),
  );
  const { answered, wrong, waitsMs } = await good.end();
  t.same(wrong, []);
  const status = await receiver.quiet();
  t.match(status.senders.find(({ address }) => address === '127.0.0.1')?.problem, { code: 'MLLP-2009' });
  const { stored } = await receiver.audit(t);
  t.ok(stored - answered < sent, `${stored - answered} of ${sent} were taken before the agent stopped reading`);
  const moreMb = tell(
    `${size.deaf} deaf senders`,
    `closed after ${stored - answered} messages; ${wait(waitsMs)}`,
    beforeMb,
  );
  t.ok(moreMb < memoryBound + size.deaf, `${moreMb.toFixed(0)} MB more`);
});

t.test(`reconnect storm: 200 connections a second for ${size.storm} s, half of them with a message`, async (t) => {
  await receiver.quiet();
  const beforeMb = beginPeak();
  const openBefore = descriptors();
  const good = others(t, 2);
  const running: Array<Promise<void>> = [];
  const wrongAnswers: string[] = [];
  let spoke = 0;
  const one = async (n: number) => {
    const sender = await receiver.connect();
    if (n % 2 === 1) {
      const message = receiver.message();
      sender.send(framed(message));
      if (n % 4 === 1) {
        spoke += 1;
        const answer = (await sender.acks(1))[0];
        if (answer !== aa(message)) wrongAnswers.push(`${answer} instead of ${aa(message)}`);
      }
    }
    if (n % 3 === 0) sender.socket.end();
    else if (n % 3 === 1) sender.socket.resetAndDestroy();
    else sender.socket.destroy();
  };
  const startedMs = performance.now();
  for (let n = 0; n < 200 * size.storm; n++) {
    running.push(one(n));
    const aheadMs = (n + 1) * 5 - (performance.now() - startedMs);
    if (aheadMs > 0) await sleep(aheadMs);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  await Promise.all(running);
  const { answered, wrong, waitsMs } = await good.end();
  t.same(wrong, []);
  t.same(wrongAnswers, [], `${spoke} that waited for their answer got it`);
  await receiver.quiet();
  const { acked } = await receiver.audit(t);
  t.ok(acked >= answered + spoke);
  t.ok(descriptors() <= openBefore + 2, 'no descriptor stays open');
  t.same(await receiver.tryOne(), ['AA:own']);
  const rate = Math.round((200 * size.storm) / seconds);
  const what = `${200 * size.storm} connections, ${rate}/s; ${answered} others AA, ${wait(waitsMs)}`;
  const moreMb = tell('reconnect storm', what, beforeMb);
  t.ok(moreMb < memoryBound, `${moreMb.toFixed(0)} MB more`);
});

const seed = chooseSeed();
t.test(`${size.streams} random streams (QIANZHI_SEED=${seed})`, async (t) => {
  await receiver.quiet();
  const beforeMb = beginPeak();
  const { messages, wrong } = await playStreams(receiver, makeRandom(seed), { streams: size.streams, items: 60 });
  t.same(wrong, []);
  const { stored } = await receiver.audit(t);
  t.equal(stored, messages + 1, 'all of them, and the one tried after the storm');
  tell(`${size.streams} random streams`, `${messages} messages, answers exact; seed ${seed}`, beforeMb);
});

t.test('the table', async (t) => {
  t.pass('what was tried');
  t.comment(tried('receiver under attack: floods, 1 GB, slow and vanishing senders', `${table.length} kinds`, 0));
  t.comment(['the receiver under attack', ...table.map((line) => `  ${line}`)].join('\n'));
});
