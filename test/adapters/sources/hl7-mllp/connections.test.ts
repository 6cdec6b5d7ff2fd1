import t from 'tap';
import { frame } from '../../../../adapters/hl7v2/framing.ts';
import { systemClock } from '../../../../agent/support/clock.ts';
import { connectSender, oru, startListener, until } from './listener.ts';

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

t.test('point 12: frames without content keep a connection open', async (t) => {
  const config = { first_byte_timeout_seconds: 0.3, idle_timeout_seconds: 0.3 };
  const { port } = await startListener(t, { config });
  const alive = await connectSender(t, port);
  const beat = setInterval(() => alive.send('\x0b\x1c\r'), 30);
  t.teardown(() => clearInterval(beat));
  await new Promise((resolve) => setTimeout(resolve, 900));
  clearInterval(beat);
  alive.frames(oru('A1'));
  t.same(await alive.acks(1), ['AA:A1']);
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

t.test('point 16: a device that lost power connects anew while its old connection still stands', async (t) => {
  const { port, source, problems, stored } = await startListener(t, { config: { frame_timeout_seconds: 0.5 } });
  // Gone without FIN or reset: to us such a connection is open, half a message on it, and silent.
  const gone = await connectSender(t, port);
  gone.send(`\x0b${oru('P1').slice(0, 80)}`);
  await until(() => source.status().senders[0]?.connections === 1);
  const anew = await connectSender(t, port);
  anew.frames(oru('P1'), oru('P2'));
  t.same(await anew.acks(2), ['AA:P1', 'AA:P2']);
  t.equal(source.status().senders[0]?.connections, 2, 'beside the old one');
  await until(() => source.status().senders[0]?.connections === 1);
  t.same(problems(), ['MLLP-2005'], 'which ends in time');
  anew.frames(oru('P3'));
  t.same(await anew.acks(3), ['AA:P1', 'AA:P2', 'AA:P3']);
  t.same(stored, [oru('P1'), oru('P2'), oru('P3')]);
});

t.test(
  'point 16: at the cap of a peer its connection that has long been silent makes room for the new one',
  async (t) => {
    let aheadMs = 0;
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + aheadMs };
    const config = { max_connections_per_peer: 2, frame_timeout_seconds: 3600 };
    const { port, source, problems } = await startListener(t, { config, clock });
    const gone = await connectSender(t, port);
    gone.frames(oru('Q1'));
    await gone.acks(1);
    const working = await connectSender(t, port);
    working.send(`\x0b${oru('Q2')}`);
    await until(() => source.status().senders[0]?.connections === 2);
    await (await connectSender(t, port)).closed;
    t.equal(source.status().refusedConnections, 1, 'not yet: it may be about to speak');
    // Longer than a living device needs to be found living by the system.
    aheadMs = 61_000;
    const anew = await connectSender(t, port);
    anew.frames(oru('Q3'));
    t.same(await anew.acks(1), ['AA:Q3'], 'the device is back');
    await gone.closed;
    t.same(problems(), ['MLLP-2007'], 'and it shows');
    t.equal(source.status().refusedConnections, 1);
    working.send('\x1c\r');
    t.same(await working.acks(1), ['AA:Q2'], 'what was under way on another went on');
  },
);

t.test('the cap over all peers', async (t) => {
  const { port, source } = await startListener(t, { config: { max_connections: 1 } });
  await connectSender(t, port);
  await until(() => source.status().senders[0]?.connections === 1);
  const other = await connectSender(t, port, { from: '127.0.0.2' });
  await other.closed;
  t.match(source.status().senders.find((sender) => sender.address === '127.0.0.2')?.problem, { code: 'MLLP-2007' });
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
