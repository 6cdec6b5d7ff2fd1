import t from 'tap';
import { QianzhiError } from '../../../../agent/support/errors.ts';
import { connectSender, oru, type Sender, startListener, until } from './listener.ts';

const asks = (id: string, accept: string, application: string, version = '2.5') =>
  `MSH|^~\\&|A||B||2026||ORU^R01|${id}|P|${version}|||${accept}|${application}\rPID|1\r`;
/** The frames that came back. */
const answered = (sender: Sender): string[] =>
  sender
    .received()
    .split('\x1c\r')
    .filter((one) => one !== '')
    .map((one) => one.replace(/^\x0b/, ''));

t.test('point 25: in original mode every message has exactly one answer', async (t) => {
  for (const ack of ['original-always', 'original', 'enhanced', 'device-mindray']) {
    const { port, behave, stored } = await startListener(t, {
      profile: `intake: {ack: ${ack}, types: {reject: [ADT]}}`,
    });
    behave(async (message) => {
      if (Buffer.from(message.controlId).toString() === 'BAD') throw new QianzhiError('QUE-4002');
      return {};
    });
    const sender = await connectSender(t, port);
    sender.frames(asks('O1', '', ''), asks('BAD', '', ''), asks('O2', '', '').replace('ORU^R01', 'ADT^A01'));
    sender.frames(asks('O3', '', ''));
    const codes = ['AA:O1', 'AE:BAD', 'AR:O2', 'AA:O3'];
    t.same(await sender.acks(4), codes, ack);
    t.equal(answered(sender).length, 4, 'each in a frame of its own, none more');
    t.equal(stored.length, 2);
  }
});

t.test('point 26: enhanced mode: CA once it is durable, then AA as a message of its own', async (t) => {
  const { port, behave, stored, source } = await startListener(t, { profile: 'intake: {ack: enhanced}' });
  const sender = await connectSender(t, port);
  let letGo = () => {};
  behave(() => new Promise((resolve) => (letGo = () => resolve({}))));
  sender.frames(asks('E1', 'AL', 'AL'));
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.equal(sender.received(), '', 'no commit answer before the store has it');
  letGo();
  t.same(await sender.acks(2), ['CA:E1', 'AA:E1']);
  t.equal(stored.length, 1);
  const frames = answered(sender);
  t.equal(frames.length, 2, 'two frames');
  const headers = frames.map((one) => one.split('\r')[0]?.split('|') ?? []);
  for (const header of headers) t.same(header.slice(12).join(''), '', 'which ask for no answer');
  t.not(headers[0]?.[9], headers[1]?.[9], 'each has a control id of its own');
  t.match(source.status().senders, [{ lastAck: 'AA', messagesToday: 1 }]);

  behave(async () => ({}));
  const table = [
    ['AL', 'NE', ['CA']],
    ['NE', 'AL', ['AA']],
    ['NE', 'NE', []],
    ['ER', 'ER', []],
    ['SU', 'SU', ['CA', 'AA']],
  ] as const;
  const expected = ['CA:E1', 'AA:E1'];
  for (const [n, [accept, application, codes]] of table.entries()) {
    sender.frames(asks(`T${n}`, accept, application));
    expected.push(...codes.map((code) => `${code}:T${n}`));
  }
  sender.frames(asks('LAST', '', ''));
  t.same(await sender.acks(expected.length + 1), [...expected, 'AA:LAST'], 'in the order of the messages');
  t.equal(stored.length, 7, 'what asks for no answer is stored as well');
});

t.test('point 26: what cannot be stored gets CE, what is refused CR, and no application answer', async (t) => {
  const profile = 'intake: {ack: enhanced, types: {reject: [ADT]}}';
  const { port, behave, stored } = await startListener(t, { profile, config: { max_message_bytes: 2000 } });
  behave(async () => {
    throw new QianzhiError('QUE-4002');
  });
  const sender = await connectSender(t, port);
  const adt = asks('C2', 'AL', 'AL').replace('ORU^R01', 'ADT^A01');
  sender.frames(asks('C1', 'AL', 'AL'), adt, asks('C3', 'NE', 'ER'), asks('C4', 'SU', 'SU'), asks('C5', 'ER', 'NE'));
  sender.frames(asks('C6', 'AL', 'AL') + 'N'.repeat(2000));
  await sender.closed;
  t.same(await sender.acks(5), ['CE:C1', 'CR:C2', 'AE:C3', 'CE:C5', 'CR:C6']);
  t.match(sender.received(), /\|207\^Application internal error\^HL70357\|E\|\|\|\|QUE-4002 /);
  t.equal(stored.length, 0);
});

t.test('point 26: a batch has the answers of all its messages in one frame', async (t) => {
  const { port, stored } = await startListener(t, { profile: 'intake: {ack: enhanced}' });
  const sender = await connectSender(t, port);
  sender.frames(`BHS|^~\\&|A\r${asks('B1', 'AL', 'AL')}${asks('B2', 'NE', 'AL')}BTS|2\r`);
  await until(() => sender.received().endsWith('\x1c\r'));
  const [batch = '', ...more] = answered(sender);
  t.same(more, []);
  t.same(batch.match(/MSA\|\w+\|\w+/g), ['MSA|CA|B1', 'MSA|AA|B1', 'MSA|AA|B2']);
  t.match(batch, /\rBTS\|3\r$/);
  t.equal(stored.length, 2);
});

t.test('point 27: a Mindray device gets its AA whatever MSH-16 says, and its MSH-16 back', async (t) => {
  const { port, stored, problems, behave } = await startListener(t, { profile: 'intake: {ack: device-mindray}' });
  const sender = await connectSender(t, port);
  for (const [n, kind] of ['0', '1', '2', 'NE'].entries()) sender.frames(asks(`${n}`, '', kind, '2.3.1'));
  t.same(await sender.acks(4), ['AA:0', 'AA:1', 'AA:2', 'AA:3']);
  const frames = answered(sender);
  for (const [n, kind] of ['0', '1', '2', ''].entries())
    t.match(
      frames[n],
      new RegExp(
        `\\|ACK\\^R01\\|Q\\w+\\|P\\|2\\.3\\.1${kind === '' ? '' : `\\|{4}${kind}`}\\rMSA\\|AA\\|${n}\\|Message accepted\\|\\|\\|0\\|\\r$`,
      ),
    );
  t.equal(stored.length, 4);
  t.same(problems(), [], 'for such a device nothing is wrong with it');
  behave(async () => {
    throw new QianzhiError('QUE-4002');
  });
  sender.frames(asks('5', '', '0', '2.3.1'));
  t.same((await sender.acks(5)).at(-1), 'AE:5', 'AA is never said of what is not stored');
  t.match(answered(sender).at(-1), /\rMSA\|AE\|5\|QUE-4002 [^|]+\|\|\|207\|\r$/);
});

t.test('point 28: MSH-15 or MSH-16 in no table: one AA, and told once a connection', async (t) => {
  for (const ack of ['enhanced', 'original']) {
    const { port, source, stored } = await startListener(t, { profile: `intake: {ack: ${ack}}` });
    const first = await connectSender(t, port);
    first.frames(asks('U1', '', '2'), asks('U2', 'X', 'AL'), asks('U3', 'NE', '1'));
    t.same(await first.acks(3), ['AA:U1', 'AA:U2', 'AA:U3']);
    t.match(source.status().senders[0]?.problem, { code: 'HL7-2112', count: 1 });
    const second = await connectSender(t, port);
    second.frames(asks('U4', '', '0'), asks('U5', '', '0'));
    t.same(await second.acks(2), ['AA:U4', 'AA:U5']);
    t.match(source.status().senders[0]?.problem, { code: 'HL7-2112', count: 2 });
    t.equal(stored.length, 5);
  }
  const always = await startListener(t);
  const sender = await connectSender(t, always.port);
  sender.frames(asks('U6', '', '2'), oru('U7'));
  t.same(await sender.acks(2), ['AA:U6', 'AA:U7']);
  t.same(always.problems(), [], 'where nothing is decided by it');
});
