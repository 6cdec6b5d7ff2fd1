import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { imageRig } from '../../../agent/images/rig.ts';
import { tried } from '../../../long/figures.ts';
import { quickFolder } from '../../../quick-folder.ts';
import { instanceFile } from './files.ts';

/**
 * Killed at any moment of seeing, storing, remembering and moving, with the real store and spool: at the end each file
 * is stored exactly once, whole, and lies where it belongs.
 */
const full = process.env.QIANZHI_PROOF === '1';
const kills = full ? 40 : 2;
const perRound = 60;
t.setTimeout(3_600_000);
const child = fileURLToPath(new URL('killed-child.ts', import.meta.url));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A run of the process; `until` sees how many files it has taken, and ends it when it says so. */
function run(base: string, after: string, until: (takenCount: number, beganMs: number) => 'kill' | 'stop' | undefined) {
  return new Promise<void>((resolve, reject) => {
    const process = fork(child, [base, after], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    let began = 0;
    let ended = false;
    const look = (takenCount: number) => {
      began ||= performance.now();
      const what = ended ? undefined : until(takenCount, began);
      if (what === undefined) return;
      ended = true;
      if (what === 'kill') process.kill('SIGKILL');
      else process.send('stop');
    };
    process.on('message', (takenCount) => look(Number(takenCount)));
    process.on('exit', (code, signal) =>
      ended ? resolve() : reject(new Error(`the process ended by itself: ${code ?? signal}`)),
    );
  });
}

for (const after of ['move', 'delete', 'leave']) {
  t.test(`kill -9 while files come, with ${after}: each is stored once, whole`, async (t) => {
    const base = quickFolder('dicom-folder-kill');
    t.teardown(() => rm(base, { recursive: true, force: true }));
    const inbox = join(base, 'inbox');
    const sent = new Set<string>();
    for (let round = 0; round < kills; round++) {
      mkdirSync(join(inbox, `study${round}`), { recursive: true });
      for (let i = 0; i < perRound; i++) {
        const bytes = instanceFile({ uid: `1.2.${round}.${i}`, pixels: 200 * (i + 1) });
        sent.add(sha256(bytes));
        writeFileSync(join(inbox, `study${round}`, `IM${i}`), bytes);
      }
      // Not before it has begun to take, and then at a moment that is another each time.
      const moreMs = (round * 37) % 150;
      await run(base, after, (count, beganMs) =>
        count > 0 || performance.now() - beganMs > 3000 + moreMs ? 'kill' : undefined,
      );
    }
    const left = () =>
      readdirSync(inbox, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
    let quietSince = performance.now();
    let last = -1;
    await run(base, after, (count) => {
      if (count !== last) quietSince = performance.now();
      last = count;
      return (after === 'leave' || left() === 0) && performance.now() - quietSince > 3000 ? 'stop' : undefined;
    });

    const rig = await imageRig(join(base, 'store'));
    const stored: string[] = [];
    for (const row of rig.view.unindexed(10_000)) {
      if ('file' in row) stored.push(sha256(await rig.content(row.file)));
    }
    await rig.close();
    t.equal(stored.length, sent.size, 'no more than were sent');
    t.same(new Set(stored), sent, 'each whole, preamble and all');
    if (after === 'leave') t.equal(left(), sent.size);
    if (after === 'move') {
      const moved = readdirSync(join(base, 'archive'), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .filter((entry) => entry.name.startsWith('IM'));
      t.ok(moved.length >= sent.size);
    }
    t.comment(tried(`kills while a folder is taken (${after})`, kills, sent.size - new Set(stored).size));
  });
}
