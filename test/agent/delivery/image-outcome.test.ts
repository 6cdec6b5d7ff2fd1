import t from 'tap';
import { deliveryRig, untilFigures } from './image-rig.ts';

t.test('what was put off before it went out is not at the platform, what broke off may be', async (t) => {
  const rig = await deliveryRig(t);
  for (const uid of ['1.1', '1.2', '2.1', '2.2']) await rig.take({ uid, study: uid });
  await rig.indexAll();
  let answered = 0;
  let stop = () => {};
  const broke = new Promise<void>((resolve) => {
    stop = resolve;
  });
  rig.platform.concurrency = 1;
  const sent: number[] = [];
  rig.platform.answer = (instances) => {
    if (instances.length > 1) return { kind: 'too-large', code: 'PLT-1302' };
    sent.push(instances[0]!.n);
    answered += 1;
    if (answered === 1) stop();
    return { kind: 'retry', code: 'NET-1006', retryAfterMs: 60_000 };
  };
  const delivery = rig.start();
  await broke;
  await delivery.stop();
  for (const study of [1, 2, 3, 4]) await rig.store.withdrawStudy(study, true);
  await untilFigures(rig, { withdrawn: 4 });
  const { studyProblems } = await rig.store.imageFigures(rig.now());
  t.match(studyProblems, [{ code: 'DCM-2294', count: 1, exampleStudy: sent[0] }]);
});

t.test('a platform is told which images have a UID with two contents', async (t) => {
  const rig = await deliveryRig(t);
  await rig.take({ uid: '1.1' });
  await rig.take({ uid: '1.1', pixels: 3 });
  await rig.take({ uid: '1.2' });
  await rig.indexAll();
  await rig.store.resendInstances({ n: 2 }, 'cloud');
  const contested = new Map<number, boolean | undefined>();
  rig.platform.answer = (instances) => {
    for (const one of instances) contested.set(one.n, one.contested);
    return { kind: 'items', items: instances.map(({ n }) => ({ n, outcome: 'accepted' })) };
  };
  rig.start();
  await untilFigures(rig, { delivered: 3 });
  t.same(
    [...contested].sort(([a], [b]) => a - b),
    [
      [1, true],
      [2, true],
      [3, false],
    ],
  );
});
