import { rmSync } from 'node:fs';
import t from 'tap';
import { tried } from '../../long/figures.ts';
import { chooseSeed } from '../seed.ts';
import { broken, campaign, type Outcome, tableOf, type Wanted } from './campaign.ts';
import { choose, record, seeded, tryCuts, withoutCommitSyncs } from './cuts.ts';
import { buildRecorder, cannotRecord, makeFolder } from './recording.ts';

/** The power switch in its long form: more recordings, more cuts. power-cut.debian.test.ts says what is proven. */
const skip = cannotRecord;
const proof = process.env.QIANZHI_PROOF === '1';
const recordings = proof ? 4 : 1;
const messages = proof ? 500 : 150;
const wanted: Wanted = proof
  ? {
      cuts: { 'first start': 30, start: 20, load: 85, checkpoint: 50, close: 22, closed: 3 },
      recoveries: 4,
      cutsInRecovery: { recovery: 8, load: 2 },
    }
  : { cuts: { 'first start': 4, start: 2, load: 8, close: 4 }, recoveries: 1, cutsInRecovery: { recovery: 2 } };
const total = proof ? 1000 : 20;
const seed = chooseSeed();
t.setTimeout(proof ? 1_800_000 : 600_000);

t.test(`${total} power cuts: nothing acknowledged is lost, and the store opens every time`, { skip }, async (t) => {
  const folder = makeFolder();
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const recorder = buildRecorder(folder);
  const all: Outcome[] = [];
  const control = { cuts: 0, lost: 0, messages: 0 };
  for (let i = 0; i < recordings; i++) {
    const random = seeded(seed + i);
    const run = record(recorder, {
      sessions: [
        { count: messages, end: 'close' },
        { count: Math.ceil(messages / 3), end: 'crash' },
      ],
    });
    all.push(await campaign(recorder, run, wanted, random));
    const normal = withoutCommitSyncs(run);
    const { cuts } = await tryCuts(normal, choose(normal, { load: proof ? 25 : 6 }, random), random);
    for (const { found } of cuts) {
      control.cuts += 1;
      control.lost += found.lost > 0 ? 1 : 0;
      control.messages = Math.max(control.messages, found.lost);
    }
  }
  for (const line of tableOf(...all)) t.comment(line);
  t.comment(tried('power cut', `${total} cuts`, all.flatMap((o) => o.cuts).filter((c) => c.found.lost > 0).length));
  t.comment(
    `  the control, synchronous=NORMAL: ${control.lost} of ${control.cuts} cuts lose acknowledged messages (at most ${control.messages}); seed ${seed}`,
  );
  t.equal(
    all.reduce((n, o) => n + o.cuts.length, 0),
    total,
  );
  t.same(all.flatMap(broken).slice(0, 20), []);
  t.ok(control.lost > 0, 'the harness sees loss');
});
