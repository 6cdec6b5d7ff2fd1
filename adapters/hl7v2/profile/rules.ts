import type { IdentifierKind, Interpretation, PatientClass } from '../../../agent/clinical/records/types.ts';
import type { StatusAction } from '../../../agent/clinical/reports/types.ts';
import type { Evaluate } from './path-compile.ts';
import type { Profile } from './schema.ts';

type Optional = Evaluate | undefined;

export interface CodedPaths {
  code: Optional;
  name: Optional;
}

export interface PersonPaths {
  id: Optional;
  name: Optional;
}

/** A source profile with every path compiled and every table ready. */
export interface CompiledProfile {
  profile: Profile;
  tables: {
    reportStatus: ReadonlyMap<string, StatusAction>;
    itemStatus: ReadonlyMap<string, StatusAction>;
    patientClass: ReadonlyMap<string, PatientClass>;
    sex: ReadonlyMap<string, string>;
    flags: ReadonlyMap<string, Interpretation>;
  };
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
  };
  encounter: {
    class: Optional;
    visitNumber: Optional;
    department: CodedPaths;
    ward: CodedPaths;
    room: Optional;
    bed: Optional;
    admittedAt: Optional;
    diagnosis: CodedPaths & { at: Optional };
  };
  specimen: {
    number: Optional;
    type: CodedPaths;
    condition: CodedPaths;
    collectedAt: Optional;
    receivedAt: Optional;
  };
  report: {
    number: Evaluate;
    status: Evaluate;
    orderNumbers: Optional;
    panel: CodedPaths;
    category: CodedPaths;
    conclusion: Optional;
    reportedAt: Optional;
    auditedAt: Optional;
    orderedBy: PersonPaths;
    reportedBy: PersonPaths;
    auditedBy: PersonPaths;
    technician: PersonPaths;
    orderingDepartment: CodedPaths;
    performingDepartment: CodedPaths;
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
  };
}
