/**
 * The clinical model: what a message says, in plain data. No wire format, no province.
 * All times are local times of the site as the sender wrote them, normalised to
 * `yyyyMMdd`, `yyyyMMddHHmm` or `yyyyMMddHHmmss` (no zone; a zoned input is converted to the
 * source profile's zone). A value that was absent is `undefined`, never an empty string.
 * The whole of a record is patient data: wrap it in Phi wherever it leaves mapping or rendering.
 */

/** A local code and name as the sender gave them, beside the standard code and name if mapped. */
export interface Coded {
  code?: string;
  name?: string;
  /** Standard code from a code table: `table` is the table's id in config/codes. */
  standard?: { code: string; name: string; table: string };
}

/** What kind of number an identifier is. `in-house` is what a lane hangs on. */
export type IdentifierKind =
  | 'resident-id'
  | 'in-house'
  | 'inpatient'
  | 'outpatient'
  | 'medical-record'
  | 'card'
  | 'health-card'
  | 'social-security'
  // Another identity document than the resident ID: passport, permit, officer's card, birth certificate.
  | 'document'
  | 'visit'
  | 'other';

export interface Identifier {
  kind: IdentifierKind;
  value: string;
  /** Where it was read, for example `PID-3[2].1`. */
  source: string;
}

export interface Person {
  id?: string;
  name?: string;
}

export interface Patient {
  identifiers: Identifier[];
  name?: string;
  /** GB/T 2261.1: 0 unknown, 1 male, 2 female, 9 not stated. */
  sex?: Coded;
  /** yyyyMMdd (a longer value is cut to its day by the mapper). */
  birthDate?: string;
  phone?: string;
  address?: string;
}

/** TCM codes too: `coding` is the system as the sender named it. */
export interface Diagnosis extends Coded {
  diagnosedAt?: string;
  coding?: string;
}

/** outpatient 门诊, emergency 急诊, inpatient 住院, checkup 体检. */
export type PatientClass = 'outpatient' | 'emergency' | 'inpatient' | 'checkup';

export interface Encounter {
  patientClass?: PatientClass;
  visitNumber?: string;
  department?: Coded;
  ward?: Coded;
  room?: string;
  bed?: string;
  admittedAt?: string;
  dischargedAt?: string;
  attending?: Person;
  /** Campus or institution (院区) as the sender codes it. */
  campus?: Coded;
  diagnoses: Diagnosis[];
}

export interface Specimen {
  number?: string;
  type?: Coded;
  /** Condition on receipt (标本状态), only if the sender says it. */
  condition?: Coded;
  collectedAt?: string;
  receivedAt?: string;
}

/** normal, abnormal or undetermined, as the sender's flag says through the profile's table. */
export type Interpretation = 'normal' | 'abnormal' | 'undetermined';

export interface LabItem {
  /** Identity of the item inside a report: item code or name, plus sub-id. Stable over versions. */
  key: string;
  item: Coded;
  /** The value exactly as sent (unescaped), or undefined when the sender sent none. */
  value?: string;
  /** True when `value` is a plain decimal number by its characters, whatever OBX-2 claimed. */
  numeric: boolean;
  unit?: string;
  referenceRange?: string;
  /** The sender's own flag, as sent. */
  flag?: string;
  interpretation?: Interpretation;
  /** Only as the source declares it, never inferred. */
  critical?: boolean;
  testedAt?: string;
  method?: string;
  instrument?: string;
  /** Notes that follow the item (NTE). */
  notes: string[];
}

/** What grew in a culture. Items that only say so in words stay items. */
export interface Organism {
  /** Identity inside the report, stable over versions: organism code or name, plus sub-id. */
  key: string;
  organism: Coded;
  /** Colony count or growth, as sent. */
  quantity?: string;
  susceptibilities: Susceptibility[];
}

export interface Susceptibility {
  drug: Coded;
  /** MIC or zone diameter as sent, with its unit. */
  value?: string;
  unit?: string;
  method?: string;
  /** S, I, R, SDD …: the sender's own word. */
  result?: string;
}

/** A file or address inside a message. Its bytes are not in the record; addresses of the intranet never leave. */
export interface Attachment {
  kind: 'embedded' | 'reference';
  /** Media type as the sender says, for example `application/pdf`. */
  mediaType?: string;
  title?: string;
  /** Of embedded data, decoded. */
  sha256?: string;
  bytes?: number;
  /** Where it was read, for example `OBX-5`. */
  source: string;
}

export interface LabReport {
  kind: 'lab-report';
  /** 检验报告单号 as the profile's path says. */
  reportNumber: string;
  orderNumbers: string[];
  patient: Patient;
  encounter: Encounter;
  panel?: Coded;
  /** 检验类别 / section, if the sender says it. */
  category?: Coded;
  specimen: Specimen;
  items: LabItem[];
  /** Microbiology; absent when the report has none. */
  organisms?: Organism[];
  attachments?: Attachment[];
  /** Conclusion or comment of the whole report (检验报告结果 / 备注). */
  conclusion?: string;
  remarks: string[];
  reportedAt?: string;
  auditedAt?: string;
  orderedBy?: Person;
  reportedBy?: Person;
  auditedBy?: Person;
  technician?: Person;
  orderingDepartment?: Coded;
  /** Department that made the report (报告科室). */
  performingDepartment?: Coded;
}

/** findings 检查所见, impression 检查结论; `other` has a title of its own (肉眼所见, 镜下所见, 免疫组化 …). */
export type SectionRole = 'findings' | 'impression' | 'other';

export interface ReportSection {
  /** Identity inside the report, stable over versions: role, or code or title of another section. */
  key: string;
  role: SectionRole;
  title: Coded;
  /** Lines as sent, joined by `\n`. */
  text: string;
}

/** Radiology, ultrasound, ECG, endoscopy, pathology: whatever is told in words. */
export interface ExamReport {
  kind: 'exam-report';
  /** 检查报告单号 as the profile's path says. */
  reportNumber: string;
  orderNumbers: string[];
  accessionNumbers: string[];
  patient: Patient;
  encounter: Encounter;
  /** 检查类别: modality or kind of examination. */
  category?: Coded;
  /** 检查项目. */
  item?: Coded;
  bodyPart?: Coded;
  method?: Coded;
  specimen?: Specimen;
  sections: ReportSection[];
  /** As the sender's flag says. */
  interpretation?: Interpretation;
  critical?: boolean;
  attachments?: Attachment[];
  remarks: string[];
  /** When it was asked for (检查申请时间). */
  orderedAt?: string;
  performedAt?: string;
  reportedAt?: string;
  auditedAt?: string;
  orderedBy?: Person;
  performedBy?: Person;
  reportedBy?: Person;
  auditedBy?: Person;
  orderingDepartment?: Coded;
  performingDepartment?: Coded;
}

/** A patient as the index knows them. */
export interface PatientRecord {
  kind: 'patient';
  patient: Patient;
}

/** A visit: registered, admitted, moved, discharged. A cancelled one is retracted. */
export interface EncounterRecord {
  kind: 'encounter';
  patient: Patient;
  encounter: Encounter;
  state: 'registered' | 'admitted' | 'discharged';
}

/** A request for a test or examination, as far as it enriches reports and platforms ask for it. */
export interface OrderRecord {
  kind: 'order';
  orderNumber: string;
  fillerNumber?: string;
  patient: Patient;
  encounter: Encounter;
  item?: Coded;
  category?: Coded;
  priority?: string;
  specimen?: Specimen;
  orderedAt?: string;
  orderedBy?: Person;
  orderingDepartment?: Coded;
  reason?: string;
}

/** One prescribed medicine (RDE). */
export interface Prescription {
  kind: 'prescription';
  orderNumber: string;
  patient: Patient;
  encounter: Encounter;
  drug?: Coded;
  dose?: string;
  doseUnit?: string;
  form?: Coded;
  route?: Coded;
  frequency?: string;
  startAt?: string;
  endAt?: string;
  instructions?: string;
  orderedAt?: string;
  orderedBy?: Person;
}

/** A document of MDM: record, summary, consent … */
export interface ClinicalDocument {
  kind: 'clinical-document';
  documentNumber: string;
  patient: Patient;
  encounter: Encounter;
  type?: Coded;
  title?: string;
  sections: ReportSection[];
  attachments?: Attachment[];
  authoredAt?: string;
  author?: Person;
}

/** Images of one study, as the headers of its instances say together. */
export interface ImagingStudy {
  kind: 'imaging-study';
  studyUid: string;
  studyId?: string;
  accessionNumbers: string[];
  /** Numbers its exam report is found by, where the profile names others than the accession numbers. */
  reportNumbers?: string[];
  modalities: string[];
  description?: string;
  patient: Patient;
  startedAt?: string;
  series?: number;
  instances?: number;
}

/** Everything the journal can hold. */
export type ClinicalRecord =
  | LabReport
  | ExamReport
  | PatientRecord
  | EncounterRecord
  | OrderRecord
  | Prescription
  | ClinicalDocument
  | ImagingStudy;

/** A quality remark about a record (及时 完整 准确 一致): never changes the content. */
export interface Finding {
  /** A code of agent/support/errors.ts, family MAP. */
  code: string;
  /** The model path concerned, for example `patient.sex`; never a value. */
  where: string;
  dimension: 'timeliness' | 'completeness' | 'accuracy' | 'consistency';
}
