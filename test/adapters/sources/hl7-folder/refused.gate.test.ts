import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { encodeText } from '../../../../adapters/hl7v2/charset.ts';
import { frame } from '../../../../adapters/hl7v2/framing.ts';
import { createJudge } from '../../../../adapters/sources/hl7-folder/judge.ts';
import { QianzhiError } from '../../../../agent/support/errors.ts';
import { quickFolder } from '../../../quick-folder.ts';
import { intakeOf } from '../hl7-mllp/intake-of.ts';
import { oru } from '../hl7-mllp/listener.ts';
import { bytesOf, startFolder, until } from './dropped.ts';

t.setTimeout(60_000);

const query = oru('Q').replace('ORU^R01^ORU_R01', 'QRY^A19');

t.test('a message that is refused holds its file with the code, its neighbours are taken, once', async (t) => {
  const base = quickFolder('hl7-refused');
  const d = await startFolder(t, {}, { base, profile: 'intake:\n  queries: refuse\n' });
  d.put('1.hl7', oru('A') + query + oru('B'));
  d.put('2.hl7', oru('C'));
  await until(() => d.source.status().folder.held['HL7-2114'] === 1 && d.stored().length === 3);
  t.same(d.stored(), [oru('A'), oru('B'), oru('C')]);
  await until(() => d.files().length === 1);
  t.equal(bytesOf(join(d.inbox, '1.hl7')), oru('A') + query + oru('B'), 'its bytes are kept');
  t.match(d.source.status().senders[0]?.problem, { code: 'HL7-2114', count: 1 });
  await d.source.stop(1000);
});

t.test(
  'a held file is read again under other rules, and only then; what was durable is not stored again',
  async (t) => {
    const base = quickFolder('hl7-rules');
    const refusing = 'intake:\n  queries: refuse\n';
    const runOnce = async (profile: string, held: boolean) => {
      const closers: Array<() => unknown> = [];
      const d = await startFolder({ teardown: (done) => void closers.push(done) }, {}, { base, profile });
      await until(() => (held ? d.source.status().folder.held['HL7-2114'] === 1 : d.files().length === 0));
      const [accepted, stored] = [d.accepted(), d.stored()];
      for (const close of closers) await close();
      return { accepted, stored };
    };
    mkdirSync(join(base, 'inbox'));
    writeFileSync(join(base, 'inbox', 'x.hl7'), oru('A') + query + oru('B'));
    t.match(await runOnce(refusing, true), { accepted: 2, stored: [oru('A'), oru('B')] });
    t.match(await runOnce(refusing, true), { accepted: 0 });
    t.match(await runOnce('', false), { stored: [oru('A'), oru('B'), query] });
  },
);

t.test('what is no HL7, and what is empty, is passed over with its reason and stays', async (t) => {
  const d = await startFolder(t);
  d.put('picture.jpg', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a]));
  d.put('readme.txt', 'put results here\r\n');
  d.put('empty.hl7', '');
  d.put('ack.hl7', 'MSH|^~\\&|A|B|C|D|20260115||ACK|1|P|2.5\rMSA|AA|1\r');
  d.put('log.txt', `12:00 received MSH from the analyser\r\n`);
  await d.settled(5);
  t.same(d.source.status().folder.ignored, { 'not-hl7': 2, empty: 1, acknowledgements: 1 });
  t.same(d.source.status().folder.held, { 'HL7-2101': 1 });
  t.equal(d.files().length, 5);
  t.equal(d.accepted(), 0);
});

t.test('broken frames and a message over the limit hold the file; what came before is taken', async (t) => {
  const d = await startFolder(t, { max_message_bytes: 2048, open_end: 'take' });
  const large = oru('L', `OBX|1|FT|X||${'x'.repeat(5000)}\r`);
  const framed = (text: string) => Buffer.from(frame(Buffer.from(text)));
  d.put('1 between.hl7', Buffer.concat([framed(oru('A')), Buffer.from('something else'), framed(oru('B'))]));
  d.put('2 endless.hl7', Buffer.concat([framed(oru('C')), framed(oru('D')).subarray(0, -2)]));
  d.put('3 large.hl7', oru('E') + large + oru('F'));
  d.put('4 large frame.hl7', Buffer.concat([framed(oru('G')), framed(large)]));
  await d.settled(4);
  t.same(d.source.status().folder.held, { 'HL7-2141': 2, 'HL7-2140': 2 });
  t.same(
    d.stored(),
    ['A', 'C', 'E', 'F', 'G'].map((id) => oru(id)),
  );
});

t.test('no file overtakes one that the store refused once', async (t) => {
  const d = await startFolder(t);
  const names = ['ONE', 'TWO', 'THREE', 'FOUR', 'FIVE', 'SIX'];
  let refused = 0;
  d.hinder(({ bytes }) => {
    if (Buffer.from(bytes).includes('TWO') && refused++ === 0) throw new QianzhiError('QUE-4002');
  });
  for (const [i, name] of names.entries()) {
    d.put(`${i}.hl7`, oru(name));
    utimesSync(join(d.inbox, `${i}.hl7`), 1e9 + i, 1e9 + i);
  }
  await until(() => d.files().length === 0);
  t.equal(refused, 2);
  t.same(
    d.stored(),
    names.map((name) => oru(name)),
  );
});

t.test('while the store takes nothing every file stays; then all come, in order, and none twice', async (t) => {
  const d = await startFolder(t);
  let calls = 0;
  let full = true;
  d.hinder(() => {
    calls += 1;
    // In the middle of a file of 200, and again and again.
    if (full && calls > 100) throw new QianzhiError('QUE-4002');
  });
  const many = Array.from({ length: 200 }, (_, i) => oru(`M${i}`));
  d.put('1.hl7', many.join(''));
  d.put('2.hl7', oru('Z'));
  await until(() => d.source.status().problem?.code === 'QUE-4002' && calls > 100);
  t.same(d.files(), ['1.hl7', '2.hl7']);
  t.equal(d.source.status().state, 'listening');
  full = false;
  await until(() => d.files().length === 0);
  t.same(d.stored(), [...many, oru('Z')]);
  t.ok(d.accepted() <= 201 + 64, 'what was durable is not handed over again');
  await until(() => d.source.status().problem === undefined);
});

t.test('a file that was begun before a restart comes before all others, older ones too', async (t) => {
  const base = quickFolder('hl7-begun');
  const many = Array.from({ length: 200 }, (_, i) => oru(`M${i}`));
  const closers: Array<() => unknown> = [];
  const before = await startFolder({ teardown: (done) => void closers.push(done) }, {}, { base });
  let calls = 0;
  before.hinder(() => {
    calls += 1;
    if (calls > 100) throw new QianzhiError('QUE-4002');
  });
  before.put('begun.hl7', many.join(''));
  await until(() => before.source.status().problem?.code === 'QUE-4002');
  for (const close of closers) await close();
  writeFileSync(join(base, 'inbox', 'older.hl7'), oru('Z'));
  utimesSync(join(base, 'inbox', 'older.hl7'), 1, 1);
  const d = await startFolder(t, {}, { base });
  await until(() => d.files().length === 0);
  t.same(d.stored(), [...many, oru('Z')]);
});

t.test('files come in the order they were written in', async (t) => {
  const d = await startFolder(t, { min_age_seconds: 0.5 });
  const names = Array.from({ length: 40 }, (_, i) => `${(i * 17) % 40}.hl7`);
  // In steps that every file system's clock tells apart.
  const first = Date.now() / 1000 - 10;
  for (const [i, name] of names.entries()) {
    d.put(name, oru(name));
    utimesSync(join(d.inbox, name), first + i / 10, first + i / 10);
  }
  await until(() => d.files().length === 0);
  t.same(
    d.stored(),
    names.map((name) => oru(name)),
  );
});

t.test('senders are told apart by MSH-3 and MSH-4, message by message; unlisted ones are refused', async (t) => {
  const senders = [
    { name: 'blood', profile: intakeOf() },
    { name: 'urine', profile: intakeOf('intake:\n  types: { reject: ["ORU^R01"] }\n') },
  ];
  const from = (application: string, id: string) => oru(id).replace('|LIS|', `|${application}|`);
  const config = {
    unlisted: 'refuse',
    senders: [
      { name: 'blood', profile: 'cn-default', applications: ['BC'] },
      { name: 'urine', profile: 'cn-default', applications: ['UA'] },
    ],
  };
  const d = await startFolder(t, config, { senders });
  d.put('1.hl7', from('BC', 'A') + from('BC', 'B'));
  d.put('2.hl7', from('BC', 'C') + from('UA', 'D'));
  d.put('3.hl7', from('XX', 'E'));
  await d.settled(3);
  t.same(d.storedAs(), ['blood', 'blood', 'blood']);
  t.same(d.source.status().folder.held, { 'HL7-2104': 1, 'HL7-2121': 1 });
  t.match(d.source.status().under, [
    { name: 'blood', senders: [{ address: 'folder', messagesToday: 3 }] },
    { name: 'urine', senders: [{ messagesToday: 0, problem: { code: 'HL7-2104' } }] },
  ]);
});

t.test(
  'a message whose sender fits an entry only in part holds its file, whatever is done with unlisted ones',
  async (t) => {
    const from = (application: string, facility: string, id: string) =>
      oru(id).replace('|LIS|HOSP|', `|${application}|${facility}|`);
    const entry = { name: 'blood', profile: 'cn-default', applications: ['BC-6800'], facilities: ['Mindray'] };
    const d = await startFolder(t, { senders: [entry] }, { senders: [{ name: 'blood', profile: intakeOf() }] });
    d.put('1.hl7', from('BC-6800', 'Mindray', 'A') + from('BC-6800Plus', 'Mindray', 'B') + from('LIS', 'HOSP', 'C'));
    await d.settled(1);
    t.same(d.storedAs(), ['blood', 'lis']);
    t.same(d.source.status().folder.held, { 'HL7-2123': 1 });
    t.same(d.files(), ['1.hl7']);
  },
);

t.test('an answer with content from somebody who is not listed holds its file too', async (t) => {
  const entry = { name: 'blood', profile: 'cn-default', applications: ['BC-6800'] };
  const senders = [{ name: 'blood', profile: intakeOf() }];
  const d = await startFolder(t, { senders: [entry], unlisted: 'refuse' }, { senders });
  d.put('1.hl7', 'MSH|^~\\&|XX|H|||2026||ORU^R01|A|P|2.4\rMSA|AA|1\rPID|1\r');
  await d.settled(1);
  t.same(d.source.status().folder.held, { 'HL7-2121': 1 });
});

t.test('a file of several batches: a message that names nobody is that of its own batch, in any window', async (t) => {
  const entries = ['A', 'B'].map((of) => ({ name: of.toLowerCase(), profile: 'cn-default', applications: [of] }));
  const senders = entries.map(({ name }) => ({ name, profile: intakeOf() }));
  const batch = (of: string, count: number) => {
    const messages = Array.from({ length: count }, (_, n) => oru(`${of}${n}`, long).replace('|LIS|HOSP|', '|||'));
    return `BHS|^~\\&|${of}\r${messages.join('')}BTS|${count}\r`;
  };
  const long = `NTE|1||${'x'.repeat(100_000)}\r`;
  const d = await startFolder(t, { senders: entries }, { senders });
  d.put('1.hl7', `FHS|^~\\&|HUB\r${batch('A', 30)}${batch('B', 30)}FTS|2\r`);
  await until(() => d.files().length === 0);
  t.same(d.storedAs(), [...Array(30).fill('a'), ...Array(30).fill('b')]);
});

t.test('a header is cut by the charset of its sender, not by that of the folder', async (t) => {
  const folder = intakeOf('intake: {charset: ISO-8859-1}').intake;
  const senders = [{ name: 'old', profile: intakeOf('intake: {charset: GBK}') }];
  const judge = createJudge(folder, [{ name: 'old', applications: ['OLD'] }], 'take', senders);
  // In GB18030 the second byte of 億 is |.
  const bytes = encodeText('MSH|^~\\&|OLD|億|R||2026||ORU^R01|ID7|P|2.4\rPID|1\r', 'GB18030');
  const { verdict, sender } = judge(bytes, undefined);
  t.equal(sender, 'old');
  t.equal(verdict.kind === 'store' && Buffer.from(verdict.msh.controlId).toString(), 'ID7');
});
