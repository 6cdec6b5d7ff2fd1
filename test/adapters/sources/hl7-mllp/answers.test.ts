import t from 'tap';
import { QianzhiError } from '../../../../agent/support/errors.ts';
import { connectSender, oru, startListener, until } from './listener.ts';

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
  sender.frames('not hl7', oru('S1'));
  t.same(await sender.acks(2), ['AE:', 'AA:S1']);
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

t.test('point 41: a batch that says another number than it has is stored, and told', async (t) => {
  const { port, stored, problems } = await startListener(t);
  const sender = await connectSender(t, port);
  sender.frames(`BHS|^~\\&|LIS|HOSP\n${oru('B1')}${oru('B2')}BTS|3\n`);
  await until(() => sender.received().includes('MSA|AA|B2'));
  t.same(stored, [oru('B1'), oru('B2')], 'an envelope in LF hides no message');
  t.match(problems(), ['HL7-2107']);
});

t.test(
  'point 42: several messages in one frame are stored and answered each, or the first for all by rule',
  async (t) => {
    const ack = 'MSH|^~\\&|P|Q|LIS|HOSP|2026||ACK|K|P|2.4\rMSA|AA|X\r';
    for (const several of ['each', 'first']) {
      const { port, stored, behave } = await startListener(t, { profile: `intake: {several_messages: ${several}}` });
      behave(async (message) => {
        if (Buffer.from(message.controlId).toString() === 'S2') throw new QianzhiError('QUE-4001');
        return {};
      });
      const sender = await connectSender(t, port);
      sender.frames(`${ack}${oru('S1')}${oru('S2')}${oru('S3')}`, oru('S4'));
      t.same(
        await sender.acks(several === 'each' ? 4 : 2),
        several === 'each' ? ['AA:S1', 'AE:S2', 'AA:S3', 'AA:S4'] : ['AE:S1', 'AA:S4'],
        'an acknowledgement hides nothing behind it',
      );
      t.same(stored, [oru('S1'), oru('S3'), oru('S4')]);
    }
  },
);

t.test('a batch of too many messages is refused as a whole', async (t) => {
  const { port, stored } = await startListener(t);
  const sender = await connectSender(t, port);
  sender.frames(`BHS|^~\\&|LIS|HOSP|||||||B7\r${'MSH|^~\\&|\r'.repeat(10_001)}`, oru('N1'));
  t.same(await sender.acks(2), ['AR:B7', 'AA:N1']);
  t.same(stored, [oru('N1')]);
});
