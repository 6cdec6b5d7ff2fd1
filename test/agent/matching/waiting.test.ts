import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import { startStatusKeeper } from '../../../agent/status/keeper.ts';
import { person } from '../../stories/messages.ts';
import { hourMs, imageOf, li, matchingRig, profiles, reportOf, zhang } from './rig.ts';

t.setTimeout(600_000);

async function rigOf(t: Test, profile?: string) {
  const rig = await matchingRig(profile);
  t.teardown(rig.close);
  return rig;
}

t.test(
  '有影像无报告 A study without report is told of after the time, and no more when the report comes',
  async (t) => {
    const rig = await rigOf(t);
    const linked = await rig.pacs('1.0', { ...imageOf(li), accessionNumber: 'A0' });
    await rig.ris(reportOf('E0', 'A0', li));
    const study = await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A1' });
    t.same(await rig.problems(), []);
    t.match((await rig.unmatched()).studies, [{ study, overdue: false }]);
    rig.tick(72 * hourMs - 1);
    t.same(await rig.problems(), []);
    rig.tick(1);
    t.same(await rig.problems(), ['DCM-2301 1']);
    const figures = await rig.store.imageFigures(rig.now());
    t.match(figures.matchProblems, [{ exampleStudy: study, sinceMs: rig.now() }]);
    t.match((await rig.unmatched()).studies, [{ study, overdue: true }]);
    const seq = await rig.ris(reportOf('E1', 'A1'));
    t.same(await rig.problems(), []);
    t.same(await rig.links(study), [{ seq, state: 'linked' }]);
    t.match(await rig.links(linked), [{ state: 'linked' }]);
  },
);

t.test(
  '有报告无影像 A report without images is told of, and no more when the images come or it is withdrawn',
  async (t) => {
    const rig = await rigOf(t);
    await rig.ris(reportOf('E0', 'A0', li));
    await rig.pacs('1.0', { ...imageOf(li), accessionNumber: 'A0' });
    const first = await rig.ris(reportOf('E1', 'A1'));
    const second = await rig.ris(reportOf('E2', 'A2'));
    await rig.ris(reportOf('E3', ''));
    rig.tick(80 * hourMs);
    t.same(await rig.problems(), ['DCM-2302 2'], 'a report without accession number may have no images at all');
    t.match((await rig.store.imageFigures(rig.now())).matchProblems, [{ exampleSeq: second }]);
    t.match((await rig.unmatched()).reports, [
      { seq: second, overdue: true },
      { seq: first, overdue: true },
    ]);
    await rig.ris(reportOf('E2', 'A2').withdrawn());
    t.same(await rig.problems(), ['DCM-2302 1']);
    await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A1' });
    t.same(await rig.problems(), []);
  },
);

t.test('only what the hospital also sends is missed: no reports ever, no studies without them', async (t) => {
  const rig = await rigOf(t);
  await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A1' });
  rig.tick(1000 * hourMs);
  t.same(await rig.problems(), []);
  t.match((await rig.unmatched()).studies, [{ overdue: false }], 'but it is in the list');
  await rig.ris(reportOf('E9', 'A9'));
  t.same(await rig.problems(), [], 'and what came long before there was any report is not missed afterwards');
  await rig.pacs('1.2', { ...imageOf(zhang), accessionNumber: 'A2' });
  rig.tick(100 * hourMs);
  t.same(await rig.problems(), ['DCM-2301 1', 'DCM-2302 1']);
});

t.test('what came shortly before the first of the others is missed as well', async (t) => {
  const rig = await rigOf(t);
  await rig.ris(reportOf('E1', 'A1'));
  rig.tick(hourMs);
  await rig.pacs('1.2', { ...imageOf(zhang), accessionNumber: 'A2' });
  rig.tick(72 * hourMs);
  t.same(await rig.problems(), ['DCM-2301 1', 'DCM-2302 1']);
});

t.test('the page shows each as a problem of the hospital’s side', async (t) => {
  const rig = await rigOf(t);
  await rig.ris(reportOf('E1', 'A1'));
  await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A2' });
  await rig.ris(reportOf('E3', 'A3', li));
  await rig.pacs('1.3', { ...imageOf(zhang), accessionNumber: 'A3' });
  rig.tick(80 * hourMs);
  const keeper = startStatusKeeper({
    clock: { now: rig.now, monotonic: rig.now },
    startedMs: 0,
    version: '1',
    site: { orgCode: '1', name: '示例医院', timeZone: 'Asia/Shanghai' },
    demo: false,
    store: rig.store,
  });
  t.teardown(() => keeper.stop());
  keeper.watchImages();
  await keeper.refresh();
  const shown = keeper.model().problems.filter(({ code }) => code.startsWith('DCM-'));
  t.same(shown.map(({ code, level, side, component, count }) => [code, level, side, component, count]).sort(), [
    ['DCM-2299', 'attention', 'hospital', 'agent', 1],
    ['DCM-2301', 'attention', 'hospital', 'agent', 2],
    ['DCM-2302', 'attention', 'hospital', 'agent', 2],
  ]);
});

t.test('more than ten thousand are counted once a minute, fewer at every look', async (t) => {
  const rig = await rigOf(t);
  await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A1' });
  const db = new DatabaseSync(join(rig.options.folder, 'qianzhi.db'), { timeout: 5000 });
  t.teardown(() => db.close());
  const reports = (from: number, to: number) =>
    db.exec(`WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${to})
      INSERT INTO match_record(record, kind, seq, study, lane, since_ms, expects, waits, key_id, sealed)
      SELECT 1000 + i, 0, i, 0, 1, ${rig.now() - 80 * hourMs}, 1, 1, 0, x'' FROM n`);
  const told = async () => (await rig.problems()).find((one) => one.startsWith('DCM-2302'));
  rig.tick(100 * hourMs);
  reports(1, 9_999);
  t.equal(await told(), 'DCM-2302 9999');
  reports(10_000, 10_000);
  t.equal(await told(), 'DCM-2302 10000');
  reports(10_001, 10_001);
  rig.tick(59_999);
  t.equal(await told(), 'DCM-2302 10000');
  rig.tick(1);
  t.equal(await told(), 'DCM-2302 10001');
});

t.test('contradictions as well: more than ten thousand are counted once a minute', async (t) => {
  const rig = await rigOf(t);
  await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A1' });
  await rig.ris(reportOf('E1', 'A1', li));
  const db = new DatabaseSync(join(rig.options.folder, 'qianzhi.db'), { timeout: 5000 });
  t.teardown(() => db.close());
  const pairs = (from: number, to: number) =>
    db.exec(`WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${to})
      INSERT INTO match_link(exam, imaging, state) SELECT 1000 + i, 1000 + i, 2 FROM n`);
  pairs(2, 9_999);
  t.same(await rig.problems(), ['DCM-2299 9999']);
  pairs(10_000, 10_000);
  t.same(await rig.problems(), ['DCM-2299 10000']);
  pairs(10_001, 10_001);
  rig.tick(59_999);
  t.same(await rig.problems(), ['DCM-2299 10000']);
  rig.tick(1);
  t.same(await rig.problems(), ['DCM-2299 10001']);
});

t.test('the lists go on where they ended, newest first', async (t) => {
  const rig = await rigOf(t);
  const seqs: number[] = [];
  for (let n = 1; n <= 7; n++) seqs.unshift(await rig.ris(reportOf(`E${n}`, `A${n}`)));
  const found: number[] = [];
  for (let page = await rig.store.unmatchedReports(rig.now(), 3); page.length > 0; ) {
    t.ok(page.length <= 3);
    found.push(...page.map(({ seq }) => seq));
    page = await rig.store.unmatchedReports(rig.now(), 3, page.at(-1));
  }
  t.same(found, seqs);
});

t.test('疑似 The same person within a day is suggested for a person to look at, by name and birth date', async (t) => {
  const rig = await rigOf(t);
  // Examined on 2026-03-05 (OBR-7), as the image’s study date says.
  const seq = await rig.ris(reportOf('E1', 'A1'));
  await rig.ris(reportOf('E2', 'A2', li));
  const said = { ...imageOf(zhang), accessionNumber: 'X1' };
  for (const [uid, studyDate, sees] of [
    ['1.1', '20260305', true],
    ['1.2', '20260306', true],
    ['1.3', '20260304', true],
    ['1.4', '20260307', false],
    ['1.5', '20260303', false],
  ] as const) {
    const study = await rig.pacs(uid, { ...said, studyDate });
    const [newest] = (await rig.unmatched()).studies;
    t.same(
      [newest?.study, newest?.suggestions],
      [study, sees ? [{ seq, by: 'name-and-birth-date' }] : []],
      `on ${studyDate}`,
    );
  }
  const report = (await rig.unmatched()).reports.find((one) => one.seq === seq);
  t.same(
    report?.suggestions,
    [1, 3, 2].map((study) => ({ study, by: 'name-and-birth-date' })),
  );
  const namesake = await rig.pacs('1.6', { ...said, birthDate: '19010101' });
  t.match((await rig.unmatched()).studies[0], { study: namesake, suggestions: [] });
});

t.test(
  '疑似 With the hospital’s patient number in the headers it is suggested by that, whatever it is called',
  async (t) => {
    const rig = await rigOf(t, profiles.inHouse);
    const seq = await rig.ris(reportOf('E1', 'A1'));
    await rig.ris(reportOf('E2', 'A2', person('P0003', '王五')));
    const { patientName: _name, birthDate: _birthDate, ...said } = imageOf(zhang);
    await rig.pacs('1.1', said);
    t.same((await rig.unmatched()).studies[0]?.suggestions, [{ seq, by: 'patient-number' }]);
  },
);
