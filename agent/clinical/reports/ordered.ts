import type {
  Attachment,
  ClinicalDocument,
  ClinicalRecord,
  Coded,
  Diagnosis,
  Encounter,
  EncounterRecord,
  ExamReport,
  Identifier,
  ImagingStudy,
  LabItem,
  LabReport,
  OrderRecord,
  Organism,
  Patient,
  PatientRecord,
  Person,
  Prescription,
  ReportSection,
  Specimen,
  Susceptibility,
} from '../records/types.ts';

/** Every key of T must be written: a member that is added to the model and forgotten here does not compile. */
type Every<T> = { [K in keyof Required<T>]: unknown };

/**
 * A record with the keys of every object in alphabetical order, without the places its values were read
 * from: its JSON is what content hashes are taken of. Written key by key rather than sorted at run time,
 * because every message passes here; the order is part of every hash ever stored and must stay. A member
 * that is absent leaves no trace, so the model may grow.
 */
export function ordered(record: ClinicalRecord): object {
  switch (record.kind) {
    case 'lab-report':
      return labReport(record);
    case 'exam-report':
      return examReport(record);
    case 'patient':
      return patientRecord(record);
    case 'encounter':
      return encounterRecord(record);
    case 'order':
      return order(record);
    case 'prescription':
      return prescription(record);
    case 'clinical-document':
      return clinicalDocument(record);
    case 'imaging-study':
      return imagingStudy(record);
  }
}

const labReport = (report: LabReport): Every<LabReport> => ({
  attachments: report.attachments?.map(attachment),
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
  organisms: report.organisms?.map(organism),
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

const examReport = (report: ExamReport): Every<ExamReport> => ({
  accessionNumbers: report.accessionNumbers,
  attachments: report.attachments?.map(attachment),
  auditedAt: report.auditedAt,
  auditedBy: person(report.auditedBy),
  bodyPart: coded(report.bodyPart),
  category: coded(report.category),
  critical: report.critical,
  encounter: encounter(report.encounter),
  interpretation: report.interpretation,
  item: coded(report.item),
  kind: report.kind,
  method: coded(report.method),
  orderNumbers: report.orderNumbers,
  orderedAt: report.orderedAt,
  orderedBy: person(report.orderedBy),
  orderingDepartment: coded(report.orderingDepartment),
  patient: patient(report.patient),
  performedAt: report.performedAt,
  performedBy: person(report.performedBy),
  performingDepartment: coded(report.performingDepartment),
  remarks: report.remarks,
  reportNumber: report.reportNumber,
  reportedAt: report.reportedAt,
  reportedBy: person(report.reportedBy),
  sections: report.sections.map(section),
  specimen: report.specimen && specimen(report.specimen),
});

const patientRecord = (record: PatientRecord): Every<PatientRecord> => ({
  kind: record.kind,
  patient: patient(record.patient),
});

const encounterRecord = (record: EncounterRecord): Every<EncounterRecord> => ({
  encounter: encounter(record.encounter),
  kind: record.kind,
  patient: patient(record.patient),
  state: record.state,
});

const order = (order: OrderRecord): Every<OrderRecord> => ({
  category: coded(order.category),
  encounter: encounter(order.encounter),
  fillerNumber: order.fillerNumber,
  item: coded(order.item),
  kind: order.kind,
  orderNumber: order.orderNumber,
  orderedAt: order.orderedAt,
  orderedBy: person(order.orderedBy),
  orderingDepartment: coded(order.orderingDepartment),
  patient: patient(order.patient),
  priority: order.priority,
  reason: order.reason,
  specimen: order.specimen && specimen(order.specimen),
});

const prescription = (prescription: Prescription): Every<Prescription> => ({
  dose: prescription.dose,
  doseUnit: prescription.doseUnit,
  drug: coded(prescription.drug),
  encounter: encounter(prescription.encounter),
  endAt: prescription.endAt,
  form: coded(prescription.form),
  frequency: prescription.frequency,
  instructions: prescription.instructions,
  kind: prescription.kind,
  orderNumber: prescription.orderNumber,
  orderedAt: prescription.orderedAt,
  orderedBy: person(prescription.orderedBy),
  patient: patient(prescription.patient),
  route: coded(prescription.route),
  startAt: prescription.startAt,
});

const clinicalDocument = (document: ClinicalDocument): Every<ClinicalDocument> => ({
  attachments: document.attachments?.map(attachment),
  author: person(document.author),
  authoredAt: document.authoredAt,
  documentNumber: document.documentNumber,
  encounter: encounter(document.encounter),
  kind: document.kind,
  patient: patient(document.patient),
  sections: document.sections.map(section),
  title: document.title,
  type: coded(document.type),
});

const imagingStudy = (study: ImagingStudy): Every<ImagingStudy> => ({
  accessionNumbers: study.accessionNumbers,
  description: study.description,
  instances: study.instances,
  kind: study.kind,
  modalities: study.modalities,
  patient: patient(study.patient),
  reportNumbers: study.reportNumbers,
  series: study.series,
  startedAt: study.startedAt,
  studyId: study.studyId,
  studyUid: study.studyUid,
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

const organism = (organism: Organism): Every<Organism> => ({
  key: organism.key,
  organism: coded(organism.organism),
  quantity: organism.quantity,
  susceptibilities: organism.susceptibilities.map(susceptibility),
});

const susceptibility = (tested: Susceptibility): Every<Susceptibility> => ({
  drug: coded(tested.drug),
  method: tested.method,
  result: tested.result,
  unit: tested.unit,
  value: tested.value,
});

const section = (section: ReportSection): Every<ReportSection> => ({
  key: section.key,
  role: section.role,
  text: section.text,
  title: coded(section.title),
});

const attachment = (attachment: Attachment): Every<Omit<Attachment, 'source'>> => ({
  bytes: attachment.bytes,
  kind: attachment.kind,
  mediaType: attachment.mediaType,
  sha256: attachment.sha256,
  title: attachment.title,
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
  attending: person(encounter.attending),
  bed: encounter.bed,
  campus: coded(encounter.campus),
  department: coded(encounter.department),
  diagnoses: encounter.diagnoses.map(diagnosis),
  dischargedAt: encounter.dischargedAt,
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

const diagnosis = ({ code, coding, diagnosedAt, name, standard: mapped }: Diagnosis): Every<Diagnosis> => ({
  code,
  coding,
  diagnosedAt,
  name,
  standard: standard(mapped),
});

type Standard = NonNullable<Coded['standard']>;

const standard = (standard: Standard | undefined): Every<Standard> | undefined =>
  standard && { code: standard.code, name: standard.name, table: standard.table };
