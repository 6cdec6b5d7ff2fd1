import { join } from 'node:path';
import t, { type Test } from 'tap';
import { takeInInstances } from '../../../agent/images/take-in.ts';
import { prepareMapping } from '../../../agent/mapping/start-worker.ts';
import { openSpool } from '../../../agent/store/spool.ts';
import { openStore, startStoreThread } from '../../../agent/store/sqlite/store.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { phi } from '../../../agent/support/phi.ts';
import { eventually } from '../../faults/disk/agent-rig.ts';
import { quickFolder } from '../../quick-folder.ts';
import { datasetOf, lowDisk } from '../images/rig.ts';

t.setTimeout(600_000);

/** A store with an instance that nobody has read, of a source that is in the configuration no more; and the real worker. */
async function workOn(t: Test, disk = {}) {
  const folder = quickFolder('image-work');
  const store = await openStore(
    {
      folder: join(folder, 'data'),
      keyReference: `file:${join(folder, 'keys', 'data.key')}`,
      demo: false,
      sources: ['lis'],
      platforms: [],
      imagePlatforms: ['cloud'],
      timeZone: 'Asia/Shanghai',
      disk: { ballastBytes: 4096, ...disk },
    },
    () => {},
    startStoreThread(),
  );
  t.teardown(store.close);
  const spool = openSpool({ folder: join(folder, 'data', 'spool') });
  const incoming = await takeInInstances({ source: 'removed', spool, store }).begin({
    sopClassUid: '1',
    sopInstanceUid: phi('1.1'),
    transferSyntaxUid: '1',
    receivedMs: 1,
    preamble: new Uint8Array(),
  });
  await incoming.write(datasetOf({ uid: '1.1' }));
  await incoming.commit();
  await store.accept({ source: 'lis', bytes: Buffer.from('x'), controlId: Buffer.from('1'), receivedMs: 1 });
  const mapping = prepareMapping(silentLog, () => {}, { rendered: () => {}, indexed: () => {} });
  t.teardown(mapping.stop);
  mapping.begin({
    imageCategories: [],
    store: store.stages,
    site: { orgCode: '1', name: 'x', timeZone: 'Asia/Shanghai' },
    sources: [],
    platforms: [],
  });
  return { store };
}

const held = [{ n: 1, states: [{ state: 'held', code: 'DCM-2296' }] }];

t.test('where no source of images is left, what it left unread is held with a code', async (t) => {
  const { store } = await workOn(t);
  t.ok(await eventually(async () => (await store.instancesOf(0, 9))[0]?.states[0]?.state === 'held'));
  t.match(await store.instancesOf(0, 9), held);
});

t.test('images are read on while messages wait for room on the disk', async (t) => {
  const { store } = await workOn(t, lowDisk);
  t.equal(store.state().mode, 'mapping-stopped');
  t.ok(await eventually(async () => (await store.instancesOf(0, 9))[0]?.states[0]?.state === 'held'));
  t.match(await store.instancesOf(0, 9), held);
});
