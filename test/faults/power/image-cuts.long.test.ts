import { rmSync } from 'node:fs';
import t from 'tap';
import { tried } from '../../long/figures.ts';
import { chooseSeed } from '../seed.ts';
import { broken, campaign, type Outcome, tableOf, type Wanted } from './campaign.ts';
import { type Cut, record, seeded, tryCuts } from './cuts.ts';
import { images, reliedOn } from './image-inspection.ts';
import { buildRecorder, cannotRecord, makeFolder } from './recording.ts';

/** Images under the power switch in the long form. image-cuts.debian.test.ts says what is proven, and has the controls. */
const skip = cannotRecord;
const proof = process.env.QIANZHI_PROOF === '1';
const recordings = proof ? 4 : 1;
const count = proof ? 180 : 30;
const wanted: Wanted = proof
  ? {
      cuts: { 'first start': 5, start: 10, load: 100, close: 8, closed: 2 },
      recoveries: 2,
      cutsInRecovery: { recovery: 16, load: 12 },
    }
  : { cuts: { load: 8, close: 2 }, recoveries: 0, cutsInRecovery: {} };
const total = proof ? 4 * (125 + 2 * 28) : 10;
const seed = chooseSeed();
t.setTimeout(proof ? 1_800_000 : 600_000);

t.test(`${total} power cuts: no image is lost that was answered for or taken from its folder`, { skip }, async (t) => {
  const folder = makeFolder();
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  t.comment(`seed ${seed}`);
  const recorder = buildRecorder(folder);
  const all: Outcome[] = [];
  const relied: Cut[] = [];
  for (let i = 0; i < recordings; i++) {
    const sessions = [
      { count, end: 'close' as const },
      { count: Math.ceil(count / 3), end: 'crash' as const },
    ];
    const random = seeded(seed + i);
    const run = record(recorder, { sessions }, { subject: images });
    all.push(await campaign(recorder, run, wanted, random));
    // And just when somebody relies on it, with nothing there that was not synced.
    const moments = reliedOn(run);
    const points = moments.filter(() => random() < (proof ? 40 : 4) / moments.length);
    const luck = () => ({ writes: 'none', names: random() < 0.5 ? 'all' : 'some', fill: 'zeros' }) as const;
    relied.push(...(await tryCuts(run, points, random, luck)).cuts);
  }
  const cuts = [...all.flatMap((o) => o.cuts), ...relied];
  for (const line of tableOf(...all)) t.comment(line);
  t.comment(`  and ${relied.length} cuts just when an answer was read or a file went from its folder`);
  t.comment(tried('power cut, images', `${cuts.length} cuts`, cuts.filter((c) => c.found.lost > 0).length));
  t.equal(cuts.length - relied.length, total);
  const atThose: Outcome = { cuts: relied, wrong: [], recorded: { operations: 0, syncs: 0, acked: 0 } };
  t.same([...all, atThose].flatMap(broken).slice(0, 20), []);
});
