import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { loadKek } from '../../../agent/security/kek.ts';
import { createVault, pack, type WrappedKey } from '../../../agent/security/vault.ts';
import { openStudyKeys } from '../../../agent/store/sqlite/images/study-keys.ts';
import { migrations } from '../../../agent/store/sqlite/schema.ts';
import { openSpareWork } from '../../../agent/store/sqlite/spare-work.ts';
import { phi } from '../../../agent/support/phi.ts';
import { imageRig } from './rig.ts';

const numbers = (rows: Array<{ study: number }>): number[] => rows.map(({ study }) => study);

t.test('studies are found by each number of the order, the study UID and each number of the patient', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  await rig.take({ uid: '1.1', study: '1.2.1', patientId: 'P999999-1', accessionNumber: ' A900001 ' });
  await rig.take({ uid: '1.2', study: '1.2.1', patientId: 'P999999-1', accessionNumber: 'A900002' });
  await rig.take({ uid: '2.1', study: '1.2.2', patientId: 'P999999-1', otherPatientIds: ['X999999'] });
  await rig.take({ uid: '3.1', study: '1.2.3', patientId: 'A900001' });
  await rig.indexAll();
  const find = async (by: 'accession' | 'uid' | 'patient', term: string) =>
    numbers(await rig.store.findStudies(by, phi(term), 50));
  t.same(await find('accession', 'A900001'), [1], 'a patient’s number is no number of an order');
  t.same(await find('accession', 'A900002 '), [1]);
  t.same(await find('patient', 'P999999-1'), [2, 1], 'newest first');
  t.same(await find('patient', 'X999999'), [2]);
  t.same(await find('uid', '1.2.3'), [3]);
  t.same(await find('uid', '1.2'), [], 'exact');
  t.same(await find('accession', 'a900001'), []);
  t.same(await find('patient', ''), []);
  t.equal((await rig.store.studyNumbered(2))?.facts?.reveal().studyUid, '1.2.2');
  t.equal(await rig.store.studyNumbered(9), undefined);
});

t.test('of a study whose images are two patients’ both find it', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  await rig.take({ uid: '1.1', patientId: 'P1' });
  await rig.indexAll();
  await rig.take({ uid: '1.2', patientId: 'P2' });
  await rig.indexAll();
  for (const id of ['P1', 'P2']) t.same(numbers(await rig.store.findStudies('patient', phi(id), 50)), [1], id);
});

t.test(
  'several orders in one value are found each, where the sender’s rule says what stands between them',
  async (t) => {
    const rig = await imageRig();
    t.teardown(rig.close);
    await rig.take({ uid: '1.1', accessionNumber: 'A1#A2' });
    await rig.indexAll();
    rig.rules.accessionSeparator = '#';
    await rig.take({ uid: '2.1', study: '1.2.2', accessionNumber: 'A1# A3' });
    await rig.indexAll();
    const find = async (term: string) => numbers(await rig.store.findStudies('accession', phi(term), 50));
    t.same(await find('A1'), [2]);
    t.same(await find('A3'), [2]);
    t.same(await find('A1#A2'), [1], 'and as it was sent');
    t.same(await find('A1# A3'), [2]);
  },
);

t.test('what is found comes in pages of at most 50', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  for (let i = 1; i <= 60; i++) await rig.take({ uid: `1.${i}`, study: `1.2.${i}`, patientId: 'P1' });
  await rig.indexAll();
  const first = numbers(await rig.store.findStudies('patient', phi('P1'), 1_000));
  t.equal(first.length, 50);
  t.equal(first[0], 60);
  t.same(numbers(await rig.store.findStudies('patient', phi('P1'), 50, first.at(-1))), [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  t.same(numbers(await rig.store.findStudies('uid', phi('1.2.60'), 50, 60)), [], 'nor is one UID on two pages');
});

t.test('studies of a version without keys are found after its first start, and no key is made twice', async (t) => {
  const rig = await imageRig();
  await rig.take({ uid: '1.1', study: '1.2.1', patientId: 'P1', accessionNumber: 'A1' });
  await rig.take({ uid: '2.1', study: '1.2.2', patientId: 'P1', otherPatientIds: ['P2'] });
  await rig.indexAll();
  await rig.close();
  const file = join(rig.options.folder, 'qianzhi.db');
  const db = new DatabaseSync(file);
  const before = db.prepare('SELECT count(*) AS n FROM study_key').get();
  db.exec("DELETE FROM study_key; DELETE FROM cursor WHERE stage='study-keys'");
  db.close();
  const again = await imageRig(rig.folder);
  t.teardown(again.close);
  t.equal(await again.store.searchable, 2);
  t.same(numbers(await again.store.findStudies('patient', phi('P1'), 50)), [2, 1]);
  t.same(numbers(await again.store.findStudies('patient', phi('P2'), 50)), [2]);
  t.same(numbers(await again.store.findStudies('accession', phi('A1'), 50)), [1]);
  const read = new DatabaseSync(file, { readOnly: true });
  t.teardown(() => read.close());
  t.same(read.prepare('SELECT count(*) AS n FROM study_key').get(), before);
});

t.test('a step of making older studies findable is short, goes on where it was left, and waits for room', async (t) => {
  const db = new DatabaseSync(':memory:');
  t.teardown(() => db.close());
  db.exec(migrations.join(';'));
  const key = loadKek(`file:${join(t.testdir(), 'data.key')}`, false);
  const keys = new Map<number, WrappedKey>();
  const vault = createVault(key, Buffer.alloc(16, 1), Buffer.alloc(32, 2), {
    byId: (id) => keys.get(id),
    byDay: () => keys.get(1),
    insert: (day, wrapped) => keys.set(1, { id: 1, day, wrapped }).size,
  });
  const facts = pack(Buffer.from(JSON.stringify({ patientId: 'P1', accessionNumbers: [] })));
  const put = db.prepare('INSERT INTO study(id, mac, source, first_ms, last_ms, key_id, sealed) VALUES(?,?,1,1,1,?,?)');
  for (let id = 1; id <= 250; id++) {
    const { keyId, sealed } = vault.seal('study', id, facts, 0);
    put.run(id, Buffer.from([id]), keyId, sealed);
  }
  const found = () => (db.prepare('SELECT count(*) AS n FROM study_key').get() as { n: number }).n;
  const failures: unknown[] = [];
  let full = false;
  const open = () => {
    const { fillSome } = openStudyKeys(db, vault);
    const some = () => {
      const made = fillSome();
      if (full) throw Object.assign(new Error('full'), { errcode: 13 });
      return made;
    };
    return openSpareWork(db, some, { undo: () => db.exec('ROLLBACK'), failed: (error) => failures.push(error) });
  };
  const before = open();
  t.equal(before.step(), true);
  t.equal(found(), 100);
  full = true;
  t.equal(before.step(), false);
  t.equal(found(), 100, 'nothing of it was written');
  full = false;
  t.equal(before.step(), false, 'not before it is told to');
  before.resume();
  t.equal(before.step(), true);
  t.equal(found(), 200);
  const after = open();
  while (after.step());
  t.equal(found(), 250);
  t.equal(after.done(), 50);
  t.equal(before.done(), undefined);
  t.same(failures, []);
});

t.test('no search term can be read in the database', async (t) => {
  const rig = await imageRig();
  const canaries = ['CANARY-ACC-1', 'CANARY-PAT-2', 'CANARY-OTHER-3'];
  const [accessionNumber, patientId, other] = canaries as [string, string, string];
  await rig.take({ uid: '1.1', accessionNumber, patientId, otherPatientIds: [other] });
  await rig.indexAll();
  t.same(numbers(await rig.store.findStudies('patient', phi(other), 50)), [1], 'they are there to be found');
  await rig.close();
  for (const name of ['qianzhi.db', 'qianzhi.db-wal']) {
    const bytes = readFileSync(join(rig.options.folder, name), { flag: 'a+' });
    for (const canary of canaries) t.notOk(bytes.includes(canary), `${canary} in ${name}`);
  }
});

t.test('instances that came today count once, however many platforms they go to', async (t) => {
  const rig = await imageRig(undefined, { imagePlatforms: ['cloud', 'city'] });
  t.teardown(rig.close);
  await rig.take({ uid: '1.1' });
  await rig.take({ uid: '1.2' });
  await rig.take({ uid: '1.2' });
  await rig.take({ uid: '1.3', receivedMs: rig.now() - 86_400_000 });
  const { receivedToday } = await rig.store.imageFigures(rig.now());
  t.same(receivedToday, [{ source: 'pacs', count: 2 }]);
});
