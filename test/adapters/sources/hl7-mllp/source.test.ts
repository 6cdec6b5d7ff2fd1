import { createServer } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { frame } from '../../../../adapters/hl7v2/framing.ts';
import { hl7MllpConfig } from '../../../../adapters/sources/hl7-mllp/config.ts';
import { hl7Mllp } from '../../../../adapters/sources/hl7-mllp/source.ts';
import { systemClock } from '../../../../agent/support/clock.ts';
import { QianzhiError } from '../../../../agent/support/errors.ts';
import { silentLog } from '../../../../agent/support/log.ts';
import { intakeOf } from './intake-of.ts';
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

t.test(
  'point 11: a message over the limit gets AR and the connection is closed; nothing of it is stored',
  async (t) => {
    const { port, stored, problems } = await startListener(t, { config: { max_message_bytes: 100_000 } });
    const sender = await connectSender(t, port);
    sender.frames(oru('J1'), oru('J2', `OBX|1|ED|${'QUJD'.repeat(100_000)}\r`), oru('J3'));
    await sender.closed;
    t.same(await sender.acks(2), ['AA:J1', 'AR:J2']);
    t.equal(stored.length, 1);
    t.same(problems(), ['MLLP-2004']);
    const next = await connectSender(t, port);
    next.frames(oru('J4'));
    t.same(await next.acks(1), ['AA:J4'], 'the listener goes on');
  },
);

t.test('point 12: a message that is not finished in time ends its connection; an idle one stays', async (t) => {
  const { port, stored, problems } = await startListener(t, { config: { frame_timeout_seconds: 0.1 } });
  const idle = await connectSender(t, port);
  idle.frames(oru('K1'));
  await idle.acks(1);
  const slow = await connectSender(t, port);
  slow.send(`\x0b${oru('K2')}`);
  const drip = setInterval(() => slow.send('x'), 10);
  t.teardown(() => clearInterval(drip));
  await slow.closed;
  clearInterval(drip);
  t.equal(stored.length, 1);
  t.same(problems(), ['MLLP-2005']);
  idle.frames(oru('K3'));
  t.same(await idle.acks(2), ['AA:K1', 'AA:K3']);
});

t.test('point 12: idle and never-begun connections end after their own timeouts', async (t) => {
  const idle = await startListener(t, { config: { idle_timeout_seconds: 0.1 } });
  const spoke = await connectSender(t, idle.port);
  spoke.frames(oru('L1'));
  await spoke.closed;
  t.same(await spoke.acks(1), ['AA:L1']);
  const mute = await startListener(t, { config: { first_byte_timeout_seconds: 0.1 } });
  const silent = await connectSender(t, mute.port);
  silent.send('no start block');
  await silent.closed;
  t.equal(silent.received(), '');
});

t.test('point 13: an empty frame gets no answer', async (t) => {
  const { port, stored } = await startListener(t);
  const sender = await connectSender(t, port);
  sender.send('\x0b\x1c\r', frame(Buffer.from(oru('M1'))));
  t.same(await sender.acks(1), ['AA:M1']);
  t.equal(stored.length, 1);
});

t.test('point 15: a stuck connection does not hold up another', async (t) => {
  const { port, behave } = await startListener(t);
  behave((message) =>
    Buffer.from(message.controlId).toString() === 'STUCK' ? new Promise(() => {}) : Promise.resolve({}),
  );
  const stuck = await connectSender(t, port);
  stuck.frames(oru('STUCK'), oru('N0'));
  const partial = await connectSender(t, port);
  partial.send('\x0bMSH|half');
  const good = await connectSender(t, port);
  good.frames(oru('N1'));
  t.same(await good.acks(1), ['AA:N1']);
  t.equal(stuck.received(), '');
});

t.test('points 15 and 16: the cap per peer refuses the next connection and frees with the old one', async (t) => {
  const { port, source, problems } = await startListener(t, { config: { max_connections_per_peer: 2 } });
  const first = await connectSender(t, port);
  const second = await connectSender(t, port);
  const third = await connectSender(t, port);
  await third.closed;
  t.same(problems(), ['MLLP-2007']);
  t.equal(source.status().refusedConnections, 1);
  first.socket.destroy();
  await until(() => source.status().senders[0]?.connections === 1);
  const fourth = await connectSender(t, port);
  fourth.frames(oru('O1'));
  second.frames(oru('O2'));
  t.same(await fourth.acks(1), ['AA:O1']);
  t.same(await second.acks(1), ['AA:O2']);
});

t.test('the cap over all peers', async (t) => {
  const { port, source } = await startListener(t, { config: { max_connections: 1 } });
  await connectSender(t, port);
  await until(() => source.status().senders[0]?.connections === 1);
  const other = await connectSender(t, port, { from: '127.0.0.2' });
  await other.closed;
  t.match(source.status().senders.find((sender) => sender.address === '127.0.0.2')?.problem, { code: 'MLLP-2007' });
});

t.test('point 24: an acknowledgement is neither stored nor answered', async (t) => {
  const { port, stored } = await startListener(t);
  const sender = await connectSender(t, port);
  sender.frames('MSH|^~\\&|A||B||2026||ACK^R01^ACK|P0|P|2.5\rMSA|AA|1\r', oru('P1'));
  t.same(await sender.acks(1), ['AA:P1']);
  t.equal(stored.length, 1);
});

t.test('point 24: another answer with content is stored and not answered', async (t) => {
  const { port, stored } = await startListener(t);
  const sender = await connectSender(t, port);
  sender.frames('MSH|^~\\&|A||B||2026||ORG^O20|P2|P|2.5\rMSA|AA|1\rPID|1\r', oru('P3'));
  t.same(await sender.acks(1), ['AA:P3']);
  t.equal(stored.length, 2);
});

t.test('point 27: AL or NE in MSH-15/16 still gets exactly one AA; `original` honours NE in both', async (t) => {
  const asks = (id: string, accept: string, application: string) =>
    `MSH|^~\\&|A||B||2026||ORU^R01|${id}|P|2.4|||${accept}|${application}\rPID|1\r`;
  const always = await startListener(t);
  const one = await connectSender(t, always.port);
  one.frames(asks('Q1', 'AL', 'AL'), asks('Q2', 'NE', 'NE'), asks('Q3', '', '2'));
  t.same(await one.acks(3), ['AA:Q1', 'AA:Q2', 'AA:Q3']);

  const original = await startListener(t, { profile: 'intake: {ack: original}' });
  const two = await connectSender(t, original.port);
  two.frames(asks('Q4', 'NE', 'NE'), asks('Q5', 'AL', 'NE'));
  t.same(await two.acks(1), ['AA:Q5']);
  t.equal(original.stored.length, 2);
  original.behave(async () => {
    throw new QianzhiError('QUE-4002');
  });
  two.frames(asks('Q6', 'NE', 'NE'));
  t.same(await two.acks(2), ['AA:Q5', 'AE:Q6'], 'a failure is always told');
});

t.test('points 30 and 32: AR 200, AR 202 and AE 101 by rule; nothing of these is stored', async (t) => {
  const profile = 'intake: {types: {reject: [QRY]}, processing_id: {reject: [T]}, strict_control_id: true}';
  const { port, stored } = await startListener(t, { profile });
  const sender = await connectSender(t, port);
  const message = (type: string, id: string, processing: string) =>
    `MSH|^~\\&|A||B||2026||${type}|${id}|${processing}|2.5\r`;
  sender.frames(
    message('QRY^Q02', 'R1', 'P'),
    message('ORU^R01', 'R2', 'T'),
    message('ORU^R01', '', 'P'),
    message('ADT^A01', 'R3', 'D'),
  );
  t.same(await sender.acks(4), ['AR:R1', 'AR:R2', 'AE:', 'AA:R3']);
  t.match(sender.received(), /\|200\^.*\|202\^.*\|101\^/s);
  t.equal(stored.length, 1);
});

t.test('point 31: what has no MSH gets AE and is not stored; the next message is fine', async (t) => {
  const { port, stored, problems } = await startListener(t);
  const sender = await connectSender(t, port);
  sender.frames('not hl7', '<ORU_R01/>', oru('S1'));
  t.same(await sender.acks(3), ['AE:', 'AE:', 'AA:S1']);
  t.equal(stored.length, 1);
  t.same(problems(), ['HL7-2101']);
});

t.test('points 33 and 34: no AA before the store has it; when the store fails AE 207, and it recovers', async (t) => {
  const { port, behave, stored, source } = await startListener(t);
  const sender = await connectSender(t, port);
  let letGo = () => {};
  behave(async () => {
    await new Promise<void>((resolve) => {
      letGo = resolve;
    });
    return {};
  });
  sender.frames(oru('T1'));
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.equal(sender.received(), '');
  letGo();
  t.same(await sender.acks(1), ['AA:T1']);
  behave(async () => {
    throw new QianzhiError('QUE-4002');
  });
  sender.frames(oru('T2'));
  t.same(await sender.acks(2), ['AA:T1', 'AE:T2']);
  t.match(sender.received(), /\|207\^/);
  t.match(source.status(), { state: 'listening', problem: { code: 'QUE-4002' } });
  behave(async () => ({}));
  sender.frames(oru('T2'));
  t.same(await sender.acks(3), ['AA:T1', 'AE:T2', 'AA:T2']);
  t.equal(source.status().problem, undefined);
  t.equal(stored.length, 2);
});

t.test('points 35 and 36: a retransmission gets AA; a reused control id gets AA and a note', async (t) => {
  const { port, behave, problems } = await startListener(t);
  const sender = await connectSender(t, port);
  behave(async () => ({ outcome: 'retransmission' }));
  sender.frames(oru('U1'));
  t.same(await sender.acks(1), ['AA:U1']);
  t.same(problems(), []);
  behave(async () => ({ controlIdReused: true }));
  sender.frames(oru('U1', 'NTE|1\r'));
  t.same(await sender.acks(2), ['AA:U1', 'AA:U1']);
  t.same(problems(), ['HL7-2103']);
});

t.test('point 41: each message of a batch is stored and answered by itself, in one frame', async (t) => {
  const { port, stored, behave } = await startListener(t);
  behave(async (message) => {
    if (Buffer.from(message.controlId).toString() === 'BAD') throw new QianzhiError('QUE-4001');
    return {};
  });
  const sender = await connectSender(t, port);
  const ids = Array.from({ length: 150 }, (_, n) => (n === 99 ? 'BAD' : `B${n}`));
  sender.frames(oru('A'), `BHS|^~\\&|LIS|HOSP\r${ids.map((id) => oru(id)).join('')}BTS|150\r`, oru('Z'));
  await until(() => sender.received().includes('MSA|AA|Z'));
  t.same(
    [...sender.received().matchAll(/\rMSA\|(\w\w)\|([^|\r]*)/g)].map((m) => `${m[1]}:${m[2]}`),
    ['AA:A', ...ids.map((id) => (id === 'BAD' ? 'AE:BAD' : `AA:${id}`)), 'AA:Z'],
  );
  t.equal(sender.received().split('\x1c\r').length, 4, 'three frames back for three sent');
  t.same(
    stored,
    ['A', ...ids.filter((id) => id !== 'BAD'), 'Z'].map((id) => oru(id)),
  );
});

t.test('a batch of too many messages is refused as a whole', async (t) => {
  const { port, stored } = await startListener(t);
  const sender = await connectSender(t, port);
  sender.frames(`BHS|^~\\&|LIS|HOSP\r${'MSH|^~\\&|\r'.repeat(10_001)}`, oru('N1'));
  t.same(await sender.acks(2), ['AR:', 'AA:N1']);
  t.same(stored, [oru('N1')]);
});

t.test('a chunk full of nonsense on one connection does not keep the others waiting until its end', async (t) => {
  const { port, source, behave } = await startListener(t);
  let refusedBefore = Number.NaN;
  behave(async () => {
    refusedBefore = source.status().senders[0]?.problem?.count ?? 0;
    return {};
  });
  const [noise, good] = [await connectSender(t, port), await connectSender(t, port)];
  noise.frames(...Array.from({ length: 10_000 }, () => '?'));
  good.frames(oru('N1'));
  t.same(await good.acks(1), ['AA:N1']);
  t.ok(refusedBefore < 10_000, `${refusedBefore} of 10000 frames were refused before it had its turn`);
  t.equal((await noise.acks(10_000)).length, 10_000, 'every one of them is answered');
});

t.test('back pressure: while the store is behind nothing is taken, and it goes on by itself', async (t) => {
  const { port, setPendingBytes, stored } = await startListener(t);
  const sender = await connectSender(t, port);
  setPendingBytes(1 << 30);
  sender.frames(oru('V1'));
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.same(stored, []);
  setPendingBytes(0);
  t.same(await sender.acks(1), ['AA:V1']);
});

t.test('back pressure: a sender that reads no answers is no longer read, then closed; others go on', async (t) => {
  const { port, source } = await startListener(t, { config: { frame_timeout_seconds: 0.5 } });
  const deaf = await connectSender(t, port);
  deaf.socket.pause();
  const many = Buffer.concat(
    Array.from({ length: 2000 }, (_, n) => frame(Buffer.from(oru(`W${n}-${'x'.repeat(900)}`)))),
  );
  const pour = () => {
    while (!deaf.socket.destroyed && deaf.socket.write(many));
  };
  deaf.socket.on('drain', pour);
  pour();
  const good = await connectSender(t, port);
  good.frames(oru('W'));
  t.same(await good.acks(1), ['AA:W']);
  await until(() => source.status().senders[0]?.problem?.code === 'MLLP-2009');
  t.pass('closed');
});

t.test('many unfinished large messages wait for each other, none is lost, small ones pass', async (t) => {
  const { port, stored } = await startListener(t, { config: { max_message_bytes: 60_000_000 } });
  // The budget allows one message of this limit beyond the free part at a time.
  const large = frame(Buffer.from(oru('BIG', `OBX|1|ED|${'Q'.repeat(2_000_000)}\r`)));
  const half = large.length >> 1;
  const senders = await Promise.all([1, 2, 3, 4].map(() => connectSender(t, port)));
  for (const sender of senders) sender.send(large.subarray(0, half));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const small = await connectSender(t, port);
  small.frames(oru('SMALL'));
  t.same(await small.acks(1), ['AA:SMALL']);
  for (const sender of senders) sender.send(large.subarray(half));
  for (const sender of senders) t.same(await sender.acks(1), ['AA:BIG']);
  t.equal(stored.length, 5);
});

t.test('peers: only listed addresses are served; the refused one is told by address', async (t) => {
  const { port, source, stored } = await startListener(t, { config: { peers: ['127.0.0.4/30'] } });
  const stranger = await connectSender(t, port);
  await stranger.closed;
  t.match(source.status(), {
    refusedConnections: 1,
    senders: [{ address: '127.0.0.1', problem: { code: 'MLLP-2002' } }],
  });
  const friend = await connectSender(t, port, { from: '127.0.0.5' });
  friend.frames(oru('X1'));
  t.same(await friend.acks(1), ['AA:X1']);
  t.equal(stored.length, 1);
});

t.test('IPv6, and an IPv4 peer on an IPv6 listener is known by its IPv4 address', async (t) => {
  const six = await startListener(t, { config: { host: '::1' } }).catch((error: unknown) => {
    t.match(error, { code: 'CFG-5003' });
    return undefined;
  });
  if (six === undefined) return t.comment('no IPv6 on this machine');
  t.match(six.source.status().address, /^\[::1\]:\d+$/);
  const sender = await connectSender(t, six.port, { host: '::1' });
  sender.frames(oru('Y1'));
  t.same(await sender.acks(1), ['AA:Y1']);
  const both = await startListener(t, { config: { host: '::', peers: ['127.0.0.1'] } });
  const four = await connectSender(t, both.port);
  four.frames(oru('Y2'));
  t.same(await four.acks(1), ['AA:Y2']);
  t.equal(both.source.status().senders[0]?.address, '127.0.0.1');
  const refused = await connectSender(t, both.port, { host: '::1' });
  await refused.closed;
  t.equal(both.source.status().refusedConnections, 1);
});

t.test('starting fails with its code: port in use, off loopback without peers, address not ours', async (t) => {
  const context = {
    name: 'lis',
    profile: intakeOf(),
    clock: systemClock,
    log: silentLog,
    accept: async () => ({ seq: 1, outcome: 'stored' as const, controlIdReused: false }),
    pendingBytes: () => 0,
    changed() {},
  };
  const start = (config: Record<string, unknown>) =>
    hl7Mllp.start(context, hl7MllpConfig.parse({ port: 0, ...config }));
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  t.teardown(() => taken.close());
  const address = taken.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  await t.rejects(start({ port }), { code: 'MLLP-2001', where: 'sources.lis.port' });
  await t.rejects(start({ host: '0.0.0.0' }), { code: 'CFG-5011' });
  await t.rejects(start({ host: '192.0.2.1', peers: ['10.0.0.0/8'] }), {
    code: 'CFG-5003',
    where: 'sources.lis.host',
  });
});

t.test('stop: what is framed is answered, a partial is not stored, no new connection', async (t) => {
  const { port, source, behave, stored } = await startListener(t);
  let letGo = () => {};
  behave(async () => {
    await new Promise<void>((resolve) => {
      letGo = resolve;
    });
    return {};
  });
  const sender = await connectSender(t, port);
  sender.send(frame(Buffer.from(oru('Z1'))), `\x0b${oru('Z2')}`);
  await until(() => source.status().senders[0]?.messagesToday === 1);
  const stopped = source.stop(5000);
  await t.rejects(connectSender(t, port), { code: 'ECONNREFUSED' });
  letGo();
  await stopped;
  t.same(await sender.acks(1), ['AA:Z1']);
  t.equal(stored.length, 1);
  t.equal(source.status().state, 'stopped');
});

t.test('stop: after the grace what hangs is cut off, unanswered', async (t) => {
  const { port, source, behave } = await startListener(t);
  behave(() => new Promise(() => {}));
  const sender = await connectSender(t, port);
  sender.frames(oru('Z3'));
  await until(() => source.status().senders[0]?.messagesToday === 1);
  await source.stop(50);
  await sender.closed;
  t.equal(sender.received(), '');
});

t.test('logs hold codes and addresses, never content', async (t) => {
  const { port, logged } = await startListener(t);
  const sender = await connectSender(t, port);
  sender.send('ZHANG', frame(Buffer.from('ZHANG')), `\x0bZHANG`, frame(Buffer.from(oru('ZHANG'))));
  await sender.acks(2);
  t.notMatch(JSON.stringify(logged), 'ZHANG');
  t.same(
    logged.flatMap(({ fields }) => fields.code ?? []),
    ['MLLP-2003', 'HL7-2101', 'MLLP-2008'],
  );
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
