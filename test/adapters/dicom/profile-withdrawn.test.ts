import t from 'tap';
import { checkDicomProfile } from '../../../adapters/dicom/profile/check.ts';
import { dicomProfiles } from '../../../adapters/dicom/profile/compile.ts';
import { type MappingStage, mapBatch } from '../../../agent/mapping/map.ts';
import { type ImageRig, imageRig, type Said } from '../../agent/images/rig.ts';

const A = { patientId: 'A', patientName: { alphabetic: 'Li^A' } };
const B = { patientId: 'B', patientName: { alphabetic: 'Wu^B' } };
const LONG_MS = 365 * 86_400_000;

async function map(rig: ImageRig, profile = 'patient_id: own'): Promise<string[]> {
  const stage: MappingStage = {
    store: rig.view,
    readers: new Map([['pacs', dicomProfiles.compile(checkDicomProfile(profile))]]),
    timeZone: 'Asia/Shanghai',
    clock: { now: rig.now, monotonic: rig.now },
    setIdOf: () => 'a'.repeat(32),
  };
  while (await mapBatch(stage));
  return [...rig.view.journal('province', 100)].map(({ action, version }) => `${action} v${version}`);
}
const patientOf = (rig: ImageRig) => rig.view.report('imaging-study|pacs|1.2.1')?.patientKey;
async function issue(rig: ImageRig, ...said: Said[]): Promise<void> {
  for (const one of said) await rig.take(one);
  await rig.indexAll();
  rig.tick(LONG_MS);
  await rig.issue();
}
async function withdraw(rig: ImageRig): Promise<void> {
  await rig.store.withdrawStudy(1, true);
  await issue(rig);
}

t.test('a study found to be of two patients and taken back is retracted under the one it went out for', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  await issue(rig, { uid: '1.1', ...A });
  await issue(rig, { uid: '1.2', ...B });
  t.same(await map(rig), ['publish v1']);
  await withdraw(rig);
  t.same(await map(rig), ['publish v1', 'retract v2']);
  t.equal(patientOf(rig), 'pacs|A');
  await rig.store.withdrawStudy(1, false);
  await issue(rig);
  t.equal((await map(rig)).length, 2, 'given back it is held as before');
});

t.test('a study is taken back from whom it went out for, whatever the profile says of its number by now', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  await issue(rig, { uid: '1.1', ...A });
  await map(rig);
  await withdraw(rig);
  t.same(await map(rig, 'patient_id: in-house'), ['publish v1', 'retract v2']);
  t.equal(patientOf(rig), 'pacs|A');
  await rig.store.withdrawStudy(1, false);
  await issue(rig);
  t.equal((await map(rig, 'patient_id: in-house')).at(-1), 'publish v3');
  t.equal(patientOf(rig), 'A', 'restored it goes out as the profile says');
});

t.test('a study without Patient ID that never went out is taken back without a word', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  await issue(rig, { uid: '1.1' });
  await withdraw(rig);
  t.same(await map(rig), []);
  await issue(rig, { uid: '1.2', ...A });
  await rig.store.withdrawStudy(1, false);
  await issue(rig);
  t.same(await map(rig), ['publish v1']);
});
