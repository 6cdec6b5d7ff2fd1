import t from 'tap';
import { forgetDelivered } from '../../../agent/images/forget.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { quickFolder } from '../../quick-folder.ts';
import { type ImageRig, imageRig } from './rig.ts';

const problemsOf = async (rig: ImageRig) => (await rig.store.imageFigures(rig.now())).problems;
const numbers = (claimed: Array<{ n: number }>) => claimed.map(({ n }) => n);
const statesOf = async (rig: ImageRig, study = 1) =>
  (await rig.store.instancesOf(study, 10)).map(({ states }) => states.map((s) => `${s.platform}:${s.state}`));
const reopen = async (rig: ImageRig, imagePlatforms: string[]) => {
  await rig.close();
  return imageRig(rig.folder, { imagePlatforms });
};
const forget = (rig: ImageRig) =>
  forgetDelivered({
    spool: rig.spool,
    store: rig.store,
    clock: { now: rig.now, monotonic: rig.now },
    log: silentLog,
    keepMs: 0,
  });

t.test('what comes again goes to the platforms that joined since, and is none’s no more', async (t) => {
  const alone = await imageRig(quickFolder('joined'), { imagePlatforms: [] });
  await alone.take({ uid: '1.1' });
  await alone.take({ uid: '1.2' });
  await alone.take({ uid: '1.1', pixels: 3 });
  await alone.indexAll();
  await alone.store.withdrawStudy(1, true);
  await alone.take({ uid: '1.3' });
  const rig = await reopen(alone, ['cloud']);
  t.teardown(rig.close);
  for (const uid of ['1.1', '1.3']) t.match(await rig.take({ uid }), { outcome: 'duplicate' });
  t.match(await rig.take({ uid: '1.1', pixels: 3 }), { outcome: 'duplicate' });
  t.same(await statesOf(rig), [['cloud:withdrawn'], [':kept'], ['cloud:conflict']]);
  await rig.store.withdrawStudy(1, false);
  await rig.indexAll();
  t.same(numbers(await rig.claimImages()), [1, 4]);
  t.match((await rig.store.imageFigures(rig.now())).platforms, [{ waiting: 2, conflict: 1, withdrawn: 0 }]);
});

t.test('a person sends to a platform what was never to go there', async (t) => {
  const alone = await imageRig(quickFolder('named'), { imagePlatforms: [] });
  for (const uid of ['1.1', '1.2']) await alone.take({ uid });
  await alone.indexAll();
  const rig = await reopen(alone, ['cloud']);
  t.teardown(rig.close);
  t.equal((await rig.store.resendInstances({ study: 1 }, undefined)).resent, 0, 'only where it is named');
  t.equal((await rig.store.resendInstances({ study: 1 }, 'nowhere')).resent, 0);
  t.equal((await rig.store.resendInstances({ n: 2 }, 'cloud')).resent, 1);
  t.equal((await rig.store.resendInstances({ study: 1 }, 'cloud')).resent, 1);
  t.same(await statesOf(rig), [['cloud:waiting'], ['cloud:waiting']]);
  t.same(numbers(await rig.claimImages()), [1, 2]);
});

t.test('the file of what was forgotten comes back with the image, and goes to a new platform', async (t) => {
  const first = await imageRig(quickFolder('forgotten'));
  await first.take({ uid: '1.1' });
  await first.indexAll();
  await first.claimImages();
  await first.accepted([1]);
  first.tick(1);
  t.equal(await forget(first), 1);
  const rig = await reopen(first, ['cloud', 'city']);
  t.teardown(rig.close);
  t.match(await rig.take({ uid: '1.1' }), { n: 1, outcome: 'stored' });
  rig.tick(1000);
  t.equal(await forget(rig), 0, 'it is not everywhere yet');
  t.same(numbers(await rig.claimImages(9, 1e9, 'city')), [1]);
  t.equal((await rig.store.resendInstances({ n: 1 }, 'cloud')).resent, 1);
});

t.test('a platform taken out of the configuration is named, and keeps no file of what the others have', async (t) => {
  const both = await imageRig(quickFolder('gone'), { imagePlatforms: ['cloud', 'city'] });
  for (const uid of ['1.1', '1.2']) await both.take({ uid });
  await both.indexAll();
  await both.claimImages();
  await both.accepted([1]);
  const rig = await reopen(both, ['cloud']);
  t.same(await problemsOf(rig), [{ platform: 'city', code: 'DCM-2297', count: 2 }]);
  await rig.claimImages();
  await rig.accepted([2]);
  rig.tick(365 * 86_400_000);
  t.equal(await forget(rig), 2);
  const renamed = await reopen(rig, ['nube']);
  t.match(await renamed.take({ uid: '1.1' }), { outcome: 'stored' });
  t.same(numbers(await renamed.claimImages(9, 1e9, 'nube')), [1]);
  const back = await reopen(renamed, ['cloud', 'city', 'nube']);
  t.teardown(back.close);
  t.same(await problemsOf(back), [], 'back in the configuration it is no problem');
  t.same(numbers(await back.claimImages(1, 1e9, 'city')), [1]);
});

t.test('what is at no platform that is configured keeps its file', async (t) => {
  const first = await imageRig(quickFolder('kept'));
  await first.take({ uid: '1.1' });
  await first.indexAll();
  const rig = await reopen(first, ['nube']);
  t.teardown(rig.close);
  rig.tick(365 * 86_400_000);
  t.equal(await forget(rig), 0);
  t.same(await problemsOf(rig), [{ platform: 'cloud', code: 'DCM-2297', count: 1 }]);
});

t.test('an unreadable image is shown also where there is no platform for images', async (t) => {
  const rig = await imageRig(undefined, { imagePlatforms: [] });
  t.teardown(rig.close);
  await rig.take({ uid: '1.1', told: '9.9' });
  await rig.indexAll();
  t.same(await problemsOf(rig), [{ platform: '', code: 'DCM-2292', count: 1 }]);
  t.equal((await rig.store.resendInstances({ study: 0 }, undefined)).resent, 1);
  rig.rules.reader = {
    read: async () => ({
      ok: true,
      header: {
        sopClassUid: '1',
        sopInstanceUid: '9.9',
        transferSyntaxUid: '1',
        studyUid: '1.2.1',
        seriesUid: '1.2.1.1',
        charset: 'utf-8',
        charsetGuessed: false,
      },
    }),
  };
  await rig.indexAll();
  t.same(await problemsOf(rig), []);
  t.same(await statesOf(rig), [[':kept']]);
});

t.test('all that could not be read is read again when a person asks for it, and held again if it cannot', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  await rig.take({ uid: '1.1', told: '9.9' });
  await rig.indexAll();
  const before = await problemsOf(rig);
  t.same(before, [{ platform: 'cloud', code: 'DCM-2292', count: 1 }]);
  t.equal((await rig.store.resendInstances({ study: 0 }, undefined)).resent, 1);
  t.match(await rig.store.imageFigures(rig.now()), { unindexed: 1, problems: [] });
  await rig.indexAll();
  t.same(await problemsOf(rig), before);
});
