import { rmSync } from 'node:fs';
import t from 'tap';
import { chooseSeed } from '../seed.ts';
import { broken, campaign, tableOf } from './campaign.ts';
import { choose, type Run, record, seeded, tryCuts, withoutSyncsOf } from './cuts.ts';
import { images, reliedOn, spoolPaths } from './image-inspection.ts';
import { nothingPromised } from './oracle.ts';
import { buildRecorder, cannotRecord, makeFolder } from './recording.ts';

/**
 * Invariant 1 for images, in the way of power-cut.debian.test.ts: what a device was told is stored, and what is gone from a
 * watched folder, is in the spool and in the store after the cut, once and whole.
 */
const skip = cannotRecord;
const seed = chooseSeed();
t.setTimeout(600_000);
const folder = makeFolder();
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const recorder = skip ? '' : buildRecorder(folder);
const load: Run = skip
  ? { subject: images, ops: [], base: [], before: nothingPromised(), momentOf: [] }
  : record(
      recorder,
      {
        sessions: [
          { count: 40, end: 'close' },
          { count: 24, end: 'crash' },
        ],
      },
      { subject: images },
    );
t.comment(`seed ${seed}`);

t.test('30 power cuts: no image is lost that was answered for or taken from its folder', { skip }, async (t) => {
  const outcome = await campaign(
    recorder,
    load,
    {
      cuts: { 'first start': 1, start: 2, load: 18, close: 2, closed: 1 },
      recoveries: 1,
      cutsInRecovery: { recovery: 4, load: 2 },
    },
    seeded(seed),
  );
  for (const line of tableOf(outcome)) t.comment(line);
  t.equal(outcome.cuts.length, 30);
  t.ok(
    outcome.cuts.some((c) => c.acked > 20),
    'there was something to lose',
  );
  t.same(broken(outcome), []);
});

t.test(
  'a cut just when an answer was read or a file went, with nothing there that was not synced',
  { skip },
  async (t) => {
    const random = seeded(seed + 2);
    const all = reliedOn(load);
    const points = all.filter(() => random() < 16 / all.length);
    const luck = () => ({ writes: 'none', names: random() < 0.5 ? 'all' : 'some', fill: 'zeros' }) as const;
    const { cuts, wrong } = await tryCuts(load, points, random, luck);
    t.ok(cuts.length > 6, `${cuts.length} of ${all.length} moments`);
    t.same(broken({ cuts, wrong, recorded: { operations: 0, syncs: 0, acked: 0 } }), []);
  },
);

t.test('the control: without the syncs of the spool the same cuts lose images', { skip }, async (t) => {
  const random = seeded(seed + 1);
  for (const [what, path] of Object.entries(spoolPaths)) {
    const unsynced = withoutSyncsOf(load, path);
    let tried = 0;
    let wrong = 0;
    // Where a cut does no harm is chance: some six more until it did.
    while (wrong < 2 && tried < 36) {
      const { cuts } = await tryCuts(unsynced, choose(unsynced, { load: 6 }, random), random);
      tried += cuts.length;
      wrong += cuts.filter(({ found }) => found.lost > 0 || found.wrong.length > 0).length;
    }
    t.comment(`${what} are never synced: ${wrong} of ${tried} cuts break a promise`);
    t.ok(wrong >= 2, `the harness sees loss where ${what} are never synced`);
  }
});
