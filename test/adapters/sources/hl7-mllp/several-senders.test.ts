import { BlockList } from 'node:net';
import t, { type Test } from 'tap';
import { encodeText } from '../../../../adapters/hl7v2/charset.ts';
import { frame } from '../../../../adapters/hl7v2/framing.ts';
import { hl7Mllp } from '../../../../adapters/sources/hl7-mllp/source.ts';
import { systemClock } from '../../../../agent/support/clock.ts';
import { intakeOf } from './intake-of.ts';
import { connectSender, startListener, until } from './listener.ts';

interface Entry {
  /** Text of its source profile. */
  profile?: string;
  addresses?: string[];
  applications?: string[];
  facilities?: string[];
}

/** A listener `lis` with senders told apart. */
const startWith = (t: Test, entries: Record<string, Entry>, more: { unlisted?: string; profile?: string } = {}) => {
  const { profile = '', unlisted = 'take' } = more;
  const senders = Object.entries(entries).map(([name, { profile: _, ...by }]) => ({ name, profile: 'x', ...by }));
  const profiles = Object.entries(entries).map(([name, entry]) => [name, entry.profile ?? '']);
  return startListener(t, { profile, senders: Object.fromEntries(profiles), config: { senders, unlisted } });
};

/** A message of an application at a facility. */
const from = (application: string, id: string, { facility = '', type = 'ORU^R01', more = '' } = {}): string =>
  `MSH|^~\\&|${application}|${facility}|R||2026||${type}|${id}|P|2.4${more}\rPID|1\r`;

const mindray = { profile: 'intake: {ack: device-mindray}', applications: ['BC-6800'] };
const byName = (source: { status(): ReturnType<Awaited<ReturnType<typeof startListener>>['source']['status']> }) =>
  new Map(source.status().under?.map(({ name, senders }) => [name, senders]));

t.test('each message is stored under the name of its sender, and counted there', async (t) => {
  const { port, source, storedBy } = await startWith(t, {
    bc6800: mindray,
    ward: { facilities: ['W3'] },
    idle: { applications: ['NOBODY'] },
  });
  const sender = await connectSender(t, port);
  sender.frames(from('BC-6800', 'A1'), from('LIS', 'A2', { facility: 'W3' }), from('LIS', 'A3'), from('BC-6800', 'A4'));
  t.same(await sender.acks(4), ['AA:A1', 'AA:A2', 'AA:A3', 'AA:A4']);
  t.same(storedBy, ['bc6800', 'ward', 'lis', 'bc6800']);
  const status = source.status();
  t.match(status.senders, [{ address: '127.0.0.1', messagesToday: 1, lastAck: 'AA', acksToday: { AA: 1 } }]);
  t.match(byName(source).get('bc6800'), [
    { address: '127.0.0.1', connections: 1, messagesToday: 2, acksToday: { AA: 2 } },
  ]);
  t.match(byName(source).get('ward'), [{ messagesToday: 1 }]);
  t.same(byName(source).get('idle'), []);
  t.notOk((await startListener(t)).source.status().under, 'a port without them has none');
});

t.test('two senders in turns on one connection: each is answered its own way, in the order sent', async (t) => {
  const { port, behave, storedBy } = await startWith(t, {
    bc6800: mindray,
    lab: { profile: 'intake: {ack: enhanced}', applications: ['LAB'] },
  });
  // The first takes longest: answers wait for their turn.
  let waits = 60;
  behave(async () => {
    waits -= 10;
    await new Promise((resolve) => setTimeout(resolve, waits));
    return {};
  });
  const sender = await connectSender(t, port);
  sender.frames(
    from('BC-6800', 'B1', { more: '||||0' }),
    from('LAB', 'B2', { more: '|||AL|NE' }),
    from('BC-6800', 'B3', { more: '||||1' }),
    from('OTHER', 'B4', { more: '|||AL|NE' }),
    from('LAB', 'B5', { more: '|||AL|NE' }),
  );
  t.same(await sender.acks(5), ['AA:B1', 'CA:B2', 'AA:B3', 'AA:B4', 'CA:B5']);
  t.match(sender.received(), /MSA\|AA\|B1\|Message accepted\|\|\|0/, 'as the device waits for it');
  t.same(storedBy.toSorted(), ['bc6800', 'bc6800', 'lab', 'lab', 'lis']);
});

t.test('rules of the sender decide, not those of the port', async (t) => {
  const { port, stored, source, problems } = await startWith(
    t,
    {
      strict: { profile: 'intake: {types: {reject: [ADT]}}', applications: ['STRICT'] },
      open: { profile: 'intake: {versions: {accept: ["2.4"]}}', applications: ['OPEN'] },
    },
    { profile: 'intake: {types: {reject: [ORU]}}' },
  );
  const sender = await connectSender(t, port);
  sender.frames(
    from('STRICT', 'C1', { type: 'ADT^A01' }),
    from('OPEN', 'C2', { type: 'ADT^A01' }),
    from('STRICT', 'C3'),
    from('OTHER', 'C4'),
    from('OPEN', 'C5').replace('|2.4', '|2.3'),
  );
  t.same(await sender.acks(5), ['AR:C1', 'AA:C2', 'AA:C3', 'AR:C4', 'AR:C5']);
  t.equal(stored.length, 2);
  t.same(problems(), ['HL7-2104'], "the port's own");
  t.match(byName(source).get('strict'), [{ problem: { code: 'HL7-2104' }, acksToday: { AR: 1, AA: 1 } }]);
  t.match(byName(source).get('open'), [{ problem: { code: 'HL7-2115' } }]);
});

t.test('unlisted: refuse answers AR with a reason, stores nothing, and shows who called', async (t) => {
  const { port, stored, storedBy, source, logged } = await startWith(t, { bc6800: mindray }, { unlisted: 'refuse' });
  const sender = await connectSender(t, port);
  sender.frames(from('NEW', 'D1', { facility: 'LAB^1' }), from('BC-6800', 'D2'), from('检', 'D3'));
  t.same(await sender.acks(3), ['AR:D1', 'AA:D2', 'AR:D3']);
  t.match(sender.received(), /HL7-2121 The sender is not listed/);
  t.same(storedBy, ['bc6800']);
  const counted = () => source.status().senders[0]?.problem?.count;
  t.equal(counted(), 2);
  sender.frames('MSH|^~\\&|NEW||R||2026||ORU^R01|D0|P|2.4\rMSA|AA|1\rPID|1\r');
  // What is an answer by its MSA is not answered; a result in it would be missed by somebody all the same.
  await until(() => counted() === 3);
  sender.frames(
    'MSH|^~\\&|NEW||R||2026||ACK|D4|P|2.4\rMSA|AA|1\r',
    'MSH|^~\\&|NEW||R||2026||ORG^O20|D5|P|2.5\rMSA|AA|1\rPID|1\r',
    'no message\r',
    from('NEW', 'D6'),
  );
  t.same((await sender.acks(5)).slice(3), ['AE:', 'AR:D6'], 'answers of others are not answered');
  t.equal(stored.length, 1);
  const [peer] = source.status().senders;
  t.match(peer, { problem: { code: 'HL7-2121', said: 'MSH-3 NEW MSH-4' }, acksToday: { AR: 3, AE: 1 } });
  t.notMatch(JSON.stringify(logged), 'NEW');
});

t.test('an address tells who sends, also where no header can be read', async (t) => {
  const { port, source, storedBy } = await startWith(t, {
    device: { profile: 'intake: {ack: device-mindray}', addresses: ['127.0.0.2'] },
    lab: { addresses: ['127.0.0.3'], applications: ['LAB'] },
  });
  const device = await connectSender(t, port, { from: '127.0.0.2' });
  device.frames(from('LAB', 'E1', { more: '||||2' }), 'nothing that is HL7\r');
  t.same(await device.acks(2), ['AA:E1', 'AE:']);
  t.match(device.received(), /Message accepted\|\|\|0/);
  const lab = await connectSender(t, port, { from: '127.0.0.3' });
  lab.frames(from('LAB', 'E2'), from('OTHER', 'E3'), 'nothing that is HL7\r');
  t.same(await lab.acks(3), ['AA:E2', 'AR:E3', 'AE:']);
  t.same(storedBy, ['device', 'lab']);
  t.match(byName(source).get('device'), [{ address: '127.0.0.2', problem: { code: 'HL7-2101' } }]);
  t.notOk(byName(source).get('lab')?.[0]?.problem, 'whose it was cannot be known');
  t.match(source.status().senders.find(({ address }) => address === '127.0.0.3')?.problem?.code, 'HL7-2101');
});

t.test('a sender that fits an entry only in part is refused and shown, never taken as somebody else', async (t) => {
  for (const unlisted of ['take', 'refuse']) {
    const { port, storedBy, source, logged } = await startWith(
      t,
      {
        bc6800: { ...mindray, addresses: ['127.0.0.2'] },
        ward: { applications: ['GATE'], facilities: ['W3'] },
      },
      { unlisted },
    );
    const device = await connectSender(t, port, { from: '127.0.0.2' });
    device.frames(
      from('BC-6800', 'P1'),
      from('BC-6800Plus', 'P2'),
      from('', 'P3'),
      envelope('BC-6800', from('', 'P4'), from('BC-6800Plus', 'P5')),
      from('BC-6800Plus', 'P6', { type: 'ORU^R01', more: '\rMSA|AA|1' }),
      from('BC-6800Plus', 'P7'),
    );
    t.same(await device.acks(5), ['AA:P1', 'AR:P2', 'AR:P3', 'AA:P4', 'AR:P7']);
    t.match(device.received(), /MSA\|AA\|P4.*\r[^\x1c]*MSA\|AR\|P5/, 'in a batch as by itself');
    t.match(device.received(), /HL7-2123 The sender fits an entry only in part/);
    const moved = await connectSender(t, port, { from: '127.0.0.3' });
    moved.frames(
      from('BC-6800', 'P8'),
      from('GATE', 'P9', { facility: 'W4' }),
      from('GATE', 'P10', { facility: 'W3' }),
    );
    t.same(await moved.acks(3), ['AR:P8', 'AR:P9', 'AA:P10']);
    t.same(storedBy, ['bc6800', 'bc6800', 'ward'], unlisted);
    t.match(
      source.status().senders.map(({ address, problem }) => [address, problem?.code, problem?.count, problem?.said]),
      [
        ['127.0.0.2', 'HL7-2123', 5, 'MSH-3 BC-6800Plus MSH-4'],
        ['127.0.0.3', 'HL7-2123', 2, 'MSH-3 GATE MSH-4 W4'],
      ],
    );
    t.notMatch(JSON.stringify(logged), 'BC-6800Plus');
  }
});

t.test('addresses are compared once for a peer, not for each of its messages', async (t) => {
  const { port, storedBy } = await startWith(t, {
    far: { addresses: ['10.0.0.0/8'], applications: ['A'] },
    near: { addresses: ['127.0.0.1'], applications: ['B'] },
  });
  const compared = t.capture(BlockList.prototype, 'check', BlockList.prototype.check);
  const sender = await connectSender(t, port);
  sender.frames(from('B', 'Q1'));
  await sender.acks(1);
  t.ok(compared().length > 0);
  sender.frames(from('B', 'Q2'), from('X', 'Q3'), from('B', 'Q4'));
  t.same((await sender.acks(4)).slice(1), ['AA:Q2', 'AR:Q3', 'AA:Q4']);
  t.same(compared(), []);
  t.same(storedBy, ['near', 'near', 'near']);
});

t.test('what a sender called itself is shown as a person reads it, and short', async (t) => {
  const { port, source } = await startWith(t, { bc6800: mindray }, { unlisted: 'refuse' });
  const sender = await connectSender(t, port);
  const said = async (count: number, header: Uint8Array | string) => {
    sender.send(frame(typeof header === 'string' ? Buffer.from(header) : header));
    await sender.acks(count);
    return source.status().senders[0]?.problem?.said;
  };
  t.equal(await said(1, from('生化仪^1.2^ISO', 'S1', { facility: '检验科' })), 'MSH-3 生化仪 MSH-4 检验科');
  // In GB18030 the second byte of 區 is ^.
  const gbk = encodeText(from('億區^x', 'S2', { facility: '检验科', more: '||||||GB18030' }), 'GB18030');
  t.equal(await said(2, gbk), 'MSH-3 億區 MSH-4 检验科');
  t.equal(
    await said(3, from('a\u0007\u202eb', 'S3', { facility: '长'.repeat(30) })),
    `MSH-3 a??b MSH-4 ${'长'.repeat(20)}…`,
  );
});

t.test('several batches in a frame: a message that names nobody is that of its own batch', async (t) => {
  const { port, storedBy } = await startWith(t, {
    lab: { applications: ['LAB'] },
    ward: { applications: ['WARD'] },
  });
  const sender = await connectSender(t, port);
  sender.frames(`FHS|^~\\&|HUB\r${envelope('LAB', from('', 'K1'))}${envelope('WARD', from('', 'K2'))}FTS|2\r`);
  await until(() => storedBy.length === 2);
  t.same(storedBy, ['lab', 'ward']);
});

t.test('an oversize message is answered as its sender is', async (t) => {
  const { port, source } = await startListener(t, {
    senders: { lab: 'intake: {ack: enhanced}' },
    config: { senders: [{ name: 'lab', profile: 'x', applications: ['LAB'] }], max_message_bytes: 2048 },
  });
  const sender = await connectSender(t, port);
  sender.frames(`${from('LAB', 'F1', { more: '|||AL|NE' })}NTE|1||${'x'.repeat(4000)}\r`);
  t.same(await sender.acks(1), ['CR:F1']);
  t.match(byName(source).get('lab'), [{ problem: { code: 'MLLP-2004' } }]);
});

const envelope = (application: string, ...messages: string[]): string =>
  `BHS|^~\\&|${application}||R||2026||||B1\r${messages.join('')}BTS|${messages.length}\r`;

t.test('in a batch each message is its own sender’s; one that names nobody is the batch’s', async (t) => {
  const { port, storedBy, source } = await startWith(t, {
    lab: { profile: 'intake: {batch_answers: first}', applications: ['LAB'] },
    bc6800: mindray,
  });
  const sender = await connectSender(t, port);
  sender.frames(envelope('GATE', from('LAB', 'G1'), from('BC-6800', 'G2'), from('', 'G3'), from('X', 'G4')));
  await until(() => storedBy.length === 4);
  t.same(storedBy, ['lab', 'bc6800', 'lis', 'lis']);
  await until(() => sender.received().includes('BTS|4'));
  t.match(source.status().senders, [{ acksToday: { AA: 1 } }], 'one answer for the batch, which is the port’s own');

  sender.frames(envelope('LAB', from('', 'G5'), from('BC-6800', 'G6'), from('X', 'G7')));
  await until(() => storedBy.length === 7);
  t.same(storedBy.slice(4), ['lab', 'bc6800', 'lis']);
  await until(() => /MSA\|AA\|G5/.test(sender.received()));
  t.equal(byName(source).get('lab')?.[0]?.acksToday?.AA, 1, 'the batch is the laboratory’s');
  t.notMatch(sender.received(), /MSA\|AA\|G6/, 'and answered by its rules');
});

t.test('several messages in a frame are answered as the sender of the first wants it', async (t) => {
  const each = { profile: 'intake: {several_messages: each}', applications: ['EACH'] };
  const { port, storedBy } = await startWith(t, { each });
  const sender = await connectSender(t, port);
  sender.frames(from('EACH', 'H1') + from('OTHER', 'H2'), from('OTHER', 'H3') + from('EACH', 'H4'));
  t.same(await sender.acks(3), ['AA:H1', 'AA:H2', 'AA:H3']);
  t.same(storedBy, ['each', 'lis', 'lis', 'each']);
});

t.test('what belongs to the connection must not differ between a port and its senders', async (t) => {
  const differing = (sender: string, own = '') => hl7Mllp.differing?.(intakeOf(own), intakeOf(sender));
  t.same(differing('intake: {ack: enhanced, charset: GBK}'), []);
  t.same(differing('intake: {framing: none, answer_framing: none}'), ['intake.framing', 'intake.answer_framing']);
  t.same(differing('', 'intake: {require_end: false}'), ['intake.require_end']);
});

t.test('counts of answers begin anew with the day', async (t) => {
  const { createSenders } = await import('../../../../adapters/sources/listening/senders.ts');
  let nowMs = new Date(2026, 10, 22, 23, 59).getTime();
  const senders = createSenders({ ...systemClock, now: () => nowMs });
  senders.message('10.0.0.1');
  for (const code of ['AA', 'AE', 'AA']) senders.answered('10.0.0.1', code);
  t.match(senders.list(), [{ messagesToday: 1, lastAck: 'AA', acksToday: { AA: 2, AE: 1 } }]);
  for (let n = 0; n < 100; n++) senders.answered('10.0.0.1', `X${n}`);
  t.ok(Object.keys(senders.list()[0]?.acksToday ?? {}).length < 20, 'no more codes than there can be');
  nowMs += 2 * 60_000;
  t.match(senders.list(), [{ messagesToday: 0 }]);
  t.notOk(senders.list()[0]?.acksToday);
  senders.answered('10.0.0.1', 'AR');
  t.same(senders.list()[0]?.acksToday, { AR: 1 });
});
