import t from 'tap';
import { connectSender, oru, startListener, until } from './listener.ts';

const unframed = 'intake: {framing: none}';
const bare = 'intake: {framing: none, answer_framing: none}';

t.test('point 17: messages without MLLP end at the next MSH, at FIN and after a silent second', async (t) => {
  const { port, stored, problems } = await startListener(t, { profile: unframed });
  const sender = await connectSender(t, port);
  sender.send(oru('L1'), oru('L2', 'NTE|1||MSH is a word\r'), oru('L3').slice(0, -1));
  t.same(await sender.acks(2), ['AA:L1', 'AA:L2']);
  t.equal(stored.length, 2, 'the last may go on');
  const before = Date.now();
  t.same(await sender.acks(3), ['AA:L1', 'AA:L2', 'AA:L3']);
  t.ok(Date.now() - before < 5_000, 'silence');
  sender.send('\r', oru('L4'));
  sender.socket.end();
  await sender.closed;
  t.same(await sender.acks(4), ['AA:L1', 'AA:L2', 'AA:L3', 'AA:L4'], 'FIN');
  t.same(stored, [oru('L1'), oru('L2', 'NTE|1||MSH is a word\r'), oru('L3').slice(0, -1), oru('L4')]);
  t.same(problems(), []);
});

t.test('point 17: one byte at a time, whatever ends the lines', async (t) => {
  for (const end of ['\r', '\n', '\r\n', '\r\n\r\n']) {
    const { port, stored } = await startListener(t, { profile: unframed });
    const sender = await connectSender(t, port);
    const messages = ['S1', 'S2', 'S3'].map((id) => oru(id, 'OBX|1\rNTE\r').replaceAll('\r', end));
    for (const byte of Buffer.from(messages.join(''))) sender.send(Uint8Array.of(byte));
    sender.socket.end();
    await sender.closed;
    t.same(await sender.acks(3), ['AA:S1', 'AA:S2', 'AA:S3'], JSON.stringify(end));
    t.same(stored, messages, 'nothing is lost and nothing added');
  }
});

t.test(
  'point 17: the answer goes out without MLLP where that is chosen, and only once the message is stored',
  async (t) => {
    const { port, stored, behave } = await startListener(t, { profile: bare });
    const sender = await connectSender(t, port);
    let letGo = () => {};
    behave(() => new Promise((resolve) => (letGo = () => resolve({}))));
    sender.send(oru('B1'), oru('B2'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    t.equal(sender.received(), '');
    letGo();
    await until(() => sender.received() !== '');
    t.match(sender.received(), /^MSH\|[^\x0b\x1c]*\rMSA\|AA\|B1\r$/);
    t.equal(stored.length, 1);
  },
);

t.test('point 17: what is no message is skipped and told, and a batch stays together', async (t) => {
  const { port, stored, source } = await startListener(t, { profile: unframed });
  const sender = await connectSender(t, port);
  sender.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n', oru('G1'), '\x0b', `BHS|^~\\&|LIS\r${oru('G2')}${oru('G3')}BTS|2\r`);
  sender.socket.end();
  await sender.closed;
  t.same(sender.received().match(/MSA\|AA\|G\d/g), ['MSA|AA|G1', 'MSA|AA|G2', 'MSA|AA|G3']);
  t.match(sender.received(), /\x0bBHS\|.*\rBTS\|2\r\x1c\r$/s, 'one answer for the batch');
  t.equal(stored.length, 3);
  t.equal(source.status().senders[0]?.problem?.code, 'MLLP-2003');
});

t.test('point 17: a reset inside a message stores nothing of it; one over the limit gets AR', async (t) => {
  const { port, stored, source, problems } = await startListener(t, {
    profile: unframed,
    config: { max_message_bytes: 4096 },
  });
  const cut = await connectSender(t, port);
  cut.send(oru('R1'), oru('R2').slice(0, 70));
  t.same(await cut.acks(1), ['AA:R1']);
  cut.socket.resetAndDestroy();
  await until(() => source.status().senders[0]?.connections === 0);
  t.same(problems(), ['MLLP-2005']);
  const large = await connectSender(t, port);
  large.send(oru('R3'), oru('R4', `OBX|1|ED|${'Q'.repeat(5000)}\r`), oru('R5'));
  await large.closed;
  t.same(await large.acks(2), ['AA:R3', 'AR:R4']);
  t.same(stored, [oru('R1'), oru('R3')]);
});

t.test('point 17: a sender that drips on for ever is ended in time', async (t) => {
  const { port, stored, problems } = await startListener(t, {
    profile: unframed,
    config: { frame_timeout_seconds: 0.3 },
  });
  const sender = await connectSender(t, port);
  sender.send(oru('D1'));
  const drip = setInterval(() => sender.send('NTE|1\r'), 20);
  t.teardown(() => clearInterval(drip));
  await sender.closed;
  clearInterval(drip);
  t.same(stored, []);
  t.same(problems(), ['MLLP-2005']);
});
