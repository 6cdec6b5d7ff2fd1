import type { Patient } from '../records/types.ts';
import { contradiction, differs } from './identity.ts';
import { fields, setField } from './patient-index.ts';
import type { PatientState } from './types.ts';

/**
 * What is known of the person behind a number: what was told of it, and, where nobody told of it, of the numbers that
 * were merged into it. Nothing is copied between their states, so each has its own again after an unlink.
 */
export function personOf(
  patientKey: string,
  stateOf: (patientKey: string) => PatientState | undefined,
): PatientState | undefined {
  const state = stateOf(patientKey);
  if (!state || state.retired.length === 0) return state;
  const seen = new Set([patientKey]);
  const below = ({ retired }: PatientState): PatientState[] =>
    retired.flatMap((one) => {
      const child = seen.has(one.patientKey) ? undefined : stateOf(one.patientKey);
      seen.add(one.patientKey);
      return child ? [child, ...below(child)] : [];
    });
  return below(state).reduce(joined, state);
}

/** Of a number known with another name or birth date only the visits are added: its fields beside these make nobody. */
function joined(state: PatientState, other: PatientState): PatientState {
  const isNew = ({ visitNumber }: PatientState['encounters'][number]): boolean =>
    state.encounters.every((visit) => visit.visitNumber !== visitNumber);
  const encounters = [...other.encounters.filter(isNew), ...state.encounters];
  if (contradiction(state, other.patient) ?? differs(state.patient, other.patient)) return { ...state, encounters };
  const patient: Patient = { ...state.patient };
  const toldAt = { ...state.toldAt };
  for (const field of fields) {
    if (toldAt[field] !== undefined) continue;
    if (other.toldAt[field] === undefined && patient[field] !== undefined) continue;
    setField(patient, field, other.patient);
    if (other.toldAt[field] !== undefined) toldAt[field] = other.toldAt[field];
  }
  const wasTold = state.toldAt.identifiers !== undefined;
  const isTold = other.toldAt.identifiers !== undefined;
  if (isTold || !wasTold) {
    const own = wasTold || !isTold ? state.patient.identifiers : [];
    const kinds = new Set(own.map(({ kind }) => kind));
    patient.identifiers = [...own, ...other.patient.identifiers.filter(({ kind }) => !kinds.has(kind))];
    if (isTold) toldAt.identifiers = state.toldAt.identifiers ?? other.toldAt.identifiers;
  }
  return { ...state, patient, toldAt, encounters };
}
