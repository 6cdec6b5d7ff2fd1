import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { datasetOf, instanceFile } from './files.ts';
import { diskFull, watch } from './watched.ts';

t.test('a full disk: files stay, the intake is asked seldom, and all goes on when it takes again', async (t) => {
  for (const where of ['begin', 'write', 'commit'] as const) {
    const w = await watch(t);
    for (let i = 0; i < 50; i++) writeFileSync(join(w.inbox, `IM${i}`), instanceFile({ uid: `1.2.${i}` }));
    let asked = 0;
    w.intake.hinder((at) => {
      if (at !== where) return;
      asked += 1;
      diskFull();
    });
    await w.settle();
    for (let i = 0; i < 600; i++) {
      w.clock.pass(1000);
      await w.folder.work();
    }
    t.equal(w.intake.committed, 0, where);
    t.equal(w.files().length, 50);
    t.equal(w.folder.trouble(), 'QUE-4002');
    t.ok(asked < 40, `${asked} questions in 10 minutes for 50 files`);
    t.equal(w.intake.discarded, w.intake.begun, 'all taken back');
    w.intake.hinder(() => {});
    for (let i = 0; i < 700; i++) {
      w.clock.pass(1000);
      await w.folder.work();
    }
    t.equal(w.intake.stored.length, 50);
    t.equal(w.folder.trouble(), undefined);
    t.same(w.files(), []);
  }
});

t.test('one instance that the intake never takes stops no other', async (t) => {
  const w = await watch(t);
  for (let i = 0; i < 20; i++) writeFileSync(join(w.inbox, `IM${i}`), instanceFile({ uid: `1.2.${i}` }));
  w.intake.hinder((at, uid) => {
    if (at === 'write' && uid === '1.2.7') throw new TypeError('a fault of ours');
  });
  await w.settle();
  for (let i = 0; i < 120; i++) {
    w.clock.pass(1000);
    await w.folder.work();
  }
  t.equal(w.intake.stored.length, 19);
  t.same(w.files(), ['IM7']);
});

t.test(
  'the same instance twice is a duplicate, other content of the same UID a conflict: both leave the folder',
  async (t) => {
    const w = await watch(t);
    writeFileSync(join(w.inbox, 'a'), instanceFile({ uid: '1.2.3' }));
    writeFileSync(join(w.inbox, 'b'), instanceFile({ uid: '1.2.3' }));
    writeFileSync(join(w.inbox, 'c'), instanceFile({ uid: '1.2.3', pixels: 900 }));
    await w.settle();
    t.match(w.folder.figures(), { takenToday: 3, duplicatesToday: 1, conflictsToday: 1 });
    t.same(w.files(), []);
  },
);

t.test('no more files are in work than configured, and no more memory than a piece for each', async (t) => {
  const w = await watch(t, { concurrency: 3 });
  for (let i = 0; i < 30; i++)
    writeFileSync(join(w.inbox, `IM${i}`), instanceFile({ uid: `1.2.${i}`, pixels: 600_000 }));
  let [open, most] = [0, 0];
  w.intake.hinder(async (at) => {
    if (at === 'begin') most = Math.max(most, ++open);
    if (at === 'write') await new Promise((resolve) => setImmediate(resolve));
    if (at === 'commit') open -= 1;
  });
  await w.settle();
  t.equal(w.intake.stored.length, 30);
  t.equal(most, 3);
});

t.test('a file without preamble is stored as a Part 10 file around the same dataset', async (t) => {
  const w = await watch(t);
  const made = { uid: '1.2.3', bare: true };
  writeFileSync(join(w.inbox, 'IM1'), instanceFile(made));
  await w.settle();
  const [stored] = w.intake.stored;
  t.equal(stored?.bytes, datasetOf(made).length);
  t.equal(Buffer.from(stored!.origin.preamble).toString('latin1', 128, 132), 'DICM');
  t.equal(stored?.origin.transferSyntaxUid, '1.2.840.10008.1.2.1');
});

t.test('figures name no file and no person', async (t) => {
  const w = await watch(t);
  mkdirSync(join(w.inbox, 'ZHANG'));
  for (const name of ['ZHANG/ZHANG1', 'ZHANG/ZHANG.tmp'])
    writeFileSync(join(w.inbox, name), instanceFile({ uid: '1.2.3' }));
  writeFileSync(join(w.inbox, 'ZHANG/ZHANG3'), instanceFile({ uid: '1.2.3' }).subarray(0, 300));
  await w.settle();
  t.notMatch(JSON.stringify(w.folder.figures()), 'ZHANG');
});

t.test('an instance of 300 MB costs no more memory than its piece', async (t) => {
  const w = await watch(t, { after: 'delete' });
  const bytes = 300 * 1024 * 1024;
  const whole = instanceFile({ uid: '1.2.3', pixels: 2 });
  // The pixel data is the last element, with two bytes of value after four of length.
  whole.writeUInt32LE(bytes, whole.length - 6);
  const path = join(w.inbox, 'IM1');
  writeFileSync(path, whole);
  truncateSync(path, whole.length - 2 + bytes);
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  w.intake.hinder((at) => {
    if (at === 'write') most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  });
  await w.settle();
  t.equal(w.intake.stored.length, 1);
  t.ok(w.intake.stored[0]!.bytes > bytes);
  t.ok(most < 16 * 1024 * 1024, `${(most / 1e6).toFixed(1)} MB more`);
});
