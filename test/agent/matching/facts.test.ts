import t from 'tap';
import type { ExamReport, ImagingStudy } from '../../../agent/clinical/records/types.ts';
import { factsOf } from '../../../agent/matching/facts.ts';

const context = { receivedMs: Date.UTC(2026, 2, 5, 20), source: 'ris', timeZone: 'Asia/Shanghai' };
const report: ExamReport = {
  kind: 'exam-report',
  reportNumber: 'E1',
  orderNumbers: ['O1'],
  accessionNumbers: ['A1', ' A2 '],
  patient: { identifiers: [], name: '张晋' },
  encounter: { diagnoses: [] },
  sections: [],
  remarks: [],
};
const study: ImagingStudy = {
  kind: 'imaging-study',
  studyUid: '1.2',
  studyId: 'S1',
  accessionNumbers: ['A1'],
  modalities: ['CT'],
  patient: { identifiers: [] },
};
const day = (text: string) => Date.parse(`${text}T00:00:00Z`) / 86_400_000;

t.test('a report is found by accession and report number, not by its order', (t) => {
  t.same(factsOf({ record: report, context })?.numbers, ['A1', 'A2', 'E1']);
  t.end();
});

t.test('a study is found by its accession numbers, or by what its profile names instead', (t) => {
  t.same(factsOf({ record: study, context })?.numbers, ['A1']);
  t.same(factsOf({ record: { ...study, reportNumbers: ['S1'] }, context })?.numbers, ['S1']);
  t.same(factsOf({ record: { ...study, reportNumbers: [] }, context })?.numbers, []);
  t.end();
});

t.test('no more than 32 numbers of a record are looked at, none of them empty or twice', (t) => {
  const accessionNumbers = ['', ' ', 'A', 'A ', ...Array.from({ length: 100 }, (_, n) => `B${n}`)];
  const numbers = factsOf({ record: { ...study, accessionNumbers }, context })?.numbers;
  t.equal(numbers?.length, 32);
  t.same(numbers?.slice(0, 2), ['A', 'B0']);
  t.end();
});

t.test('images are expected where there is an accession number, a report always', (t) => {
  t.equal(factsOf({ record: report, context })?.expects, true);
  t.equal(factsOf({ record: { ...report, accessionNumbers: [] }, context })?.expects, false);
  t.equal(factsOf({ record: { ...study, accessionNumbers: [] }, context })?.expects, true);
  t.end();
});

t.test('where the categories with images are named, no other report misses any', (t) => {
  const expects = (category: ExamReport['category'], named: string[]) =>
    factsOf({ record: { ...report, ...(category && { category }) }, context }, named)?.expects;
  t.equal(expects({ code: 'CT' }, []), true);
  t.equal(expects({ code: 'CT' }, ['CT', '放射']), true);
  t.equal(expects({ code: '07', name: '放射' }, ['CT', '放射']), true);
  t.equal(expects({ code: 'ECG', name: '心电' }, ['CT', '放射']), false);
  t.equal(expects(undefined, ['CT']), false);
  t.equal(factsOf({ record: study, context }, ['CT'])?.expects, true, 'a study misses its report always');
  t.end();
});

t.test('the day is that of the examination, else the day it came by the site’s clock', (t) => {
  t.equal(factsOf({ record: report, context })?.day, day('2026-03-06'), 'four in the morning there');
  const told = { reportedAt: '20260304101500', orderedAt: '20260301' };
  t.equal(factsOf({ record: { ...report, ...told }, context })?.day, day('2026-03-04'));
  t.equal(factsOf({ record: { ...report, ...told, performedAt: '20260303' }, context })?.day, day('2026-03-03'));
  t.equal(factsOf({ record: { ...study, startedAt: '202602281200' }, context })?.day, day('2026-02-28'));
  t.end();
});

t.test('other records are not matched', (t) => {
  t.equal(factsOf({ record: { kind: 'patient', patient: { identifiers: [] } }, context }), undefined);
  t.end();
});
