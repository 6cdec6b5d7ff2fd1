import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { forgetDelivered } from '../../../agent/images/forget.ts';
import { takeInInstances } from '../../../agent/images/take-in.ts';
import type { Spool } from '../../../agent/store/spool.ts';
import { openWriter } from '../../../agent/store/sqlite/writer.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import { codeOf, QianzhiError } from '../../../agent/support/errors.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { phi } from '../../../agent/support/phi.ts';
import { quickFolder } from '../../quick-folder.ts';
import { datasetOf, imageRig, sha256 } from './rig.ts';

const spoolFiles = (folder: string): string[] =>
  readdirSync(join(folder, 'spool'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
const one = { uid: '1.2.3', pixels: 400_000 };

t.test(
  'an instance is stored once: the same again is a duplicate, other content under its UID a conflict',
  async (t) => {
    const rig = await imageRig();
    t.teardown(rig.close);
    t.same(await rig.take(one), { n: 1, outcome: 'stored' });
    t.same(await rig.take(one), { n: 1, outcome: 'duplicate' });
    t.same(await rig.take({ ...one, pixels: 5 }), { n: 2, outcome: 'conflict' });
    t.same(await rig.take({ ...one, pixels: 5 }), { n: 2, outcome: 'duplicate' }, 'the other content again');
    t.same(await rig.take({ ...one, pixels: 6 }), { n: 3, outcome: 'conflict' });
    t.same(await rig.take(one), { n: 1, outcome: 'duplicate' });
    t.equal(spoolFiles(rig.options.folder).length, 3, 'duplicates leave no file');
    await rig.indexAll();
    t.same(
      (await rig.claimImages()).map(({ n }) => n),
      [1],
      'what is in conflict is not sent by itself',
    );
    t.equal((await rig.store.resendInstances({ study: 1 }, undefined)).resent, 0, 'nor with its study');
    t.equal((await rig.store.resendInstances({ n: 2 }, 'cloud')).resent, 1, 'but when a person says so');
    t.same(
      (await rig.claimImages()).map(({ n }) => n),
      [2],
    );
    const [study] = await rig.store.studies(10);
    t.equal(study?.instances, 1);
  },
);

t.test('twins that come at once are one', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  const both = await Promise.all([rig.take(one), rig.take(one), rig.take({ ...one, pixels: 3 })]);
  t.same(both.map(({ outcome }) => outcome).sort(), ['conflict', 'duplicate', 'stored']);
  t.equal(spoolFiles(rig.options.folder).length, 2);
});

t.test('without a UID only the content says whether it is the same', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  t.match(await rig.take({ ...one, told: '' }), { n: 1, outcome: 'stored' });
  t.match(await rig.take({ ...one, told: '', uid: '1.2.4' }), { n: 2, outcome: 'stored' });
  t.match(await rig.take({ ...one, told: '' }), { n: 1, outcome: 'duplicate' });
});

t.test('what was not committed has never been: discarded, failed, or cut by a crash', async (t) => {
  const rig = await imageRig();
  const discarded = await rig.begin(one);
  await discarded.write(datasetOf(one));
  await discarded.discard();
  await discarded.discard();
  t.same(spoolFiles(rig.options.folder), []);
  const hanging = await rig.begin({ uid: '1.2.5' });
  await hanging.write(datasetOf(one));
  await rig.close();
  t.equal(spoolFiles(rig.options.folder).length, 1);

  // A row that cannot be written: the store is gone.
  const late = await hanging.commit().then(
    () => 'committed',
    (error: unknown) => codeOf(error, 'SYS-6004'),
  );
  t.equal(late, 'QUE-4010');
  t.same(spoolFiles(rig.options.folder), [], 'and its file goes at once');

  const again = await imageRig(rig.folder);
  t.teardown(again.close);
  t.same(again.reconciled, { unfinished: 0, unclaimed: 0, lost: 0 });
  t.same(await again.take(one), { n: 1, outcome: 'stored' });
});

t.test('after a start spool and rows agree: files of no row are put aside, rows without a file are held', async (t) => {
  const rig = await imageRig();
  await rig.take(one);
  await rig.take({ uid: '1.2.4' });
  await rig.take({ uid: '1.2.5' });
  await rig.indexAll();
  const [first] = await rig.claimImages(1);
  const writing = await rig.spool.begin();
  await writing.write(Buffer.from('finished, and killed before its row'));
  await writing.finish();
  const crashed = await rig.spool.begin();
  await crashed.write(Buffer.alloc(300_000));
  await rig.close();
  rmSync(join(rig.options.folder, 'spool', first!.file.name[0]!, first!.file.name[1]!, first!.file.name));

  const again = await imageRig(rig.folder);
  t.teardown(again.close);
  await crashed.discard();
  t.same(again.reconciled, { unfinished: 1, unclaimed: 1, lost: 1 });
  t.equal(spoolFiles(again.options.folder).length, 3);
  t.equal(readdirSync(join(again.options.folder, 'spool', 'aside')).length, 1);
  t.same(
    (await again.claimImages()).map(({ n }) => n),
    [2, 3],
  );
  t.match((await again.store.instancesOf(1, 10))[0], { n: 1, states: [{ state: 'held', code: 'QUE-4003' }] });
  t.same(await again.take(one), { n: 1, outcome: 'stored' }, 'sent again, it is whole again');
  const [healed] = await again.claimImages();
  t.equal(sha256(await again.content(healed!.file)), sha256(datasetOf(one)));
});

t.test('a rename that a power cut took back is made again where the row is there', async (t) => {
  const rig = await imageRig();
  await rig.take(one);
  await rig.close();
  const [name] = spoolFiles(rig.options.folder);
  const path = join(rig.options.folder, 'spool', name![0]!, name![1]!, name!);
  renameSync(path, `${path}.part`);
  const again = await imageRig(rig.folder);
  t.teardown(again.close);
  t.same(again.reconciled, { unfinished: 0, unclaimed: 0, lost: 0 });
  await again.indexAll();
  const [claimed] = await again.claimImages();
  t.equal(sha256(await again.content(claimed!.file)), sha256(datasetOf(one)));
});

t.test('a name that could not be made durable is no acknowledgement, and the sender’s repetition is', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  const { spool, store } = rig;
  const failing: Spool = {
    ...spool,
    begin: async () => {
      const writing = await spool.begin();
      return {
        ...writing,
        finish: async () => ({ ...(await writing.finish()), named: Promise.reject(new QianzhiError('QUE-4020')) }),
      };
    },
  };
  const incoming = await takeInInstances({ source: 'pacs', spool: failing, store }).begin({
    sopClassUid: '1',
    sopInstanceUid: phi(one.uid),
    transferSyntaxUid: '1',
    receivedMs: 1,
    preamble: new Uint8Array(),
  });
  await incoming.write(datasetOf(one));
  await t.rejects(incoming.commit(), { code: 'QUE-4020' });
  t.same(await rig.take(one), { n: 1, outcome: 'stored' });
  await rig.indexAll();
  t.same(
    (await rig.claimImages()).map(({ n }) => n),
    [1],
  );
});

t.test('the same again is no success while the name of the first does not get to the disk', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  const { spool } = rig;
  let fail: (error: unknown) => void = () => {};
  const name = new Promise<void>((_resolve, reject) => {
    fail = reject;
  });
  let files = 0;
  const failing: Spool = {
    ...spool,
    begin: async () => {
      const writing = await spool.begin();
      files += 1;
      return files > 1 ? writing : { ...writing, finish: async () => ({ ...(await writing.finish()), named: name }) };
    },
  };
  // The store says that the file is lost only after the second was answered.
  let lost: () => void = () => {};
  const mayBeLost = new Promise<void>((resolve) => {
    lost = resolve;
  });
  const store = {
    acceptInstance: rig.store.acceptInstance,
    filesLost: async (names: string[]) => {
      await mayBeLost;
      await rig.store.filesLost(names);
    },
  };
  const naming = new Set<Promise<void>>();
  const commit = async (source: string) => {
    const incoming = await takeInInstances({ source, spool: failing, store, naming }).begin({
      sopClassUid: '1',
      sopInstanceUid: phi(one.uid),
      transferSyntaxUid: '1',
      receivedMs: 1,
      preamble: new Uint8Array(),
    });
    await incoming.write(datasetOf(one));
    return incoming.commit();
  };
  const first = commit('pacs');
  while ((await rig.store.imageFigures(1)).files === 0) await new Promise((resolve) => setImmediate(resolve));
  const second = commit('pacs');
  fail(new QianzhiError('QUE-4020'));
  await t.rejects(second, { code: 'QUE-4020' });
  lost();
  await t.rejects(first, { code: 'QUE-4020' });
  t.same(await rig.take(one), { n: 1, outcome: 'stored' }, 'the sender’s repetition takes its place');
  t.equal(naming.size, 0);
});

t.test('a lost tail of images is noticed, and no number is given out again', async (t) => {
  const rig = await imageRig();
  await rig.take({ uid: '1.2.1' });
  await rig.close();
  const database = join(rig.options.folder, 'qianzhi.db');
  const older = readFileSync(database);
  const second = await imageRig(rig.folder);
  t.match(await second.take({ uid: '1.2.2' }), { n: 2 });
  await second.close();
  writeFileSync(database, older);
  const third = await imageRig(rig.folder);
  t.ok(third.store.state().notices.some(({ code }) => code === 'QUE-4006'));
  t.match(await third.take({ uid: '1.2.3' }), { n: 3 });
  await third.close();
  const fourth = await imageRig(rig.folder);
  t.same(fourth.store.state().notices, [], 'told once');
  await fourth.close();
  writeFileSync(database, older);
  await (await imageRig(rig.folder)).close();
  rmSync(join(rig.options.folder, 'high-water'));
  const last = await imageRig(rig.folder);
  t.teardown(last.close);
  t.match(await last.take({ uid: '1.2.9' }), { n: 4 }, 'nor when the file beside is gone later');
});

t.test('files of what is delivered everywhere are forgotten after their time, and nothing else’s', async (t) => {
  const rig = await imageRig(undefined, { imagePlatforms: ['cloud', 'city'] });
  t.teardown(rig.close);
  for (const uid of ['1.1', '1.2', '1.3', '1.4']) await rig.take({ uid });
  await rig.indexAll();
  await rig.claimImages();
  await rig.claimImages(100, 1e9, 'city');
  await rig.accepted([1, 2, 3]);
  await rig.accepted([1, 2], 'city');
  await rig.store.settleInstances('city', [{ n: 3, outcome: 'refused', code: 'DCM-2201' }], rig.now());
  const forget = () =>
    forgetDelivered({
      spool: rig.spool,
      store: rig.store,
      clock: { now: rig.now, monotonic: rig.now },
      log: silentLog,
      keepMs: 1000,
    });
  t.equal(await forget(), 0, 'not yet');
  t.equal((await rig.store.resendInstances({ n: 2 }, 'city')).resent, 1);
  rig.tick(1000);
  t.equal(await forget(), 1, 'what is sent again is not');
  t.equal(spoolFiles(rig.options.folder).length, 3);
  const rows = await rig.store.instancesOf(1, 10);
  t.same(
    rows.map(({ fileKept }) => fileKept),
    [false, true, true, true],
  );
  t.equal((await rig.store.resendInstances({ n: 1 }, undefined)).resent, 0, 'without a file nothing can be sent again');
  t.same(await rig.take({ uid: '1.1' }), { n: 1, outcome: 'stored' }, 'it is known for ever, and has a file again');
  t.equal(await forget(), 0, 'for as long as any');
  t.equal((await rig.store.resendInstances({ n: 1 }, undefined)).resent, 2);
  t.match(await rig.store.imageFigures(rig.now()), { files: 4 });
});

t.test('without an image platform an instance counts once, under none, and is kept', async (t) => {
  const rig = await imageRig(undefined, { imagePlatforms: [] });
  await rig.take(one);
  await rig.indexAll();
  t.match(await rig.store.instancesOf(1, 10), [{ n: 1, states: [{ platform: '', state: 'kept' }] }]);
  await rig.close();
  const joined = await imageRig(rig.folder);
  t.teardown(joined.close);
  await joined.take({ uid: '1.2.4' });
  await joined.indexAll();
  t.same(
    (await joined.claimImages()).map(({ n }) => n),
    [2],
    'a platform that joins starts with what comes from then on',
  );
});

t.test('an instance that cannot be written takes nothing else of its group with it', async (t) => {
  const folder = quickFolder('image-groups');
  const writer = openWriter({
    folder: join(folder, 'data'),
    keyReference: `file:${join(folder, 'keys', 'data.key')}`,
    demo: false,
    sources: ['pacs'],
    platforms: [],
    imagePlatforms: ['cloud'],
    timeZone: 'Asia/Shanghai',
    disk: { ballastBytes: 4096 },
    clock: systemClock,
  });
  t.teardown(() => writer.close());
  const answers: unknown[] = [];
  const post = (uid: string, receivedMs: number) => {
    const key = new Uint8Array(32);
    const file = { name: uid.padStart(32, '0'), key, bytes: 5, contentHash: new Uint8Array(Buffer.from(uid)) };
    const [sopClassUid, transferSyntaxUid] = ['1', '1'];
    const instance = { source: 'pacs', receivedMs, sopClassUid, sopInstanceUid: uid, transferSyntaxUid, file };
    writer.post({ op: 'accept-instance', instance }, (answer) => answers.push('ok' in answer ? answer.ok : answer));
  };
  post('1', 1);
  post('2', Number.NaN);
  post('3', 1);
  post('1', 1);
  writer.runGroup();
  t.same(answers, [
    { n: 1, outcome: 'stored' },
    { failed: 'MAP-3013' },
    { n: 2, outcome: 'stored' },
    { n: 1, outcome: 'duplicate' },
  ]);
  answers.length = 0;
  post('2', 1);
  writer.runGroup();
  t.same(answers, [{ n: 3, outcome: 'stored' }], 'nothing of it was left behind');
});
