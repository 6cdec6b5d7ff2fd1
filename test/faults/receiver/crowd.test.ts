import t from 'tap';
import { framed, type Message, startReceiver } from './rig.ts';

t.setTimeout(600_000);
const receiver = await startReceiver(t);
const aa = ({ id }: Message) => `AA:${id}`;

t.test('pipelining: sixteen in flight on every connection, answered in order with the right ids', async (t) => {
  const inFlight = 16;
  const each = 200;
  const run = async () => {
    const sender = await receiver.connect();
    const messages = Array.from({ length: each }, () => receiver.message());
    for (let sent = 0; sent < each; ) {
      const answered = (await sender.acks(Math.max(0, sent - inFlight + 1))).length;
      const upTo = Math.min(each, answered + inFlight);
      if (upTo > sent) sender.send(framed(...messages.slice(sent, upTo)));
      sent = Math.max(sent, upTo);
    }
    t.same(await sender.acks(each), messages.map(aa));
    sender.socket.destroy();
  };
  await Promise.all(Array.from({ length: 8 }, run));
  t.same(await receiver.audit(t), { stored: 8 * each, acked: 8 * each });
});

t.test(
  'connection caps: who is too many is closed unanswered, the others and other addresses are served',
  async (t) => {
    await receiver.quiet();
    const before = (await receiver.source()).refusedConnections;
    // 32 connections of one address by default.
    const senders = await Promise.all(Array.from({ length: 40 }, () => receiver.connect()));
    const messages = senders.map(() => receiver.message());
    for (const [n, sender] of senders.entries()) sender.send(framed(messages[n]!));
    const answered = await Promise.all(senders.map((sender) => sender.acks(1)));
    t.equal(answered.filter((acks) => acks.length === 1).length, 32, 'as many as the cap');
    t.equal(answered.flat().filter((ack) => ack.startsWith('AA:')).length, 32);
    const other = await receiver.connect({ from: '127.0.0.2' });
    const fromOther = receiver.message();
    other.send(framed(fromOther));
    t.same(await other.acks(1), [aa(fromOther)], 'another address');
    for (const sender of [...senders, other]) sender.socket.destroy();
    const status = await receiver.quiet();
    t.equal(status.refusedConnections - before, 8);
    t.equal(status.senders.find(({ address }) => address === '127.0.0.1')?.problem?.code, 'MLLP-2007');
    t.same(await receiver.tryOne(), ['AA:own'], 'and there is room again');
    t.same(await receiver.audit(t), { stored: 34, acked: 34 });
  },
);
