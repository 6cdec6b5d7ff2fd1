import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createDicomFolder } from '../../../../adapters/sources/dicom-folder/folder.ts';
import { identityOf } from '../../../../adapters/sources/watching/identity.ts';
import { numberedName, putAway } from '../../../../adapters/sources/watching/put-away.ts';
import { instanceFile } from './files.ts';
import { watch } from './watched.ts';

t.test('delete: gone after it is stored', async (t) => {
  const w = await watch(t, { after: 'delete' });
  mkdirSync(join(w.inbox, 'study'));
  writeFileSync(join(w.inbox, 'study/IM1'), instanceFile({ uid: '1.2.3' }));
  await w.settle();
  t.equal(w.intake.committed, 1);
  t.same(w.files(), []);
});

t.test('leave: stays and is not read again, unless its content is another', async (t) => {
  const w = await watch(t, { after: 'leave' });
  const path = join(w.inbox, 'IM1');
  writeFileSync(path, instanceFile({ uid: '1.2.3' }));
  for (let i = 0; i < 3; i++) await w.settle();
  t.equal(w.intake.begun, 1);
  t.same(w.files(), ['IM1']);
  writeFileSync(path, instanceFile({ uid: '1.2.4' }));
  for (let i = 0; i < 3; i++) await w.settle();
  t.same(
    w.intake.stored.map((s) => s.uid),
    ['1.2.3', '1.2.4'],
  );
  t.equal(w.intake.begun, 2);
});

t.test('leave: another file of the same size and time under the same name is read', async (t) => {
  const w = await watch(t, { after: 'leave' });
  const path = join(w.inbox, 'IM1');
  writeFileSync(path, instanceFile({ uid: '1.2.3' }));
  utimesSync(path, 1000, 1000);
  await w.settle();
  writeFileSync(`${path}.tmp`, instanceFile({ uid: '1.2.4' }));
  utimesSync(`${path}.tmp`, 1000, 1000);
  renameSync(`${path}.tmp`, path);
  await w.settle();
  t.equal(w.intake.stored.length, 2);
});

t.test('move: never overwrites; a name that is taken gets a number', async (t) => {
  const w = await watch(t);
  for (let i = 0; i < 13; i++) {
    writeFileSync(join(w.inbox, 'IM1.dcm'), instanceFile({ uid: `1.2.${i}` }));
    await w.settle();
  }
  const moved = w.files(w.archive);
  t.equal(moved.length, 13);
  t.ok(moved.includes('IM1.dcm') && moved.includes('IM1 (2).dcm') && moved.includes('IM1 (9).dcm'));
  const contents = new Set(moved.map((name) => readFileSync(join(w.archive, name)).toString('base64')));
  t.equal(contents.size, 13, 'each is whole and another');
});

t.test(
  'a number goes before an extension and not into a UID, and the name stays as long as names may be',
  async (t) => {
    t.equal(numberedName('IM1.dcm', 2), 'IM1 (2).dcm');
    t.equal(numberedName('1.2.840.5', 3), '1.2.840.5 (3)');
    t.equal(numberedName('x'.repeat(255), 2).length, 255);
    t.equal(numberedName(`${'x'.repeat(251)}.dcm`, 'abcd1234').length, 255);
  },
);

t.test('move: an archive below the watched folder is not read', async (t) => {
  const w = await watch(t);
  const inside = join(w.inbox, 'done');
  const folder = createDicomFolder({
    root: w.inbox,
    after: { archive: inside },
    minAgeMs: 2000,
    giveUpMs: 1000,
    concurrency: 1,
    instances: w.intake,
    seen: w.seen,
    clock: w.clock,
    changed() {},
  });
  writeFileSync(join(w.inbox, 'IM1'), instanceFile({ uid: '1.2.3' }));
  for (let i = 0; i < 3; i++) {
    await folder.full();
    w.clock.pass(2000);
    await folder.work();
  }
  t.equal(w.intake.begun, 1);
  t.same(w.files(), ['done/IM1']);
});

t.test('move: onto another disk the file is copied whole', async (t) => {
  const w = await watch(t);
  const other = mkdtempSync(join(tmpdir(), 'qianzhi-archive-'));
  t.teardown(() => rmSync(other, { recursive: true }));
  t.not(statSync(other).dev, statSync(w.inbox).dev, 'this machine has two disks to try it with');
  const content = instanceFile({ uid: '1.2.3', pixels: 900_000 });
  for (let i = 0; i < 2; i++) {
    writeFileSync(join(w.inbox, 'IM1'), content);
    const path = join(w.inbox, 'IM1');
    await putAway(w.inbox, 'IM1', identityOf(statSync(path, { bigint: true })), other);
  }
  t.same(w.files(), []);
  t.same(w.files(other), ['IM1', 'IM1 (2)']);
  for (const name of w.files(other)) t.same(readFileSync(join(other, name)), content);
});

t.test(
  'move: when the archive cannot be used the file stays, is shown, is not read again, and goes later',
  async (t) => {
    const w = await watch(t);
    writeFileSync(w.archive, 'a file where the archive should be');
    writeFileSync(join(w.inbox, 'IM1'), instanceFile({ uid: '1.2.3' }));
    await w.settle();
    await w.folder.full();
    await w.folder.work();
    t.same(w.files(), ['IM1'], 'under its own name');
    t.same(w.folder.figures().held, { 'DCM-2263': 1 });
    rmSync(w.archive);
    const later = await w.again();
    await later.folder.full();
    await later.folder.work();
    t.same(later.files(), []);
    t.same(later.files(w.archive), ['IM1']);
    t.equal(w.intake.begun, 1, 'read once');
    t.same(later.folder.figures().held, {});
  },
);

t.test('a file that took the name while the first one was being stored is neither deleted nor missed', async (t) => {
  const w = await watch(t, { after: 'delete' });
  const path = join(w.inbox, 'IM1');
  writeFileSync(path, instanceFile({ uid: '1.2.3' }));
  let put = false;
  w.intake.hinder((at) => {
    if (at !== 'commit' || put) return;
    put = true;
    writeFileSync(`${path}.tmp`, instanceFile({ uid: '1.2.4' }));
    renameSync(`${path}.tmp`, path);
  });
  for (let i = 0; i < 3; i++) await w.settle();
  t.same(
    w.intake.stored.map((s) => s.uid),
    ['1.2.3', '1.2.4'],
  );
  t.same(w.files(), []);
});

t.test('a file that a crash left on its way out is found again under its aside name', async (t) => {
  const w = await watch(t);
  writeFileSync(join(w.inbox, '.qianzhi-0123456789ab-IM1.dcm'), instanceFile({ uid: '1.2.3' }));
  await w.settle();
  t.equal(w.intake.committed, 1);
  t.same(w.files(w.archive), ['IM1.dcm']);
});

t.test('what is not there, or is another file, is told so and leaves no name in the archive', async (t) => {
  const w = await watch(t);
  const identity = { size: 1, mtimeNs: 1n, ino: 1n };
  t.equal(await putAway(w.inbox, 'a/IM1', identity, w.archive), 'gone');
  writeFileSync(join(w.inbox, 'IM2'), 'another');
  t.equal(await putAway(w.inbox, 'IM2', identity, w.archive), 'other');
  t.same(w.files(w.archive), []);
  t.same(w.files(), ['IM2']);
});
