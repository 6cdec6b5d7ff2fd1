import t from 'tap';
import { makeRandom } from '../../demo/people.ts';
import { chooseSeed } from '../seed.ts';
import { answersIn, framed, startReceiver } from './rig.ts';
import { playStreams } from './streams.ts';

t.setTimeout(600_000);
const receiver = await startReceiver(t);
const aa = (id: string) => `AA:${id}`;

t.test('a message cut in two anywhere, also inside a number, is one message', async (t) => {
  const sender = await receiver.connect();
  const draw = () => receiver.message('OBX|2|NM|K||6.21|mmol/L\r');
  let next = draw();
  const wanted: string[] = [];
  let rest: Uint8Array = Buffer.alloc(0);
  for (let cut = 0; cut < framed(next).length; cut++) {
    // With the end of the one before in the same write: once that is answered, this part has been read.
    sender.send(rest, framed(next).subarray(0, cut));
    t.same(await sender.acks(wanted.length), wanted, `cut at ${cut}`);
    rest = framed(next).subarray(cut);
    wanted.push(aa(next.id));
    next = draw();
  }
  sender.send(rest);
  t.same(await sender.acks(wanted.length), wanted, 'answered once each, in order');
  t.same(await receiver.audit(t), { stored: wanted.length, acked: wanted.length });
});

t.test('a thousand messages in one write are a thousand messages', async (t) => {
  const sender = await receiver.connect();
  const messages = Array.from({ length: 1000 }, () => receiver.message());
  sender.send(framed(...messages));
  t.same(
    await sender.acks(1000),
    messages.map(({ id }) => aa(id)),
  );
  t.same(await receiver.audit(t), { stored: 1000, acked: 1000 });
});

t.test('a byte at a time, with garbage between', async (t) => {
  const sender = await receiver.connect();
  const [one, two] = [receiver.message(), receiver.message()];
  for (const byte of Buffer.concat([framed(one), Buffer.from('\r\nnoise\0'), framed(two)])) {
    sender.send(Uint8Array.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.same(await sender.acks(2), [aa(one.id), aa(two.id)]);
  t.same(await receiver.audit(t), { stored: 2, acked: 2 });
});

t.test(
  'a start block inside a message: what came before is dropped, what comes after is judged by itself',
  async (t) => {
    const sender = await receiver.connect();
    const good = receiver.message();
    const torn = receiver.message('NTE|1||a\x0bb\r');
    const startedAgain = receiver.message();
    const twoStarts = receiver.message();
    sender.send(
      // A vertical tab in a text: no part of it may count. The rest has no MSH.
      framed(torn),
      framed(good).subarray(0, 60),
      framed(startedAgain),
      Buffer.of(0x0b, 0x0b),
      framed(twoStarts),
    );
    t.same(await sender.acks(3), ['AE:', aa(startedAgain.id), aa(twoStarts.id)]);
    t.match(answersIn(sender.received())[0]?.text, /\rERR\|\|MSH\^1\|100\^/, 'the reason stands in the answer');
    t.same(await receiver.audit(t), { stored: 2, acked: 2 });
  },
);

t.test('garbage, empty and unreadable frames harm no neighbour in the same write', async (t) => {
  const sender = await receiver.connect();
  const [a, b, c, d] = [receiver.message(), receiver.message(), receiver.message(), receiver.message()];
  sender.send(
    Buffer.from('GET / HTTP/1.1\r\n\r\n\x1c\r\x00\xff', 'latin1'),
    framed(a, ''),
    Buffer.from('\x1c\r'),
    framed(b, 'XYZ not hl7', c, '\r', 'MSH', '<ORU_R01 xmlns="urn:hl7-org:v2xml"/>', d),
  );
  // One answer for every frame that holds something; none for the empty one (nothing to say about nothing).
  t.same(await sender.acks(8), [aa(a.id), aa(b.id), 'AE:', aa(c.id), 'AE:', 'AE:', 'AR:', aa(d.id)]);
  t.same(await receiver.audit(t), { stored: 4, acked: 4 });
});

t.test('0x1C in a message, before its end and doubled, is content', async (t) => {
  const sender = await receiver.connect();
  // The last: a megabyte of nothing else.
  const texts = ['a\x1cb', '\x1c\x1c\x1c', '\x1c\n', 'x\r\x1c', '\x1c'.repeat(1 << 20)];
  const messages = texts.map((text) => receiver.message(`NTE|1||${text}`));
  sender.send(framed(...messages));
  t.same(
    await sender.acks(5),
    messages.map(({ id }) => aa(id)),
  );
  t.same(await receiver.audit(t), { stored: 5, acked: 5 });
});

const seed = chooseSeed();
t.test(`random streams in random pieces on eight connections at once (QIANZHI_SEED=${seed})`, async (t) => {
  const sent = await playStreams(receiver, makeRandom(seed), { streams: 32, items: 60 });
  t.same(sent.wrong, [], 'every stream is answered as it must be');
  t.same(await receiver.audit(t), { stored: sent.messages, acked: sent.messages });
  t.comment(`${sent.messages} messages in 32 streams`);
});
