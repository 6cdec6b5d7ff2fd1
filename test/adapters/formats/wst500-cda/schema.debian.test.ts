import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { ExamReport, LabReport, Organism, ReportSection } from '../../../../agent/clinical/records/types.ts';
import type { RenderInput } from '../../../../agent/rendering/format.ts';
import { readAsset } from '../../../../agent/support/assets.ts';
import { goldenExam, goldenReport } from '../../golden-records.ts';
import { anyCulture, anyExam, anyReport } from './any-report.ts';
import { compilePack } from './compile-pack.ts';
import { all, child, parse } from './flatten.ts';
import { gb18030Names } from './gb18030-names.ts';
import { inputOf } from './render-input.ts';
import { missingSchemas, validate } from './schemas.ts';

t.setTimeout(600_000);
const skip = missingSchemas;
const forms = ['base', 'strict'] as const;
const compile = (form: 'base' | 'strict', overlay = {}) =>
  compilePack(readAsset(`config/provinces/${form === 'base' ? 'cn-wst500' : 'cn-wst500-strict'}/pack.yaml`), overlay);

/** Every document that comes of the inputs validates; what does not come is held by a MAP code. */
function allValid(t: Test, form: 'base' | 'strict', inputs: RenderInput[], overlay = {}): number {
  const renderer = compile(form, overlay);
  const documents = { C0006: [] as Uint8Array[], C0007: [] as Uint8Array[] };
  const held = new Map<string, number>();
  for (const input of inputs) {
    const out = renderer.render(input);
    if (out.kind === 'document') documents[out.type as 'C0006' | 'C0007'].push(out.bytes.reveal());
    else if (out.kind === 'held') held.set(out.code, (held.get(out.code) ?? 0) + 1);
    else t.fail(out.kind);
  }
  for (const code of held.keys()) t.match(code, /^MAP-3\d{3}$/);
  const folder = t.testdir({});
  t.same(validate(folder, [...documents.C0006, ...documents.C0007], 'base'), []);
  for (const type of form === 'strict' ? (['C0006', 'C0007'] as const) : []) {
    t.same(validate(folder, documents[type], type), []);
  }
  const made = documents.C0006.length + documents.C0007.length;
  t.comment(`C0006: ${documents.C0006.length}, C0007: ${documents.C0007.length}, held: ${JSON.stringify([...held])}`);
  return made;
}

t.test('the golden report, its later versions and every patient class validate', { skip }, async (t) => {
  const inputs = [1, 2, 9].map((version) => inputOf(goldenReport, { version }));
  for (const patientClass of ['outpatient', 'emergency', 'checkup'] as const) {
    inputs.push(inputOf({ ...goldenReport, encounter: { ...goldenReport.encounter, patientClass } }));
  }
  const full = {
    ...goldenReport,
    auditedAt: '20240520102500',
    conclusion: '白细胞升高',
    remarks: ['无'],
    category: { name: '临床血液学' },
    technician: { id: 'T2001', name: '张技师' },
    performingDepartment: { name: '检验科' },
    specimen: { ...goldenReport.specimen, condition: { name: '合格' } },
    encounter: {
      ...goldenReport.encounter,
      room: '301',
      diagnoses: [{ code: 'J18.900', name: '肺炎', diagnosedAt: '20240520' }],
    },
  };
  inputs.push(inputOf(full, { version: 3 }));
  for (const form of forms) t.equal(allValid(t, form, inputs), inputs.length);
});

t.test('the golden examination validates in every version and class, full and with a specimen', { skip }, async (t) => {
  const inputs = [1, 2, 9].map((version) => inputOf(goldenExam, { version }));
  for (const patientClass of ['outpatient', 'emergency', 'checkup'] as const) {
    inputs.push(inputOf({ ...goldenExam, encounter: { ...goldenExam.encounter, patientClass } }));
  }
  const full: ExamReport = {
    ...goldenExam,
    orderedAt: '20240520075500',
    auditedAt: '20240520102500',
    remarks: ['无'],
    method: { name: '平扫' },
    bodyPart: { code: 'CHEST', name: '胸部' },
    interpretation: 'abnormal',
    critical: true,
    performedBy: { id: 'T3001', name: '孙技师' },
    orderingDepartment: { code: '0301', name: '呼吸内科' },
    performingDepartment: { name: '放射科' },
    specimen: {
      number: 'B1',
      type: { name: '活检' },
      condition: { name: '合格' },
      collectedAt: '20240520080000',
      receivedAt: '20240520090000',
    },
    encounter: {
      ...goldenExam.encounter,
      room: '301',
      diagnoses: [{ code: 'J18.900', name: '肺炎', diagnosedAt: '20240520080000' }, { name: '咳嗽待查' }],
    },
  };
  inputs.push(inputOf(full, { version: 3 }));
  for (const overlay of [{}, { titled_sections: 'readable', body_part: 'readable', item_code: 'standard' }]) {
    for (const form of forms) t.equal(allValid(t, form, inputs, overlay), inputs.length);
  }
});

t.test(
  'reports with 1, 30 and 400 items or sections validate, also of pathology and of cultures',
  { skip },
  async (t) => {
    const counts = [1, 30, 400];
    const items = (count: number) =>
      Array.from({ length: count }, (_, n) => ({
        ...goldenReport.items[n % 3]!,
        key: `I${n}`,
        item: { code: `I${n}` },
      }));
    const grown = (count: number): Organism[] =>
      Array.from({ length: count }, (_, n) => ({
        key: `B${n}`,
        organism: { code: `B${n}`, name: `细菌${n}` },
        quantity: '>10^5 CFU/ml',
        susceptibilities: [{ drug: { name: '头孢唑林' }, value: '<=4', unit: 'mg/L', method: 'MIC', result: 'S' }],
      }));
    const titles = ['肉眼所见', '镜下所见', '免疫组化', '特殊染色'];
    const told = (count: number): ReportSection[] =>
      Array.from({ length: count }, (_, n) => ({
        key: `S${n}`,
        role: n === 0 ? 'impression' : 'other',
        title: { name: titles[n % 4]! },
        text: `第${n}行，<5% & "阳性"`,
      }));
    const inputs = counts.flatMap((count) => [
      inputOf({ ...goldenReport, items: items(count) }),
      inputOf({ ...goldenReport, items: items(count), organisms: grown(count) }),
      inputOf({ ...goldenReport, items: [], organisms: grown(count) }),
      inputOf({ ...goldenExam, sections: told(count) }),
      inputOf({ ...goldenExam, sections: [{ ...told(1)[0]!, text: Array(count).fill('一行所见').join('\n') }] }),
    ]);
    for (const form of forms) t.equal(allValid(t, form, inputs), inputs.length);
  },
);

t.test('names from the whole of GB18030 validate and come back as they were sent', { skip }, async (t) => {
  const names = ['㑇𠮷', '龦龧', '·', ...gb18030Names(131_072)];
  t.ok(names.reduce((sum, name) => sum + [...name].length, 0) > 1_000_000, 'all of it');
  const inputs = names.flatMap((name) =>
    [goldenReport, goldenExam].map((report) =>
      inputOf({ ...report, patient: { ...report.patient, name }, reportedBy: { id: 'D1', name: '𠮷野' } }),
    ),
  );
  for (const form of forms) {
    t.equal(allValid(t, form, inputs), inputs.length);
    const renderer = compile(form);
    const changed = inputs.filter((input) => {
      const out = renderer.render(input);
      if (out.kind !== 'document') return true;
      const root = parse(new TextDecoder().decode(out.bytes.reveal()));
      const { record } = input.content;
      const name = child(root, 'recordTarget', 'patientRole', 'patient', 'name')?.text;
      return !('patient' in record) || name !== record.patient.name;
    });
    t.same(changed.length, 0);
  }
});

t.test(
  'a report with nothing but its identity elements validates, whatever the platform writes for missing',
  { skip },
  async (t) => {
    const { reportNumber, patient, reportedAt } = goldenReport;
    const bare = inputOf({
      kind: 'lab-report',
      reportNumber,
      orderNumbers: [],
      patient: {
        ...patient,
        phone: undefined,
        identifiers: patient.identifiers.filter(({ kind }) => kind === 'inpatient'),
      },
      encounter: { patientClass: 'inpatient', diagnoses: [] },
      specimen: {},
      items: [{ key: 'K', item: { name: '钾' }, value: '4.1', numeric: true, notes: [] }],
      remarks: [],
      reportedAt,
    });
    const exam = inputOf({
      ...(bare.content.record as LabReport),
      kind: 'exam-report',
      accessionNumbers: [],
      specimen: undefined,
      sections: [{ key: 'S', role: 'other', title: {}, text: '未见异常' }],
      // Of the strict form only: it demands the time of the order, and the examination's may stand for it.
      performedAt: '20240520093000',
    });
    for (const form of forms) {
      for (const missing_value of ['-', 'NA', '/', '无'])
        t.equal(allValid(t, form, [bare, exam], { missing_value }), 2);
    }
  },
);

t.test('any report gives a valid document or is held', { skip }, async (t) => {
  const any = fc.oneof(anyReport, anyCulture, anyExam);
  const inputs = fc.sample(fc.tuple(any, fc.integer({ min: 1, max: 3 })), { numRuns: 1500, seed: 20240520 });
  for (const form of forms) {
    const made = allValid(
      t,
      form,
      inputs.map(([report, version]) => inputOf(report, { version })),
    );
    t.ok(made > 500, 'most are rendered, so that the schemas see them', { made });
  }
});

/** What must be readable: all that was measured, grown or told in words. */
function clinical(report: LabReport | ExamReport): Array<string | undefined> {
  if (report.kind === 'exam-report') {
    return report.sections.flatMap(({ title, text }) => (text.trim() === '' ? [] : [title.name, text]));
  }
  return [
    ...report.items.flatMap(({ value, unit, referenceRange, item }) => [value, unit, referenceRange, item.name]),
    ...(report.organisms ?? []).flatMap(({ organism, quantity, susceptibilities }) => [
      organism.name,
      quantity,
      ...susceptibilities.flatMap(({ drug, value, method, result }) => [drug.name, value, method, result]),
    ]),
  ];
}

t.test('every value of any report is in its document as it was sent', async (t) => {
  for (const form of forms) {
    const renderer = compile(form);
    for (const [name, any] of Object.entries({ anyReport, anyCulture, anyExam })) {
      let seen = 0;
      fc.assert(
        fc.property(any as fc.Arbitrary<LabReport | ExamReport>, (report) => {
          const out = renderer.render(inputOf(report));
          if (out.kind !== 'document') return;
          const root = parse(new TextDecoder().decode(out.bytes.reveal()));
          const read = all(root, 'text').flatMap(function texts(n): string[] {
            return [n.text, ...n.children.flatMap(texts)];
          });
          for (const part of clinical(report)) {
            if (part === undefined || part.trim() === '') continue;
            seen++;
            if (!read.some((line) => line.includes(part))) throw new Error('a value is not readable');
          }
        }),
        { numRuns: 300, seed: 7 },
      );
      t.ok(seen > 300, `${name}: ${seen} values`);
    }
  }
});
