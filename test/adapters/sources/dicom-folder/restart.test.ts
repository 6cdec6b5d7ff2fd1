import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { openSeen } from '../../../../adapters/sources/watching/seen.ts';
import { quickFolder } from '../../../quick-folder.ts';
import { instanceFile } from './files.ts';
import { watch } from './watched.ts';

t.test('after a restart nothing is read twice and what is new is read', async (t) => {
  const w = await watch(t, { after: 'leave' });
  for (let i = 0; i < 100; i++) writeFileSync(join(w.inbox, `IM${i}`), instanceFile({ uid: `1.2.${i}` }));
  writeFileSync(join(w.inbox, 'readme.txt'), 'x'.repeat(1000));
  await w.settle();
  t.equal(w.intake.begun, 100);
  const later = await w.again();
  writeFileSync(join(w.inbox, 'IM100'), instanceFile({ uid: '1.2.100' }));
  await later.settle();
  t.equal(w.intake.begun, 101);
  t.same(later.folder.figures().ignored, { 'not-dicom': 1 });
});

t.test(
  'without its memory, or with a damaged one, everything is read again and recognised, and remembered anew',
  async (t) => {
    const w = await watch(t, { after: 'leave' });
    const memory = join(w.inbox, '../memory.seen');
    for (let i = 0; i < 20; i++) writeFileSync(join(w.inbox, `IM${i}`), instanceFile({ uid: `1.2.${i}` }));
    await w.settle();
    let now = w;
    const damages: Array<[what: string, damage: () => void, again: number]> = [
      ['gone', () => unlinkSync(memory), 20],
      ['emptied', () => truncateSync(memory, 0), 20],
      ['another file', () => writeFileSync(memory, 'x'.repeat(5000)), 20],
      ['torn in an entry', () => truncateSync(memory, statSync(memory).size - 5), 1],
      ['rubbish at the end', () => appendFileSync(memory, Buffer.alloc(40, 0x55)), 0],
      ['zeros at the end', () => appendFileSync(memory, Buffer.alloc(4096)), 0],
    ];
    for (const [what, damage, again] of damages) {
      await now.seen.flush();
      damage();
      const before = w.intake.begun;
      now = await now.again({ after: 'leave' } as never);
      await now.settle();
      t.equal(w.intake.begun - before, again, what);
      t.equal(w.intake.stored.length, 20, 'all duplicates');
      t.equal(now.folder.figures().duplicatesToday, again);
    }
  },
);

t.test('a crash between storing and moving: moved after the restart, whether or not it was remembered', async (t) => {
  const w = await watch(t);
  writeFileSync(w.archive, 'in the way');
  for (let i = 0; i < 5; i++) writeFileSync(join(w.inbox, `IM${i}`), instanceFile({ uid: `1.2.${i}` }));
  await w.settle();
  t.equal(w.files().length, 5);
  rmSync(w.archive);
  unlinkSync(join(w.inbox, '../memory.seen'));
  const later = await watch(t, { instances: w.intake }, join(w.inbox, '..'));
  await later.settle();
  t.equal(w.intake.stored.length, 5);
  t.same(later.files(), []);
  t.equal(later.files(later.archive).length, 5);
});

t.test('the memory tells no name', async (t) => {
  const w = await watch(t, { after: 'leave' });
  mkdirSync(join(w.inbox, 'ZHANG^SAN'));
  for (const name of ['ZHANG^SAN/王小东', 'ZHANG^SAN/LISI.txt']) {
    writeFileSync(join(w.inbox, name), instanceFile({ uid: '1.2.3' }));
  }
  await w.settle();
  await w.seen.flush();
  const bytes = readFileSync(join(w.inbox, '../memory.seen'));
  t.ok(bytes.length >= 32 + 32);
  for (const part of ['ZHANG', '王小东', 'LISI', 'inbox']) t.notOk(bytes.includes(part));
});

t.test('files that were moved leave nothing in the memory, however many they are', async (t) => {
  const w = await watch(t);
  for (let i = 0; i < 200; i++) writeFileSync(join(w.inbox, `IM${i}`), instanceFile({ uid: `1.2.${i}` }));
  await w.settle();
  t.equal(w.intake.stored.length, 200);
  t.equal(w.seen.size(), 0);
});

t.test('a memory that is full takes nothing more, says so, and nothing is read in circles', async (t) => {
  const base = quickFolder('dicom-folder-full');
  const seen = await openSeen(join(base, 'full.seen'), 10);
  const w = await watch(t, { after: 'leave', seen, concurrency: 1 }, base);
  for (let i = 0; i < 15; i++) writeFileSync(join(w.inbox, `IM${i}`), instanceFile({ uid: `1.2.${i}` }));
  for (let i = 0; i < 5; i++) await w.settle();
  t.equal(w.intake.begun, 10);
  t.equal(w.folder.trouble(), 'DCM-2266');
  t.equal(w.files().length, 15);
  const taken = new Set(w.intake.stored.map((s) => s.uid));
  for (let i = 0; i < 15; i++) if (taken.has(`1.2.${i}`)) rmSync(join(w.inbox, `IM${i}`));
  for (let i = 0; i < 3; i++) {
    w.clock.pass(60_000);
    await w.settle();
  }
  t.equal(w.intake.stored.length, 15, 'goes on when there is room');
  t.equal(w.folder.trouble(), undefined);
});

t.test('a memory that cannot be written keeps nobody from taking files, says so, and is written later', async (t) => {
  const w = await watch(t, { after: 'leave' });
  const blocked = join(w.inbox, '../blocked');
  writeFileSync(blocked, '');
  const seen = await openSeen(join(blocked, 'x.seen'));
  const other = await watch(t, { after: 'leave', seen, instances: w.intake }, join(w.inbox, '..'));
  writeFileSync(join(w.inbox, 'IM1'), instanceFile({ uid: '1.2.3' }));
  await other.settle();
  await seen.flush();
  t.equal(w.intake.committed, 1);
  t.equal(other.folder.trouble(), 'DCM-2265');
  rmSync(blocked);
  await seen.flush();
  t.equal(other.folder.trouble(), undefined);
  t.equal((await openSeen(join(blocked, 'x.seen'))).size(), 1);
});

t.test('the memory is a map: any order of steps, restarts and sweeps', async (t) => {
  const base = quickFolder('dicom-folder-seen');
  t.teardown(() => rm(base, { recursive: true }));
  const identity = { size: 1, mtimeNs: 2n, ino: 3n };
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('set'),
        path: fc.integer({ max: 300, min: 0 }),
        what: fc.integer({ min: 1, max: 255 }),
      }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('forget'), path: fc.integer({ max: 300, min: 0 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('flush', 'restart', 'sweep') }) },
  );
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 50, maxLength: 400 }), async (steps) => {
      const file = join(base, `${run++}.seen`);
      let seen = await openSeen(file);
      const model = new Map<number, number>();
      const key = (path: number) => seen.keyOf(`p${path}`, identity);
      for (const s of steps as Array<{ do: string; path: number; what: number }>) {
        if (s.do === 'set') {
          seen.set(key(s.path), s.what);
          model.set(s.path, s.what);
        } else if (s.do === 'forget') {
          seen.forget(key(s.path));
          model.delete(s.path);
        } else if (s.do === 'flush') await seen.flush();
        else if (s.do === 'sweep') {
          seen.beginPass();
          for (const path of model.keys()) seen.get(key(path));
          seen.endPass();
        }
        if (seen.size() !== model.size) return false;
      }
      for (let path = 0; path <= 300; path++) if (seen.get(key(path)) !== (model.get(path) ?? 0)) return false;
      await seen.flush();
      seen = await openSeen(file);
      // A restart may bring back what was forgotten, never lose or change what was decided.
      for (const [path, what] of model) if (seen.get(key(path)) !== what) return false;
      return true;
    }),
    { numRuns: 40 },
  );
});

t.test('what lies in the folder no more is forgotten, but not because the folder looks empty', async (t) => {
  const base = quickFolder('dicom-folder-sweep');
  t.teardown(() => rm(base, { recursive: true }));
  const seen = await openSeen(join(base, 'x.seen'));
  const identity = { size: 1, mtimeNs: 2n, ino: 3n };
  const key = (i: number) => seen.keyOf(`p${i}`, identity);
  for (let i = 0; i < 100_000; i++) seen.set(key(i), 1 + (i % 255));
  await seen.flush();
  const large = statSync(join(base, 'x.seen')).size;
  seen.beginPass();
  seen.endPass();
  t.equal(seen.size(), 100_000, 'a share that is not mounted');
  const again = await openSeen(join(base, 'x.seen'));
  let same = 0;
  for (let i = 0; i < 100_000; i++) if (again.get(again.keyOf(`p${i}`, identity)) === 1 + (i % 255)) same += 1;
  t.equal(same, 100_000, 'all are in the file');
  seen.beginPass();
  for (let i = 0; i < 5000; i++) seen.get(key(i));
  seen.endPass();
  t.equal(seen.size(), 5000);
  t.equal(seen.get(key(4999)), 1 + (4999 % 255));
  t.equal(seen.get(key(5000)), 0);
  await seen.flush();
  t.ok(statSync(join(base, 'x.seen')).size < large / 4, 'and the file is written anew');
  t.equal((await openSeen(join(base, 'x.seen'))).size(), 5000);
  truncateSync(join(base, 'x.seen'), 100);
  const damaged = await openSeen(join(base, 'x.seen'));
  for (let i = 0; i < 90_000; i++) damaged.set(damaged.keyOf(`q${i}`, identity), 9);
  await damaged.flush();
  const anew = await openSeen(join(base, 'x.seen'));
  let found = 0;
  for (let i = 0; i < 90_000; i++) if (anew.get(anew.keyOf(`q${i}`, identity)) === 9) found += 1;
  t.equal(found, 90_000, 'written anew as a whole');
});
