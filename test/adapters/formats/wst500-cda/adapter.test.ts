import t from 'tap';
import type { ClinicalRecord, LabItem, LabReport } from '../../../../agent/clinical/records/types.ts';
import type { RenderInput } from '../../../../agent/rendering/format.ts';
import { goldenReport } from '../../golden-records.ts';
import { all, child, type Node, observations } from './flatten.ts';
import { inputOf, setId } from './render-input.ts';
import { documentOf, readable, shipped, text } from './rendered.ts';

const base = shipped('base');
const strict = shipped('strict');
type Renderer = typeof base;

const render = (renderer: Renderer, change: Partial<LabReport> = {}, rest: Partial<RenderInput> = {}) =>
  documentOf(renderer, inputOf({ ...goldenReport, ...change }, rest));

const one = (value: string, rest: Partial<LabItem> = {}): Partial<LabReport> => ({
  items: [{ key: 'K', item: { code: 'K', name: '钾' }, value, numeric: true, notes: [], ...rest }],
});
const real = (root: Node): Array<string | undefined> =>
  observations(root, 'DE04.30.015.00').map((o) => child(o, 'value')?.attributes.value);
t.test('base keeps the digits as the laboratory gave them', async (t) => {
  for (const digits of ['6.21', '6.210', '0.10', '140', '123456.78901', '-1.5']) {
    const { root, found } = render(base, one(digits));
    t.same(real(root), [digits]);
    t.notOk(found.includes('MAP-3023 items.value'));
  }
});

t.test('strict writes exactly four decimals by adding zeros', async (t) => {
  for (const [given, written] of [
    ['6.21', '6.2100'],
    ['140', '140.0000'],
    ['99999.1234', '99999.1234'],
    ['-0.5', '-0.5000'],
  ]) {
    t.same(real(render(strict, one(given!)).root), [written]);
  }
});

t.test('what strict cannot hold goes as text, unrounded, with a finding', async (t) => {
  for (const given of ['123456', '1.23456', '0.00001', '+1.5']) {
    const { root, found } = render(strict, { ...one(given), conclusion: '见结果' });
    t.same(real(root), []);
    t.ok(found.includes('MAP-3023 items.value'));
    t.match(text(root, 'DE04.50.130.00'), `见结果\n钾(K)：${given}`);
    t.ok(readable(root).includes(given));
  }
});

t.test('a qualitative result has no quantity and stands in the readable part and in the result text', async (t) => {
  for (const renderer of [base, strict]) {
    const item = { numeric: false, referenceRange: '阴性', unit: 'COI', flag: 'A', notes: ['复查'] };
    for (const conclusion of [undefined, '建议复查']) {
      const { root, found } = render(renderer, { ...one('弱阳性(+)', item), conclusion });
      t.same(real(root), []);
      t.notOk(found.includes('MAP-3023 items.value'));
      for (const part of ['钾', '弱阳性(+)', 'COI', '阴性', 'A', '复查']) {
        t.ok(text(root, 'DE04.50.130.00')?.includes(part), part);
        t.ok(readable(root).includes(part), part);
      }
    }
  }
});

t.test('values that a comparison sign makes text are not turned into numbers', async (t) => {
  const { root } = render(base, one('<0.01', { numeric: false }));
  t.same(real(root), []);
  t.match(text(root, 'DE04.50.130.00'), '<0.01');
});

t.test('names, units and reference ranges of every item are readable, sixty of them', async (t) => {
  const items = Array.from(
    { length: 60 },
    (_, n): LabItem => ({
      key: `I${n}`,
      item: { code: `I${n}`, name: `项目${n}号` },
      value: `${n}.5`,
      numeric: true,
      unit: `u${n}`,
      referenceRange: `${n}-${n + 1}`,
      notes: [],
    }),
  );
  for (const renderer of [base, strict]) {
    const { root } = render(renderer, { items });
    t.equal(all(root, 'organizer').length, 60);
    const read = readable(root);
    for (const { item, unit, referenceRange } of items) {
      t.ok([item.name, unit, referenceRange].every((part) => read.includes(part!)));
    }
  }
});

t.test('the first version names no document before it, the third names the second', async (t) => {
  const first = render(base).root;
  t.equal(child(first, 'setId')?.attributes.extension, setId);
  t.equal(child(first, 'versionNumber')?.attributes.value, '1');
  t.equal(child(first, 'relatedDocument'), undefined);
  const second = render(base, {}, { version: 2 }).root;
  const third = render(base, {}, { version: 3 }).root;
  const parent = child(third, 'relatedDocument', 'parentDocument');
  t.same(child(parent, 'id')?.attributes, child(second, 'id')?.attributes);
  t.equal(child(parent, 'setId')?.attributes.extension, setId);
  t.equal(child(parent, 'versionNumber')?.attributes.value, '2');
});

t.test('strict leaves the chain and the signature times empty, in every version', async (t) => {
  for (const version of [1, 2]) {
    const { root } = render(strict, { auditedAt: '20240520102500' }, { version });
    const parent = child(root, 'relatedDocument', 'parentDocument')!;
    for (const node of [child(root, 'setId')!, child(root, 'versionNumber')!, ...parent.children]) {
      t.same([node.attributes, node.children, node.text], [{}, [], '']);
    }
    t.same(child(root, 'legalAuthenticator', 'time')?.attributes, {});
    t.equal(child(root, 'author', 'time')?.attributes.value, '20240520');
  }
});

t.test('the title is 检验报告 and the document id has 32 characters in both forms', async (t) => {
  for (const renderer of [base, strict]) {
    const { root } = render(renderer);
    t.equal(child(root, 'title')?.text, '检验报告');
    t.match(child(root, 'id')?.attributes.extension, /^[0-9a-f]{32}$/);
  }
});

t.test('the same input gives the same bytes, whatever the clock says', async (t) => {
  for (const form of ['base', 'strict'] as const) {
    const first = render(shipped(form)).xml;
    t.equal(render(shipped(form)).xml, first);
  }
});

t.test('document time: message, else report, else arrival in the zone of the site', async (t) => {
  const at = (messageTime: string | undefined, reportedAt: string, timeZone = 'Asia/Shanghai') => {
    const input = inputOf({ ...goldenReport, reportedAt });
    const context = { ...input.content.context, messageTime, timeZone };
    const { root } = documentOf(base, { ...input, content: { ...input.content, context } });
    return child(root, 'effectiveTime')?.attributes.value;
  };
  t.equal(at('20240520102600', '20240520102000'), '20240520102600');
  t.equal(at('202405201026', '20240520102000'), '20240520102000', 'seconds are never made up');
  t.equal(at('20240231102600', '20240520102000'), '20240520102000', 'no such day');
  t.equal(at(undefined, '20240520'), '20240520102601');
  t.equal(at(undefined, '20240520', 'UTC'), '20240520022601');
  const input = inputOf({ ...goldenReport, reportedAt: '20240520' });
  const context = { ...input.content.context, messageTime: undefined, timeZone: 'Mars/Olympus' };
  t.match(base.render({ ...input, content: { ...input.content, context } }), { kind: 'held', code: 'MAP-3012' });
});

t.test('age counts completed years, below one year 月, in strict 周 and 天', async (t) => {
  const age = (renderer: Renderer, birthDate: string) => {
    const found = child(
      render(renderer, { patient: { ...goldenReport.patient, birthDate } }).root,
      'recordTarget',
      'patientRole',
      'patient',
      'age',
    );
    return `${found?.attributes.value}${found?.attributes.unit}`;
  };
  t.equal(age(base, '19900520'), '34岁');
  t.equal(age(base, '19900521'), '33岁');
  t.equal(age(base, '20230520'), '1岁');
  t.equal(age(base, '20230521'), '11月');
  t.equal(age(base, '20240519'), '0月');
  t.equal(age(strict, '20230521'), '52周');
  t.equal(age(strict, '20240513'), '1周');
  t.equal(age(strict, '20240514'), '6天');
  t.equal(age(strict, '20240520'), '0天');
});

t.test('a birth date that cannot be is left out in base and holds in strict', async (t) => {
  for (const birthDate of [undefined, '20240521', '18700101', '20230229']) {
    const patient = { ...goldenReport.patient, birthDate };
    const { root, found } = render(base, { patient });
    t.equal(child(root, 'recordTarget', 'patientRole', 'patient', 'age'), undefined);
    t.ok(found.includes('MAP-3020 patient.birthDate'));
    const out = strict.render(inputOf({ ...goldenReport, patient }));
    t.same(out, { kind: 'held', code: 'MAP-3009', where: 'patient.birthDate' });
  }
});

t.test('a missing identity element holds the document and says which', async (t) => {
  const { patient, encounter, items } = goldenReport;
  const cases: Array<[change: Partial<LabReport>, where: string, code?: string]> = [
    [{ patient: { ...patient, name: undefined } }, 'patient.name'],
    [{ patient: { ...patient, name: ' ' } }, 'patient.name'],
    [{ patient: { ...patient, sex: undefined } }, 'patient.sex'],
    [{ patient: { ...patient, sex: { code: 'X' } } }, 'patient.sex', 'MAP-3001'],
    [{ patient: { ...patient, sex: { standard: { code: '3', name: '?', table: 'sex' } } } }, 'patient.sex', 'MAP-3001'],
    [{ patient: { ...patient, identifiers: [] } }, 'encounter.number'],
    [{ encounter: { ...encounter, patientClass: undefined } }, 'encounter.patientClass', 'MAP-3005'],
    [{ reportNumber: '' }, 'reportNumber'],
    [{ reportedAt: undefined }, 'reportedAt'],
    [{ reportedAt: '20240532' }, 'reportedAt', 'MAP-3012'],
    [{ items: [] }, 'items'],
    [{ items: [{ ...items[0]!, value: undefined }] }, 'items.value'],
    [{ items: [{ ...items[0]!, item: {} }] }, 'items.item'],
  ];
  for (const [change, where, code = 'MAP-3009'] of cases) {
    for (const renderer of [base, strict]) {
      t.same(renderer.render(inputOf({ ...goldenReport, ...change })), { kind: 'held', code, where });
    }
  }
  const nowhere = inputOf(goldenReport, { site: { orgCode: '', name: '示例市人民医院' } });
  t.match(base.render(nowhere), { kind: 'held', code: 'MAP-3009', where: 'site.orgCode' });
});

t.test(
  'strict takes an organisation code of 18 characters only; the platform may know the site by another',
  async (t) => {
    const site = { orgCode: '45726620444200011A1001', name: '示例市人民医院' };
    t.same(strict.render(inputOf(goldenReport, { site })), { kind: 'held', code: 'MAP-3009', where: 'site.orgCode' });
    const organization_codes = { [site.orgCode]: '12100000MB0000001P' };
    const mapped = shipped('strict', { organization_codes });
    const { xml } = render(mapped, {}, { site });
    t.ok(xml.includes('12100000MB0000001P'));
    t.notOk(xml.includes(site.orgCode));
    const wrong = { organization_codes: { [site.orgCode]: 'short' } };
    t.throws(() => shipped('strict', wrong), { code: 'CFG-5010' });
  },
);

t.test('a missing context element is written by the rule of the pack and noted', async (t) => {
  const bare: Partial<LabReport> = {
    orderNumbers: [],
    patient: { ...goldenReport.patient, phone: undefined },
    specimen: {},
    reportedBy: undefined,
    auditedBy: undefined,
    orderingDepartment: undefined,
    items: [{ key: 'K', item: { code: 'K' }, value: '1', numeric: true, notes: [] }],
  };
  const b = render(base, bare);
  const s = render(strict, bare);
  for (const { found } of [b, s]) {
    for (const where of [
      'orderNumbers',
      'patient.phone',
      'specimen.number',
      'specimen.type',
      'specimen.collectedAt',
      'items.unit',
      'items.interpretation',
      'items.testedAt',
      'encounter.diagnoses',
      'auditedBy.id',
      'reportedBy.name',
      'orderingDepartment.code',
    ]) {
      t.ok(found.includes(`MAP-3020 ${where}`), where);
    }
    t.equal(new Set(found).size, found.length, 'each once');
  }
  t.equal(child(b.root, 'legalAuthenticator'), undefined);
  t.equal(child(b.root, 'participant'), undefined);
  t.same(child(b.root, 'author', 'assignedAuthor', 'id')?.attributes, { nullFlavor: 'NI' });
  t.equal(child(s.root, 'legalAuthenticator', 'assignedEntity', 'id')?.attributes.extension, 'NA');
  t.equal(child(s.root, 'recordTarget', 'patientRole', 'telecom')?.attributes.value, '-');
  t.same(observations(b.root, 'DE04.30.017.00'), [], 'no result code is made up');
  t.same(observations(s.root, 'DE04.30.017.00'), []);
});

t.test('class decides which number is the visit; the other is never borrowed', async (t) => {
  const numbers = (change: Partial<LabReport['encounter']>, kinds: string[]) => {
    const identifiers = goldenReport.patient.identifiers.filter(({ kind }) => kinds.includes(kind));
    const { root } = render(base, {
      patient: { ...goldenReport.patient, identifiers },
      encounter: { ...goldenReport.encounter, ...change },
    });
    const ids = child(root, 'recordTarget', 'patientRole')!.children.filter(({ name }) => name === 'id');
    const type = all(root, 'patienttypeCode')[0]!.attributes;
    return [ids[0]!.attributes.extension, ids[1]!.attributes.extension, type.code, type.displayName];
  };
  t.same(numbers({}, ['inpatient']), ['-', 'ZY20240001', '3', '住院']);
  t.same(numbers({ patientClass: 'outpatient' }, ['in-house']), ['JZ20240518001', '-', '1', '门诊']);
  t.same(numbers({ patientClass: 'emergency' }, ['inpatient']), ['JZ20240518001', 'ZY20240001', '2', '急诊']);
  t.same(numbers({ patientClass: 'checkup' }, []), ['JZ20240518001', '-', '9', '其他']);
  const identifiers = goldenReport.patient.identifiers.filter(({ kind }) => kind === 'in-house');
  const report = { ...goldenReport, patient: { ...goldenReport.patient, identifiers } };
  t.match(base.render(inputOf(report)), { kind: 'held', where: 'encounter.number' });
  const encounter_numbers = { inpatient: ['inpatient', 'in-house'] };
  t.match(shipped('base', { encounter_numbers }).render(inputOf(report)), { kind: 'document' });
});

t.test('a report of several orders carries each of their numbers once', async (t) => {
  const { root } = render(base, { orderNumbers: ['A1', 'A2', 'A1'] });
  const ids = child(root, 'recordTarget', 'patientRole')!.children.filter(
    ({ attributes }) => attributes.root === '2.16.156.10011.1.24',
  );
  t.same(
    ids.map(({ attributes }) => attributes.extension),
    ['A1', 'A2'],
  );
});

t.test('bed, room, department, ward and hospital nest from inner to outer', async (t) => {
  const encounter = { ...goldenReport.encounter, room: '301', ward: { code: 'W03', name: '呼吸内科病区' } };
  for (const renderer of [base, strict]) {
    const roots = all(child(render(renderer, { encounter }).root, 'componentOf')!, 'wholeOrganization').map((o) =>
      child(o, 'id')?.attributes.root?.split('.').at(-1),
    );
    t.same(roots, ['22', '21', '26', '27', '5']);
  }
});

t.test('a diagnosis is coded when it has the shape of ICD-10, else it stays readable', async (t) => {
  const diagnoses = [
    { code: 'J18.900', name: '肺炎', diagnosedAt: '20240520' },
    { code: 'Z51.102x001+C00-C97', name: '另一种' },
    { code: '00123', name: '本地诊断' },
    { name: '咳嗽待查' },
  ];
  const { root, found } = render(base, { encounter: { ...goldenReport.encounter, diagnoses } });
  t.same(
    observations(root, 'DE05.01.024.00').map((o) => child(o, 'value')?.attributes.code),
    ['J18.900'],
  );
  for (const { name } of diagnoses) t.ok(readable(root).includes(name));
  t.ok(found.includes('MAP-3001 encounter.diagnoses'));
});

t.test('strict writes specimen times to the second and both, or only readable', async (t) => {
  const specimen = { ...goldenReport.specimen, receivedAt: '202405200830' };
  const { root, found } = render(strict, { specimen });
  t.equal(child(observations(root, 'DE04.50.134.00')[0], 'effectiveTime'), undefined);
  t.ok(readable(root).includes('202405200830'));
  t.ok(found.includes('MAP-3020 specimen.receivedAt'));
  const low = child(observations(render(base, { specimen }).root, 'DE04.50.134.00')[0], 'effectiveTime', 'high');
  t.equal(low?.attributes.value, '202405200830');
});

t.test('text that looks like markup stays text; a control character holds the document', async (t) => {
  const name = `张<三>&"'`;
  const { root } = render(base, { patient: { ...goldenReport.patient, name } });
  t.equal(child(root, 'recordTarget', 'patientRole', 'patient', 'name')?.text, name);
  const out = base.render(inputOf({ ...goldenReport, conclusion: '阳\u0001性' }));
  t.match(out, { kind: 'held', code: 'MAP-3010', where: /^ClinicalDocument\/.*\/text/ });
  t.notMatch(JSON.stringify(out), '阳');
});

t.test('a retraction says what it takes back and nothing of the patient', async (t) => {
  const before = child(render(base).root, 'id')?.attributes.extension;
  for (const renderer of [base, strict]) {
    const out = renderer.render(
      inputOf({ ...goldenReport, items: [], patient: { identifiers: [] } }, { action: 'retract', version: 2 }),
    );
    if (out.kind !== 'document') throw new Error(JSON.stringify(out));
    t.equal(out.mediaType, 'application/json');
    t.equal(out.reportNumber.reveal(), goldenReport.reportNumber);
    t.same(JSON.parse(new TextDecoder().decode(out.bytes.reveal())), {
      operation: 'retract',
      type: 'C0007',
      setId,
      version: 2,
      replacesDocumentId: before,
      effectiveTime: '20240520102600',
    });
  }
});

t.test('a record that has no document here is filtered', async (t) => {
  const { patient, encounter } = goldenReport;
  const records: ClinicalRecord[] = [
    { kind: 'patient', patient },
    { kind: 'encounter', patient, encounter, state: 'admitted' },
    { kind: 'order', orderNumber: 'A1', patient, encounter },
    { kind: 'prescription', orderNumber: 'A1', patient, encounter },
    { kind: 'clinical-document', documentNumber: 'D1', patient, encounter, sections: [] },
    { kind: 'imaging-study', studyUid: '1.2.3', accessionNumbers: [], modalities: ['CT'], patient },
  ];
  for (const record of records) {
    for (const action of ['publish', 'retract'] as const) {
      t.same(base.render(inputOf(record, { action })), { kind: 'filtered', rule: 'record-kind' });
    }
  }
});

t.test('nothing of a document can be printed by accident', async (t) => {
  t.notMatch(JSON.stringify(base.render(inputOf())), /测试患者|LR2024/);
});
