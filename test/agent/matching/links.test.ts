import t, { type Test } from 'tap';
import { merges, registers } from '../../stories/registrations.ts';
import { imageOf, li, matchingRig, profiles, reportOf, zhang } from './rig.ts';

t.setTimeout(600_000);

async function rigOf(t: Test, profile?: string) {
  const rig = await matchingRig(profile);
  t.teardown(rig.close);
  return rig;
}

t.test('报告先到 The report first, then the images: linked by the accession number', async (t) => {
  const rig = await rigOf(t);
  const seq = await rig.ris(reportOf('E1', 'A1'));
  const study = await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A1' });
  t.same(await rig.links(study), [{ seq, state: 'linked' }]);
  t.same(await rig.unmatched(), { studies: [], reports: [] });
});

t.test('影像先到 The images first, then the report: linked as well', async (t) => {
  const rig = await rigOf(t);
  const study = await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: ' A1 ' });
  t.same(await rig.links(study), []);
  const seq = await rig.ris(reportOf('E1', 'A1'));
  t.same(await rig.links(study), [{ seq, state: 'linked' }]);
});

t.test('按报告单号 The report number links where the modality carries it as accession number', async (t) => {
  const rig = await rigOf(t);
  const study = await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'E1' });
  const seq = await rig.ris(reportOf('E1', 'A9'));
  t.same(await rig.links(study), [{ seq, state: 'linked' }]);
});

t.test('按检查ID A profile may name Study ID instead, and the # rule holds for it too', async (t) => {
  const rig = await rigOf(t, profiles.studyId);
  const seq = await rig.ris(reportOf('E1', 'A1'));
  const study = await rig.pacs('1.1', { ...imageOf(zhang), studyId: 'X#A1', accessionNumber: 'A7' });
  t.same(await rig.links(study), [{ seq, state: 'linked' }]);
  const other = await rig.pacs('1.2', { ...imageOf(zhang), studyId: 'A7', accessionNumber: 'A1' });
  t.same(await rig.links(other), [], 'the accession number is none of its report’s then');
});

t.test('同人同日不同号 The same person on the same day is no link without a number', async (t) => {
  const rig = await rigOf(t);
  await rig.ris(reportOf('E1', 'A1'));
  const study = await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A2' });
  const without = await rig.pacs('1.2', imageOf(zhang));
  t.same(await rig.links(study), []);
  t.same(await rig.links(without), []);
});

t.test('多对多 Several reports on one study, and a study of several orders', async (t) => {
  const rig = await rigOf(t);
  const first = await rig.ris(reportOf('E1', 'A1'));
  const study = await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A1#A2' });
  const second = await rig.ris(reportOf('E2', 'A2'));
  const third = await rig.ris(reportOf('E3', 'A1'));
  t.same(await rig.links(study), [
    { seq: first, state: 'linked' },
    { seq: second, state: 'linked' },
    { seq: third, state: 'linked' },
  ]);
  const other = await rig.pacs('1.2', { ...imageOf(zhang), accessionNumber: 'A2' });
  t.same(await rig.links(other), [{ seq: second, state: 'linked' }]);
});

t.test('同号不同人 One number of two people: no link, a task, and gone with the correction', async (t) => {
  const rig = await rigOf(t);
  const seq = await rig.ris(reportOf('E1', 'A1', li));
  const study = await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A1' });
  t.same(await rig.links(study), [{ seq, state: 'contradicts' }]);
  t.same(await rig.problems(), ['DCM-2299 1']);
  t.match(await rig.store.contradictions(10), [{ seq, study }]);
  t.same((await rig.unmatched()).studies.length, 1, 'and both are without a counterpart');
  const again = await rig.ris(reportOf('E1', 'A7', li));
  t.same(await rig.links(study), []);
  t.same(await rig.problems(), []);
  t.ok(again > seq);
});

t.test('一项不符即不关联 One of name, sex and birth date is enough; what one of them lacks is not', async (t) => {
  const rig = await rigOf(t);
  await rig.ris(reportOf('E1', 'A1'));
  const said = imageOf(zhang);
  const wrong = [{ patientName: { alphabetic: '张晉明' } }, { sex: 'F' }, { birthDate: '19990909' }];
  let uid = 0;
  for (const one of wrong) {
    const study = await rig.pacs(`1.${++uid}`, { ...said, ...one, accessionNumber: 'A1' });
    t.match(await rig.links(study), [{ state: 'contradicts' }], Object.keys(one).join());
  }
  for (const absent of ['patientName', 'sex', 'birthDate'] as const) {
    const { [absent]: _absent, ...rest } = said;
    const study = await rig.pacs(`1.${++uid}`, { ...rest, accessionNumber: 'A1' });
    t.match(await rig.links(study), [{ state: 'linked' }], `without ${absent}`);
  }
  const pinyin = await rig.pacs('2.1', { ...said, patientName: { alphabetic: 'ZHANG^JIN' }, accessionNumber: 'A1' });
  t.match(await rig.links(pinyin), [{ state: 'linked' }], 'a Latin name beside a Chinese one');
});

t.test('更正检查号 A corrected accession number takes the report to the right study', async (t) => {
  const rig = await rigOf(t);
  const one = await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A1' });
  const other = await rig.pacs('1.2', { ...imageOf(zhang), accessionNumber: 'A2' });
  await rig.ris(reportOf('E1', 'A1'));
  const seq = await rig.ris(reportOf('E1', 'A2').corrected('检查所见 双肺清晰', '诊断意见 未见异常'));
  t.same(await rig.links(one), []);
  t.same(await rig.links(other), [{ seq, state: 'linked' }]);
  const late = await rig.pacs('1.3', { ...imageOf(zhang), accessionNumber: 'A1' });
  t.same(await rig.links(late), [], 'nor does it look at its old number any more');
});

t.test('撤回 What is withdrawn is linked with nothing, and is again when it comes back', async (t) => {
  const rig = await rigOf(t);
  const study = await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A1' });
  await rig.ris(reportOf('E1', 'A1'));
  await rig.ris(reportOf('E1', 'A1').withdrawn());
  t.same(await rig.links(study), []);
  const seq = await rig.ris(reportOf('E1', 'A1').corrected('检查所见 双肺清晰', '诊断意见 正常'));
  t.same(await rig.links(study), [{ seq, state: 'linked' }]);
  await rig.withdraw(study, true);
  t.same(await rig.links(study), []);
  t.same((await rig.unmatched()).studies, [], 'a withdrawn study lacks nothing');
  t.match((await rig.unmatched()).reports, [{ seq }]);
  await rig.withdraw(study, false);
  t.same(await rig.links(study), [{ seq, state: 'linked' }]);
});

t.test('追加影像 Images that come later name another number: the next issue finds its report', async (t) => {
  const rig = await rigOf(t);
  const study = await rig.pacs('1.1', imageOf(zhang));
  const seq = await rig.ris(reportOf('E1', 'A1'));
  t.same(await rig.links(study), []);
  t.equal(await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A1' }), study);
  t.same(await rig.links(study), [{ seq, state: 'linked' }]);
});

t.test('合并 A merge of patients changes no link, whatever the number that stays is called', async (t) => {
  const rig = await rigOf(t);
  const unknown = { ...zhang, number: 'P0009', name: '无名氏', birthDate: '', residentId: '' };
  const study = await rig.pacs('1.1', { ...imageOf(unknown), accessionNumber: 'A1' });
  await rig.ris(reportOf('E1', 'A1', unknown));
  t.match(await rig.links(study), [{ state: 'linked' }]);
  await rig.says('his', registers(zhang));
  const seq = await rig.says('his', merges(zhang, unknown));
  t.same(await rig.links(study), [{ seq, state: 'linked' }], 'the merge issued the report again under 张晋');
});

t.test('发错人 A report that moves to another patient leaves the first one’s images', async (t) => {
  const rig = await rigOf(t);
  const study = await rig.pacs('1.1', { ...imageOf(li), accessionNumber: 'A1' });
  await rig.ris(reportOf('E1', 'A1', zhang));
  t.match(await rig.links(study), [{ state: 'contradicts' }]);
  const seq = await rig.ris(reportOf('E1', 'A1', li).corrected('检查所见 双肺清晰', '诊断意见 未见异常'));
  t.same(await rig.links(study), [{ seq, state: 'linked' }]);
});

t.test('号码泛滥 A number that all have links the first 32 and no more', async (t) => {
  const rig = await rigOf(t);
  const study = await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A1' });
  for (let n = 1; n <= 40; n++) await rig.ris(reportOf(`E${n}`, 'A1'));
  const before = await rig.links(study);
  t.equal(before.length, 32);
  t.equal((await rig.unmatched()).reports.length, 8, 'the others stand without images');
  await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A1' });
  t.same(await rig.links(study), before, 'the next issue of the study keeps its links');

  await rig.ris(reportOf('E1', 'A1').withdrawn());
  const taken = await rig.ris(reportOf('E40', 'A1').corrected('检查所见 双肺清晰', '诊断意见 正常'));
  await rig.ris(reportOf('E1', 'A1').corrected('检查所见 双肺清晰', '诊断意见 正常'));
  await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A1' });
  const after = await rig.links(study);
  t.equal(after.length, 32);
  t.ok(
    after.some(({ seq }) => seq === taken),
    'what took a free place keeps it, also where the first comes back',
  );
});
