import { appendFileSync, closeSync, ftruncateSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { instanceFile, jpegBaseline } from './files.ts';
import { watch } from './watched.ts';

t.test('a file that grows for minutes is taken once, when it has stopped growing', async (t) => {
  const w = await watch(t);
  const whole = instanceFile({ uid: '1.2.3', pixels: 100_000 });
  const path = join(w.inbox, 'IM1');
  writeFileSync(path, '');
  for (let at = 0; at < whole.length; at += 5000) {
    appendFileSync(path, whole.subarray(at, at + 5000));
    await w.folder.full();
    w.clock.pass(10_000);
    await w.folder.work();
    if (at + 5000 < whole.length) t.equal(w.intake.begun, 0);
  }
  await w.settle();
  await w.settle();
  t.equal(w.intake.committed, 1);
  t.equal(w.intake.stored[0]?.bytes, whole.length - w.intake.stored[0]!.origin.preamble.length);
});

t.test('a file that pauses at each step of its growth is not taken cut off', async (t) => {
  const w = await watch(t);
  const whole = instanceFile({ uid: '1.2.3', pixels: 3000 });
  const path = join(w.inbox, 'IM1');
  writeFileSync(path, whole.subarray(0, 200));
  for (const end of [400, 900, 2000, whole.length - 1]) {
    writeFileSync(path, whole.subarray(0, end));
    await w.settle();
    w.clock.pass(60_000);
    await w.settle();
    t.equal(w.intake.begun, 0, `${end} of ${whole.length} bytes`);
  }
  writeFileSync(path, whole);
  await w.settle();
  w.clock.pass(60_000);
  await w.settle();
  t.equal(w.intake.committed, 1);
});

t.test('a file that got its full size first (Samba) waits until its end is written', async (t) => {
  const w = await watch(t);
  const whole = instanceFile({ uid: '1.2.3', pixels: 50_000, transferSyntax: jpegBaseline });
  const file = openSync(join(w.inbox, 'IM1'), 'w');
  ftruncateSync(file, whole.length);
  writeSync(file, whole, 0, 20_000, 0);
  await w.settle();
  w.clock.pass(120_000);
  await w.settle();
  t.equal(w.intake.begun, 0);
  t.ok(Object.keys(w.folder.figures().held).length > 0, 'and is seen to wait');
  writeSync(file, whole, 20_000, whole.length - 20_000, 20_000);
  closeSync(file);
  w.clock.pass(120_000);
  await w.settle();
  await w.settle();
  t.equal(w.intake.committed, 1);
  t.same(w.folder.figures().held, {});
});

t.test('a file of zeros only, its content still to come, is read again when it came', async (t) => {
  const w = await watch(t);
  const whole = instanceFile({ uid: '1.2.3' });
  writeFileSync(join(w.inbox, 'IM1'), Buffer.alloc(whole.length));
  await w.settle();
  t.equal(w.intake.begun, 0);
  writeFileSync(join(w.inbox, 'IM1'), whole);
  await w.settle();
  t.equal(w.intake.committed, 1);
});

t.test('a cut-off file is held as DCM-2204 after its time, stays, and is taken when it is made whole', async (t) => {
  const w = await watch(t, { giveUpMs: 600_000 });
  const whole = instanceFile({ uid: '1.2.3', pixels: 9000 });
  const path = join(w.inbox, 'IM1');
  writeFileSync(path, whole.subarray(0, 5000));
  writeFileSync(join(w.inbox, 'IM2'), instanceFile({ uid: '1.2.4' }));
  await w.settle();
  t.same(w.folder.figures().held, { 'DCM-2204': 1 }, 'visible at once');
  t.equal(w.intake.committed, 1, 'the neighbour goes on');
  w.clock.pass(601_000);
  await w.settle();
  t.match(w.folder.figures(), { waiting: 0, held: { 'DCM-2204': 1 } });
  t.equal(w.folder.nextWorkMs(), undefined, 'nobody looks at it any more');
  const later = await w.again();
  await later.settle();
  t.same(later.folder.figures().held, { 'DCM-2204': 1 }, 'still visible after a restart');
  t.same(later.files(), ['IM1']);
  writeFileSync(path, whole);
  await later.settle();
  t.equal(later.intake.committed, 2);
  await later.settle();
  t.same(later.folder.figures().held, {});
});

t.test('a file that changes while it is read is given up and read anew', async (t) => {
  const w = await watch(t);
  const path = join(w.inbox, 'IM1');
  writeFileSync(path, instanceFile({ uid: '1.2.3', pixels: 600_000 }));
  let writes = 0;
  w.intake.hinder((at) => {
    if (at === 'write' && ++writes === 2) writeFileSync(path, instanceFile({ uid: '1.2.9', pixels: 600_000 }));
  });
  await w.settle();
  t.equal(w.intake.committed, 0);
  t.equal(w.intake.discarded, 1);
  await w.settle();
  t.same(
    w.intake.stored.map((s) => s.uid),
    ['1.2.9'],
  );
});

t.test('a file that becomes shorter while it is read is given up', async (t) => {
  const w = await watch(t);
  const path = join(w.inbox, 'IM1');
  writeFileSync(path, instanceFile({ uid: '1.2.3', pixels: 600_000 }));
  w.intake.hinder((at) => {
    if (at === 'write') truncateSync(path, 300_000);
  });
  await w.settle();
  await w.settle();
  t.equal(w.intake.committed, 0);
  t.same(w.files(), ['IM1']);
});

t.test('many cut-off files keep nobody else waiting', async (t) => {
  const w = await watch(t);
  for (let i = 0; i < 50; i++) {
    writeFileSync(join(w.inbox, `cut${i}`), instanceFile({ uid: `1.2.${i}`, pixels: 5000 }).subarray(0, 3000));
  }
  await w.settle();
  writeFileSync(join(w.inbox, 'whole'), instanceFile({ uid: '1.2.99' }));
  await w.settle();
  t.equal(w.intake.committed, 1);
  t.same(w.folder.figures().held, { 'DCM-2204': 50 });
});
