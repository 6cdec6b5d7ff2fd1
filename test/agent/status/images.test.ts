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
  t.equal(keeper.model().problems.find(({ code }) => code === 'DCM-2295')?.exampleStudy, 1);
  t.match(imageProblemGroups(await rig.store.imageFigures(rig.now()), 5), [
    { code: 'DCM-2292', firstMs: 5 },
    { code: 'DCM-2294' },
    { code: 'DCM-2295', platform: '' },
  ]);
});

t.test('images are counted beside messages and documents, never among them', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  const receivedMs = Date.now();
  await rig.store.accept({ source: 'pacs', bytes: Buffer.from('m'), controlId: Buffer.from('1'), receivedMs });
  for (const uid of ['1.1', '1.2', '1.3']) await rig.take({ uid, receivedMs });
  await rig.take({ uid: '1.4', told: '9.9', receivedMs });
  await rig.indexAll();
  await rig.claimImages(1);
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
  await keeper.refresh();
  t.equal(keeper.model().facts.images, undefined, 'a site without images has no such figures');
  keeper.watchImages();
  keeper.addImagePlatform(() => ({
    platform: 'cloud',
    kind: 'dicomweb',
    url: 'https://cloud.example/',
    state: 'idle',
    certificates: [],
  }));
  await keeper.refresh();
  const { facts, stations } = keeper.model();
  t.match(facts, { waiting: 1, receivedToday: 1, deliveredToday: 0, heldForPerson: 0 });
  t.same(facts.images, { waiting: 0, receivedToday: 4, deliveredToday: 1, held: 1, studies: 1 });
  t.same(
    stations.map(({ id, count, images }) => [id, count, images]),
    [
      ['hospital', 0, undefined],
      ['intake', 1, 4],
      ['queue', 1, 0],
      ['platform', 0, 1],
    ],
  );
});
