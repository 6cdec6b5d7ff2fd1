import t from 'tap';
import { imagingIndex } from '../../../../adapters/formats/imaging-index/adapter.ts';
import { checkPack } from '../../../../adapters/formats/imaging-index/pack.ts';
import type { ImagingStudy, LabReport } from '../../../../agent/clinical/records/types.ts';
import type { RenderInput } from '../../../../agent/rendering/format.ts';
import { readAsset } from '../../../../agent/support/assets.ts';

const text = readAsset('config/provinces/imaging-index/pack.yaml');
const renderer = imagingIndex.compile(checkPack(text, {}));

const study: ImagingStudy = {
  kind: 'imaging-study',
  studyUid: '2.25.1',
  accessionNumbers: ['A1', 'A2'],
  modalities: ['CT', 'SR'],
  patient: {
    identifiers: [{ kind: 'in-house', value: '999999001', source: '(0010,0020)' }],
    name: '张晋',
    sex: { code: 'M', standard: { code: '1', name: '男性', table: 'sex' } },
    birthDate: '19800131',
  },
  series: 2,
  instances: 30,
};
const context = { receivedMs: 0, source: 'pacs', timeZone: 'Asia/Shanghai' };
const render = (record: ImagingStudy | LabReport, more: Partial<RenderInput> = {}) =>
  renderer.render({
    content: { record, context },
    action: 'publish',
    setId: 'ab',
    version: 1,
    site: { orgCode: '1', name: '示例医院' },
    ...more,
  });
const bodyOf = (made: ReturnType<typeof render>): unknown =>
  made.kind === 'document' ? JSON.parse(Buffer.from(made.bytes.reveal()).toString()) : made;

t.test('a study as the pack names its fields, in its order', (t) => {
  const made = render(study);
  t.match(made, { kind: 'document', type: 'imaging-index', mediaType: 'application/json' });
  t.equal(
    JSON.stringify(bodyOf(made)),
    JSON.stringify({
      patientId: '999999001',
      patientName: '张晋',
      patientSex: 'M',
      studyId: '2.25.1',
      accessNumber: 'A1,A2',
      modality: 'CT,SR',
      patientBirthday: '1980-01-31',
    }),
  );
  t.same(bodyOf(render(study)), bodyOf(made), 'the same each time');
  t.end();
});

t.test('what must be there and is not holds the study; what may be missing is left out', (t) => {
  const { birthDate: _birthDate, ...patient } = study.patient;
  t.notOk('patientBirthday' in (bodyOf(render({ ...study, patient })) as object));
  t.match(render({ ...study, accessionNumbers: [] }), { kind: 'held', code: 'MAP-3009', where: 'accessionNumbers' });
  const unmapped = { ...study.patient, sex: { code: 'X' } };
  t.match(render({ ...study, patient: unmapped }), { kind: 'held', code: 'MAP-3009', where: 'patient.sex' });
  const unknown = { ...study.patient, sex: { standard: { code: '0', name: '未知的性别', table: 'sex' } } };
  t.match(render({ ...study, patient: unknown }), { kind: 'held', code: 'MAP-3001', where: 'patient.sex' });
  t.end();
});

t.test('a value that is named like a property of every object is not mapped', (t) => {
  const pack = checkPack(text, {});
  const fields = pack.fields.map((field) => (field.from === 'modalities' ? { ...field, values: { CT: '1' } } : field));
  const made = imagingIndex.compile({ ...pack, fields }).render({
    content: { record: { ...study, modalities: ['constructor'] }, context },
    action: 'publish',
    setId: 'ab',
    version: 1,
    site: { orgCode: '1', name: '示例医院' },
  });
  t.match(made, { kind: 'held', code: 'MAP-3001', where: 'modalities' });
  t.end();
});

t.test('a withdrawal names no patient, and reports are not its business', (t) => {
  t.same(bodyOf(render(study, { action: 'retract', version: 3 })), {
    operation: 'retract',
    type: 'imaging-index',
    setId: 'ab',
    version: 3,
  });
  t.match(render({ kind: 'lab-report' } as LabReport), { kind: 'filtered', rule: 'record-kind' });
  t.end();
});

t.test('a pack says where it is wrong, and what nobody verified', (t) => {
  t.same(checkPack(text, {}).unverified, ['type', 'joiner']);
  const refused = (pack: string, where: RegExp) => t.throws(() => checkPack(pack, {}), { code: 'CFG-5010', where });
  refused(text.replace('{ from: studyUid', '{ from: study'), /^pack \d+:\d+ fields\.studyId\.from/);
  refused(text.replace('evidence: inferred, source: cloud', 'evidence: inferred, source: nobody'), /studyId\.source/);
  refused(text.replace('missing: omit', 'mising: omit'), /fields\.patientBirthday/);
  t.throws(() => checkPack(text, { type: 'x' }), { code: 'CFG-5010', where: 'overlay type' });
  t.end();
});
