import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { RenderInput } from '../../../../agent/rendering/format.ts';
import { readAsset } from '../../../../agent/support/assets.ts';
import { anyReport } from './any-report.ts';
import { compilePack } from './compile-pack.ts';
import { all, parse } from './flatten.ts';
import { goldenReport, inputOf } from './golden-report.ts';
import { missingSchemas, validate } from './schemas.ts';

const skip = missingSchemas;
const compile = (form: 'base' | 'strict', overlay = {}) =>
  compilePack(readAsset(`config/provinces/${form === 'base' ? 'cn-wst500' : 'cn-wst500-strict'}/pack.yaml`), overlay);

/** Every document that comes of the inputs validates; what does not come is held by a MAP code. */
function allValid(t: Test, form: 'base' | 'strict', inputs: RenderInput[], overlay = {}): number {
  const renderer = compile(form, overlay);
  const documents: Uint8Array[] = [];
  const held = new Map<string, number>();
  for (const input of inputs) {
    const out = renderer.render(input);
    if (out.kind === 'document') documents.push(out.bytes.reveal());
    else if (out.kind === 'held') held.set(`${out.code}`, (held.get(out.code) ?? 0) + 1);
    else t.fail(out.kind);
  }
  for (const code of held.keys()) t.match(code, /^MAP-3\d{3}$/);
  const folder = t.testdir({});
  t.same(validate(folder, documents, 'base'), []);
  if (form === 'strict') t.same(validate(folder, documents, 'strict'), []);
  t.comment(`${documents.length} documents, held: ${JSON.stringify([...held])}`);
  return documents.length;
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
  for (const form of ['base', 'strict'] as const) t.equal(allValid(t, form, inputs), inputs.length);
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
    for (const form of ['base', 'strict'] as const) {
      for (const missing_value of ['-', 'NA', '/', '无']) t.equal(allValid(t, form, [bare], { missing_value }), 1);
    }
  },
);

t.test('any report gives a valid document or is held', { skip, timeout: 600_000 }, async (t) => {
  const inputs = fc.sample(fc.tuple(anyReport, fc.integer({ min: 1, max: 3 })), { numRuns: 1500, seed: 20240520 });
  for (const form of ['base', 'strict'] as const) {
    const made = allValid(
      t,
      form,
      inputs.map(([report, version]) => inputOf(report, { version })),
    );
    t.ok(made > 500, 'most are rendered, so that the schemas see them', { made });
  }
});

t.test('every value of any report is in its document as it was sent', async (t) => {
  for (const form of ['base', 'strict'] as const) {
    const renderer = compile(form);
    let seen = 0;
    fc.assert(
      fc.property(anyReport, (report) => {
        const out = renderer.render(inputOf(report));
        if (out.kind !== 'document') return;
        const root = parse(new TextDecoder().decode(out.bytes.reveal()));
        const read = all(root, 'text').flatMap(function texts(n): string[] {
          return [n.text, ...n.children.flatMap(texts)];
        });
        for (const { value, unit, referenceRange, item } of report.items) {
          for (const part of [value, unit, referenceRange, item.name]) {
            if (part === undefined || part.trim() === '') continue;
            seen++;
            if (!read.some((line) => line.includes(part))) throw new Error('a value is not readable');
          }
        }
      }),
      { numRuns: 300, seed: 7 },
    );
    t.ok(seen > 500);
  }
});
