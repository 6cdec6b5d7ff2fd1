import t from 'tap';
import { imageProblemGroups } from '../../../agent/status/images.ts';
import { startStatusKeeper } from '../../../agent/status/keeper.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import { imageRig } from '../images/rig.ts';

t.test('images and studies that need a person are told as problems', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  await rig.take({ uid: '1.1', patientId: 'A' });
  await rig.take({ uid: '1.2', patientId: 'B' });
  await rig.take({ uid: '1.3', told: '9.9' });
  await rig.indexAll();
  await rig.claimImages();
  await rig.accepted([1]);
  await rig.store.withdrawStudy(1, true);
  const keeper = startStatusKeeper({
    clock: systemClock,
    startedMs: 0,
    version: '1',
    site: { orgCode: '1', name: '示例医院', timeZone: 'Asia/Shanghai' },
    demo: false,
    store: rig.store,
  });
  t.teardown(() => keeper.stop());
  keeper.watchImages();
  await keeper.refresh();
  t.same(
    keeper
      .model()
      .problems.map(({ code, component, count }) => `${code} ${component} ${count}`)
      .sort(),
    ['DCM-2292 cloud 1', 'DCM-2294 cloud 1', 'DCM-2295 agent 1'],
  );
  t.match(imageProblemGroups(await rig.store.imageFigures(rig.now()), 5), [
    { code: 'DCM-2292', firstMs: 5 },
    { code: 'DCM-2294' },
    { code: 'DCM-2295', platform: '' },
  ]);
});
