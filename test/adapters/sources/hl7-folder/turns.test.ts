import { cpSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { hl7Decisions, hl7FolderCodes } from '../../../../adapters/sources/hl7-folder/codes.ts';
import { createFolder } from '../../../../adapters/sources/watching/folder.ts';
import { openSeen } from '../../../../adapters/sources/watching/seen.ts';
import { openTurns } from '../../../../adapters/sources/watching/turns.ts';
import { createWaiting } from '../../../../adapters/sources/watching/waiting.ts';
import { RETRANSMISSION_WINDOW } from '../../../../agent/store/sqlite/writes/retransmission-ring.ts';
import { QianzhiError } from '../../../../agent/support/errors.ts';
import { quickFolder } from '../../../quick-folder.ts';
import { handClock } from '../dicom-folder/watched.ts';
import { oru } from '../hl7-mllp/listener.ts';
import { startFolder, until } from './dropped.ts';

t.setTimeout(120_000);

const many = (name: string, count: number) => Array.from({ length: count }, (_, i) => oru(`${name}${i}`));

t.test('what was stored when the agent was killed is not stored again, whatever is older', async (t) => {
  const base = quickFolder('hl7-turns');
  const memory = join(base, 'store', 'data', 'hl7-folder');
  const atKill = join(base, 'at-kill');
  const closers: Array<() => unknown> = [];
  const killed = await startFolder({ teardown: (done) => void closers.push(done) }, { after: 'leave' }, { base });
  // Killed when the last message was stored and the file not remembered: in between nothing is written into the memory.
  killed.hinder(() => cpSync(memory, atKill, { recursive: true }));
  const small = many('S', 3);
  killed.put('small.hl7', small.join(''));
  await until(() => killed.source.status().folder.takenToday === 1);
  for (const close of closers) await close();
  rmSync(memory, { recursive: true });
  cpSync(atKill, memory, { recursive: true });

  // Of an older date: by age it comes first, and has more messages than the store recognises again.
  const large = many('L', RETRANSMISSION_WINDOW + 1);
  killed.put('large.hl7', large.join(''));
  utimesSync(join(killed.inbox, 'large.hl7'), 1e9, 1e9);
  const d = await startFolder(t, { after: 'leave' }, { base });
  await until(() => d.source.status().folder.takenToday === 2);
  t.equal(d.stored().length, small.length + large.length);
  t.same(d.stored().slice(0, 4), [...small, large[0]]);
});

t.test(
  'a file that has the name of one remembered before the kill is a new one, and keeps its place by age',
  async (t) => {
    const base = quickFolder('hl7-turns-reuse');
    const memory = join(base, 'store', 'data', 'hl7-folder');
    const atKill = join(base, 'at-kill');
    const closers: Array<() => unknown> = [];
    const killed = await startFolder({ teardown: (done) => void closers.push(done) }, {}, { base });
    const put = (d: typeof killed, name: string, message: string, at: number) => {
      d.put(name, message);
      utimesSync(join(d.inbox, name), at, at);
    };
    let isKilled = false;
    // Killed when the first was put away and the second is on its way to the store.
    killed.hinder(async ({ bytes }) => {
      if (Buffer.from(bytes).includes('TWO') && !isKilled) {
        await until(() => killed.files().length === 2);
        cpSync(memory, atKill, { recursive: true });
        isKilled = true;
      }
      if (isKilled) throw new QianzhiError('QUE-4002');
    });
    for (const [i, name] of ['ONE', 'TWO', 'THREE'].entries()) put(killed, `${i + 1}.hl7`, oru(name), 1e9 + i);
    await until(() => isKilled);
    for (const close of closers) await close();
    rmSync(memory, { recursive: true });
    cpSync(atKill, memory, { recursive: true });

    put(killed, '1.hl7', oru('NEWEST'), 1e9 + 1000);
    const d = await startFolder(t, {}, { base });
    await until(() => d.files().length === 0);
    t.same(
      d.stored(),
      ['ONE', 'TWO', 'THREE', 'NEWEST'].map((name) => oru(name)),
    );
  },
);

t.test('nothing is taken before the folder was looked through for what may be stored already', async (t) => {
  const root = quickFolder('hl7-turns-order');
  const memory = quickFolder('hl7-turns-memory');
  const clock = handClock();
  const seen = await openSeen(join(memory, 'seen'));
  const file = join(memory, 'turns');
  const identity = { size: 1, mtimeNs: 1n, ino: 1n };
  await (await openTurns(file, seen)).next(['y', 'gone', 'x'].map((path) => ({ path, identity })));
  let isFull = true;
  const run = async () => {
    const order: string[] = [];
    const turns = await openTurns(file, seen);
    const folder = createFolder({
      root,
      files: {
        codes: hl7FolderCodes,
        decisions: hl7Decisions,
        inOrder: true,
        turns,
        async take(path) {
          order.push(path);
          if (isFull) return { kind: 'refused', code: 'QUE-4002' };
          return { kind: 'taken', outcome: 'stored' };
        },
      },
      minAgeMs: 1000,
      giveUpMs: 1000,
      concurrency: 2,
      mostWaiting: 1,
      seen,
      clock,
      changed() {},
    });
    return { order, turns, folder };
  };
  const { order, turns, folder } = await run();
  for (const [i, name] of ['a', 'x', 'y'].entries()) {
    writeFileSync(join(root, name), name);
    utimesSync(join(root, name), 1e9 + i, 1e9 + i);
  }
  await folder.quick();
  clock.pass(1000);
  t.equal(await folder.work(), 0);
  t.equal(folder.nextWorkMs(), undefined, 'it waits for the pass');
  await folder.full();
  await folder.work();
  t.same(order.splice(0), ['y', 'x'], 'then they come first, in their order, though there was no room for more');
  t.notOk(turns.awaited());
  const after = (await run()).turns;
  t.same([after.of('y'), after.of('x')], [0, 1], 'what the store refused keeps its place, also over another crash');
  isFull = false;
  clock.pass(10_000);
  await folder.work();
  t.same(order, ['y', 'x']);
  await folder.full();
  clock.pass(1000);
  await folder.work();
  t.same(order, ['y', 'x', 'a']);
  t.notOk((await run()).turns.awaited(), 'what was decided is written down');
});

t.test('for one that is found late the others wait until it was looked at', async (t) => {
  const clock = handClock();
  const waiting = createWaiting(clock, 1000, { mostNew: 10, mostStuck: 10, inOrder: true });
  const due = () => waiting.due(10).map(({ path }) => path);
  const identity = { size: 1, ino: 1n };
  waiting.add('old', { ...identity, mtimeNs: 1n }, true);
  clock.pass(2500);
  waiting.add('owed', { ...identity, mtimeNs: 3n }, false, 0);
  waiting.add('older', { ...identity, mtimeNs: 0n });
  t.same(due(), []);
  clock.pass(999);
  t.same(due(), []);
  clock.pass(1);
  t.same(due(), ['owed', 'old', 'older']);
  t.same(
    waiting.owed().map(({ path }) => path),
    ['owed'],
  );
});
