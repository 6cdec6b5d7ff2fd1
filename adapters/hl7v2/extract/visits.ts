import type { EncounterRecord } from '../../../agent/clinical/records/types.ts';
import type { Statement } from '../../../agent/mapping/mapper.ts';
import { hold, statePatient, stateRecord, type Told } from './message-context.ts';

/** State that a trigger says by itself; of the others class and discharge time say it. */
const states: Record<string, EncounterRecord['state']> = {
  A01: 'admitted',
  A03: 'discharged',
  A04: 'registered',
  A06: 'admitted',
  A07: 'registered',
};

/**
 * ADT: the patient as told, and the visit when it has a number. A11 withdraws the visit; A12 and A13 take back a transfer
 * or a discharge, and the visit is told as it stands after them (HL7 v2.5.1 §3.3.12, §3.3.13).
 */
export function readVisit(told: Told, trigger: string): Statement[] {
  const { patient } = told;
  const cancels = trigger === 'A11';
  const discharge = trigger === 'A13' ? undefined : told.encounter.dischargedAt;
  const encounter = { ...told.encounter, dischargedAt: discharge };
  const aboutPatient = statePatient({ ...told, encounter }, !cancels);
  if (aboutPatient === undefined && !(cancels && patient.patientKey !== undefined)) {
    return patient.ok ? [] : [hold(patient)];
  }
  const statements: Statement[] = aboutPatient === undefined ? [] : [aboutPatient];
  const { visitNumber } = encounter;
  if (visitNumber === undefined) return statements;
  const state = states[trigger] ?? stateOf(encounter);
  const record: EncounterRecord = {
    kind: 'encounter',
    patient: patient.patient,
    encounter,
    state: state ?? 'registered',
  };
  statements.push(
    stateRecord(told, {
      key: `encounter|${told.source}|${visitNumber}`,
      record,
      action: cancels ? 'retract' : 'publish',
      // Without class nobody knows whether the patient was admitted or registered.
      incomplete: state === undefined ? { code: 'MAP-3005', where: 'encounter.class' } : undefined,
      needsPatient: true,
    }),
  );
  return statements;
}

function stateOf(encounter: EncounterRecord['encounter']): EncounterRecord['state'] | undefined {
  if (encounter.dischargedAt !== undefined) return 'discharged';
  if (encounter.patientClass === undefined) return undefined;
  return encounter.patientClass === 'inpatient' ? 'admitted' : 'registered';
}
