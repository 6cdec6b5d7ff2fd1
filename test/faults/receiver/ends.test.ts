import { once } from 'node:events';
import t from 'tap';
import { framed, type Message, startReceiver } from './rig.ts';

t.setTimeout(600_000);
// All senders of a test have one address.
const receiver = await startReceiver(t, { max_connections_per_peer: 64 });
const aa = ({ id }: Message) => `AA:${id}`;

/** Runs for every number below `count`, 32 at a time. */
async function forEach(count: number, run: (n: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += 32)
    await Promise.all(Array.from({ length: Math.min(32, count - from) }, (_, i) => run(from + i)));
}
const frameLength = framed(receiver.message()).length;
const problem = async () => (await receiver.quiet()).senders[0]?.problem;

t.test('FIN after any number of bytes of a message: only the whole one is stored and answered', async (t) => {
  const answered: string[] = [];
  const wanted: string[] = [];
  await forEach(frameLength + 4, async (n) => {
    const message = receiver.message();
    const frame = framed(message);
    if (n >= frame.length) wanted.push(aa(message));
    const sender = await receiver.connect();
    sender.send(frame.subarray(0, n));
    sender.socket.end();
    await sender.closed;
    answered.push(...(await sender.acks(1)));
  });
  t.same(answered.sort(), wanted.sort());
  const { stored, acked } = await receiver.audit(t);
  t.same([stored, acked], [wanted.length, wanted.length]);
  // Whoever sent something and did not finish it is counted; who sent nothing did nothing wrong.
  t.match(await problem(), { code: 'MLLP-2005', count: frameLength + 4 - wanted.length - 1 });
});

t.test('RST after any number of bytes of a message: the one before stays, the torn one is never stored', async (t) => {
  let maybe = 0;
  let answered = 0;
  const torn = (await problem())?.count ?? 0;
  await forEach(frameLength + 1, async (n) => {
    const [before, message] = [receiver.message(), receiver.message()];
    const part = framed(message).subarray(0, n);
    if (part.length === framed(message).length) maybe += 1;
    const sender = await receiver.connect();
    // In one write: once the first is answered, the part has been read.
    sender.send(framed(before), part);
    const acks = await sender.acks(1);
    t.equal(acks[0], aa(before));
    answered += acks.length;
    sender.socket.resetAndDestroy();
  });
  t.match(await problem(), { code: 'MLLP-2005', count: torn + frameLength - maybe });
  const { stored, acked } = await receiver.audit(t);
  t.equal(acked, answered);
  // A whole one whose sender is gone may be stored; it will come again and is stored once.
  t.ok(stored >= frameLength + 1 && stored <= frameLength + 1 + maybe, `${stored} stored`);
});

t.test('RST right after the last byte, before the answer: the sender comes again, each is stored once', async (t) => {
  const messages = Array.from({ length: 100 }, () => receiver.message());
  await forEach(messages.length, async (n) => {
    const sender = await receiver.connect();
    sender.send(framed(messages[n]!));
    // Nothing, a turn or a few: somewhere between the frame's end and the answer.
    for (let turns = 0; turns < n % 8; turns++) await new Promise((resolve) => setImmediate(resolve));
    sender.socket.resetAndDestroy();
  });
  await receiver.quiet();
  const first = await receiver.audit(t);
  await forEach(messages.length, async (n) => {
    const sender = await receiver.connect();
    sender.send(framed(messages[n]!));
    t.same(await sender.acks(1), [aa(messages[n]!)]);
    sender.socket.destroy();
  });
  const second = await receiver.audit(t);
  t.equal(first.stored + second.stored, messages.length, 'all are stored, none twice');
  t.comment(`${first.stored} were stored before their sender came again, ${first.acked} answers had been heard`);
});

t.test('RST and FIN after the answer change nothing', async (t) => {
  await forEach(32, async (n) => {
    const message = receiver.message();
    const sender = await receiver.connect();
    sender.send(framed(message));
    t.same(await sender.acks(1), [aa(message)]);
    if (n % 2 === 0) sender.socket.resetAndDestroy();
    else sender.socket.end();
    if (n % 2 === 1) await sender.closed;
  });
  t.same(await receiver.audit(t), { stored: 32, acked: 32 });
});

t.test('half-close: whatever was sent whole before the FIN is answered, then the agent closes too', async (t) => {
  await forEach(32, async (n) => {
    const messages = Array.from({ length: 1 + n * 4 }, () => receiver.message());
    const sender = await receiver.connect();
    // Some end inside one more message.
    const more = n % 3 === 0 ? framed(receiver.message()).subarray(0, 1 + n * 3) : Buffer.alloc(0);
    sender.send(framed(...messages), more);
    sender.socket.end();
    await sender.closed;
    t.same(await sender.acks(messages.length), messages.map(aa));
  });
  const { stored, acked } = await receiver.audit(t);
  t.equal(stored, acked);
});

t.test('a sender that vanishes with sixteen messages unanswered loses none that was answered', async (t) => {
  const senders = await Promise.all(Array.from({ length: 16 }, () => receiver.connect()));
  const messages = senders.map(() => Array.from({ length: 16 }, () => receiver.message()));
  await Promise.all(
    senders.map(async (sender, n) => {
      sender.send(framed(...messages[n]!));
      await sender.acks(n);
      sender.socket.resetAndDestroy();
      await once(sender.socket, 'close');
    }),
  );
  await receiver.quiet();
  const { stored, acked } = await receiver.audit(t);
  t.ok(stored >= acked, `${stored} stored, ${acked} answers heard`);
  t.same(await receiver.tryOne(), ['AA:own'], 'and the next is served');
});
