import t from 'tap';
import type { ExamReport, ReportSection } from '../../../../agent/clinical/records/types.ts';
import type { Renderer, RenderInput } from '../../../../agent/rendering/format.ts';
import { goldenExam } from '../../golden-records.ts';
import { all, child, type Node, observations } from './flatten.ts';
import { inputOf, setId } from './render-input.ts';
import { documentOf, readable, shipped, text } from './rendered.ts';

const forms = ['base', 'strict'] as const;
const base = shipped('base');
const strict = shipped('strict');
const render = (renderer: Renderer, change: Partial<ExamReport> = {}, rest: Partial<RenderInput> = {}) =>
  documentOf(renderer, inputOf({ ...goldenExam, ...change }, rest));
const held = (renderer: Renderer, change: Partial<ExamReport>) =>
  renderer.render(inputOf({ ...goldenExam, ...change }));
const section = (role: ReportSection['role'], name: string | undefined, words: string): ReportSection => ({
  key: `${role}|${name}`,
  role,
  title: { name },
  text: words,
});
const pathology: ReportSection[] = [
  section('other', '肉眼所见', '灰白组织一块，1×0.5×0.5 cm。'),
  section('other', '镜下所见', '腺体排列紊乱。'),
  section('other', '免疫组化', 'CK7(+)，TTF-1(-)'),
  section('impression', '病理诊断', '（右肺）腺癌。'),
];
const sectionOf = (root: Node, name: string): Node | undefined =>
  all(root, 'section').find((s) => child(s, 'code')?.attributes.displayName === name);

t.test('an examination is C0006 under its own number, title and template, with its own signers', async (t) => {
  for (const renderer of [base, strict]) {
    const { root, out } = render(renderer, { performedBy: { id: 'T3001', name: '孙技师' } });
    t.equal(out.type, 'C0006');
    t.equal(out.mediaType, 'application/xml');
    t.equal(child(root, 'code')?.attributes.code, 'C0006');
    t.equal(child(root, 'templateId')?.attributes.root, '2.16.156.10011.2.1.1.26');
    t.equal(child(root, 'title')?.text, '检查报告');
    const ids = child(root, 'recordTarget', 'patientRole')!.children.filter(({ name }) => name === 'id');
    t.match(
      ids.map(({ attributes }) => [attributes.root!.split('.').at(-1), attributes.extension]),
      [
        ['11', '-'],
        ['12', 'ZY20240001'],
        ['32', 'RIS20240520001'],
        ['24', 'AP20240520002'],
        ['24', 'AP20240520003'],
        ['14', '-'],
      ],
    );
    t.same(
      all(root, 'authenticator').map((a) => child(a, 'assignedEntity', 'code')?.attributes.displayName),
      ['检查技师', '检查医师'],
    );
  }
});

t.test('findings and impression have their data elements and are readable', async (t) => {
  for (const renderer of [base, strict]) {
    const { root } = render(renderer);
    t.equal(text(root, 'DE04.50.131.00'), '右肺下叶见斑片状高密度影。\n余肺清晰。');
    t.equal(text(root, 'DE04.50.132.00'), '右肺下叶炎症。');
    t.match(readable(root), '检查所见：右肺下叶见斑片状高密度影。\n余肺清晰。');
    t.match(readable(root), '诊断意见：右肺下叶炎症。');
  }
});

t.test('sections of pathology are told after the findings, each under its title, or only readable', async (t) => {
  for (const form of forms) {
    const { root, found } = render(shipped(form), { sections: pathology });
    const [gross, microscopic, stains] = pathology.map(({ title, text }) => `${title.name}：${text}`);
    t.equal(text(root, 'DE04.50.131.00'), [gross, microscopic, stains].join('\n'));
    t.equal(text(root, 'DE04.50.132.00'), '（右肺）腺癌。');
    t.notOk(found.includes('MAP-3020 findings'));
    const only = render(shipped(form, { titled_sections: 'readable' }), { sections: pathology });
    t.equal(text(only.root, 'DE04.50.131.00'), form === 'base' ? undefined : '-');
    t.ok(only.found.includes('MAP-3020 findings'));
    for (const { title, text } of pathology) {
      for (const read of [readable(root), readable(only.root)]) t.ok(read.includes(`${title.name}：${text}`));
    }
  }
});

t.test('several sections of one role keep their titles apart', async (t) => {
  const sections = [section('impression', '诊断', '炎症'), section('impression', '补充诊断', '建议复查')];
  for (const renderer of [base, strict]) {
    const { root, found } = render(renderer, { sections });
    t.equal(text(root, 'DE04.50.132.00'), '诊断：炎症\n补充诊断：建议复查');
    t.ok(found.includes('MAP-3020 findings'));
  }
});

t.test('a section without a title is called after its role, if it has one', async (t) => {
  const { root } = render(base, { sections: [section('findings', undefined, '未见异常')] });
  t.match(readable(root), '检查所见：未见异常');
  const untitled = render(base, { sections: [section('other', undefined, '未见异常')] }).root;
  t.equal(text(untitled, 'DE04.50.131.00'), '未见异常');
});

t.test('item, part, method, category, time and result are where they belong', async (t) => {
  const change: Partial<ExamReport> = {
    method: { name: '平扫' },
    bodyPart: { code: 'CHEST', name: '胸部' },
    category: { code: 'CT', name: 'CT检查' },
    interpretation: 'abnormal',
    critical: true,
  };
  for (const form of forms) {
    const { root, found } = render(shipped(form), change);
    const [item] = observations(root, 'DE04.30.019.00');
    t.equal(child(item, 'value')?.text, 'CT001');
    t.equal(child(item, 'effectiveTime')?.attributes.value, '20240520093000');
    t.same(child(item, 'targetSiteCode')?.attributes, form === 'base' ? { displayName: '胸部' } : undefined);
    t.equal(text(root, 'DE02.10.027.00'), '平扫');
    t.equal(text(root, 'DE04.30.018.00'), 'CT检查');
    t.match(child(observations(root, 'DE04.30.017.00')[0], 'value')?.attributes, { code: '2', displayName: '异常' });
    t.match(child(observations(root, 'DE04.30.017.00')[0], 'code')?.attributes, { displayName: '检查结果代码' });
    for (const part of ['胸部CT平扫(CT001)', '胸部(CHEST)', '平扫', 'CT检查(CT)', '危急值：是']) {
      t.ok(readable(root).includes(part), part);
    }
    t.notOk(found.includes('MAP-3020 item'));
  }
  const kept = render(shipped('base', { body_part: 'readable' }), change).root;
  t.same(all(kept, 'targetSiteCode'), []);
  t.match(readable(kept), '胸部(CHEST)');
  const refused = render(shipped('strict', { body_part: 'target-site' }), change).root;
  t.same(all(refused, 'targetSiteCode'), [], 'the strict schema has no place for it');
  t.same(observations(render(base).root, 'DE04.30.017.00'), [], 'no result code is made up');
});

t.test('an examination without a specimen misses none; with one it is told', async (t) => {
  const { root, found } = render(base);
  t.same(observations(root, 'DE04.50.134.00'), []);
  t.notOk(found.some((one) => one.includes('specimen')));
  const specimen = {
    number: 'B1',
    type: { name: '支气管活检' },
    collectedAt: '20240520080000',
    receivedAt: '20240520090000',
  };
  for (const renderer of [base, strict]) {
    const told = render(renderer, { specimen });
    t.equal(text(told.root, 'DE04.50.134.00'), '支气管活检');
    t.match(readable(told.root), '标本类别：支气管活检');
    t.ok(told.found.includes('MAP-3020 specimen.condition'));
  }
});

t.test('what no record says is the pack’s alone', async (t) => {
  const { root } = render(base);
  t.equal(text(root, 'DE02.01.079.00'), '-');
  t.equal(text(root, 'DE06.00.296.00'), '-');
  for (const name of ['CHIEF COMPLAINT', 'PROBLEM LIST']) t.equal(sectionOf(root, name), undefined);
});

t.test('what a report must have holds it when missing', async (t) => {
  const { patient } = goldenExam;
  const cases: Array<[Partial<ExamReport>, where: string, code?: string]> = [
    [{ sections: [] }, 'sections'],
    [{ sections: [section('findings', '检查所见', ' ')] }, 'sections'],
    [{ reportNumber: '' }, 'reportNumber'],
    [{ reportedAt: undefined }, 'reportedAt'],
    [{ patient: { ...patient, name: undefined } }, 'patient.name'],
    [{ patient: { ...patient, sex: { code: 'X' } } }, 'patient.sex', 'MAP-3001'],
    [{ encounter: { diagnoses: [] } }, 'encounter.patientClass', 'MAP-3005'],
  ];
  for (const [change, where, code = 'MAP-3009'] of cases) {
    for (const renderer of [base, strict]) t.same(held(renderer, change), { kind: 'held', code, where });
  }
});

t.test(
  'strict demands when it was ordered: what stands for it is the pack’s and noted, else the report is held',
  async (t) => {
    const time = (renderer: Renderer, change: Partial<ExamReport>) => {
      const { root, found } = render(renderer, change);
      return [child(root, 'participant', 'time')?.attributes.value, found.includes('MAP-3020 orderedAt')];
    };
    t.same(time(strict, { orderedAt: '20240520075500' }), ['20240520075500', false]);
    t.same(time(strict, { orderedAt: '202405200755' }), ['20240520093000', true], 'seconds are never made up');
    const never = { performedAt: '202405200930' };
    t.same(held(strict, never), { kind: 'held', code: 'MAP-3009', where: 'orderedAt' });
    const lenient = shipped('strict', { ordered_at_from: ['orderedAt', 'documentTime'] });
    t.same(time(lenient, never), ['20240520102600', true]);
    const orderingDepartment = { code: '0301', name: '呼吸内科' };
    t.same(time(base, { orderingDepartment, orderedAt: '202405200755' }), ['202405200755', false]);
    t.same(time(base, { orderingDepartment }), [undefined, false]);
  },
);

t.test('strict takes times to the second only; a time that is not stays readable', async (t) => {
  const encounter = {
    ...goldenExam.encounter,
    diagnoses: [{ code: 'J18.900', name: '肺炎', diagnosedAt: '20240520' }],
  };
  const change = { encounter, performedAt: '202405200930', orderedAt: '20240520075500' };
  const { root, found } = render(strict, change);
  for (const code of ['DE05.01.024.00', 'DE04.30.019.00']) {
    t.equal(child(observations(root, code)[0], 'effectiveTime'), undefined);
  }
  for (const part of ['202405200930', '肺炎（20240520）']) t.ok(readable(root).includes(part));
  t.ok(found.includes('MAP-3020 performedAt') && found.includes('MAP-3020 encounter.diagnoses'));
  const item = observations(render(base, change).root, 'DE04.30.019.00')[0];
  t.equal(child(item, 'effectiveTime')?.attributes.value, '202405200930');
});

t.test('a diagnosis without a code of ICD-10 is readable in every form', async (t) => {
  const encounter = { ...goldenExam.encounter, diagnoses: [{ name: '咳嗽待查' }] };
  t.match(readable(sectionOf(render(base, { encounter }).root, 'Diagnosis')!), '咳嗽待查');
  const { root } = render(strict, { encounter });
  t.equal(sectionOf(root, 'Diagnosis'), undefined, 'no section without an entry');
  t.match(readable(sectionOf(root, '检查报告')!), '诊断：咳嗽待查');
});

t.test('numbers that strict cannot hold count as missing and are noted', async (t) => {
  const long = 'D'.repeat(37);
  const change = { auditedBy: { id: long, name: '钱审核' }, orderingDepartment: { code: '3', name: '内科' } };
  const { root, found, xml } = render(strict, change);
  t.ok(found.includes('MAP-3020 auditedBy.id') && found.includes('MAP-3020 orderingDepartment.code'));
  t.notOk(xml.includes(long));
  const department = child(root, 'participant', 'associatedEntity', 'scopingOrganization', 'id');
  t.equal(department?.attributes.extension, 'NA');
  t.ok(render(base, change).xml.includes(long));
});

t.test('an examination on the day of birth: base counts no months, strict has no such age and holds it', async (t) => {
  const patient = { ...goldenExam.patient, birthDate: '20240520' };
  t.same(all(render(base, { patient }).root, 'age')[0]?.attributes, { unit: '月', value: '0' });
  t.same(held(strict, { patient }), { kind: 'held', code: 'MAP-3002', where: 'patient.birthDate' });
  const yesterday = { ...patient, birthDate: '20240519' };
  t.same(all(render(strict, { patient: yesterday }).root, 'age')[0]?.attributes, { unit: '天', value: '1' });
});

t.test('attachments are not carried, which is noted once, and nothing of them leaves', async (t) => {
  const attachments = [
    { kind: 'reference' as const, title: 'http://10.1.2.3/view', source: 'OBX-5' },
    { kind: 'embedded' as const, mediaType: 'application/pdf', sha256: 'ab12', bytes: 3, source: 'OBX-5' },
  ];
  for (const renderer of [base, strict]) {
    const { xml, found } = render(renderer, { attachments });
    t.equal(found.filter((one) => one === 'MAP-3024 attachments').length, 1);
    t.notMatch(xml, /10\.1\.2\.3|ab12/);
    t.notOk(render(renderer, { attachments: [] }).found.some((one) => one.startsWith('MAP-3024')));
  }
});

t.test('later versions, and the same bytes each time', async (t) => {
  const [first, second] = [1, 2].map((version) => render(base, {}, { version }).root);
  const parent = child(second, 'relatedDocument', 'parentDocument');
  t.same(child(parent, 'id')?.attributes, child(first, 'id')?.attributes);
  for (const form of forms) t.equal(render(shipped(form)).xml, render(shipped(form)).xml);
});

t.test('a retraction says it is C0006 and nothing of the patient', async (t) => {
  for (const renderer of [base, strict]) {
    const input = inputOf(
      { ...goldenExam, sections: [], patient: { identifiers: [] } },
      { action: 'retract', version: 2 },
    );
    const out = renderer.render(input);
    if (out.kind !== 'document') throw new Error(JSON.stringify(out));
    t.equal(out.type, 'C0006');
    const said = JSON.parse(new TextDecoder().decode(out.bytes.reveal()));
    t.match(said, { operation: 'retract', type: 'C0006', setId, version: 2 });
    t.equal(said.replacesDocumentId, child(render(base).root, 'id')?.attributes.extension);
  }
});
