import { compareTimes } from '../records/time.ts';
import type { Patient } from '../records/types.ts';
import type { PatientState, PatientStatement } from './types.ts';

/** Whether what a message says is about the person whom the index knows under a number. */

/**
 * Whether a message is about somebody else than the index knows under this in-house number. The rule is narrow,
 * because hospitals correct names and dates all the time: it is another person when both resident IDs are known and
 * differ, unless name and birth date are both the same (a corrected number); or when birth date and name both differ.
 * Sex, phone and address say nothing.
 * @param told compare only with what registrations said: against another registration, not against a mere report.
 * @returns the place that contradicts.
 */
export function contradiction(
  state: PatientState | undefined,
  said: Patient,
  told = false,
): 'patient.residentId' | 'patient.birthDate' | undefined {
  if (state === undefined) return undefined;
  const known = (field: keyof PatientState['toldAt']): boolean => !told || state.toldAt[field] !== undefined;
  const name = compare(known('name') ? state.patient.name : undefined, said.name);
  const birthDate = compare(known('birthDate') ? state.patient.birthDate : undefined, said.birthDate);
  const resident = compare(known('identifiers') ? residentId(state.patient) : undefined, residentId(said));
  if (resident === 'differs' && !(name === 'same' && birthDate === 'same')) return 'patient.residentId';
  return birthDate === 'differs' && name === 'differs' ? 'patient.birthDate' : undefined;
}

/**
 * Whether two may be two people, where one would be given what is the other's: another name or another birth date is
 * enough then, unless the resident ID is the same. @returns the place that differs.
 */
export function differs(known: Patient, said: Patient): 'patient.name' | 'patient.birthDate' | undefined {
  if (compare(residentId(known), residentId(said)) === 'same') return undefined;
  if (compare(known.name, said.name) === 'differs') return 'patient.name';
  return compare(known.birthDate, said.birthDate) === 'differs' ? 'patient.birthDate' : undefined;
}

/**
 * Whether a message under a retired number is about somebody else: it would go out with all that is known of the
 * survivor. Old demographics are none: the number it was sent under, or one that this went on to, was known with them.
 * @param passed the numbers on the way to the survivor.
 */
export function strangerUnder(
  passed: ReadonlyArray<PatientState | undefined>,
  survivor: PatientState | undefined,
  said: Patient,
): string | undefined {
  if (!survivor || passed.some((state) => state && isKnownAs(state, said))) return undefined;
  return contradiction(survivor, said) ?? differs(survivor.patient, said);
}

function isKnownAs(state: PatientState, said: Patient): boolean {
  if (contradiction(state, said)) return false;
  const { patient } = state;
  const agrees = (a: string | undefined, b: string | undefined): boolean => compare(a, b) === 'same';
  return (
    agrees(patient.name, said.name) ||
    agrees(patient.birthDate, said.birthDate) ||
    agrees(residentId(patient), residentId(said))
  );
}

/**
 * What may be taken of a registration. It is the hospital's own word about who a number is: one that changes name and
 * birth date both is taken when it is surely newer and no resident ID speaks against it, which is how a patient who
 * came unconscious gets a name. One that is surely older is a late one: of it only the visit is new. Where times do
 * not order, or a resident ID is known that it does not repeat, the wrong entry may have been edited: held.
 */
export function admission(
  state: PatientState | undefined,
  said: PatientStatement,
): { takes: 'all' | 'visit' } | { contradicts: string } {
  const contradicts = contradiction(state, said.patient, true);
  if (!contradicts || !state) return { takes: 'all' };
  const resident = compare(residentId(state.patient), residentId(said.patient));
  const { name, birthDate } = state.toldAt;
  const order = [name, birthDate].map((told) => compareTimes(said.messageTime, told));
  if (contradicts === 'patient.birthDate' && resident !== 'differs') {
    if (order.every((of) => of < 0)) return { takes: 'visit' };
    const isUnidentified = residentId(state.patient) === undefined;
    if (order.every((of) => of > 0) && (isUnidentified || resident === 'same')) return { takes: 'all' };
  }
  return { contradicts };
}

export const residentId = (patient: Patient): string | undefined =>
  patient.identifiers.find(({ kind }) => kind === 'resident-id')?.value;

/** Names are compared without spaces: senders pad and space them. */
export function compare(a: string | undefined, b: string | undefined): 'same' | 'differs' | undefined {
  if (a === undefined || b === undefined) return undefined;
  return a.replace(/\s/gu, '') === b.replace(/\s/gu, '') ? 'same' : 'differs';
}
