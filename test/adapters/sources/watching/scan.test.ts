import { appendFileSync, mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { createScan, type PassResult } from '../../../../adapters/sources/watching/scan.ts';
import { quickFolder } from '../../../quick-folder.ts';
import { instanceFile } from '../dicom-folder/files.ts';
import { handClock, watch } from '../dicom-folder/watched.ts';

function scanned(t: { teardown(done: () => unknown): void }, refuse: (path: string) => boolean = () => false) {
  const root = quickFolder('dicom-folder-scan');
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const clock = handClock();
  let found: string[] = [];
  const scan = createScan({
    root,
    clock,
    excluded: (path) => path === 'archive',
    stopped: () => false,
    finder: {
      wants: () => true,
      found(path) {
        found.push(path);
        return !refuse(path);
      },
      ignored() {},
      unreadable() {},
    },
  });
  const run = async (kind: 'full' | 'quick'): Promise<{ found: string[]; result: PassResult }> => {
    found = [];
    const result = await scan[kind]();
    return { found: found.sort(), result };
  };
  const put = (path: string) => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), 'x');
  };
  return { root, run, put, clock };
}

t.test('a full pass finds every file of the tree, and none of the archive', async (t) => {
  const { run, put } = scanned(t);
  for (const path of ['a', 'b/c', 'b/d/e', 'archive/f']) put(path);
  t.same((await run('full')).found, ['a', 'b/c', 'b/d/e']);
  t.match((await run('full')).result, { files: 3, folders: 3, complete: true });
});

t.test('a quick pass lists only folders in which something came, and new ones with all below', async (t) => {
  const { run, put } = scanned(t);
  for (const path of ['a/1', 'b/1', 'c/1']) put(path);
  await run('full');
  t.same((await run('quick')).found, []);
  put('b/2');
  put('new/deep/1');
  t.same((await run('quick')).found, ['b/1', 'b/2', 'new/deep/1']);
  t.same((await run('quick')).found, []);
});

t.test('what was written in place is not seen by a quick pass and is seen by a full one', async (t) => {
  const { root, run, put } = scanned(t);
  put('a/1');
  await run('full');
  appendFileSync(join(root, 'a/1'), 'more');
  t.same((await run('quick')).found, []);
  t.same((await run('full')).found, ['a/1']);
});

t.test('a folder that changed just now is not trusted: its time may not tell the next change', async (t) => {
  const { root, run, put, clock } = scanned(t);
  put('a/1');
  const now = clock.now() / 1000;
  utimesSync(join(root, 'a'), now, now);
  await run('full');
  put('a/2');
  utimesSync(join(root, 'a'), now, now);
  t.same((await run('quick')).found, ['a/1', 'a/2']);
});

t.test('a folder whose files had no room is listed again', async (t) => {
  let full = true;
  const { run, put } = scanned(t, (path) => full && path === 'a/1');
  put('a/1');
  put('b/1');
  t.equal((await run('full')).result.complete, false);
  t.same((await run('quick')).found, ['a/1']);
  full = false;
  t.same((await run('quick')).found, ['a/1']);
  t.same((await run('quick')).found, []);
});

t.test('a folder that goes, or becomes a link, is forgotten without harm', async (t) => {
  const { root, run, put } = scanned(t);
  put('a/1');
  put('b/1');
  await run('full');
  rmSync(join(root, 'a'), { recursive: true });
  rmSync(join(root, 'b'), { recursive: true });
  symlinkSync('/etc', join(root, 'b'));
  t.same((await run('quick')).found, []);
  const { found, result } = await run('full');
  t.same(found, []);
  t.equal(result.complete, true);
});

t.test('a watched folder that is gone, or is a file, says so', async (t) => {
  const { root, run } = scanned(t);
  rmSync(root, { recursive: true });
  t.equal((await run('full')).result.lost, 'ENOENT');
  t.equal((await run('quick')).result.lost, 'ENOENT');
  writeFileSync(root, 'x');
  t.equal((await run('full')).result.lost, 'ENOTDIR');
});

t.test('more files than are remembered are all taken, pass by pass', async (t) => {
  const w = await watch(t, { mostWaiting: 30 });
  for (let i = 0; i < 100; i++) writeFileSync(join(w.inbox, `IM${i}`), instanceFile({ uid: `1.2.${i}` }));
  await w.folder.full();
  t.equal(w.folder.figures().waiting, 30);
  t.notOk(w.folder.wantsPass(), 'not while it is full');
  w.clock.pass(2000);
  await w.folder.work();
  t.equal(w.intake.stored.length, 30);
  t.ok(w.folder.wantsPass(), 'at once when there is room');
  for (let i = 0; i < 3; i++) await w.settle();
  t.equal(w.intake.stored.length, 100);
  t.notOk(w.folder.wantsPass());
  t.equal(readdirSync(w.inbox).length, 0);
});
