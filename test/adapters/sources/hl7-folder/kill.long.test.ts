import { fork } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { tried } from '../../../long/figures.ts';
import { quickFolder } from '../../../quick-folder.ts';
import { oru } from '../hl7-mllp/listener.ts';
import { startFolder } from './dropped.ts';

/**
 * Killed at any moment of seeing, reading, storing, remembering, sealing and removing, with the real store: at the end each
 * message is stored exactly once and each file lies in the archive exactly once. The large file has more messages than the
 * store recognises again, so that only its marks can keep it from being stored twice.
 */
const full = process.env.QIANZHI_PROOF === '1';
const kills = full ? 50 : 4;
const inLarge = full ? 40_000 : 16_000;
const small = 40;
t.setTimeout(3_600_000);
const child = fileURLToPath(new URL('killed-child.ts', import.meta.url));

interface Told {
  accepted: number;
  waiting: number;
  takenToday: number;
}

/** A run of the process; `until` sees how far it is, and ends it when it says so. */
const run = (base: string, until: (told: Told, beganMs: number) => 'kill' | 'stop' | undefined) =>
  new Promise<void>((resolve) => {
    const process = fork(child, [base], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const began = performance.now();
    let ended = false;
    process.on('message', (told) => {
      const what = ended ? undefined : until(told as Told, began);
      if (what === undefined) return;
      ended = true;
      if (what === 'kill') process.kill('SIGKILL');
      else process.send('stop');
    });
    process.on('exit', () => resolve());
  });

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [] : [join(entry.parentPath, entry.name)],
  );

t.test('after any number of kills each message is stored once, each file archived once', async (t) => {
  const base = quickFolder('hl7-folder-kill');
  const inbox = join(base, 'inbox');
  mkdirSync(inbox, { recursive: true });
  const sent: string[] = [];
  const names: string[] = [];
  const drop = (name: string, messages: string[]) => {
    sent.push(...messages);
    names.push(name);
    writeFileSync(join(base, 'part'), messages.join(''));
    renameSync(join(base, 'part'), join(inbox, name));
  };
  let id = 0;
  const next = () => oru(`K${++id}`, `OBX|1|NM|K||${id}\r`);
  const many = (count: number) => Array.from({ length: count }, next);

  let killed = 0;
  let accepted = 0;
  while (killed < kills) {
    // A large one at first, and in the proof another now and then; small ones all the time.
    if (killed % 20 === 0) drop(`large${killed}.hl7`, many(inLarge));
    for (let i = 0; i < small; i++) drop(`small${killed}-${i}.hl7`, many(1 + (i % 3)));
    // First when the store remembers the beginning of the large file no more; then wherever it is.
    const at = killed % 20 === 0 ? 13_500 : 1 + ((killed * 7919) % 3000);
    let last = 0;
    await run(base, (told) => {
      last = told.accepted;
      const nothingLeft = told.waiting === 0 && told.takenToday > 0;
      return told.accepted >= at || nothingLeft ? 'kill' : undefined;
    });
    accepted += last;
    killed += 1;
  }
  await run(base, ({ waiting }) => (waiting === 0 && filesIn(inbox).length === 0 ? 'stop' : undefined));

  const d = await startFolder(t, {}, { base });
  const stored = d.stored();
  t.equal(stored.length, sent.length, 'as many as were sent');
  t.equal(new Set(stored).size, stored.length, 'each once');
  const missing = new Set(sent);
  for (const message of stored) missing.delete(message);
  t.equal(missing.size, 0, 'and none is missing');
  t.same((await d.archived()).map(([path]) => path).sort(), [...names].sort(), 'each file is in the archive once');
  t.same(
    d.files(d.archive).filter((name) => !name.endsWith('.qza') && !name.endsWith('.part')),
    [],
  );
  t.comment(tried('kills of the HL7 folder', killed, missing.size + stored.length - new Set(stored).size));
  t.comment(`${accepted} handed to the store for ${sent.length} messages`);
});
