import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { forgetDelivered } from '../../../agent/images/forget.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { openInProcess } from '../store/in-process.ts';
import { imageRig } from './rig.ts';

t.test('a study sent again twice in a row is sent once, and while it uploads nothing is doubled', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  for (const uid of ['1.1', '1.2', '1.3']) await rig.take({ uid });
  await rig.indexAll();
  t.same(await rig.store.resendInstances({ study: 1 }, undefined), {
    resent: 0,
    rest: [{ platform: 'cloud', why: 'waiting', count: 3 }],
  });
  const claimed = await rig.claimImages(2);
  t.match((await rig.store.resendInstances({ study: 1 }, undefined)).rest, [{ why: 'waiting', count: 3 }]);
  await rig.accepted(claimed.map(({ n }) => n));
  t.same(await rig.store.resendInstances({ study: 1 }, undefined), {
    resent: 2,
    rest: [{ platform: 'cloud', why: 'waiting', count: 1 }],
  });
  t.match(await rig.store.resendInstances({ study: 1 }, 'cloud'), { resent: 0, rest: [{ count: 3 }] });
  t.equal((await rig.claimImages()).length, 3);
});

t.test(
  'what of a study stays is told with the reason: withdrawn, no file, other content, another platform',
  async (t) => {
    const rig = await imageRig();
    for (const uid of ['1.1', '1.2', '1.3']) await rig.take({ uid });
    await rig.take({ uid: '1.1', pixels: 99 });
    await rig.indexAll();
    await rig.claimImages();
    await rig.accepted([1, 2, 3]);
    rig.tick(1);
    await forgetDelivered({
      spool: rig.spool,
      store: rig.store,
      clock: { now: rig.now, monotonic: rig.now },
      log: silentLog,
      keepMs: 0,
    });
    await rig.take({ uid: '1.2' });
    t.same(await rig.store.resendInstances({ study: 1 }, undefined), {
      resent: 1,
      rest: [
        { platform: 'cloud', why: 'conflict', count: 1 },
        { platform: 'cloud', why: 'file-gone', count: 2 },
      ],
    });
    t.same(await rig.store.resendInstances({ n: 4 }, undefined), { resent: 1, rest: [] }, 'one by one');
    await rig.store.withdrawStudy(1, true);
    t.same(await rig.store.resendInstances({ study: 1 }, undefined), {
      resent: 0,
      rest: [{ platform: 'cloud', why: 'withdrawn', count: 4 }],
    });
    t.same(await rig.store.resendInstances({ study: 99 }, undefined), { resent: 0, rest: [] });
    await rig.close();
    const two = await imageRig(rig.folder, { imagePlatforms: ['cloud', 'city'] });
    t.teardown(two.close);
    await two.store.withdrawStudy(1, false);
    t.match(await two.store.resendInstances({ study: 1 }, undefined), {
      rest: [{ platform: 'cloud' }, { platform: 'cloud' }, { platform: 'city', why: 'not-for-it', count: 4 }],
    });
    t.same(await two.store.resendInstances({ study: 1 }, 'city'), {
      resent: 1,
      rest: [
        { platform: 'city', why: 'conflict', count: 1 },
        { platform: 'city', why: 'file-gone', count: 2 },
      ],
    });
  },
);

t.test(
  'what waits for a platform that is gone is given up by a person, stays in the books, and can be taken up again',
  async (t) => {
    const rig = await imageRig(undefined, { imagePlatforms: ['old'] });
    for (const uid of ['1.1', '1.2', '1.3']) await rig.take({ uid });
    await rig.indexAll();
    await rig.claimImages(1, 1e9, 'old');
    await rig.accepted([1], 'old');
    t.equal(await rig.store.forgetPlatform('old'), 0, 'it is configured');
    await rig.close();

    const now = await imageRig(rig.folder);
    const problems = async (of = now) => (await of.store.imageFigures(of.now())).problems;
    t.same(await problems(), [{ platform: 'old', code: 'DCM-2297', count: 2 }]);
    t.equal(await now.store.forgetPlatform('nobody'), 0);
    t.equal(await now.store.forgetPlatform('old'), 2);
    t.equal(await now.store.forgetPlatform('old'), 0, 'once');
    t.same(await problems(), []);
    const given = { platform: 'old', state: 'withdrawn', code: 'DCM-2297' };
    t.match(
      (await now.store.instancesOf(1, 10)).map((i) => i.states[0]),
      [{ state: 'delivered' }, given, given],
    );
    await now.store.withdrawStudy(1, true);
    await now.store.withdrawStudy(1, false);
    t.match((await now.store.studyNumbered(1))?.states, [
      { platform: 'old', state: 'delivered', count: 1 },
      { platform: 'old', state: 'withdrawn', count: 2 },
    ]);
    await now.close();

    const back = await imageRig(rig.folder, { imagePlatforms: ['old'] });
    t.teardown(back.close);
    t.same(await problems(back), [], 'nobody’s task');
    t.same(await back.claimImages(9, 1e9, 'old'), []);
    t.same(await back.store.resendInstances({ study: 1 }, 'old'), { resent: 3, rest: [] });
    t.equal((await back.claimImages(9, 1e9, 'old')).length, 3);
  },
);

t.test('a large study is sent again in steps, so that no acknowledgement waits behind all of it', async (t) => {
  const rig = await imageRig();
  const instances = 4_500;
  await rig.take({ uid: '1.1' });
  await rig.indexAll();
  await rig.close();
  const db = new DatabaseSync(join(rig.options.folder, 'qianzhi.db'));
  // As if they had been delivered, all but one that was let go of.
  db.exec(`WITH RECURSIVE i(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM i WHERE n < ${instances})
    INSERT INTO instance(n, source, mac, content, received_ms, day, bytes, file, kept, state, study)
      SELECT n, 1, CAST(n AS BLOB), x'00', 1, 1, 10, n, n <> 3000, 1, 1 FROM i;
    INSERT INTO upload(n, platform, state, study, bytes, day, source)
      SELECT n, (SELECT id FROM name WHERE kind='platform' AND name='cloud'), 10, 1, 10, 1, 1 FROM instance WHERE n > 1`);
  db.close();
  const writer = openInProcess({
    folder: rig.options.folder,
    keyReference: rig.options.keyReference,
    sources: ['pacs'],
    platforms: ['province'],
    imagePlatforms: ['cloud'],
    clock: systemClock,
  });
  t.teardown(() => writer.writer.close());
  const step = (after: number) =>
    writer.ask<'resend-instances'>({ op: 'resend-instances', what: { study: 1 }, platform: undefined, after });
  const steps = [await step(0)];
  for (let next = steps[0]?.next; next !== undefined; next = steps.at(-1)?.next) steps.push(await step(next));
  t.same(steps, [
    { resent: 1_999, rest: [{ platform: 'cloud', why: 'waiting', count: 1 }], next: 2_000 },
    { resent: 1_999, rest: [{ platform: 'cloud', why: 'file-gone', count: 1 }], next: 4_000 },
    { resent: 500, rest: [] },
  ]);
});
