import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { syncShare } from '../../../../agent/support/folders.ts';
import { quickFolder } from '../../../quick-folder.ts';
import { oru } from '../hl7-mllp/listener.ts';
import { type Dropped, startFolder, until } from './dropped.ts';

t.setTimeout(60_000);

const many = (name: string, count: number) => Array.from({ length: count }, (_, i) => oru(`${name}${i}`));

t.test('a held file that is read again under other rules gives the store only what it has not', async (t) => {
  const base = quickFolder('hl7-marks-held');
  const query = oru('Q').replace('ORU^R01^ORU_R01', 'QRY^A19');
  const runOnce = async (config: object, profile: string, until_: (d: Dropped) => boolean) => {
    const closers: Array<() => unknown> = [];
    const d = await startFolder({ teardown: (done) => void closers.push(done) }, { ...config }, { base, profile });
    const given: string[] = [];
    d.hinder(({ bytes }) => void given.push(Buffer.from(bytes as Uint8Array).toString('latin1')));
    await until(() => until_(d));
    for (const close of closers) await close();
    return given;
  };
  mkdirSync(join(base, 'inbox'));
  writeFileSync(join(base, 'inbox', 'x.hl7'), oru('A') + query + oru('B'));
  const isHeld = (d: Dropped) => d.source.status().folder.held['HL7-2114'] === 1;
  const refusing = 'intake:\n  queries: refuse\n';
  t.same(await runOnce({}, refusing, isHeld), [oru('A'), oru('B')]);
  const other = { max_message_bytes: 4 * 1024 * 1024 };
  t.same(await runOnce(other, refusing, isHeld), [], 'other rules that refuse it too');
  t.same(await runOnce(other, '', (d) => d.files().length === 0), [query]);
});

t.test(
  'a large file that is written on where it lies gives what was added, and the message it was added to',
  async (t) => {
    const d = await startFolder(t, { after: 'leave' });
    const file = join(d.inbox, 'day.hl7');
    const messages = many('G', 2500);
    d.put('day.hl7', messages.join(''));
    await until(() => d.source.status().folder.takenToday === 1);
    appendFileSync(file, oru('MORE'));
    await until(() => d.source.status().folder.takenToday === 2);
    t.equal(d.accepted(), 2501);
    appendFileSync(file, 'NTE|1||of MORE\r');
    await until(() => d.source.status().folder.takenToday === 3);
    t.equal(d.accepted(), 2502);
    t.equal(d.stored().at(-1), `${oru('MORE')}NTE|1||of MORE\r`);
    d.put('day.hl7', many('H', 2600).join(''));
    await until(() => d.source.status().folder.takenToday === 4);
    t.equal(d.accepted(), 2502 + 2600, 'another file of the same name is taken from its beginning');
    t.equal(d.stored().length, 2502 + 2600);
  },
);

t.test('a file that was set aside is read although the end of its long name is gone', async (t) => {
  const d = await startFolder(t, { include: ['*.hl7'] });
  writeFileSync(join(d.base, 'part'), oru('A'));
  renameSync(join(d.base, 'part'), join(d.inbox, `.qianzhi-0123456789ab-${'n'.repeat(230)}`));
  await until(() => d.files().length === 0);
  t.same(d.stored(), [oru('A')]);
});

t.test('a folder that cannot be synced because it is gone is told', async (t) => {
  const base = quickFolder('hl7-sync');
  await syncShare(base);
  await t.rejects(syncShare(join(base, 'none')), { code: 'ENOENT' });
});
