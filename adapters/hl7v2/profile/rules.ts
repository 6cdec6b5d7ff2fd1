import type { PatientStatement } from '../../../agent/clinical/patients/types.ts';
import type {
  IdentifierKind,
  Interpretation,
  PatientClass,
  SectionRole,
} from '../../../agent/clinical/records/types.ts';
import type { StatusAction } from '../../../agent/clinical/reports/types.ts';
import type { Evaluate } from './path-compile.ts';
import type { Profile } from './schema.ts';
import type { Scope } from './scope.ts';

type Optional = Evaluate | undefined;

export interface CodedPaths {
  code: Optional;
  name: Optional;
}

export interface PersonPaths {
  id: Optional;
  name: Optional;
}

interface SpecimenPaths {
  number: Optional;
  type: CodedPaths;
}

/** What every report says about itself. */
export interface ReportHeaderPaths {
  number: Evaluate;
  status: Evaluate;
  orderNumbers: Optional;
  category: CodedPaths;
  reportedAt: Optional;
  auditedAt: Optional;
  orderedBy: PersonPaths;
  reportedBy: PersonPaths;
  auditedBy: PersonPaths;
  orderingDepartment: CodedPaths;
  performingDepartment: CodedPaths;
}

export interface ExamPaths extends ReportHeaderPaths {
  service: Optional;
  accessionNumbers: Optional;
  item: CodedPaths;
  bodyPart: CodedPaths;
  method: CodedPaths;
  specimen: SpecimenPaths;
  orderedAt: Optional;
  performedAt: Optional;
  performedBy: PersonPaths;
}

export interface MicrobiologyPaths {
  results: ReadonlySet<string>;
  result: Optional;
  inline:
    | {
        when: Evaluate;
        values: ReadonlySet<string>;
        organism: CodedPaths;
        isolate: Optional;
        quantity: Optional;
        drug: CodedPaths;
      }
    | undefined;
}

export interface OrderPaths {
  number: Evaluate;
  control: Evaluate;
  fillerNumber: Optional;
  item: CodedPaths;
  category: CodedPaths;
  priority: Optional;
  specimen: SpecimenPaths;
  orderedAt: Optional;
  orderedBy: PersonPaths;
  orderingDepartment: CodedPaths;
  reason: Optional;
}

export interface PrescriptionPaths {
  number: Evaluate;
  control: Evaluate;
  drug: CodedPaths;
  dose: Optional;
  doseUnit: Optional;
  form: CodedPaths;
  route: CodedPaths;
  frequency: Optional;
  startAt: Optional;
  endAt: Optional;
  instructions: Optional;
  orderedAt: Optional;
  orderedBy: PersonPaths;
}

export interface DocumentPaths {
  number: Evaluate;
  parentNumber: Optional;
  status: Evaluate;
  type: CodedPaths;
  title: Optional;
  authoredAt: Optional;
  author: PersonPaths;
}

/** Which institution a message belongs to. */
export interface OrganisationRule {
  path: Evaluate;
  /** Organisation codes by the value as sent. */
  codes: ReadonlyMap<string, string>;
  numbers: 'own' | 'shared';
}

/** A source profile with every path compiled and every table ready. */
export interface CompiledProfile {
  profile: Profile;
  /** Z segments that its paths name. */
  ownSegments: ReadonlySet<string>;
  tables: {
    reportStatus: ReadonlyMap<string, StatusAction>;
    itemStatus: ReadonlyMap<string, StatusAction>;
    patientClass: ReadonlyMap<string, PatientClass>;
    sex: ReadonlyMap<string, string>;
    flags: ReadonlyMap<string, Interpretation>;
    services: ReadonlyMap<string, 'exam' | 'lab'>;
    examSections: ReadonlyMap<string, SectionRole | 'attachment'>;
    orderControl: ReadonlyMap<string, 'publish' | 'retract' | 'ignore'>;
    documentStatus: ReadonlyMap<string, StatusAction>;
  };
  /** Undefined: everything is the site's own. */
  organisation: OrganisationRule | undefined;
  /** The sender's devices about themselves. */
  qualityControl: { path: Evaluate; values: ReadonlySet<string>; patient: ReadonlySet<string> | undefined } | undefined;
  /** A result message of nothing but these only says that the sender is there. */
  heartbeatSegments: ReadonlySet<string>;
  /** `*`: every one. */
  deviceCodings: ReadonlySet<string>;
  criticalFlags: ReadonlySet<string>;
  sentinelDates: ReadonlySet<string>;
  patient: {
    inHouse: Evaluate;
    residentId: Evaluate[];
    identifiers: Array<{ kind: IdentifierKind; path: Evaluate }>;
    name: Optional;
    sex: Optional;
    birthDate: Optional;
    phone: Optional;
    address: Optional;
    /** Whether the message deletes a field: an explicit null where its path looks. */
    deletes: Array<{ field: PatientStatement['cleared'][number]; isNull: (scope: Scope) => boolean }>;
  };
  encounter: {
    class: Optional;
    visitNumber: Optional;
    department: CodedPaths;
    ward: CodedPaths;
    room: Optional;
    bed: Optional;
    admittedAt: Optional;
    dischargedAt: Optional;
    attending: PersonPaths;
    campus: CodedPaths;
    diagnosis: CodedPaths & { at: Optional };
  };
  specimen: {
    number: Optional;
    type: CodedPaths;
    condition: CodedPaths;
    collectedAt: Optional;
    receivedAt: Optional;
  };
  report: ReportHeaderPaths & {
    panel: CodedPaths;
    conclusion: Optional;
    technician: PersonPaths;
  };
  items: {
    code: Optional;
    name: Optional;
    subId: Optional;
    value: Evaluate;
    unit: Optional;
    range: Optional;
    flag: Optional;
    status: Evaluate;
    testedAt: Optional;
    method: Optional;
    instrument: Optional;
    /** OBX that are no results. */
    notResults: { path: Evaluate; values: ReadonlySet<string> } | undefined;
  };
  exam: ExamPaths | undefined;
  microbiology: MicrobiologyPaths | undefined;
  merge: Array<{ survivor: Evaluate; retired: Evaluate }>;
  order: OrderPaths | undefined;
  prescription: PrescriptionPaths | undefined;
  document: DocumentPaths | undefined;
}
