import t, { type Test } from 'tap';
import { checkDicomProfile } from '../../../adapters/dicom/profile/check.ts';
import { prepareMapping } from '../../../agent/mapping/start-worker.ts';
import { openStore, startStoreThread } from '../../../agent/store/sqlite/store.ts';
import { readAsset } from '../../../agent/support/assets.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { eventually } from '../../faults/disk/agent-rig.ts';
import { imageOf, type MatchingRig, matchingRig, reportOf, zhang } from './rig.ts';

t.setTimeout(600_000);

/** The journal of a site that ran before there was matching, and the real worker on it. */
async function workOn(t: Test, withImages: boolean, before: (rig: MatchingRig) => Promise<unknown>) {
  const rig = await matchingRig();
  Object.assign(rig, { match: async () => 0 });
  await before(rig);
  await rig.close();
  const store = await openStore(
    { ...rig.options, imagePlatforms: withImages ? ['cloud'] : [] },
    () => {},
    startStoreThread(),
  );
  t.teardown(store.close);
  const mapping = prepareMapping(silentLog, () => {}, { rendered: () => {}, indexed: () => {} });
  t.teardown(mapping.stop);
  mapping.begin({
    imageCategories: [],
    store: store.stages,
    site: { orgCode: '1', name: 'x', timeZone: 'Asia/Shanghai' },
    sources: withImages
      ? [
          {
            name: 'pacs',
            kind: 'dicom-scp',
            profile: checkDicomProfile(readAsset('config/dialects/dicom-default.yaml')),
          },
        ]
      : [],
    platforms: [],
  });
  return { store, mapping };
}

t.test('the mapping worker matches a journal that was there before, and says what is missing', async (t) => {
  let study = 0;
  const { store } = await workOn(t, true, async (rig) => {
    await rig.ris(reportOf('E1', 'A1'));
    study = await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A1' });
    await rig.ris(reportOf('E2', 'A2'));
  });
  t.ok(await eventually(async () => (await store.linksOf(study)).length > 0));
  t.same(await store.linksOf(study), [{ seq: 1, state: 'linked' }]);
  const later = Date.now() + 80 * 3_600_000;
  t.match((await store.imageFigures(later)).matchProblems, [{ code: 'DCM-2302', count: 1 }]);
});

t.test('where no images come in nothing is matched', async (t) => {
  const { store, mapping } = await workOn(t, false, (rig) => rig.ris(reportOf('E1', 'A1')));
  // Two messages mapped one after the other: a whole turn lies between them.
  for (const text of ['x', 'y']) {
    const controlId = Buffer.from(text);
    const { seq } = await store.accept({ source: 'ris', bytes: Buffer.from(text), controlId, receivedMs: Date.now() });
    mapping.wake();
    t.ok(await eventually(async () => (await store.figures(Date.now())).mappedThrough >= seq));
  }
  t.same(await store.unmatchedReports(Date.now(), 10), []);
});
