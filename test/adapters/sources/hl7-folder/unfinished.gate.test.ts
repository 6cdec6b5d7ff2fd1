import { appendFileSync, existsSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { frame } from '../../../../adapters/hl7v2/framing.ts';
import { errorTable } from '../../../../agent/support/errors.ts';
import { oru } from '../hl7-mllp/listener.ts';
import { startFolder, until } from './dropped.ts';

t.setTimeout(60_000);

const cutOff = 'MSH|^~\\&|LIS|HOSP|HIP|PROV|20260115103000||ORU^R01|U1|P|2.5.1\rOBX|1|NM|K||6.';

t.test(
  'a value that is cut off is never taken: it waits, is held at last, and is taken when it is whole',
  async (t) => {
    const d = await startFolder(t, { give_up_minutes: 0.02 });
    d.put('x.hl7', cutOff);
    await until(() => d.source.status().folder.held['HL7-2131'] === 1 && d.source.status().folder.waiting === 0);
    t.equal(d.accepted(), 0);
    t.same(d.files(), ['x.hl7']);
    appendFileSync(join(d.inbox, 'x.hl7'), '21\r');
    await until(() => d.files().length === 0);
    t.same(d.stored(), [`${cutOff}21\r`]);
    t.match(
      errorTable['HL7-2131'].zh.fix,
      '留在 folder 里没有移动；补完整后自动收下',
      'which is what its reader is told',
    );
    t.match(errorTable['HL7-2131'].en.fix, 'still lies in folder; once it is complete it is taken by itself');
  },
);

t.test('open_end: take is for senders that never end their last line', async (t) => {
  const d = await startFolder(t, { open_end: 'take' });
  d.put('x.hl7', cutOff);
  await until(() => d.files().length === 0);
  t.same(d.stored(), [cutOff]);
});

t.test(
  'a batch without its trailer, a frame without its end and zeros of a copy under way are not finished',
  async (t) => {
    const d = await startFolder(t);
    const unfinished = {
      'batch.hl7': `FHS|^~\\&|A\rBHS|^~\\&|A\r${oru('A')}`,
      'half batch.hl7': `FHS|^~\\&|A\rBHS|^~\\&|A\r${oru('B')}BTS|1\r`,
      'frame.hl7': Buffer.from(frame(Buffer.from(oru('C')))).subarray(0, -1),
      'zeros.hl7': `${oru('D')}${'\0'.repeat(4096)}`,
    };
    for (const [name, content] of Object.entries(unfinished)) d.put(name, content);
    await until(() => d.source.status().folder.held['HL7-2131'] === 4);
    t.equal(d.accepted(), 0);
  },
);

t.test('a file that grows is taken once it has stopped', async (t) => {
  const d = await startFolder(t, { min_age_seconds: 0.5 });
  const path = join(d.inbox, 'x.hl7');
  writeFileSync(path, oru('G0'));
  for (let i = 1; i < 20; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    appendFileSync(path, oru(`G${i}`));
  }
  await until(() => d.files().length === 0);
  t.equal(d.stored().length, 20);
  t.equal((await d.archived()).length, 1, 'in one piece');
});

t.test('with a marker a file is taken only when the marker is there, and the marker goes with it', async (t) => {
  const d = await startFolder(t, { marker: '.ok' });
  for (const name of ['a.hl7', 'b.hl7', 'c.hl7']) d.put(name, oru(name));
  d.put('a.hl7.ok', '');
  d.put('b.ok', '');
  await until(() => d.source.status().folder.held['HL7-2139'] === 1 && d.files().length === 1);
  t.same(d.files(), ['c.hl7']);
  t.equal(d.stored().length, 2);
  d.put('c.ok', '');
  await until(() => d.files().length === 0);
  t.equal(d.stored().length, 3);
  t.notOk(existsSync(join(d.inbox, 'c.ok')));
});

t.test('a marker that came with another file of the same name stays for that one', async (t) => {
  const d = await startFolder(t, { marker: '.ok' });
  let once = true;
  d.hinder(() => {
    if (once)
      for (const [name, content] of [
        ['x.hl7', oru('SECOND')],
        ['x.ok', ''],
      ] as const)
        d.put(name, content);
    once = false;
  });
  d.put('x.ok', '');
  d.put('x.hl7', oru('FIRST'));
  await until(() => d.files().length === 0);
  t.same(d.stored(), [oru('FIRST'), oru('SECOND')]);
});

t.test('a marker that is older than the file is that of the file before it', async (t) => {
  const d = await startFolder(t, { marker: '.ok', after: 'leave' });
  d.put('x.ok', '');
  d.put('x.hl7', oru('HALF'));
  const later = Date.now() / 1000 + 60;
  utimesSync(join(d.inbox, 'x.hl7'), later, later);
  await until(() => d.source.status().folder.held['HL7-2139'] === 1);
  t.equal(d.accepted(), 0);
  utimesSync(join(d.inbox, 'x.ok'), later, later);
  await until(() => d.accepted() === 1);
});

t.test('a file under a temporary name is not looked at before it is renamed', async (t) => {
  const d = await startFolder(t);
  d.put('x.hl7.tmp', oru('A'));
  d.put('.hidden.hl7', oru('B'));
  d.put('y.hl7', oru('C'));
  await until(() => d.stored().length === 1);
  renameSync(join(d.inbox, 'x.hl7.tmp'), join(d.inbox, 'x.hl7'));
  await until(() => d.stored().length === 2);
  t.same(d.stored(), [oru('C'), oru('A')]);
});

t.test('UTF-16 is held with a code of its own', async (t) => {
  const d = await startFolder(t);
  const text = Buffer.from(oru('A'), 'utf16le');
  d.put('marked.hl7', Buffer.concat([Buffer.of(0xff, 0xfe), text]));
  d.put('bare.hl7', text);
  d.put('big.hl7', Buffer.concat([Buffer.of(0xfe, 0xff), Buffer.from(text).swap16()]));
  await d.settled(3);
  t.same(d.source.status().folder.held, { 'HL7-2133': 3 });
  t.equal(d.accepted(), 0);
});
