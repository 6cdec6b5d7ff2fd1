import t from 'tap';
import { forgetDelivered } from '../../../agent/images/forget.ts';
import type { InstanceVerdict } from '../../../agent/store/image-contract.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { type ImageRig, imageRig } from './rig.ts';

const task = [{ platform: 'cloud', code: 'DCM-2294', count: 1, exampleStudy: 1 }];
const tasks = async (rig: ImageRig) => (await rig.store.imageFigures(rig.now())).studyProblems;

/** One attempt of instance 1 that ends so, or with a verdict of a later attempt; then its study is taken back. */
async function takenBackAfter(...verdicts: InstanceVerdict[]) {
  const rig = await imageRig();
  await rig.take({ uid: '1.1' });
  await rig.indexAll();
  for (const verdict of verdicts) {
    rig.tick(1000);
    await rig.claimImages();
    await rig.store.settleInstances('cloud', [verdict], rig.now());
  }
  await rig.store.withdrawStudy(1, true);
  return rig;
}
const retry = (code: string, unsent?: true): InstanceVerdict => ({
  n: 1,
  outcome: 'retry',
  code,
  retryAtMs: 0,
  ...(unsent && { unsent }),
});
const refused = (code: string): InstanceVerdict => ({ n: 1, outcome: 'refused', code });

t.test('after an attempt of unknown outcome the platform may have an image of a study taken back', async (t) => {
  const unclear: InstanceVerdict[][] = [
    [retry('NET-1006')],
    [retry('DCM-2271')],
    [retry('DCM-2273')],
    [retry('PLT-1307')],
    [refused('PLT-1307')],
    [retry('NET-1006'), refused('PLT-1305')],
    [retry('NET-1006'), retry('DCM-2272')],
    [retry('NET-1006'), retry('NET-1006', true)],
  ];
  for (const verdicts of unclear) {
    const rig = await takenBackAfter(...verdicts);
    t.same(await tasks(rig), task, JSON.stringify(verdicts));
    t.equal(await rig.store.imagesDeleted(1, 'cloud'), 1);
    t.same(await tasks(rig), [], 'until a person says that it is deleted there');
    await rig.close();
  }
});

t.test('what surely is not there is nobody’s task', async (t) => {
  const clear: InstanceVerdict[][] = [
    [],
    [refused('PLT-1305')],
    [retry('DCM-2272')],
    [retry('NET-1001')],
    [retry('TLS-1101')],
    [retry('NET-1006', true)],
    [retry('DCM-2272'), refused('DCM-2276')],
  ];
  for (const verdicts of clear) {
    const rig = await takenBackAfter(...verdicts);
    t.same(await tasks(rig), [], JSON.stringify(verdicts));
    t.equal(await rig.store.imagesDeleted(1, 'cloud'), 0);
    await rig.close();
  }
});

t.test('what was on its way when the agent died may be there', async (t) => {
  const first = await imageRig();
  await first.take({ uid: '1.1' });
  await first.indexAll();
  await first.claimImages();
  await first.close();
  const rig = await imageRig(first.folder);
  t.teardown(rig.close);
  await rig.store.withdrawStudy(1, true);
  t.same(await tasks(rig), task);
});

t.test('a damaged file that is whole again does not bring back what was taken back', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  await rig.take({ uid: '1.1' });
  await rig.indexAll();
  const [claimed] = await rig.claimImages();
  await rig.store.settleInstances('cloud', [refused('QUE-4003')], rig.now());
  t.ok(claimed);
  await rig.store.withdrawStudy(1, true);
  t.match(await rig.take({ uid: '1.1' }), { outcome: 'stored' });
  t.same(await rig.claimImages(), []);
});

t.test('another content under a known UID that is another patient’s makes the study suspect', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  await rig.take({ uid: '1.1', patientId: 'A' });
  await rig.indexAll();
  t.notOk((await rig.claimImages())[0]?.contested);
  await rig.take({ uid: '1.1', patientId: 'A', pixels: 3 });
  await rig.indexAll();
  t.same(await tasks(rig), []);
  await rig.take({ uid: '1.1', patientId: 'B' });
  await rig.indexAll();
  t.same(await tasks(rig), [{ platform: '', code: 'DCM-2295', count: 1, exampleStudy: 1 }]);
  const [study] = await rig.store.studies(1);
  t.match(study?.facts?.reveal(), { patientId: 'A', contradicts: ['patientId'] }, 'and says what it said');
  await rig.store.resendInstances({ n: 2 }, 'cloud');
  t.match(await rig.claimImages(), [{ n: 2, contested: true }]);
  await rig.store.settleInstances('cloud', [retry('NET-1006')], rig.now());
});

t.test(
  'what the platform deleted and we have no file of is not restored: it is told, and goes when the PACS sends it again',
  async (t) => {
    const rig = await imageRig();
    t.teardown(rig.close);
    for (const uid of ['1.1', '1.2', '1.3']) await rig.take({ uid });
    await rig.indexAll();
    await rig.claimImages(2);
    await rig.accepted([1, 2]);
    rig.tick(1);
    const clock = { now: rig.now, monotonic: rig.now };
    t.equal(await forgetDelivered({ spool: rig.spool, store: rig.store, clock, log: silentLog, keepMs: 0 }), 2);
    await rig.store.withdrawStudy(1, true);
    t.equal(await rig.store.imagesDeleted(1, 'cloud'), 2);
    const problems = async () => (await rig.store.imageFigures(rig.now())).problems;
    const rest = [{ platform: 'cloud', why: 'file-gone', count: 2 }];
    t.same(await rig.store.withdrawStudy(1, false), { changed: true, rest });
    t.same(await problems(), [{ platform: 'cloud', code: 'DCM-2290', count: 2 }]);
    const gone = { fileKept: false, states: [{ state: 'withdrawn', code: 'DCM-2290' }] };
    t.match(await rig.store.instancesOf(1, 10), [gone, gone, { fileKept: true, states: [{ state: 'waiting' }] }]);
    t.same(await rig.store.resendInstances({ study: 1 }, 'cloud'), {
      resent: 0,
      rest: [...rest, { platform: 'cloud', why: 'waiting', count: 1 }],
    });

    await rig.store.withdrawStudy(1, true);
    t.same(await problems(), [], 'nobody’s task while it is taken back');
    t.match(await rig.take({ uid: '1.2' }), { n: 2, outcome: 'stored' });
    t.same(await rig.claimImages(), []);
    t.match(await rig.store.withdrawStudy(1, false), { rest: [{ count: 1 }] });
    t.match(await rig.take({ uid: '1.1' }), { n: 1, outcome: 'stored' });
    t.same(await problems(), []);
    t.same(
      (await rig.claimImages()).map(({ n }) => n),
      [1, 2, 3],
    );
    await rig.accepted([1, 2, 3]);
    t.match((await rig.store.studyNumbered(1))?.states, [{ state: 'delivered', count: 3 }]);
  },
);

t.test('of a restored study what has a damaged file is held at once', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  await rig.take({ uid: '1.1' });
  await rig.indexAll();
  const [claimed] = await rig.claimImages();
  await rig.store.withdrawStudy(1, true);
  await rig.store.settleInstances('cloud', [retry('NET-1001')], rig.now());
  await rig.store.filesLost([claimed!.file.name]);
  t.match(await rig.store.withdrawStudy(1, false), { rest: [{ why: 'file-damaged', count: 1 }] });
  t.match(await rig.store.instancesOf(1, 10), [{ states: [{ state: 'held', code: 'QUE-4003' }] }]);
  await rig.take({ uid: '1.1' });
  t.equal((await rig.claimImages()).length, 1);
});
