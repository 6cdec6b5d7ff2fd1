import t, { type Test } from 'tap';
import { quickFolder } from '../../quick-folder.ts';
import { type Person, person, sentBy } from '../../stories/messages.ts';
import { imageOf, li, matchingRig, profiles, reportOf, tcm, tellsInstitutions, zhang } from './rig.ts';

/** A hospital and another institution whose RIS and PACS number examinations and patients each for itself. */
async function rigOf(t: Test, numbers: 'own' | 'shared', profile = profiles.usual) {
  const rig = await matchingRig(profile, quickFolder('matching'), tellsInstitutions(numbers));
  t.teardown(rig.close);
  return rig;
}
const fromTcm = (number: string, accession: string, who: Person) => sentBy('TCM', reportOf(number, accession, who))[0]!;

t.test('one accession number of two institutions: each study finds the report of its own person', async (t) => {
  const rig = await rigOf(t, 'own');
  const here = await rig.ris(reportOf('E1', 'A1', zhang));
  const there = await rig.ris(fromTcm('E1', 'A1', li));
  const ours = await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A1' });
  const theirs = await rig.pacs('1.2', { ...imageOf(li), accessionNumber: 'A1' });
  t.same(await rig.links(ours), [{ seq: here, state: 'linked' }]);
  t.same(await rig.links(theirs), [{ seq: there, state: 'linked' }]);
});

t.test('a study that says little of its patient is not given to a report of another institution', async (t) => {
  const rig = await rigOf(t, 'own');
  await rig.ris(fromTcm('E1', 'A1', li));
  const unnamed = { ...imageOf(li), patientName: undefined, birthDate: undefined, accessionNumber: 'A1' };
  const study = await rig.pacs('1.1', unnamed);
  t.same(await rig.links(study), [], 'it may be anybody’s with that number');
  const sameDay = await rig.pacs('1.2', { ...imageOf(li), birthDate: undefined, accessionNumber: 'A1' });
  t.same(await rig.links(sameDay), [], 'and a name alone is that of many');
  const here = await rig.ris(reportOf('E1', 'A1', li));
  t.same(await rig.links(study), [{ seq: here, state: 'linked' }], 'the hospital’s own report finds it as ever');
});

t.test('people of two institutions under one number contradict nobody', async (t) => {
  const rig = await rigOf(t, 'own');
  await rig.ris(fromTcm('E1', 'A1', li));
  const study = await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A1' });
  t.same(await rig.links(study), []);
  t.same(await rig.problems(), [], 'two examinations that have nothing to do with each other');
});

t.test('in-house numbers of another institution suggest nothing', async (t) => {
  const rig = await rigOf(t, 'own', profiles.inHouse);
  const other = person(zhang.number, '李珅', { birthDate: '19710216', sex: 'F' });
  await rig.ris(fromTcm('E1', 'A1', other));
  await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A2' });
  const { studies, reports } = await rig.unmatched();
  t.same(
    [...studies, ...reports].map(({ suggestions }) => suggestions),
    [[], []],
  );
});

t.test('where numbers are shared the patient’s number is enough', async (t) => {
  const rig = await rigOf(t, 'shared', profiles.inHouse);
  const there = await rig.ris(fromTcm('E1', 'A1', zhang));
  const pinyin = { ...imageOf(zhang), patientName: { alphabetic: 'ZHANG^JIN' }, accessionNumber: 'A1' };
  t.same(await rig.links(await rig.pacs('1.1', pinyin)), [{ seq: there, state: 'linked' }]);
});

t.test('a report knows the institution it is of in the journal', async (t) => {
  const rig = await rigOf(t, 'own');
  await rig.ris(reportOf('E1', 'A1', zhang));
  await rig.ris(fromTcm('E1', 'A1', li));
  const contexts = [...rig.view.journal('cloud', 10)].map(({ content }) => JSON.parse(content.reveal()).context);
  t.same(
    contexts.map(({ institution }) => institution),
    [undefined, tcm],
  );
  t.notOk('institution' in contexts[0], 'what is the hospital’s own says what it said before');
});
