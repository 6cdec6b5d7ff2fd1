import { join } from 'node:path';
import t from 'tap';
import { buildPreamble } from '../../../adapters/dicom/part10.ts';
import { checkDicomProfile } from '../../../adapters/dicom/profile/check.ts';
import { headsInHand, headsToRead, type InstanceHead } from '../../../agent/images/heads.ts';
import { indexInstances } from '../../../agent/images/index-instances.ts';
import { takeInInstances } from '../../../agent/images/take-in.ts';
import { prepareMapping } from '../../../agent/mapping/start-worker.ts';
import { openSpool } from '../../../agent/store/spool.ts';
import { openStore, startStoreThread } from '../../../agent/store/sqlite/store.ts';
import { readAsset } from '../../../agent/support/assets.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { phi } from '../../../agent/support/phi.ts';
import { ctImage, explicitLittle, inventedImage } from '../../faults/images/invented-image.ts';
import { quickFolder } from '../../quick-folder.ts';
import { datasetOf, type ImageRig, imageRig, type Said } from './rig.ts';

const headOf = (file: string, bytes = 10): InstanceHead => ({ file, bytes: new Uint8Array(bytes) });

/** Takes one in and gives the head that was kept of it. */
async function takeWithHead(rig: ImageRig, said: Said, preamble = new Uint8Array()): Promise<InstanceHead[]> {
  const heads: InstanceHead[] = [];
  const parts = { source: 'pacs', spool: rig.spool, store: rig.store };
  const incoming = await takeInInstances({ ...parts, accepted: (head) => heads.push(head) }).begin({
    sopClassUid: ctImage,
    sopInstanceUid: phi(said.uid),
    transferSyntaxUid: explicitLittle,
    receivedMs: rig.now(),
    preamble,
  });
  const dataset = datasetOf(said);
  for (let at = 0; at < dataset.length; at += 50_000) await incoming.write(dataset.subarray(at, at + 50_000));
  await incoming.commit();
  return heads;
}

/** Indexes and says how many files were opened for it. */
async function indexCounting(rig: ImageRig, heads?: InstanceHead[]): Promise<number> {
  let opened = 0;
  const inHand = headsInHand();
  inHand.put(heads ?? []);
  const read: typeof rig.spool.read = (...which) => {
    opened += 1;
    return rig.spool.read(...which);
  };
  while ((await indexInstances({ ...rig.index, spool: { read }, heads: inHand })) > 0);
  return opened;
}

t.test(
  'what is kept of an instance is the beginning of its file, and is given once it is durable and new',
  async (t) => {
    const rig = await imageRig();
    t.teardown(rig.close);
    const said = { uid: '1.1', pixels: 100_000 };
    const preamble = new Uint8Array(Buffer.from('before the dataset'));
    const heads = await takeWithHead(rig, said, preamble);
    t.equal(heads.length, 1);
    const [image] = rig.view.unindexed(10) as Array<{ file: { name: string; key: Uint8Array } }>;
    const content = await rig.content(image!.file);
    t.equal(heads[0]?.file, image?.file.name);
    t.same(Buffer.from(heads[0]!.bytes), content.subarray(0, 16 * 1024));
    t.same(await takeWithHead(rig, said, preamble), [], 'nothing of a duplicate');
  },
);

t.test('a header whose beginning is in hand is read without its file, and says the same', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  const heads = await takeWithHead(rig, { uid: '1.1', patientId: '999999-1', pixels: 100_000 });
  t.equal(await indexCounting(rig, heads), 0);
  await takeWithHead(rig, { uid: '1.2', patientId: '999999-1', pixels: 100_000 });
  t.equal(await indexCounting(rig), 1, 'as after a start');
  const [study] = await rig.store.studies(10);
  t.equal(study?.instances, 2);
  t.same(study?.facts?.reveal().contradicts, []);
});

t.test('a header of which too little is in hand is read from its file', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  const [head] = await takeWithHead(rig, { uid: '1.1', pixels: 100_000 });
  const cut = { file: head!.file, bytes: head!.bytes.subarray(0, 20) };
  t.equal(await indexCounting(rig, [cut]), 1);
  t.equal((await rig.store.studies(10))[0]?.instances, 1);
});

t.test('few heads are kept: neither waiting nor with the reader are more than some', async (t) => {
  const waiting = headsToRead();
  for (let i = 0; i < 1000; i++) waiting.put(headOf(`a${i}`));
  const first = waiting.take();
  t.ok(first.length > 10 && first.length < 100, `${first.length}`);
  waiting.put(headOf('b'));
  t.same(waiting.take(), [], 'none while the reader has not said that it is done');
  waiting.done();
  t.same(
    waiting.take().map(({ file }) => file),
    ['b'],
  );

  const inHand = headsInHand();
  inHand.put([headOf('forgotten')]);
  for (let i = 0; i < 20; i++) inHand.put(first.map(({ bytes }, n) => ({ file: `${i}-${n}`, bytes })));
  t.equal(inHand.take('forgotten'), undefined, 'what nobody asks for goes');
  t.equal(inHand.take('19-0')?.length, 10);
  t.equal(inHand.take('19-0'), undefined);
});

const profile = checkDicomProfile(readAsset('config/dialects/dicom-default.yaml'));
t.test('the worker reads from the head that was handed to it, and from the file without one', async (t) => {
  const folder = quickFolder('heads');
  const at = { folder: join(folder, 'data'), keyReference: `file:${join(folder, 'keys', 'data.key')}`, demo: false };
  const names = { sources: ['pacs'], platforms: [], imagePlatforms: ['cloud'], timeZone: 'Asia/Shanghai' };
  const store = await openStore({ ...at, ...names, disk: { ballastBytes: 4096 } }, () => {}, startStoreThread());
  t.teardown(store.close);
  let read = () => {};
  const mapping = prepareMapping(silentLog, () => {}, { rendered: () => {}, indexed: () => read() });
  t.teardown(mapping.stop);
  mapping.begin({
    imageCategories: [],
    store: store.stages,
    site: { orgCode: '1', name: 'x', timeZone: 'Asia/Shanghai' },
    sources: [{ name: 'pacs', kind: 'dicom-scp', profile }],
    platforms: [],
  });

  const spool = openSpool({ folder: join(folder, 'data', 'spool') });
  /** Takes one in whose file is gone before its row is there; resolves when it was read. */
  const takeAndLose = async (name: string, handsOver: boolean): Promise<void> => {
    const accepted = (head: InstanceHead) => {
      if (handsOver) mapping.keepHead(head);
      mapping.wake();
    };
    const losing: typeof store.acceptInstance = async (row) => {
      await spool.remove(row.file.name);
      return store.acceptInstance(row);
    };
    const { uid, dataset } = inventedImage({ name, study: '1', bytes: 100_000 });
    const origin = { sopClassUid: ctImage, sopInstanceUid: uid, transferSyntaxUid: explicitLittle };
    const parts = { source: 'pacs', spool, store: { ...store, acceptInstance: losing }, accepted };
    const said = { ...origin, sopInstanceUid: phi(uid), receivedMs: 1, preamble: buildPreamble(origin) };
    const incoming = await takeInInstances(parts).begin(said);
    await incoming.write(dataset);
    const wasRead = new Promise<void>((resolve) => {
      read = resolve;
    });
    await incoming.commit();
    await wasRead;
  };
  await takeAndLose('first', false);
  t.match(await store.instancesOf(0, 9), [{ n: 1, code: 'QUE-4003' }]);
  // Where the worker happens to look between row and head it finds neither: then the next one tells.
  for (let i = 1; i <= 20 && (await store.studies(10)).length === 0; i++) await takeAndLose(`then ${i}`, true);
  t.equal((await store.studies(10))[0]?.instances, 1);
});
