import type { MessageReader } from '../../../agent/mapping/mapper.ts';
import type { ProfileLanguage } from '../../../agent/registry.ts';
import { QianzhiError } from '../../../agent/support/errors.ts';
import type { Path } from '../../../config/yaml-document.ts';
import { readMessage } from '../extract/read-message.ts';
import { compileKinds } from './compile-kinds.ts';
import { diagnosisSegments, itemSegments, orderSegments, pathsAt, patientSegments } from './compile-paths.ts';
import { type CompileRules, compileIsNull } from './path-compile.ts';
import type { PathSyntaxError } from './path-syntax.ts';
import type { CompiledProfile } from './rules.ts';
import type { Profile } from './schema.ts';

/** Readers of senders' messages, from the plain data of checked profiles: needs neither YAML nor schema. */
export const hl7v2Profiles: ProfileLanguage = {
  sourceKinds: ['hl7-mllp'],
  compile: (checked) =>
    readerOf(
      compileRules(
        checked as Profile,
        (path, error) => new QianzhiError('CFG-5009', `${path.join('.')} (${error.message})`),
      ),
    ),
};

export const readerOf = (compiled: CompiledProfile): MessageReader => ({
  corrections: compiled.profile.corrections,
  quietMs: compiled.profile.assembly.quiet_seconds * 1000,
  parkMs: compiled.profile.patient.park_minutes * 60_000,
  read: (raw, context) => readMessage(compiled, raw, context),
});

/**
 * Compiles a checked profile. `refuse` makes the error of a path that cannot stand where it does; in a
 * profile that was checked before (check.ts) there is none.
 */
export function compileRules(profile: Profile, refuse: (path: Path, error: PathSyntaxError) => Error): CompiledProfile {
  const at = pathsAt(profile.tables as CompileRules['tables'], refuse);
  const { patient, encounter, specimen, report, items } = profile;
  const p = at(patientSegments);
  const d = at(diagnosisSegments);
  const o = at(orderSegments);
  const x = at(itemSegments);
  return {
    profile,
    tables: {
      reportStatus: new Map(Object.entries(profile.tables.report_status)),
      itemStatus: new Map(Object.entries(profile.tables.item_status)),
      patientClass: new Map(Object.entries(profile.tables.patient_class)),
      sex: new Map(Object.entries(profile.tables.sex)),
      flags: new Map(Object.entries(profile.tables.flags)),
      services: new Map(Object.entries(profile.tables.services)),
      examSections: new Map(Object.entries(profile.tables.exam_sections)),
      orderControl: new Map(Object.entries(profile.tables.order_control)),
      documentStatus: new Map(Object.entries(profile.tables.document_status)),
    },
    qualityControl: profile.quality_control && {
      path: p.required(['quality_control', 'path'], profile.quality_control.path),
      values: new Set(profile.quality_control.values),
    },
    deviceCodings: new Set(profile.device_codings),
    criticalFlags: new Set(profile.critical_flags),
    sentinelDates: new Set(profile.sentinel_dates),
    patient: {
      inHouse: p.required(['patient', 'in_house'], patient.in_house),
      residentId: patient.resident_id.map((source, i) => p.required(['patient', 'resident_id', i], source)),
      identifiers: patient.identifiers.map(({ kind, path }, i) => ({
        kind,
        path: p.required(['patient', 'identifiers', i, 'path'], path),
      })),
      name: p.one(['patient', 'name'], patient.name),
      sex: p.one(['patient', 'sex'], patient.sex),
      birthDate: p.one(['patient', 'birth_date'], patient.birth_date),
      phone: p.one(['patient', 'phone'], patient.phone),
      address: p.one(['patient', 'address'], patient.address),
      deletes: (
        [
          ['name', patient.name],
          ['sex', patient.sex],
          ['birthDate', patient.birth_date],
          ['phone', patient.phone],
          ['address', patient.address],
        ] as const
      ).flatMap(([field, source]) => (source === undefined ? [] : [{ field, isNull: compileIsNull(source) }])),
    },
    encounter: {
      class: p.one(['encounter', 'class'], encounter.class),
      visitNumber: p.one(['encounter', 'visit_number'], encounter.visit_number),
      department: p.coded(['encounter', 'department'], encounter.department),
      ward: p.coded(['encounter', 'ward'], encounter.ward),
      room: p.one(['encounter', 'room'], encounter.room),
      bed: p.one(['encounter', 'bed'], encounter.bed),
      admittedAt: p.one(['encounter', 'admitted_at'], encounter.admitted_at),
      dischargedAt: p.one(['encounter', 'discharged_at'], encounter.discharged_at),
      attending: p.person(['encounter', 'attending'], encounter.attending),
      campus: p.coded(['encounter', 'campus'], encounter.campus),
      diagnosis: {
        ...d.coded(['encounter', 'diagnosis'], encounter.diagnosis),
        at: d.one(['encounter', 'diagnosis', 'at'], encounter.diagnosis?.at),
      },
    },
    specimen: {
      number: o.one(['specimen', 'number'], specimen.number),
      type: o.coded(['specimen', 'type'], specimen.type),
      condition: o.coded(['specimen', 'condition'], specimen.condition),
      collectedAt: o.one(['specimen', 'collected_at'], specimen.collected_at),
      receivedAt: o.one(['specimen', 'received_at'], specimen.received_at),
    },
    report: {
      number: o.required(['report', 'number'], report.number),
      status: o.required(['report', 'status'], report.status),
      orderNumbers: o.one(['report', 'order_numbers'], report.order_numbers),
      panel: o.coded(['report', 'panel'], report.panel),
      category: o.coded(['report', 'category'], report.category),
      conclusion: o.one(['report', 'conclusion'], report.conclusion),
      reportedAt: o.one(['report', 'reported_at'], report.reported_at),
      auditedAt: o.one(['report', 'audited_at'], report.audited_at),
      orderedBy: o.person(['report', 'ordered_by'], report.ordered_by),
      reportedBy: o.person(['report', 'reported_by'], report.reported_by),
      auditedBy: o.person(['report', 'audited_by'], report.audited_by),
      technician: o.person(['report', 'technician'], report.technician),
      orderingDepartment: o.coded(['report', 'ordering_department'], report.ordering_department),
      performingDepartment: o.coded(['report', 'performing_department'], report.performing_department),
    },
    items: {
      code: x.one(['items', 'code'], items.code),
      name: x.one(['items', 'name'], items.name),
      subId: x.one(['items', 'sub_id'], items.sub_id),
      value: x.required(['items', 'value'], items.value),
      unit: x.one(['items', 'unit'], items.unit),
      range: x.one(['items', 'range'], items.range),
      flag: x.one(['items', 'flag'], items.flag),
      status: x.required(['items', 'status'], items.status),
      testedAt: x.one(['items', 'tested_at'], items.tested_at),
      method: x.one(['items', 'method'], items.method),
      instrument: x.one(['items', 'instrument'], items.instrument),
    },
    ...compileKinds(profile, at),
  };
}
