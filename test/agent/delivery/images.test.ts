import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { OutgoingInstance } from '../../../agent/delivery/image-platform.ts';
import { datasetOf, type ImageRig, type Said, sha256 } from '../images/rig.ts';
import { all, deliveryRig, untilFigures } from './image-rig.ts';

/** Takes so many instances in, and reads their headers. */
async function some(rig: ImageRig, count: number, more: Partial<Said> = {}, from = 1): Promise<Said[]> {
  const said = Array.from({ length: count }, (_, i) => ({ uid: `1.2.3.${from + i}`, pixels: 1000 + i, ...more }));
  for (const one of said) await rig.take(one);
  await rig.indexAll();
  return said;
}
const numbers = (instances: OutgoingInstance[]): number[] => instances.map(({ n }) => n);

t.test('every instance arrives once, bit for bit, in batches of at most the platform’s limits', async (t) => {
  const rig = await deliveryRig(t);
  const said = await some(rig, 60);
  rig.start();
  await untilFigures(rig, { waiting: 0, delivered: 60 });
  t.same(
    [...rig.platform.seen].sort(([a], [b]) => a - b),
    said.map((one, i) => [i + 1, [sha256(datasetOf(one))]]),
  );
  t.ok(rig.platform.requests.every((r) => r.length <= 10));
  t.ok(rig.platform.mostAtOnce > 1 && rig.platform.mostAtOnce <= 4, 'several requests at once');
});

t.test('as many requests are on their way as the platform is configured for, and no more', async (t) => {
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  for (const concurrency of [2, 7]) {
    const rig = await deliveryRig(t);
    Object.assign(rig.platform, { concurrency, limits: { instances: 1, bytes: 1_000_000 } });
    await some(rig, 60);
    const full = async () => {
      const limit = Date.now() + 10_000;
      while (rig.platform.mostAtOnce < concurrency && Date.now() < limit) await wait(5);
      // Time for one too many.
      await wait(100);
    };
    let held: Promise<void> | undefined;
    rig.platform.answer = async (instances, signal) => {
      // It begins with one and grows with each success.
      if (rig.platform.requests.length > 40) held ??= full();
      await held;
      return all('accepted')(instances, signal);
    };
    rig.start();
    await untilFigures(rig, { waiting: 0, delivered: 60 });
    t.equal(rig.platform.mostAtOnce, concurrency);
  }
});

t.test('a batch is bounded by bytes too, and a larger instance goes alone', async (t) => {
  const rig = await deliveryRig(t);
  rig.platform.limits = { instances: 10, bytes: 100_000 };
  await some(rig, 6, { pixels: 40_000 });
  await some(rig, 1, { pixels: 300_000, study: '1.2.2' }, 7);
  rig.start();
  await untilFigures(rig, { delivered: 7 });
  t.ok(rig.platform.requests.every((r) => r.length <= 2));
  t.same(
    rig.platform.requests.find((r) => r.includes(7)),
    [7],
  );
});

t.test('urgent studies go first, then the study that began first', async (t) => {
  const rig = await deliveryRig(t);
  rig.rules.urgency = { modalities: ['CT'], priorities: ['STAT'] };
  rig.platform.limits.instances = 2;
  rig.platform.concurrency = 1;
  await some(rig, 2, { study: '1.1', modality: 'MR' }, 1);
  await some(rig, 2, { study: '1.2', modality: 'MR' }, 3);
  await some(rig, 2, { study: '1.3', modality: 'CT' }, 5);
  await some(rig, 2, { study: '1.1', modality: 'MR' }, 7);
  await some(rig, 1, { study: '1.2', modality: 'MR', priority: 'STAT' }, 9);
  rig.start();
  await untilFigures(rig, { delivered: 9 });
  // The priority of one makes all of its study urgent.
  t.same(rig.platform.requests.flat(), [3, 4, 9, 5, 6, 1, 2, 7, 8]);
});

t.test('a verdict is an instance’s own: accepted, refused and tried again in one answer', async (t) => {
  const rig = await deliveryRig(t);
  await some(rig, 3);
  let calls = 0;
  rig.platform.answer = (instances) => {
    calls += 1;
    return {
      kind: 'items',
      items: instances.map(({ n }) => {
        if (n === 2) return { n, outcome: 'refused', code: 'DCM-2201' };
        if (n === 3 && calls === 1) return { n, outcome: 'retry', code: 'PLT-1306' };
        return { n, outcome: 'accepted' };
      }),
    };
  };
  rig.start();
  await untilFigures(rig, { waiting: 0, delivered: 2, held: 1 });
  t.same(rig.platform.seen.get(1)?.length, 1);
  t.same(rig.platform.seen.get(3)?.length, 2);
  const figures = await rig.store.imageFigures(rig.now());
  t.same(figures.problems, [{ platform: 'cloud', code: 'DCM-2201', count: 1 }]);
});

t.test('an instance that the answer never names is sent again, and held in the end', async (t) => {
  const rig = await deliveryRig(t);
  await some(rig, 3);
  rig.platform.answer = (instances) => ({
    kind: 'items',
    items: numbers(instances).flatMap((n) => (n === 2 ? [] : [{ n, outcome: 'accepted' as const }])),
  });
  rig.start();
  await untilFigures(rig, { waiting: 0, delivered: 2, held: 1 });
  t.equal(rig.platform.seen.get(2)?.length, 8);
});

t.test('a damaged file is set aside alone, whatever the adapter makes of it', async (t) => {
  for (const how of ['throws', 'names', 'retries'] as const) {
    const rig = await deliveryRig(t);
    await some(rig, 5);
    const [third] = (await rig.claimImages()).filter(({ n }) => n === 3);
    await rig.store.settleInstances(
      'cloud',
      [1, 2, 3, 4, 5].map((n) => ({ n, outcome: 'retry' as const, code: 'PLT-1307', retryAtMs: 0 })),
      0,
    );
    const name = third!.file.name;
    writeFileSync(join(rig.options.folder, 'spool', name[0]!, name[1]!, name), 'not what was written');
    const send = rig.platform.send.bind(rig.platform);
    if (how !== 'throws') {
      rig.platform.send = async (instances, signal) => {
        try {
          return await send(instances, signal);
        } catch {
          if (how === 'retries') return { kind: 'retry', code: 'NET-1006' };
          return {
            kind: 'items',
            items: instances.map(({ n }) =>
              n === 3 ? { n, outcome: 'refused', code: 'QUE-4003' } : { n, outcome: 'retry', code: 'PLT-1307' },
            ),
          };
        }
      };
    }
    const delivery = rig.start();
    await untilFigures(rig, { waiting: 0, delivered: 4, held: 1 });
    const figures = await rig.store.imageFigures(rig.now());
    t.same(figures.problems, [{ platform: 'cloud', code: 'QUE-4003', count: 1 }], how);
    t.not(delivery.status().state, 'retrying', 'the platform is not to blame');

    // The device sends it again: it takes the place of what is damaged.
    t.same(await rig.take({ uid: '1.2.3.3', pixels: 1002 }), { n: 3, outcome: 'stored' });
    delivery.wake();
    await untilFigures(rig, { waiting: 0, delivered: 5, held: 0 });
    t.equal(rig.platform.seen.get(3)?.at(-1), sha256(datasetOf({ uid: '1.2.3.3', pixels: 1002 })));
  }
});

t.test('what is refused as a whole is bisected down to the one that the platform cannot take', async (t) => {
  const rig = await deliveryRig(t);
  await some(rig, 10);
  rig.platform.answer = (instances, signal) =>
    instances.some(({ n }) => n === 7)
      ? { kind: 'refused-whole', code: 'PLT-1305' }
      : all('accepted')(instances, signal);
  rig.start();
  await untilFigures(rig, { waiting: 0, delivered: 9, held: 1 });
  t.match((await rig.store.instancesOf(1, 20))[6], { n: 7, states: [{ state: 'held', code: 'PLT-1305' }] });
});

t.test('a trust problem stops uploads until the probe finds it gone; nothing is lost', async (t) => {
  const rig = await deliveryRig(t);
  await some(rig, 5);
  rig.platform.answer = () => ({ kind: 'stop', code: 'TLS-1201' });
  const delivery = rig.start();
  const stopped = new Promise<void>((resolve) => {
    const look = setInterval(() => {
      if (delivery.status().halted !== 'TLS-1201') return;
      clearInterval(look);
      resolve();
    }, 5);
  });
  rig.platform.probeAnswer = { ok: true };
  await stopped;
  rig.platform.answer = all('accepted');
  delivery.tryNow();
  await untilFigures(rig, { waiting: 0, delivered: 5 });
  t.ok(rig.events.includes('uploads-stopped TLS-1201'));
  t.ok(rig.events.includes('uploads-resumed TLS-1201'));
});

t.test('an outage is waited out: nothing is claimed before the platform was proved', async (t) => {
  const rig = await deliveryRig(t);
  await some(rig, 5);
  rig.platform.probeAnswer = { ok: false, code: 'NET-1002' };
  rig.start();
  while (rig.platform.probes < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  t.same(rig.platform.requests, []);
  t.same((await rig.store.instancesOf(1, 9))[0]?.states[0]?.attempts, 0);
  rig.platform.probeAnswer = { ok: true };
  await untilFigures(rig, { waiting: 0, delivered: 5 });
});

t.test(
  'after a restart each instance goes on where it was: what was on its way is sent again, the rest is not',
  async (t) => {
    const rig = await deliveryRig(t);
    await some(rig, 20);
    let hang = true;
    rig.platform.answer = async (instances, signal) => {
      if (hang && instances.some(({ n }) => n > 10)) {
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        return { kind: 'retry', code: 'NET-1006' };
      }
      return all('accepted')(instances, signal);
    };
    const before = rig.start({ timing: { graceMs: 0, retry: { baseMs: 10, maxMs: 40 } } });
    await untilFigures(rig, { delivered: 10 });
    await before.stop();
    hang = false;
    await rig.close();
    const again = await deliveryRig(t, rig.folder);
    again.start();
    await untilFigures(again, { waiting: 0, delivered: 20 });
    t.same(
      [...again.platform.seen.keys()].sort((a, b) => a - b),
      [11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
    );
  },
);

t.test('a withdrawn study is not sent, and what is on its way is judged by what becomes of it', async (t) => {
  const rig = await deliveryRig(t);
  rig.platform.limits.instances = 2;
  await some(rig, 2, { study: '1.1' }, 1);
  await some(rig, 2, { study: '1.2' }, 3);
  const claimed = await rig.claimImages(3);
  t.same(
    claimed.map(({ n }) => n),
    [1, 2, 3],
  );
  t.equal((await rig.store.withdrawStudy(1, true)).changed, true);
  t.same(await rig.store.withdrawnInstances([1, 2, 3]), [1, 2]);
  await rig.store.settleInstances(
    'cloud',
    [
      { n: 1, outcome: 'accepted' },
      { n: 2, outcome: 'retry', code: 'NET-1006', retryAtMs: 0 },
      { n: 3, outcome: 'retry', code: 'NET-1006', retryAtMs: 0 },
    ],
    rig.now(),
  );
  const delivery = rig.start();
  await untilFigures(rig, { waiting: 0, delivered: 3, withdrawn: 1 });
  t.same(rig.platform.requests.flat().sort(), [3, 4]);
  await rig.store.withdrawStudy(1, false);
  delivery.wake();
  await untilFigures(rig, { waiting: 0, delivered: 4, withdrawn: 0 });
});

t.test('a platform that is slow to count holds up nothing, and is asked one question at a time', async (t) => {
  const rig = await deliveryRig(t);
  await some(rig, 1, { study: '1.1' }, 1);
  await some(rig, 1, { study: '1.2' }, 2);
  rig.tick(60_000);
  t.equal(await rig.issue(), 2);
  let asked = 0;
  rig.platform.countInstances = async () => {
    asked += 1;
    return new Promise<undefined>(() => {});
  };
  const delivery = rig.start({ verify: true, timing: { heartbeatMs: 20, graceMs: 0 } });
  while (asked === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await some(rig, 2, { study: '1.3' }, 3);
  delivery.wake();
  await untilFigures(rig, { waiting: 0, delivered: 4 });
  t.equal(asked, 1);
});

t.test('a study that is delivered whole is counted at the platform; fewer is told and kept', async (t) => {
  const rig = await deliveryRig(t);
  await some(rig, 3, { study: '1.1' }, 1);
  await some(rig, 2, { study: '1.2' }, 4);
  rig.tick(60_000);
  t.equal(await rig.issue(), 2);
  rig.platform.counted = (uid) => (uid === '1.1' ? 3 : 1);
  const delivery = rig.start({ verify: true });
  await untilFigures(rig, { waiting: 0, delivered: 5 });
  while ((await rig.store.studiesToVerify('cloud', 9)).length > 0) {
    delivery.wake();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const studies = await rig.store.studies(10);
  t.same(
    studies.map(({ study, counted }) => [study, counted]),
    [
      [2, [{ platform: 'cloud', delivered: 2, counted: 1 }]],
      [1, [{ platform: 'cloud', delivered: 3, counted: 3 }]],
    ],
  );
  t.ok(rig.events.includes('study-incomplete-at-platform DCM-2293'));
  const { studyProblems } = await rig.store.imageFigures(rig.now());
  t.same(studyProblems, [{ platform: 'cloud', code: 'DCM-2293', count: 1, exampleStudy: 2 }]);
});
