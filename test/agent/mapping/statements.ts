import type { MergeStatement, PatientStatement } from '../../../agent/clinical/patients/types.ts';
import type { Patient, PatientClass } from '../../../agent/clinical/records/types.ts';
import type { Statement } from '../../../agent/mapping/mapper.ts';
import { lab } from '../clinical/reports/records.ts';

interface Result {
  number?: string;
  of?: string;
  name?: string;
  birthDate?: string;
  items?: string;
  at?: string;
  visit?: string;
  class?: PatientClass;
  action?: 'publish' | 'hold' | 'retract';
}

/** A laboratory report; what is not said of the patient it lacks. */
export function report(o: Result = {}): Statement {
  const inHouse = o.of ?? 'P1';
  const record = lab((o.items ?? 'K 4').split(','), {
    reportNumber: o.number ?? 'R1',
    patient: {
      identifiers: [{ kind: 'in-house', value: inHouse, source: 'PID-2' }],
      name: o.name,
      sex: { standard: { code: '1', name: '男性', table: 'sex' } },
      birthDate: o.birthDate ?? '19900307',
    },
    encounter: { diagnoses: [], patientClass: o.class, visitNumber: o.visit },
    reportedAt: o.at ?? '20240520100000',
  });
  return {
    ok: {
      reportKey: `lis|${record.reportNumber}`,
      patientKey: inHouse,
      report: record,
      lacks: [...(o.name ? [] : (['name'] as const)), ...(o.class ? [] : (['patientClass'] as const))],
      reportAction: o.action ?? 'publish',
      itemActions: {},
      reportTime: record.reportedAt,
      findings: [],
    },
  };
}

/** A registration. */
export const registers = (of: string, patient: Partial<Patient>, more: Partial<PatientStatement> = {}) =>
  ({ patient: { patientKey: of, patient: { identifiers: [], ...patient }, cleared: [], ...more } }) satisfies Statement;

export const merges = (retired: string, survivor: string, more: Partial<MergeStatement> = {}): Statement => ({
  merge: { kind: 'merge', retired, survivor, ...more },
});
