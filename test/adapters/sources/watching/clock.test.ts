import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { sameIdentity } from '../../../../adapters/sources/watching/identity.ts';
import { createPace } from '../../../../adapters/sources/watching/pace.ts';
import { createWaiting } from '../../../../adapters/sources/watching/waiting.ts';
import { instanceFile } from '../dicom-folder/files.ts';
import { handClock, watch } from '../dicom-folder/watched.ts';

const hour = 3_600_000;

t.test('a clock set forward makes no file be taken early', async (t) => {
  const w = await watch(t);
  writeFileSync(join(w.inbox, 'IM1'), instanceFile({ uid: '1.2.3' }));
  await w.folder.full();
  w.clock.jump(24 * hour);
  await w.folder.work();
  await w.folder.full();
  await w.folder.work();
  t.equal(w.intake.begun, 0);
  w.clock.pass(2000);
  await w.folder.work();
  t.equal(w.intake.committed, 1);
});

t.test('a clock set back, or a file from the future, is taken late and not never', async (t) => {
  const w = await watch(t);
  writeFileSync(join(w.inbox, 'IM1'), instanceFile({ uid: '1.2.3' }));
  const future = join(w.inbox, 'IM2');
  writeFileSync(future, instanceFile({ uid: '1.2.4' }));
  utimesSync(future, Date.now() / 1000 + 1e6, Date.now() / 1000 + 1e6);
  w.clock.jump(-24 * hour);
  await w.folder.full();
  w.clock.pass(2000);
  await w.folder.work();
  t.equal(w.intake.begun, 0);
  for (let i = 0; i < 20; i++) {
    w.clock.pass(500);
    await w.folder.work();
  }
  t.equal(w.intake.committed, 2);
});

t.test('a clock that jumps back and forth stops nothing', async (t) => {
  const w = await watch(t);
  writeFileSync(join(w.inbox, 'IM1'), instanceFile({ uid: '1.2.3' }));
  await w.folder.full();
  for (let i = 0; i < 24; i++) {
    w.clock.jump(i % 2 === 0 ? -2 * hour : 2 * hour);
    w.clock.pass(500);
    await w.folder.work();
  }
  t.equal(w.intake.committed, 1);
});

t.test('cut-off files are given up by the time that passed, not by the clock', async (t) => {
  const w = await watch(t, { giveUpMs: hour });
  writeFileSync(join(w.inbox, 'IM1'), instanceFile({ uid: '1.2.3', pixels: 5000 }).subarray(0, 3000));
  await w.settle();
  w.clock.jump(48 * hour);
  await w.settle();
  w.clock.jump(-48 * hour);
  w.clock.pass(120_000);
  await w.settle();
  t.type(w.folder.nextWorkMs(), 'number', 'still looked at');
  w.clock.pass(hour);
  await w.folder.work();
  t.equal(w.folder.nextWorkMs(), undefined);
});

t.test('waiting files are bounded, new ones and stuck ones each for themselves', async (t) => {
  const clock = handClock();
  const waiting = createWaiting(clock, 1000, { mostNew: 3, mostStuck: 2 });
  const identity = { size: 1, mtimeNs: 0n, ino: 1n };
  t.same(
    ['a', 'b', 'c', 'd'].map((path) => waiting.add(path, identity)),
    [true, true, true, false],
  );
  clock.pass(1000);
  const [a, b, c] = waiting.due(10);
  t.ok(waiting.later(a!, 'DCM-2204') && waiting.later(b!, 'DCM-2204'));
  t.notOk(waiting.later(c!, 'DCM-2204'), 'no room for a third');
  t.notOk(waiting.has('c'));
  t.same([...waiting.codes()], [['DCM-2204', 2]]);
  t.ok(waiting.add('d', identity), 'stuck files take no room of new ones');
  waiting.changed(a!, { ...identity, size: 2 });
  t.same(waiting.count(), { fresh: 2, stuck: 1 });
  waiting.forget(b!);
  t.same(waiting.count(), { fresh: 2, stuck: 0 });
  t.same([...waiting.codes()], []);
});

t.test('the pauses between looks at a stuck file grow to a minute and no further', async (t) => {
  const clock = handClock();
  const waiting = createWaiting(clock, 1000, { mostNew: 10, mostStuck: 10 });
  waiting.add('a', { size: 1, mtimeNs: 0n, ino: 1n });
  const pauses: number[] = [];
  for (let i = 0; i < 12; i++) {
    clock.pass(waiting.nextMs()! - clock.monotonic());
    const [file] = waiting.due(1);
    waiting.later(file!, 'DCM-2204');
    pauses.push(waiting.nextMs()! - clock.monotonic());
  }
  t.same(pauses.slice(0, 3), [2000, 4000, 8000]);
  t.equal(pauses.at(-1), 60_000);
});

t.test('a pass that costs much comes seldom, quick ones between; a cheap one comes at each interval', async (t) => {
  const clock = handClock();
  let cpu = 0;
  const pace = createPace(clock, 5000, () => cpu);
  const pass = (kind: 'full' | 'quick', costMs: number) => {
    pace.begin();
    cpu += costMs;
    clock.pass(costMs);
    pace.end(kind);
  };
  t.equal(pace.due(), 'full', 'at once');
  pass('full', 10);
  t.equal(pace.due(), undefined);
  clock.pass(5000);
  t.equal(pace.due(), 'full');
  pass('full', 2000);
  clock.pass(5000);
  t.equal(pace.due(), 'quick');
  pass('quick', 1);
  clock.pass(195_000);
  t.equal(pace.due(), 'full', '200 s after a pass of 2 s: 1 %');
  pass('full', 100_000);
  clock.pass(15 * 60_000);
  t.equal(pace.due(), 'full', 'never less often than each quarter of an hour');
});

t.test('a share that leaves a pass without an answer is noticed by the time it is silent', async (t) => {
  const w = await watch(t);
  t.equal(w.folder.silentMs(), 0);
  const pass = w.folder.full();
  w.clock.pass(61_000);
  t.equal(w.folder.silentMs(), 61_000);
  await pass;
  t.equal(w.folder.silentMs(), 0);
});

t.test('a share that gives a file another inode number at each look does not keep it waiting for ever', async (t) => {
  const waiting = createWaiting(handClock(), 1000, { mostNew: 10, mostStuck: 10 });
  waiting.add('a', { size: 1, mtimeNs: 5n, ino: 0n });
  const file = waiting.get('a')!;
  let ino = 0n;
  const looks = () => {
    for (let i = 1; i <= 20; i++) {
      ino += 1n;
      if (sameIdentity(file.identity, { ...file.identity, ino })) return i;
      waiting.changed(file, { ...file.identity, ino });
    }
    return Number.POSITIVE_INFINITY;
  };
  t.equal(looks(), 6);
  t.notOk(sameIdentity(file.identity, { ...file.identity, size: 2 }), 'its size and time still count');
  waiting.changed(file, { size: 2, mtimeNs: 6n, ino: 1n });
  t.equal(file.identity.ino, 1n, 'other content starts anew');
});
