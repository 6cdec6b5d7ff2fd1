import { institutionMark, keyAt } from '../clinical/institutions.ts';
import type { PatientStatement } from '../clinical/patients/types.ts';
import type { MessageReader, Statement } from './mapper.ts';

const isMarked = (key: string | undefined): boolean => key?.startsWith(institutionMark) === true;
const noInstitution: Statement = { held: { code: 'MAP-3040', where: 'organisation' } };
const noNumber: Statement = { held: { code: 'MAP-3003', where: 'patient.in_house' } };

/**
 * A statement with the keys of the institution it belongs to. Where the profile tells institutions apart, one that says none
 * is held (MAP-3040): taken for another's it would reach another's patient. Registrations and merges need none where the
 * institutions share their numbers.
 * @param ownCode of the site: its own keys stay as they are.
 */
export function placed(
  statement: Statement,
  numbers: MessageReader['patientNumbers'],
  ownCode: string | undefined,
): Statement {
  if ('held' in statement || 'filtered' in statement) return statement;
  // A number that would be taken for another institution's key, whatever profile it came by.
  if (patientKeysOf(statement).some(isMarked)) return noNumber;
  if (numbers === undefined) return statement;
  const isNumbersOnly = numbers === 'shared' && !('ok' in statement);
  if (isNumbersOnly) return statement;
  if (statement.institution === undefined) return noInstitution;
  const institution = statement.institution === ownCode ? undefined : statement.institution;
  if (institution === undefined) return statement;

  const patientKeyAt = (key: string): string => (numbers === 'shared' ? key : keyAt(institution, key));
  if ('ok' in statement) {
    const { reportKey, patientKey } = statement.ok;
    const ok = { ...statement.ok, reportKey: keyAt(institution, reportKey), patientKey: patientKeyAt(patientKey) };
    return { ...statement, ok };
  }
  const said = (patient: PatientStatement): PatientStatement => ({
    ...patient,
    patientKey: patientKeyAt(patient.patientKey),
  });
  if ('patient' in statement) return { ...statement, patient: said(statement.patient) };
  const { retired, survivor, patient } = statement.merge;
  const merge = {
    ...statement.merge,
    retired: patientKeyAt(retired),
    survivor: patientKeyAt(survivor),
    ...(patient && { patient: said(patient) }),
  };
  return { ...statement, merge };
}

function patientKeysOf(statement: Statement): Array<string | undefined> {
  if ('ok' in statement) return [statement.ok.patientKey];
  if ('patient' in statement) return [statement.patient.patientKey];
  if (!('merge' in statement)) return [];
  const { retired, survivor, patient } = statement.merge;
  return [retired, survivor, patient?.patientKey];
}
