import fc from 'fast-check';
import t from 'tap';
import { frame } from '../../../../adapters/hl7v2/framing.ts';
import { connectSender, oru, startListener, until } from './listener.ts';

t.test('point 1: a message is stored byte for byte, then answered AA in a frame', async (t) => {
  const { port, stored, source } = await startListener(t);
  const sender = await connectSender(t, port);
  sender.frames(oru('A1', 'OBX|1|NM|K||6.21\r'));
  t.same(await sender.acks(1), ['AA:A1']);
  t.match(sender.received(), /^\x0bMSH\|[^\x0b]*\x1c\r$/);
  t.same(stored, [oru('A1', 'OBX|1|NM|K||6.21\r')]);
  t.match(source.status(), {
    state: 'listening',
    senders: [{ address: '127.0.0.1', connections: 1, messagesToday: 1, lastAck: 'AA' }],
  });
});

t.test('points 2 and 4: one byte at a time', async (t) => {
  const { port, stored } = await startListener(t);
  const sender = await connectSender(t, port);
  for (const byte of frame(Buffer.from(oru('B1')))) {
    sender.send(Uint8Array.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.same(await sender.acks(1), ['AA:B1']);
  t.equal(stored.length, 1);
});

t.test(
  'points 3 and 14: pipelined messages are stored and answered in order, however slow the store is with the first',
  async (t) => {
    const { port, stored, behave } = await startListener(t);
    const order: string[] = [];
    let letGo = () => {};
    const first = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    behave(async (message) => {
      order.push(Buffer.from(message.controlId).toString());
      if (order.length === 1) await first;
      return {};
    });
    const sender = await connectSender(t, port);
    const ids = Array.from({ length: 200 }, (_, n) => `C${n}`);
    sender.frames(...ids.map((id) => oru(id)));
    await until(() => order.length >= 64);
    t.equal(order.length, 64, 'no more than 64 are taken while none is answered');
    t.equal(sender.received(), '', 'no answer overtakes the first');
    letGo();
    t.same(
      await sender.acks(200),
      ids.map((id) => `AA:${id}`),
    );
    t.same(order, ids);
    t.equal(stored.length, 200);
  },
);

t.test('point 5: garbage before a frame is skipped and told, the connection kept', async (t) => {
  const { port, problems } = await startListener(t);
  const sender = await connectSender(t, port);
  sender.send('\r\nGET / HTTP/1.1\r\n', frame(Buffer.from(oru('D1'))));
  t.same(await sender.acks(1), ['AA:D1']);
  t.same(problems(), ['MLLP-2003']);
});

t.test('point 6: without the final 0D a message counts only by rule: on silence, on 0B, on FIN', async (t) => {
  const { port, stored } = await startListener(t, { profile: 'intake: {require_end: false}' });
  const sender = await connectSender(t, port);
  sender.send(`\x0b${oru('E1')}\x1c`);
  t.same(await sender.acks(1), ['AA:E1'], 'silence');
  sender.send(`\x0b${oru('E2')}\x1c\x0b${oru('E3')}\x1c`);
  sender.socket.end();
  t.same(await sender.acks(3), ['AA:E1', 'AA:E2', 'AA:E3'], '0B and FIN');
  t.equal(stored.length, 3);

  const strict = await startListener(t);
  const other = await connectSender(t, strict.port);
  other.send(`\x0b${oru('E4')}\x1c`);
  other.socket.end();
  await other.closed;
  t.same(strict.stored, []);
  t.same(strict.problems(), ['MLLP-2005']);
});

t.test('point 7: 0x1C inside the payload does not end the message', async (t) => {
  const { port, stored } = await startListener(t);
  const sender = await connectSender(t, port);
  sender.frames(oru('F1', 'NTE|1||a\x1cb\r'));
  t.same(await sender.acks(1), ['AA:F1']);
  t.match(stored[0], 'a\x1cb');
});

t.test('point 8: a partial message before a new start block is neither stored nor answered', async (t) => {
  const { port, stored, problems } = await startListener(t);
  const sender = await connectSender(t, port);
  sender.send(`\x0b${oru('G1').slice(0, 60)}`, frame(Buffer.from(oru('G2'))));
  t.same(await sender.acks(1), ['AA:G2']);
  t.equal(stored.length, 1);
  t.same(problems(), ['MLLP-2008']);
});

t.test('point 9: FIN or RST inside a message stores nothing and is told', async (t) => {
  const { port, stored, source } = await startListener(t);
  const cut = `\x0b${oru('H1', 'OBX|1|NM|K||6.21')}`;
  const fin = await connectSender(t, port);
  fin.send(cut.slice(0, -2));
  fin.socket.end();
  await fin.closed;
  const rst = await connectSender(t, port);
  // In one write with a whole message: once that is answered, the beginning of the next has been read.
  rst.send(frame(Buffer.from(oru('H0'))), cut);
  t.same(await rst.acks(1), ['AA:H0']);
  rst.socket.resetAndDestroy();
  await until(() => source.status().senders[0]?.problem?.count === 2);
  t.equal(source.status().senders[0]?.problem?.code, 'MLLP-2005');
  t.same(stored, [oru('H0')]);
  t.equal(fin.received(), '');
});

t.test('point 10: a sender that ends its side after the frame still gets its answer', async (t) => {
  const { port, behave } = await startListener(t);
  behave(async () => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    return {};
  });
  const sender = await connectSender(t, port);
  sender.frames(oru('I1'), oru('I2'));
  sender.socket.end();
  await sender.closed;
  t.same(await sender.acks(2), ['AA:I1', 'AA:I2']);
});

t.test('point 13: an empty frame gets no answer', async (t) => {
  const { port, stored } = await startListener(t);
  const sender = await connectSender(t, port);
  sender.send('\x0b\x1c\r', frame(Buffer.from(oru('M1'))));
  t.same(await sender.acks(1), ['AA:M1']);
  t.equal(stored.length, 1);
});

t.test('noise of any kind on one connection never stops the listener', async (t) => {
  const { port } = await startListener(t, { config: { max_message_bytes: 4096 } });
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }).map((tail) => frame(Buffer.concat([Buffer.from('MSH|^~\\&|'), tail]))),
    fc.constantFrom(0x0b, 0x1c, 0x0d).map((byte) => Uint8Array.of(byte)),
    fc.uint8Array({ minLength: 5000, maxLength: 6000 }).map((tail) => frame(tail)),
  );
  const property = fc.asyncProperty(fc.array(noise, { maxLength: 12 }), fc.boolean(), async (parts, reset) => {
    const noisy = await connectSender(t, port);
    noisy.send(...parts);
    if (reset) noisy.socket.resetAndDestroy();
    else {
      noisy.socket.end();
      await noisy.closed;
    }
    noisy.socket.destroy();
    const good = await connectSender(t, port);
    good.frames(oru('GOOD'));
    const [answer] = await good.acks(1);
    good.socket.destroy();
    return answer === 'AA:GOOD';
  });
  await fc.assert(property, { numRuns: 60 });
  t.pass('held');
});
