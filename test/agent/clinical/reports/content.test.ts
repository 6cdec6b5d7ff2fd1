import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import type { ClinicalRecord, LabReport } from '../../../../agent/clinical/records/types.ts';
import { contentHash } from '../../../../agent/clinical/reports/content.ts';
import { anyReport } from '../../../adapters/formats/wst500-cda/any-report.ts';
import { exam, lab, patient } from './records.ts';
import { says } from './statements.ts';

/** What a hash is taken of, for any value: keys sorted, absent ones and the places of reading left out. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value)
    .filter(([key, inner]) => inner !== undefined && key !== 'source')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
}

/** The same report with the keys of every object the other way round. */
function turned<T>(value: T): T {
  if (Array.isArray(value)) return value.map(turned) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, turned(inner)]);
  return Object.fromEntries(entries.reverse()) as T;
}

t.test('the hash is that of the sorted content, in whatever order the keys come', async () => {
  fc.assert(
    fc.property(anyReport, (report) => {
      const wanted = createHash('sha256').update(canonical(report)).digest('hex');
      return contentHash(report) === wanted && contentHash(turned(report)) === wanted;
    }),
  );
});

t.test('every member of a report counts, except the place it was read from', async (t) => {
  const report: LabReport = {
    kind: 'lab-report',
    reportNumber: 'R1',
    orderNumbers: ['O1'],
    patient: { identifiers: [{ kind: 'in-house', value: 'P1', source: 'PID-2' }] },
    encounter: { diagnoses: [{ code: 'A01.1', standard: { code: 'A01.1', name: '伤寒', table: 'icd' } }] },
    specimen: {},
    items: [{ key: 'K', item: { code: 'K', name: '钾' }, value: '4.2', numeric: true, notes: [] }],
    remarks: [],
  };
  const hash = contentHash(report);
  // A hash that stands in databases: it must never change.
  t.equal(hash, '923a85454a567b12f2e7dd17cdfbfaa8a4552c0fa854374964314f9e246529a2');
  t.equal(contentHash({ ...report, panel: undefined }), hash);
  const [item] = report.items;
  const [identifier] = report.patient.identifiers;
  if (item === undefined || identifier === undefined) throw new Error('no item');
  t.equal(contentHash({ ...report, patient: { identifiers: [{ ...identifier, source: 'PID-3' }] } }), hash);
  for (const change of [
    { critical: true },
    { flag: 'H' },
    { instrument: 'X' },
    { interpretation: 'abnormal' as const },
    { method: 'X' },
    { notes: ['x'] },
    { numeric: false },
    { referenceRange: '1-2' },
    { testedAt: '20260115' },
    { unit: 'g' },
    { value: '4.20' },
  ]) {
    t.not(contentHash({ ...report, items: [{ ...item, ...change }] }), hash, Object.keys(change).join());
  }
  t.not(contentHash({ ...report, patient: { identifiers: [{ ...identifier, value: 'P2' }] } }), hash);
  t.not(contentHash({ ...report, encounter: { diagnoses: [{ code: 'A01.1', diagnosedAt: '20260115' }] } }), hash);
});

t.test('the hash of every other kind of record is that of its sorted content too', async (t) => {
  const coded = { code: 'C', name: 'N', standard: { code: 'S', name: 'SN', table: 'T' } };
  const person = { name: 'n', id: 'i' };
  const patient = {
    sex: coded,
    phone: '1',
    name: 'n',
    identifiers: [{ value: '1', source: 'PID-3', kind: 'in-house' as const }],
    birthDate: '19900307',
    address: 'a',
  };
  const encounter = {
    ward: coded,
    visitNumber: 'V',
    room: 'r',
    patientClass: 'inpatient' as const,
    dischargedAt: '20240521',
    diagnoses: [{ ...coded, diagnosedAt: '20240520', coding: 'ICD10' }],
    department: coded,
    campus: coded,
    bed: 'b',
    attending: person,
    admittedAt: '20240519',
  };
  const section = { title: coded, text: 't', role: 'other' as const, key: 'k' };
  const attachment = {
    title: 't',
    source: 'OBX-5',
    sha256: '0',
    mediaType: 'application/pdf',
    kind: 'embedded' as const,
    bytes: 1,
  };
  const specimen = { type: coded, receivedAt: '20240520', number: '1', condition: coded, collectedAt: '20240520' };
  const who = { orderedBy: person, patient, encounter };
  const records: ClinicalRecord[] = [
    {
      ...who,
      specimen,
      sections: [section],
      reportNumber: 'R',
      reportedBy: person,
      reportedAt: '20240520',
      remarks: ['r'],
      performingDepartment: coded,
      performedBy: person,
      performedAt: '20240520',
      orderNumbers: ['O'],
      orderingDepartment: coded,
      orderedAt: '20240520',
      method: coded,
      kind: 'exam-report',
      item: coded,
      interpretation: 'abnormal',
      critical: true,
      category: coded,
      bodyPart: coded,
      auditedBy: person,
      auditedAt: '20240520',
      attachments: [attachment],
      accessionNumbers: ['A'],
    },
    { patient, kind: 'patient' },
    { state: 'admitted', patient, kind: 'encounter', encounter },
    {
      ...who,
      specimen,
      reason: 'r',
      priority: 'S',
      orderingDepartment: coded,
      orderedAt: '20240520',
      orderNumber: 'O',
      kind: 'order',
      item: coded,
      fillerNumber: 'F',
      category: coded,
    },
    {
      ...who,
      startAt: '20240520',
      route: coded,
      orderNumber: 'O',
      orderedAt: '20240520',
      kind: 'prescription',
      instructions: 'i',
      frequency: 'BID',
      form: coded,
      endAt: '20240521',
      drug: coded,
      doseUnit: 'mg',
      dose: '1',
    },
    {
      type: coded,
      title: 't',
      sections: [section],
      patient,
      kind: 'clinical-document',
      encounter,
      documentNumber: 'D',
      authoredAt: '20240520',
      author: person,
      attachments: [attachment],
    },
    {
      studyUid: '1.2',
      startedAt: '20240520',
      series: 1,
      patient,
      modalities: ['CT'],
      kind: 'imaging-study',
      instances: 2,
      accessionNumbers: ['A'],
    },
  ];
  for (const record of records) {
    const wanted = createHash('sha256').update(canonical(record)).digest('hex');
    t.equal(contentHash(record), wanted, record.kind);
  }
});

t.test('every kind of record has a hash of its own content', async (t) => {
  const encounter = { diagnoses: [], visitNumber: 'V1' };
  const records: ClinicalRecord[] = [
    lab(['K 4']),
    lab(['K 4'], { grew: ['ECO'] }),
    lab(['K 4'], { grew: ['ECO CIP R'] }),
    lab(['K 4'], { attachments: [{ kind: 'reference', source: 'OBX-5' }] }),
    exam('findings a'),
    exam('findings b'),
    { kind: 'patient', patient },
    { kind: 'encounter', patient, encounter, state: 'admitted' },
    { kind: 'encounter', patient, encounter, state: 'discharged' },
    { kind: 'order', orderNumber: 'O1', patient, encounter },
    { kind: 'prescription', orderNumber: 'O1', patient, encounter, dose: '1' },
    { kind: 'clinical-document', documentNumber: 'D1', patient, encounter, sections: [] },
    { kind: 'imaging-study', studyUid: '1.2', accessionNumbers: [], modalities: [], patient },
  ];
  t.equal(new Set(records.map(contentHash)).size, records.length);
});

t.test('equal content has an equal hash, whatever the order of keys and the place it was read from', (t) => {
  const report = says().report as LabReport;
  const one = { ...report, patient: { identifiers: [{ kind: 'in-house', value: '1', source: 'PID-2' }], name: 'x' } };
  const same = { patient: { name: 'x', identifiers: [{ source: 'PID-3[2].1', value: '1', kind: 'in-house' }] } };
  const reordered = { ...same, ...Object.fromEntries(Object.entries(report).filter(([key]) => key !== 'patient')) };
  t.equal(contentHash(one as LabReport), contentHash(reordered as LabReport));
  t.not(contentHash(one as LabReport), contentHash(report));
  t.not(contentHash({ ...report, conclusion: 'x' }), contentHash(report));
  t.equal(contentHash({ ...report, conclusion: undefined } as unknown as LabReport), contentHash(report));
  t.end();
});
