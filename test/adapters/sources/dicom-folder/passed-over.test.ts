import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ignoredName, pathIn, placeIn } from '../../../../adapters/sources/watching/paths.ts';
import { instanceFile, mediaDirectory } from './files.ts';
import { watch } from './watched.ts';

t.test('what is not an image is passed over, counted by reason, and stays', async (t) => {
  const w = await watch(t);
  const image = instanceFile({ uid: '1.2.3' });
  mkdirSync(join(w.inbox, '.hidden'));
  for (const name of ['.IM1', '.hidden/IM2', 'a.tmp', 'b.PART', 'c.partial', 'd.dcm~']) {
    writeFileSync(join(w.inbox, name), image);
  }
  writeFileSync(join(w.inbox, 'report.txt'), '病理报告'.repeat(100));
  writeFileSync(join(w.inbox, 'empty'), '');
  writeFileSync(join(w.inbox, 'DICOMDIR'), mediaDirectory());
  await w.settle();
  await w.settle();
  t.equal(w.intake.begun, 0);
  t.same(w.folder.figures().ignored, { hidden: 2, unfinished: 4, 'not-dicom': 2, 'media-directory': 1 });
  t.equal(w.files().length, 9);
});

t.test('a temporary name that becomes the final one is taken then', async (t) => {
  const w = await watch(t);
  writeFileSync(join(w.inbox, 'IM1.dcm.tmp'), instanceFile({ uid: '1.2.3' }));
  await w.settle();
  t.equal(w.intake.begun, 0);
  renameSync(join(w.inbox, 'IM1.dcm.tmp'), join(w.inbox, 'IM1.dcm'));
  await w.settle();
  t.equal(w.intake.committed, 1);
});

t.test('links to files and folders are never followed; pipes are not opened', async (t) => {
  const w = await watch(t);
  const outside = join(w.inbox, '../outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'IM1'), instanceFile({ uid: '1.2.3' }));
  symlinkSync(join(outside, 'IM1'), join(w.inbox, 'link'));
  symlinkSync(outside, join(w.inbox, 'folder'));
  symlinkSync(w.inbox, join(w.inbox, 'circle'));
  execFileSync('mkfifo', [join(w.inbox, 'pipe')]);
  await w.settle();
  t.equal(w.intake.begun, 0);
  t.same(w.folder.figures().ignored, { link: 3, special: 1 });
  t.ok(existsSync(join(outside, 'IM1')));
});

t.test('a file that became a link after it was seen is not followed', async (t) => {
  const w = await watch(t);
  const outside = join(w.inbox, '../outside');
  writeFileSync(join(w.inbox, 'IM1'), instanceFile({ uid: '1.2.3' }));
  await w.folder.full();
  renameSync(join(w.inbox, 'IM1'), outside);
  symlinkSync(outside, join(w.inbox, 'IM1'));
  w.clock.pass(2000);
  await w.folder.work();
  await w.settle();
  t.equal(w.intake.begun, 0);
  t.ok(existsSync(outside));
});

t.test('the watched folder itself may be a link', async (t) => {
  const first = await watch(t);
  const link = join(first.inbox, '../link');
  symlinkSync(first.inbox, link);
  const w = await watch(t, { root: link, instances: first.intake });
  writeFileSync(join(first.inbox, 'IM1'), instanceFile({ uid: '1.2.3' }));
  await w.settle();
  t.equal(first.intake.committed, 1);
});

t.test('UIDs with a path in them, too long, or absent: held with a code, and no file anywhere', async (t) => {
  const w = await watch(t);
  const uids = ['../../../tmp/x', '/etc/x', 'CON', '1.2.'.repeat(20).slice(0, 66), ''];
  for (const [i, uid] of uids.entries()) writeFileSync(join(w.inbox, `IM${i}`), instanceFile({ uid }));
  writeFileSync(join(w.inbox, 'good'), instanceFile({ uid: '1.2.3' }));
  const around = readdirSync(join(w.inbox, '..'));
  await w.settle();
  t.same(w.folder.figures().held, { 'DCM-2203': 4, 'DCM-2213': 1 });
  t.equal(w.intake.committed, 1);
  t.same(
    readdirSync(join(w.inbox, '..')).filter((name) => !around.includes(name)),
    ['archive'],
  );
  const later = await w.again();
  await later.settle();
  t.same(later.folder.figures().held, { 'DCM-2203': 4, 'DCM-2213': 1 }, 'remembered by code');
});

t.test('names that are not UTF-8, of devices, with quotes, line ends and 255 bytes are names', async (t) => {
  const w = await watch(t);
  const names = ['CON', 'nul.dcm', 'COM1', 'a\nb', `x'"\\ $(id)`, '张三', `${'n'.repeat(251)}.dcm`, '--help'];
  const raw = Buffer.from([0xff, 0xfe, 0x80, 0x41]);
  for (const [i, name] of names.entries()) writeFileSync(join(w.inbox, name), instanceFile({ uid: `1.2.${i}` }));
  writeFileSync(Buffer.concat([Buffer.from(`${w.inbox}/`), raw]), instanceFile({ uid: '1.2.99' }));
  await w.settle();
  t.equal(w.intake.stored.length, names.length + 1);
  t.same(w.files(), []);
  const moved = readdirSync(w.archive, { encoding: 'buffer' }).map((name) => name.toString('latin1'));
  t.ok(moved.includes(raw.toString('latin1')), 'byte for byte');
  t.equal(moved.length, names.length + 1);
});

t.test('a path near the limit of the system, and one beyond any depth, do not stop the others', async (t) => {
  const w = await watch(t);
  const part = 'd'.repeat(200);
  let deep = w.inbox;
  for (let i = 0; i < 17; i++) deep = join(deep, part);
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(deep, 'IM1'), instanceFile({ uid: '1.2.1' }));
  mkdirSync(join(w.inbox, Array(150).fill('e').join('/')), { recursive: true });
  writeFileSync(join(w.inbox, Array(150).fill('e').join('/'), 'IM2'), instanceFile({ uid: '1.2.2' }));
  writeFileSync(join(w.inbox, 'IM3'), instanceFile({ uid: '1.2.3' }));
  await w.settle();
  t.same(w.intake.stored.map((s) => s.uid).sort(), ['1.2.1', '1.2.3']);
  t.same(w.folder.figures().held, { 'DCM-2262': 1 }, 'the folder that lies too deep is shown');
});

t.test('what may not be read is shown and tried again; the others are taken', async (t) => {
  const w = await watch(t, { after: 'leave' });
  mkdirSync(join(w.inbox, 'closed'));
  for (const [i, name] of ['closed/IM1', 'IM2', 'IM3'].entries()) {
    writeFileSync(join(w.inbox, name), instanceFile({ uid: `1.2.${i}` }));
  }
  for (const name of ['closed', 'IM2']) chmodSync(join(w.inbox, name), 0);
  // Rights do not bind root: for this part of the test the process is nobody.
  const wasRoot = process.geteuid?.() === 0;
  if (wasRoot) {
    chmodSync(join(w.inbox, '..'), 0o755);
    process.seteuid?.(65_534);
  }
  try {
    await w.settle();
    t.same(
      w.intake.stored.map((s) => s.uid),
      ['1.2.2'],
    );
    t.same(w.folder.figures().held, { 'DCM-2262': 2 });
  } finally {
    if (wasRoot) process.seteuid?.(0);
  }
  for (const name of ['closed', 'IM2']) chmodSync(join(w.inbox, name), 0o755);
  w.clock.pass(60_000);
  await w.settle();
  t.equal(w.intake.stored.length, 3);
  t.same(w.folder.figures().held, {});
});

t.test('on Windows names of devices are passed over and long paths have their prefix', async (t) => {
  for (const name of ['CON', 'con.dcm', 'nul', 'COM1.txt', 'LPT\xc2\xb2', 'AUX .x']) {
    t.equal(ignoredName(name, 'win32'), 'device-name', name);
    t.equal(ignoredName(name, 'linux'), undefined, name);
  }
  for (const name of ['CONTRAST', 'COM', 'COM10', 'null', 'IM.CON'])
    t.equal(ignoredName(name, 'win32'), undefined, name);
  t.equal(pathIn('D:\\in', 'a/张'.replace('张', '\xe5\xbc\xa0'), 'win32'), '\\\\?\\D:\\in\\a\\张');
  t.equal(placeIn('D:\\in', 'D:\\in\\archive', 'win32'), 'archive');
  t.equal(placeIn('D:\\in', 'E:\\in', 'win32'), undefined);
  t.equal(placeIn('/in', '/in/../inside', 'linux'), undefined);
  t.equal(placeIn('/in', '/in', 'linux'), '');
});
