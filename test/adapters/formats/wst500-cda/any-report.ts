import fc from 'fast-check';
import type {
  ExamReport,
  LabItem,
  LabReport,
  Organism,
  ReportSection,
} from '../../../../agent/clinical/records/types.ts';

/** Text as senders send it: names, markup, spaces, four-byte characters, sometimes what XML forbids. */
const hostile = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      '张三',
      '𠮷野',
      '㑇',
      'A&B',
      '<b>',
      ']]>',
      '"',
      "'",
      '-',
      ' ',
      '\t',
      'a\r\nb',
      '%',
      '&amp;',
      '1',
      '呼吸内科',
    ),
  },
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 40 }) },
);
const rarelyIllegal = fc.oneof(
  { weight: 150, arbitrary: hostile },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 });
const words = maybe(rarelyIllegal);
const coded = maybe(fc.record({ code: words, name: words }, { requiredKeys: [] }));
const person = maybe(fc.record({ id: words, name: words }, { requiredKeys: [] }));
const digits = (n: number, max: number) => fc.integer({ min: 0, max }).map((value) => String(value).padStart(n, '0'));
const time = fc
  .tuple(
    digits(4, 2100),
    digits(2, 13),
    digits(2, 32),
    digits(2, 24),
    digits(2, 60),
    digits(2, 60),
    fc.constantFrom(8, 12, 14),
  )
  .map(([y, m, d, h, min, s, length]) => `${y}${m}${d}${h}${min}${s}`.slice(0, length));
const times = maybe(
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('20240520', '202405200805', '20240229235959', '20240520102000') },
    { weight: 1, arbitrary: time },
    { weight: 1, arbitrary: hostile },
  ),
);
const number = fc.constantFrom(
  '12.5',
  '140',
  '0.00001',
  '123456',
  '+1',
  '.5',
  '5.',
  '-0.5',
  '00012',
  '1e5',
  '1,5',
  ' 1',
  '99999.9999',
);

const item: fc.Arbitrary<LabItem> = fc.record(
  {
    key: fc.constant('k'),
    item: fc
      .record({ code: words, name: words })
      .map(({ code, name }) => ({ code: code?.trim() ? code : 'WBC', name })),
    value: fc.oneof(
      number,
      rarelyIllegal.filter((text) => text.trim() !== ''),
    ),
    numeric: fc.boolean(),
    unit: words,
    referenceRange: words,
    flag: words,
    interpretation: maybe(fc.constantFrom('normal', 'abnormal', 'undetermined')),
    critical: maybe(fc.boolean()),
    testedAt: times,
    method: words,
    instrument: words,
    notes: fc.array(rarelyIllegal, { maxLength: 2 }),
  },
  { requiredKeys: ['key', 'item', 'value', 'numeric', 'notes'] },
);

const identifier = fc.record({
  kind: fc.constantFrom(
    'resident-id',
    'in-house',
    'inpatient',
    'outpatient',
    'medical-record',
    'card',
    'health-card',
    'visit',
    'other',
  ),
  value: rarelyIllegal,
  source: fc.constant('PID-3'),
} as const);

const specimen = fc.record({ number: words, type: coded, condition: coded, collectedAt: times, receivedAt: times });

/** What reports of every kind say. */
const said = {
  reportNumber: fc.oneof({ weight: 20, arbitrary: fc.constant('LR1') }, { weight: 1, arbitrary: hostile }),
  orderNumbers: fc.array(rarelyIllegal, { maxLength: 3 }),
  patient: fc.record({
    identifiers: fc
      .array(identifier, { maxLength: 4 })
      .map((ids) => [...ids, { kind: 'inpatient' as const, value: 'ZY1', source: 'PID-3' }]),
    name: fc.oneof({ weight: 9, arbitrary: fc.constant('测试患者') }, { weight: 3, arbitrary: words }),
    sex: fc.oneof(
      {
        weight: 20,
        arbitrary: fc.constantFrom('0', '1', '2', '9').map((code) => ({ standard: { code, name: '', table: 'sex' } })),
      },
      { weight: 1, arbitrary: coded },
    ),
    birthDate: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom('19900307', '20240519', '20240101', '19200229') },
      { weight: 2, arbitrary: times },
    ),
    phone: words,
    address: words,
  }),
  encounter: fc.record({
    patientClass: fc.constantFrom('inpatient', 'inpatient', 'outpatient', 'emergency', 'checkup'),
    visitNumber: fc.oneof({ weight: 9, arbitrary: fc.constant('JZ1') }, { weight: 1, arbitrary: words }),
    department: coded,
    ward: coded,
    room: words,
    bed: words,
    admittedAt: times,
    diagnoses: fc.array(
      fc.record({
        code: fc.oneof(fc.constantFrom('J18.900', 'C34.900x001', 'A01.000+G01*'), words),
        name: words,
        diagnosedAt: times,
      }),
      { maxLength: 3 },
    ),
  } as const),
  remarks: fc.array(rarelyIllegal, { maxLength: 2 }),
  reportedAt: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom('20240520102000', '20240520', '202405201020') },
    { weight: 1, arbitrary: times },
  ),
  auditedAt: times,
  orderedBy: person,
  reportedBy: person,
  auditedBy: person,
  orderingDepartment: coded,
  performingDepartment: coded,
};

/** Any report a mapper could make and some it should not: mostly renderable, always hostile. */
export const anyReport: fc.Arbitrary<LabReport> = fc.record(
  {
    kind: fc.constant('lab-report' as const),
    ...said,
    panel: coded,
    category: coded,
    specimen,
    items: fc.array(item, { minLength: 1, maxLength: 12 }),
    conclusion: words,
    technician: person,
  },
  { requiredKeys: ['kind', 'reportNumber', 'orderNumbers', 'patient', 'encounter', 'specimen', 'items', 'remarks'] },
) as fc.Arbitrary<LabReport>;

const organism: fc.Arbitrary<Organism> = fc.record(
  {
    key: fc.constant('k'),
    organism: fc.record({ code: words, name: words }, { requiredKeys: [] }),
    quantity: words,
    susceptibilities: fc.array(
      fc.record(
        { drug: fc.record({ code: words, name: words }), value: words, unit: words, method: words, result: words },
        { requiredKeys: ['drug'] },
      ),
      { maxLength: 4 },
    ),
  },
  { requiredKeys: ['key', 'organism', 'susceptibilities'] },
) as fc.Arbitrary<Organism>;

/** The same with what grew in a culture, with items or without. */
export const anyCulture: fc.Arbitrary<LabReport> = fc
  .tuple(anyReport, fc.array(organism, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([report, organisms, items]) => ({ ...report, organisms, items: items ? report.items : [] }));

const section: fc.Arbitrary<ReportSection> = fc.record({
  key: fc.constant('k'),
  role: fc.constantFrom('findings', 'impression', 'other'),
  title: fc.record({ code: words, name: words }, { requiredKeys: [] }),
  text: fc.array(rarelyIllegal, { maxLength: 5 }).map((lines) => lines.join('\n')),
} as const) as fc.Arbitrary<ReportSection>;

/** Any examination, as hostile. */
export const anyExam: fc.Arbitrary<ExamReport> = fc.record(
  {
    kind: fc.constant('exam-report' as const),
    ...said,
    accessionNumbers: fc.array(rarelyIllegal, { maxLength: 2 }),
    category: coded,
    item: coded,
    bodyPart: coded,
    method: coded,
    specimen: maybe(specimen),
    sections: fc.array(section, { minLength: 1, maxLength: 6 }),
    interpretation: maybe(fc.constantFrom('normal', 'abnormal', 'undetermined')),
    critical: maybe(fc.boolean()),
    orderedAt: times,
    performedAt: fc.oneof({ weight: 5, arbitrary: fc.constant('20240520093000') }, { weight: 2, arbitrary: times }),
    performedBy: person,
  },
  {
    requiredKeys: [
      'kind',
      'reportNumber',
      'orderNumbers',
      'accessionNumbers',
      'patient',
      'encounter',
      'sections',
      'remarks',
    ],
  },
) as fc.Arbitrary<ExamReport>;
