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
  diagnoses: Array<Coded & { diagnosedAt?: string }>;
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

/** Everything the journal can hold. Later issues add members. */
export type ClinicalRecord = LabReport;

/** A quality remark about a record (及时 完整 准确 一致): never changes the content. */
export interface Finding {
  /** A code of agent/support/errors.ts, family MAP. */
  code: string;
  /** The model path concerned, for example `patient.sex`; never a value. */
  where: string;
  dimension: 'timeliness' | 'completeness' | 'accuracy' | 'consistency';
}
