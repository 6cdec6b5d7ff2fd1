import { contradictionOf, looksLikeResidentId, validResidentId } from '../../../agent/clinical/patients/resident-id.ts';
import type { Coded, Identifier, Patient } from '../../../agent/clinical/records/types.ts';
import { missingKey } from '../profile/path-compile.ts';
import { lastRead } from '../profile/scope.ts';
import { type Extraction, remark, timeOf, valueBy } from './reading.ts';

export type PatientReading =
  | { ok: true; patient: Patient; patientKey: string }
  /** The patient as far as it can be told (for search), and why nothing may be published. */
  | { ok: false; patient: Patient; patientKey: string | undefined; code: 'MAP-3003' | 'MAP-3004'; where: string };

/** Names of GB/T 2261.1. */
const sexNames: Record<string, string> = { '0': '未知的性别', '1': '男性', '2': '女性', '9': '未说明的性别' };

/**
 * Reads the patient. Held are a patient without in-house number (MAP-3003) and a resident ID that is
 * valid and contradicts birth date or sex (MAP-3004): it may be somebody else's.
 */
export function readPatient(x: Extraction): PatientReading {
  const { patient: paths } = x.rules;
  const sex = readSex(x);
  const birthDate = timeOf(x, paths.birthDate, 'patient.birthDate')?.slice(0, 8);
  const identifiers: Identifier[] = [];
  const add = (identifier: Identifier): void => {
    if (!identifiers.some((known) => known.kind === identifier.kind && known.value === identifier.value)) {
      identifiers.push(identifier);
    }
  };

  const patientKey = valueBy(x, paths.inHouse);
  if (patientKey !== undefined) add({ kind: 'in-house', value: patientKey, source: lastRead(x.scope) });
  for (const { kind, path } of paths.identifiers) {
    const value = valueBy(x, path);
    if (value !== undefined) add({ kind, value, source: lastRead(x.scope) });
  }
  const resident = readResidentId(x, birthDate, sex?.standard?.code);
  if (resident.identifier !== undefined) add(resident.identifier);

  const patient: Patient = {
    identifiers,
    name: valueBy(x, paths.name),
    sex,
    birthDate,
    phone: valueBy(x, paths.phone),
    address: valueBy(x, paths.address),
  };
  if (patientKey === undefined) {
    return { ok: false, patient, patientKey, code: 'MAP-3003', where: 'patient.in_house' };
  }
  if (resident.contradicts !== undefined) {
    return { ok: false, patient, patientKey, code: 'MAP-3004', where: `patient.${resident.contradicts}` };
  }
  return { ok: true, patient, patientKey };
}

/** The first candidate whose check digit holds; every valid one must agree with birth date and sex. */
function readResidentId(
  x: Extraction,
  birthDate: string | undefined,
  sex: string | undefined,
): { identifier?: Identifier; contradicts?: 'birthDate' | 'sex' | 'residentId' } {
  let identifier: Identifier | undefined;
  let failed = false;
  for (const candidate of x.rules.patient.residentId) {
    const value = valueBy(x, candidate);
    if (value === undefined) continue;
    const id = validResidentId(value);
    if (id === undefined) {
      failed ||= looksLikeResidentId(value);
      continue;
    }
    const contradicts = contradictionOf(id, birthDate, sex);
    if (contradicts !== undefined) return { contradicts };
    if (identifier !== undefined && identifier.value !== id) return { contradicts: 'residentId' };
    identifier ??= { kind: 'resident-id', value: id, source: lastRead(x.scope) };
  }
  if (identifier !== undefined) return { identifier };
  if (failed) remark(x, 'MAP-3021', 'patient.residentId', 'accuracy');
  return {};
}

function readSex(x: Extraction): Coded | undefined {
  const code = valueBy(x, x.rules.patient.sex);
  const mapped = x.rules.tables.sex.get(code ?? missingKey);
  if (mapped === undefined) {
    if (code === undefined) return undefined;
    remark(x, 'MAP-3001', 'patient.sex', 'accuracy');
    return { code };
  }
  const standard = { code: mapped, name: sexNames[mapped] ?? mapped, table: 'sex' };
  return { ...(code !== undefined && { code }), standard };
}
