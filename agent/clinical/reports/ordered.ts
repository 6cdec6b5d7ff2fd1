import type { Coded, Encounter, Identifier, LabItem, LabReport, Patient, Person, Specimen } from '../records/types.ts';

/** Every key of T must be written: a member that is added to the model and forgotten here does not compile. */
type Every<T> = { [K in keyof Required<T>]: unknown };

/**
 * A report with the keys of every object in alphabetical order, without the places its values were read
 * from: its JSON is what content hashes are taken of. Written key by key rather than sorted at run time,
 * because every message passes here; the order is part of every hash ever stored and must stay.
 */
export const ordered = (report: LabReport): Every<LabReport> => ({
  auditedAt: report.auditedAt,
  auditedBy: person(report.auditedBy),
  category: coded(report.category),
  conclusion: report.conclusion,
  encounter: encounter(report.encounter),
  items: report.items.map(item),
  kind: report.kind,
  orderNumbers: report.orderNumbers,
  orderedBy: person(report.orderedBy),
  orderingDepartment: coded(report.orderingDepartment),
  panel: coded(report.panel),
  patient: patient(report.patient),
  performingDepartment: coded(report.performingDepartment),
  remarks: report.remarks,
  reportNumber: report.reportNumber,
  reportedAt: report.reportedAt,
  reportedBy: person(report.reportedBy),
  specimen: specimen(report.specimen),
  technician: person(report.technician),
});

const item = (item: LabItem): Every<LabItem> => ({
  critical: item.critical,
  flag: item.flag,
  instrument: item.instrument,
  interpretation: item.interpretation,
  item: coded(item.item),
  key: item.key,
  method: item.method,
  notes: item.notes,
  numeric: item.numeric,
  referenceRange: item.referenceRange,
  testedAt: item.testedAt,
  unit: item.unit,
  value: item.value,
});

const patient = (patient: Patient): Every<Patient> => ({
  address: patient.address,
  birthDate: patient.birthDate,
  identifiers: patient.identifiers.map(identifier),
  name: patient.name,
  phone: patient.phone,
  sex: coded(patient.sex),
});

const identifier = ({ kind, value }: Identifier): Every<Omit<Identifier, 'source'>> => ({ kind, value });

const encounter = (encounter: Encounter): Every<Encounter> => ({
  admittedAt: encounter.admittedAt,
  bed: encounter.bed,
  department: coded(encounter.department),
  diagnoses: encounter.diagnoses.map(diagnosis),
  patientClass: encounter.patientClass,
  room: encounter.room,
  visitNumber: encounter.visitNumber,
  ward: coded(encounter.ward),
});

const specimen = (specimen: Specimen): Every<Specimen> => ({
  collectedAt: specimen.collectedAt,
  condition: coded(specimen.condition),
  number: specimen.number,
  receivedAt: specimen.receivedAt,
  type: coded(specimen.type),
});

const person = (person: Person | undefined): Every<Person> | undefined =>
  person && { id: person.id, name: person.name };

const coded = (coded: Coded | undefined): Every<Coded> | undefined =>
  coded && { code: coded.code, name: coded.name, standard: standard(coded.standard) };

type Diagnosis = Encounter['diagnoses'][number];

const diagnosis = ({ code, diagnosedAt, name, standard: mapped }: Diagnosis): Every<Diagnosis> => ({
  code,
  diagnosedAt,
  name,
  standard: standard(mapped),
});

type Standard = NonNullable<Coded['standard']>;

const standard = (standard: Standard | undefined): Every<Standard> | undefined =>
  standard && { code: standard.code, name: standard.name, table: standard.table };
