import { keyWithin } from '../institutions.ts';
import type { ClinicalRecord, Identifier, IdentifierKind, Patient } from '../records/types.ts';
import type { ReportState, ReportStatement } from '../reports/types.ts';
import { differs, residentId } from './identity.ts';
import { fields, newPatient, personal, personalOf, setField } from './patient-index.ts';
import { contradictionOf } from './resident-id.ts';
import type { PatientState } from './types.ts';

/** Records with what the index knows of their patient: what they lack, or all of it under another number. */

export type Lacking = NonNullable<ReportStatement['lacks']>;

/** Where an identifier was read that the sender of a record did not say. */
const fromIndex = 'patient index';

/** What registrations told of a patient: one report is not enough to say of another whose it is. */
export function registered({ patient, toldAt }: PatientState): Patient {
  const told: Patient = { identifiers: toldAt.identifiers === undefined ? [] : patient.identifiers };
  for (const field of fields) if (toldAt[field] !== undefined) setField(told, field, patient);
  return told;
}

const asKnown = (identifiers: readonly Identifier[]): Identifier[] =>
  personalOf(identifiers).map(({ kind, value }) => ({ kind, value, source: fromIndex }));

/**
 * Fills what a message lacks of its patient: the fields of `lacks`, and with them the personal numbers that were
 * registered. The class of a visit comes only from the same visit number. Nothing else is filled, so a report sent
 * again after a registration says no more than before. @returns the record, and what it still lacks.
 */
export function completeFromIndex<R extends ClinicalRecord>(
  record: R,
  lacks: Lacking,
  state: PatientState | undefined,
): { record: R; lacks: Lacking } {
  if (lacks.length === 0 || state === undefined) return { record, lacks };
  const known = registered(state);
  const patient: Patient = { ...record.patient };
  for (const field of lacks) if (field !== 'patientClass') setField(patient, field, known);
  if (lacks.some((what) => what !== 'patientClass')) {
    const own = new Set(patient.identifiers.map(({ kind }) => kind));
    const missing = asKnown(known.identifiers).filter(({ kind }) => !own.has(kind));
    patient.identifiers = [...patient.identifiers, ...missing];
  }
  const completed = { ...record, patient };
  if (lacks.includes('patientClass') && 'encounter' in completed) {
    const { visitNumber } = completed.encounter;
    const visit = state.encounters.find((one) => visitNumber !== undefined && one.visitNumber === visitNumber);
    completed.encounter = { ...completed.encounter, patientClass: visit?.encounter.patientClass };
  }
  return { record: completed, lacks: lacks.filter((what) => !has(completed, what)) };
}

/**
 * Whether completing would make one document of two people: the report says another name or birth date than was
 * registered, and would be given the rest. @returns the place that differs.
 */
export function mixes(record: ClinicalRecord, lacks: Lacking, state: PatientState | undefined): string | undefined {
  const { record: completed } = completeFromIndex(record, personOnly(lacks), state);
  const gains =
    completed.patient.identifiers.length > record.patient.identifiers.length ||
    lackingOf(completed).length < lackingOf(record).length;
  return state && gains ? differs(registered(state), record.patient) : undefined;
}

const personOnly = (lacks: Lacking): Lacking => lacks.filter((what) => what !== 'patientClass');

/** Which fields of the person a record lacked and was given. */
export const filled = (sent: Lacking, record: ClinicalRecord): Lacking =>
  personOnly(sent).filter((what) => has(record, what));

/** What a record lacks of the person. */
export const lackingOf = ({ patient }: ClinicalRecord): Lacking =>
  (['name', 'sex', 'birthDate'] as const).filter((field) => patient[field] === undefined);

/** The field in which a completed record contradicts its resident ID: a newborn may carry its mother's. */
export const contradictsItself = ({ patient }: ClinicalRecord): 'birthDate' | 'sex' | undefined => {
  const resident = residentId(patient);
  return resident === undefined ? undefined : contradictionOf(resident, patient.birthDate, patient.sex?.standard?.code);
};

/** Reports remembered as lacking of a patient: those of a sender that never says the sex must not add up for ever. */
const LACKING = 50;

/** Remembers that a report went out without all of its patient. @returns the state it was given when it knows that. */
export function rememberLacking(state: PatientState | undefined, patientKey: string, reportKey: string): PatientState {
  const before = state ?? newPatient(patientKey);
  if (before.lacking?.includes(reportKey)) return before;
  return { ...before, lacking: [...(before.lacking ?? []), reportKey].slice(-LACKING) };
}

const has = (record: ClinicalRecord, what: Lacking[number]): boolean =>
  what === 'patientClass'
    ? 'encounter' in record && record.encounter.patientClass !== undefined
    : record.patient[what] !== undefined;

/**
 * A record's patient as the one of another in-house number, after a merge or its undoing: that number, what was
 * registered of it, then what else is known. Numbers of visits stay, they are those of the record.
 * @param keepsOwn after a merge both are one person, and what nobody registered stays as the record says it; not where
 * its name or birth date is another than was registered. After an unlink they are two people,
 * and what its number's own reports said stands in.
 */
export function withIdentity(own: Patient, of: PatientState, keepsOwn: boolean): Patient {
  const told = registered(of);
  const keeps = keepsOwn && differs(told, own) === undefined;
  const rest = keepsOwn ? [] : asKnown(of.patient.identifiers);
  const sources = [asKnown(told.identifiers), keeps ? personalOf(own.identifiers) : [], rest];
  const known: Identifier[] = [];
  for (const source of sources) {
    const kinds = new Set<IdentifierKind>(known.map(({ kind }) => kind));
    known.push(...source.filter(({ kind }) => !kinds.has(kind)));
  }
  const others = own.identifiers.filter(({ kind }) => kind !== 'in-house' && !personal.has(kind));
  const inHouse: Identifier = { kind: 'in-house', value: keyWithin(of.patientKey), source: fromIndex };
  const patient: Patient = { identifiers: [inHouse, ...known, ...others] };
  for (const field of fields) {
    setField(patient, field, told);
    const isIdentity = field === 'name' || field === 'birthDate';
    if (patient[field] === undefined && (isIdentity ? keeps : keepsOwn)) setField(patient, field, own);
    if (!keepsOwn && of.toldAt[field] === undefined) setField(patient, field, of.patient);
  }
  return patient;
}

/**
 * The current record of a report as today's index completes it: after a resident ID was corrected, or a number left
 * its patient again. What the sender said of the patient stays; a resident ID that contradicts it is left out.
 * @param isOne false: what may have come from a number that left must go.
 */
export function completedAnew(report: ReportState, state: PatientState, isOne: boolean): ClinicalRecord | undefined {
  const { current, completed = [] } = report;
  if (!current) return undefined;
  const { patient } = current;
  const own = patient.identifiers.filter(({ kind, source }) => source !== fromIndex || kind === 'in-house');
  const isIdentified = own.some(({ source }) => source === fromIndex);
  if (!isIdentified && completed.length === 0) return current;
  const said: Patient = { ...patient, identifiers: own };
  for (const field of personOnly(completed)) if (field !== 'patientClass') setField(said, field, undefined);
  const record: ClinicalRecord = isIdentified
    ? { ...current, patient: withIdentity(said, state, isOne) }
    : completeFromIndex({ ...current, patient: said }, completed, state).record;
  if (!contradictsItself(record)) return record;
  const identifiers = record.patient.identifiers.filter(({ kind }) => kind !== 'resident-id');
  return { ...record, patient: { ...record.patient, identifiers } };
}
