import { mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { createHint } from '../../../../adapters/sources/watching/hint.ts';
import { quickFolder } from '../../../quick-folder.ts';
import { until } from '../dicom-folder/running.ts';
import { handClock } from '../dicom-folder/watched.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function hinted(t: { teardown(done: () => unknown): void }) {
  const root = quickFolder('dicom-folder-hint');
  const clock = handClock();
  let notices = 0;
  const hint = createHint(root, join(root, 'archive'), clock, () => {
    notices += 1;
  });
  t.teardown(async () => {
    await hint.close();
    await rm(root, { recursive: true, force: true });
  });
  return { root, clock, hint, notices: () => notices };
}

/** The watcher says when it is ready to nobody: a file a moment until one is noticed. */
async function noticed(root: string, notices: () => number): Promise<void> {
  const before = notices();
  for (let i = 0; notices() === before; i++) {
    writeFileSync(join(root, `probe${before}-${i}`), 'x');
    await pause(30);
  }
}

t.test('a file is noticed, one in the archive is not', async (t) => {
  const { root, hint, notices } = hinted(t);
  mkdirSync(join(root, 'archive'));
  hint.passed(1);
  await noticed(root, notices);
  await pause(300);
  const before = notices();
  writeFileSync(join(root, 'archive/IM1'), 'x');
  await pause(300);
  t.equal(notices(), before);
});

t.test('a burst is noticed, closes the watcher, and it opens again in calm', async (t) => {
  const { root, clock, hint, notices } = hinted(t);
  hint.passed(0);
  await noticed(root, notices);
  for (let i = 0; i < 3000; i++) writeFileSync(join(root, `IM${i}`), 'x');
  await pause(500);
  t.ok(notices() > 0 && notices() <= 201, `${notices()} notices of 3000 files`);
  const before = notices();
  hint.passed(3000);
  writeFileSync(join(root, 'later'), 'x');
  await pause(300);
  t.equal(notices(), before, 'silent until it has been calm');
  clock.pass(60_000);
  hint.passed(3000);
  await noticed(root, notices);
});

t.test('a large folder is not watched, nor one that is gone; both are no error', async (t) => {
  const { root, clock, hint, notices } = hinted(t);
  hint.passed(5001);
  writeFileSync(join(root, 'IM1'), 'x');
  await pause(300);
  t.equal(notices(), 0);
  hint.failed();
  clock.pass(60_000);
  hint.passed(1);
  await noticed(root, notices);
  await rm(root, { recursive: true });
  hint.failed();
  clock.pass(60_000);
  hint.passed(0);
  await hint.close();
  await until(() => true);
});
