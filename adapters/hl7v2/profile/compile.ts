import type { MessageReader } from '../../../agent/mapping/mapper.ts';
import type { ProfileLanguage } from '../../../agent/registry.ts';
import { QianzhiError } from '../../../agent/support/errors.ts';
import type { Path } from '../../../config/yaml-document.ts';
import { readMessage } from '../extract/read-message.ts';
import { compileKinds, compileReportHeader } from './compile-kinds.ts';
import { compileOrganisation } from './compile-organisation.ts';
import { diagnosisSegments, itemSegments, orderSegments, pathsAt, patientSegments } from './compile-paths.ts';
import { type CompileRules, compileIsNull } from './path-compile.ts';
import type { PathSyntaxError } from './path-syntax.ts';
import type { CompiledProfile } from './rules.ts';
import type { Profile } from './schema.ts';

/** Readers of senders' messages, from the plain data of checked profiles: needs neither YAML nor schema. */
export const hl7v2Profiles: ProfileLanguage = {
  sourceKinds: ['hl7-mllp', 'hl7-folder'],
  compile: (checked) =>
    readerOf(
      compileRules(checked as Profile, (path, { message }) => {
        throw new QianzhiError('CFG-5009', `${path.join('.')} (${message})`);
      }),
    ),
};

export const readerOf = (compiled: CompiledProfile): MessageReader => ({
  corrections: compiled.profile.corrections,
  quietMs: compiled.profile.assembly.quiet_seconds * 1000,
  parkMs: compiled.profile.patient.park_minutes * 60_000,
  ...(compiled.organisation && { patientNumbers: compiled.organisation.numbers }),
  read: (raw, context) => readMessage(compiled, raw, context),
});

/**
 * Compiles a checked profile. `refuse` is told of each path that cannot stand where it does; in a
 * profile that was checked before (check.ts) there is none.
 */
export function compileRules(profile: Profile, refuse: (path: Path, error: PathSyntaxError) => void): CompiledProfile {
  const at = pathsAt(profile.tables as CompileRules['tables'], refuse);
  const p = at(patientSegments);
  const o = at(orderSegments);
  const patient = p.section(['patient'], profile.patient);
  const encounter = p.section(['encounter'], profile.encounter);
  const diagnosed = at(diagnosisSegments);
  const specimen = o.section(['specimen'], profile.specimen);
  const report = o.section(['report'], profile.report);
  const items = at(itemSegments).section(['items'], profile.items);
  const demographics = {
    name: patient.one('name'),
    sex: patient.one('sex'),
    birthDate: patient.one('birth_date'),
    phone: patient.one('phone'),
    address: patient.one('address'),
  };
  return {
    profile,
    ownSegments: new Set(JSON.stringify(profile).match(/\bZ[A-Z0-9]{2}(?=-)/g)),
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
    organisation: compileOrganisation(profile, at, refuse),
    qualityControl: profile.quality_control && {
      path: p.required(['quality_control', 'path'], profile.quality_control.path),
      values: new Set(profile.quality_control.values),
      patient: profile.quality_control.patient && new Set(profile.quality_control.patient),
    },
    heartbeatSegments: new Set(['MSH', ...profile.heartbeat.segments]),
    deviceCodings: new Set(profile.device_codings),
    criticalFlags: new Set(profile.critical_flags),
    sentinelDates: new Set(profile.sentinel_dates),
    patient: {
      inHouse: patient.required('in_house'),
      residentId: profile.patient.resident_id.map((source, i) => p.required(['patient', 'resident_id', i], source)),
      identifiers: profile.patient.identifiers.map(({ kind, path }, i) => ({
        kind,
        path: p.required(['patient', 'identifiers', i, 'path'], path),
      })),
      ...demographics,
      deletes: (
        [
          ['name', profile.patient.name],
          ['sex', profile.patient.sex],
          ['birthDate', profile.patient.birth_date],
          ['phone', profile.patient.phone],
          ['address', profile.patient.address],
        ] as const
      ).flatMap(([field, source]) =>
        source === undefined || demographics[field] === undefined ? [] : [{ field, isNull: compileIsNull(source) }],
      ),
    },
    encounter: {
      class: encounter.one('class'),
      visitNumber: encounter.one('visit_number'),
      department: encounter.coded('department'),
      ward: encounter.coded('ward'),
      room: encounter.one('room'),
      bed: encounter.one('bed'),
      admittedAt: encounter.one('admitted_at'),
      dischargedAt: encounter.one('discharged_at'),
      attending: encounter.person('attending'),
      campus: encounter.coded('campus'),
      diagnosis: {
        ...diagnosed.section(['encounter'], profile.encounter).coded('diagnosis'),
        at: diagnosed.section(['encounter', 'diagnosis'], profile.encounter.diagnosis).one('at'),
      },
    },
    specimen: {
      number: specimen.one('number'),
      type: specimen.coded('type'),
      condition: specimen.coded('condition'),
      collectedAt: specimen.one('collected_at'),
      receivedAt: specimen.one('received_at'),
    },
    report: {
      ...compileReportHeader(report),
      panel: report.coded('panel'),
      conclusion: report.one('conclusion'),
      technician: report.person('technician'),
    },
    items: {
      code: items.one('code'),
      name: items.one('name'),
      subId: items.one('sub_id'),
      value: items.required('value'),
      unit: items.one('unit'),
      range: items.one('range'),
      flag: items.one('flag'),
      status: items.required('status'),
      testedAt: items.one('tested_at'),
      method: items.one('method'),
      instrument: items.one('instrument'),
      notResults: profile.items.not_results && {
        path: at(itemSegments).required(['items', 'not_results', 'path'], profile.items.not_results.path),
        values: new Set(profile.items.not_results.values),
      },
    },
    ...compileKinds(profile, at),
  };
}
