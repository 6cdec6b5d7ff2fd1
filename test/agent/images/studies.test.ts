import t from 'tap';
import type { StudyManifest } from '../../../agent/images/manifest.ts';
import { issueStudies } from '../../../agent/images/studies.ts';
import { QianzhiError } from '../../../agent/support/errors.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { type ImageRig, imageRig, lineReader, lowDisk, type Said } from './rig.ts';

const manifests = (rig: ImageRig): StudyManifest[] =>
  [...rig.view.inbox(0, 1000)].map((m) => JSON.parse(Buffer.from('raw' in m ? m.raw.reveal() : '{}').toString()));
async function take(rig: ImageRig, ...all: Said[]): Promise<void> {
  for (const said of all) await rig.take(said);
  await rig.indexAll();
}
const patient = {
  patientId: 'P7',
  patientName: { alphabetic: 'Wang^XiaoDong', ideographic: '王^小东' },
  sex: 'M',
  birthDate: '19700101',
};

t.test('a study is issued when nothing of it came for a while: counts by series, facts of its headers', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  await take(rig, { uid: '1.1', series: '9.2', seriesNumber: 2, modality: 'PT', ...patient, accessionNumber: 'A1' });
  rig.tick(59_000);
  await take(rig, { uid: '1.2', series: '9.1', seriesNumber: 1, modality: 'CT', ...patient, accessionNumber: 'A2' });
  await take(rig, {
    uid: '1.3',
    series: '9.1',
    seriesNumber: 1,
    modality: 'CT',
    ...patient,
    studyDescription: 'PET/CT',
  });
  rig.tick(59_000);
  t.equal(await rig.issue(), 0);
  rig.tick(1_000);
  t.equal(await rig.issue(), 1);
  t.same(manifests(rig), [
    {
      kind: 'imaging-study',
      format: 1,
      issue: 1,
      withdrawn: false,
      studyUid: '1.2.1',
      patient: { id: 'P7', name: patient.patientName, sex: 'M', birthDate: '19700101', otherIds: [] },
      contradicts: [],
      charsetGuessed: false,
      accessionNumbers: ['A1', 'A2'],
      description: 'PET/CT',
      modalities: ['CT', 'PT'],
      instances: 3,
      series: [
        { seriesUid: '9.1', seriesNumber: 1, modality: 'CT', instances: 2 },
        { seriesUid: '9.2', seriesNumber: 2, modality: 'PT', instances: 1 },
      ],
      seriesInAll: 2,
    },
  ]);
  t.equal(await rig.issue(), 0, 'once');
});

t.test('a study that never rests is issued at the hard cap, and again for what came later', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  let uid = 0;
  for (let ms = 0; ms < 600_000; ms += 50_000) {
    await take(rig, { uid: `1.${++uid}` });
    t.equal(await rig.issue(), 0);
    rig.tick(50_000);
  }
  t.equal(await rig.issue(), 1);
  await take(rig, { uid: '2.1' });
  rig.tick(60_000);
  t.equal(await rig.issue(), 1);
  t.same(
    manifests(rig).map(({ issue, instances }) => [issue, instances]),
    [
      [1, 12],
      [2, 13],
    ],
  );
});

t.test('duplicates and conflicts start no clock and count nothing', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  await take(rig, { uid: '1.1' });
  rig.tick(60_000);
  await rig.issue();
  await take(rig, { uid: '1.1' }, { uid: '1.1', pixels: 77 });
  rig.tick(600_000);
  t.equal(await rig.issue(), 0);
});

t.test('a study is not complete while instances that came before its time were not read', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  await take(rig, { uid: '1.1' });
  rig.tick(30_000);
  await rig.take({ uid: '1.2' });
  rig.tick(90_000);
  t.equal(await rig.issue(), 0, 'the second lies unread');
  await rig.indexAll();
  t.equal(await rig.issue(), 1);
  t.match(manifests(rig), [{ instances: 2 }]);
});

t.test('what came between reading and issuing makes the issue stale, not wrong', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  await take(rig, { uid: '1.1' });
  rig.tick(60_000);
  const [due] = rig.view.dueStudies(rig.now(), 10);
  t.ok(due && 'revision' in due);
  if (!due || !('revision' in due)) return;
  await take(rig, { uid: '1.2' });
  const manifest = { source: 'pacs', bytes: Buffer.from('{}'), controlId: Buffer.from('x'), receivedMs: rig.now() };
  const { study, issue, revision } = due;
  t.same(await rig.view.issueStudy({ study, issue, revision, manifest }), { outcome: 'stale' });
  t.same(manifests(rig), [], 'and no message is left of it');
  rig.tick(60_000);
  t.equal(await rig.issue(), 1);
  const again = await rig.view.issueStudy({ study, issue: 1, revision: revision + 1, manifest });
  t.same(again, { outcome: 'stale' }, 'nor is an issue made twice');
});

t.test('contradictions about the patient are named; a name in another writing is none', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  await take(
    rig,
    { uid: '1.1', ...patient, patientName: { alphabetic: 'Wang^XiaoDong' } },
    { uid: '1.2', ...patient, patientName: { ideographic: '王^小东' } },
    { uid: '1.3', patientId: 'P7' },
  );
  rig.tick(60_000);
  await rig.issue();
  await take(rig, { uid: '1.4', ...patient, patientId: 'P8', birthDate: '19700102' });
  rig.tick(60_000);
  await rig.issue();
  t.match(manifests(rig), [
    { contradicts: [], patient: { id: 'P7', name: { alphabetic: 'Wang^XiaoDong', ideographic: '王^小东' } } },
    { contradicts: ['patientId', 'birthDate'], patient: { id: 'P7' }, instances: 4 },
  ]);
  const { studyProblems } = await rig.store.imageFigures(rig.now());
  t.same(studyProblems, [{ platform: '', code: 'DCM-2295', count: 1, exampleStudy: 1 }]);
});

t.test('a study taken back is issued as withdrawn, restored it is issued again', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  await take(rig, { uid: '1.1' });
  rig.tick(60_000);
  await rig.issue();
  t.equal((await rig.store.withdrawStudy(1, true)).changed, true);
  t.equal((await rig.store.withdrawStudy(1, true)).changed, false, 'once');
  t.equal((await rig.store.withdrawStudy(99, true)).changed, false, 'a study that is not there');
  rig.tick(365 * 86_400_000);
  t.equal(await rig.issue(), 1);
  await take(rig, { uid: '1.2' });
  t.same(await rig.claimImages(), [], 'nothing of it is sent, what came later neither');
  await rig.store.withdrawStudy(1, false);
  rig.tick(60_000);
  await rig.issue();
  t.same(
    manifests(rig).map(({ issue, withdrawn, instances }) => [issue, withdrawn, instances]),
    [
      [1, false, 1],
      [2, true, 1],
      [3, false, 2],
    ],
  );
  t.same(
    (await rig.claimImages()).map(({ n }) => n),
    [1, 2],
  );
});

t.test(
  'what a platform has of a study taken back is a task until a person says that it is deleted there',
  async (t) => {
    const rig = await imageRig(undefined, { imagePlatforms: ['cloud', 'city'] });
    t.teardown(rig.close);
    await take(rig, { uid: '1.1' }, { uid: '1.2' });
    const [first] = await rig.claimImages();
    await rig.accepted([first!.n]);
    t.equal(await rig.store.imagesDeleted(1, 'cloud'), 0, 'nothing was taken back');
    await rig.store.withdrawStudy(1, true);
    const tasks = async () => (await rig.store.imageFigures(rig.now())).studyProblems;
    t.same(await tasks(), [{ platform: 'cloud', code: 'DCM-2294', count: 1, exampleStudy: 1 }]);
    t.equal(await rig.store.imagesDeleted(1, 'cloud'), 1);
    t.same(await tasks(), []);
    t.same(await rig.claimImages(), []);
    await rig.store.withdrawStudy(1, false);
    t.same(
      (await rig.claimImages(9, 1e9, 'city')).map(({ n }) => n),
      [1, 2],
    );
  },
);

t.test('the same study is the same bytes, whatever the order its instances came in', async (t) => {
  const all: Said[] = [
    { uid: '1.1', series: '9.2', modality: 'MR', ...patient },
    { uid: '1.2', series: '9.1', modality: 'CT', ...patient },
  ];
  const bytes: string[] = [];
  for (const said of [all, all.toReversed()]) {
    const rig = await imageRig();
    await take(rig, ...said);
    rig.tick(60_000);
    await rig.issue();
    const [message] = [...rig.view.inbox(0, 1)];
    bytes.push(Buffer.from(message && 'raw' in message ? message.raw.reveal() : '').toString());
    await rig.close();
  }
  t.equal(bytes[0], bytes[1]);
});

t.test('an instance whose header cannot be read is set aside with the reason, its neighbours go on', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  await rig.take({ uid: '1.1' });
  const foreign = await rig.begin({ uid: '1.2' });
  await foreign.write(Buffer.from('no header of any kind'));
  await foreign.commit();
  await rig.take({ uid: '1.3', told: '9.9.9' });
  await rig.take({ uid: '1.4' });
  await rig.indexAll();
  t.same(
    (await rig.claimImages()).map(({ n }) => n),
    [1, 4],
  );
  t.same(
    (await rig.store.instancesOf(0, 10)).map(({ n, code, states }) => [n, code, states[0]?.state, states[0]?.code]),
    [
      [2, 'DCM-2201', 'held', 'DCM-2201'],
      [3, 'DCM-2292', 'held', 'DCM-2292'],
    ],
  );
  rig.rules.reader = {
    read: async (head) => {
      const reading = await lineReader.read(head);
      if (reading.ok) return reading;
      return lineReader.read({
        size: 0,
        read: async () => Buffer.from(`${JSON.stringify({ ...facts, sopInstanceUid: '1.2' })}\n`),
      });
    },
  };
  t.equal((await rig.store.resendInstances({ n: 2 }, undefined)).resent, 1, 'a person has it read again');
  await rig.indexAll();
  t.same(
    (await rig.claimImages()).map(({ n }) => n),
    [2],
  );
});
const facts = {
  sopClassUid: '1',
  transferSyntaxUid: '1',
  studyUid: '1.2.1',
  seriesUid: '1.2.1.1',
  charset: 'utf-8',
  charsetGuessed: false,
};

t.test('a reader that throws takes its own instance down only', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  for (const uid of ['1.1', '1.2', '1.3']) await rig.take({ uid });
  rig.rules.reader = {
    read: async (head) => {
      const reading = await lineReader.read(head);
      if (reading.ok && reading.header.sopInstanceUid === '1.2') throw new TypeError('a mistake of ours');
      return reading;
    },
  };
  await rig.indexAll();
  t.same(
    (await rig.claimImages()).map(({ n }) => n),
    [1, 3],
  );
  t.match(await rig.store.instancesOf(0, 10), [{ n: 2, code: 'MAP-3013' }]);
});

t.test('a file that cannot be read now holds up nobody, and is set aside when it stays so', async (t) => {
  const rig = await imageRig();
  for (let i = 1; i <= 250; i++) await rig.take({ uid: `1.${i}`, study: '7.1' });
  await rig.take({ uid: '2.1', study: '7.2' });
  const { spool } = rig;
  const refused = new Set<string>();
  for (const instance of rig.view.unindexed(250)) if ('file' in instance) refused.add(instance.file.name);
  rig.index.spool = {
    read(file, end) {
      if (refused.has(file.name)) throw new QianzhiError('QUE-4020');
      return spool.read(file, end);
    },
  };
  await rig.indexAll();
  t.same(
    (await rig.claimImages()).map(({ n }) => n),
    [251],
    'what came behind 250 of them is read',
  );
  rig.tick(599_000);
  await rig.indexAll();
  t.equal(await rig.issue(), 0, 'their studies wait for them');
  rig.tick(1_000);
  await rig.indexAll();
  t.equal(await rig.issue(), 1);
  t.match(await rig.store.instancesOf(0, 1), [
    { n: 1, code: 'QUE-4020', states: [{ state: 'held', code: 'QUE-4020' }] },
  ]);
  await rig.close();
  const again = await imageRig(rig.folder);
  t.teardown(again.close);
  await again.indexAll();
  t.equal(
    (await again.claimImages(300)).length,
    251,
    'the next start tries them again, and hands out what was on its way',
  );
});

t.test('a study that cannot be issued is set aside, and its neighbours are issued', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  await take(rig, { uid: '1.1', study: '7.1' }, { uid: '1.2', study: '7.2' }, { uid: '1.3', study: '7.3' });
  rig.tick(60_000);
  const events: unknown[] = [];
  const store = {
    ...rig.view,
    issueStudy: async (issued: Parameters<typeof rig.view.issueStudy>[0]) => {
      if (issued.study === 1) throw new QianzhiError('MAP-3013');
      return rig.view.issueStudy(issued);
    },
  };
  const log = { ...silentLog, error: (event: string, fields?: object) => void events.push([event, fields]) };
  const clock = { now: rig.now, monotonic: rig.now };
  t.equal(await issueStudies({ store, clock, log }), 2);
  t.same(events, [['study-set-aside', { n: 1, code: 'MAP-3013' }]]);
  t.equal(await rig.issue(), 0, 'until something of it comes again');
});

t.test('while the disk is low headers are still read, for only what was read can be delivered', async (t) => {
  const rig = await imageRig(undefined, { disk: lowDisk });
  t.teardown(rig.close);
  t.equal(rig.store.state().mode, 'mapping-stopped');
  await take(rig, { uid: '1.1' });
  t.equal((await rig.claimImages()).length, 1);
  rig.tick(60_000);
  await t.rejects(rig.issue(), { code: 'QUE-4001' });
});

t.test('what comes of a source that was taken out of the configuration is held until it is back', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  await rig.take({ uid: '1.1' });
  const { rulesOf } = rig.index;
  rig.index.rulesOf = () => undefined;
  await rig.indexAll();
  t.match(await rig.store.instancesOf(0, 10), [{ n: 1, states: [{ state: 'held', code: 'DCM-2296' }] }]);
  rig.index.rulesOf = rulesOf;
  await rig.store.resendInstances({ n: 1 }, undefined);
  await rig.indexAll();
  t.same(
    (await rig.claimImages()).map(({ n }) => n),
    [1],
  );
});
