import { compareTimes } from '../records/time.ts';
import type { Encounter, Identifier, IdentifierKind, Patient } from '../records/types.ts';
import { compare } from './identity.ts';
import type { PatientState, PatientStatement } from './types.ts';

/**
 * The patient index: what is known of each in-house number, told field by field by registrations (ADT) and, where no
 * registration said anything, by reports. Pure functions: none changes a state it was given, and one that has nothing
 * to change gives back the same object.
 */

export const fields = ['name', 'sex', 'birthDate', 'phone', 'address'] as const;
export type Field = (typeof fields)[number];

/** Visits kept of a patient: reports come within weeks of theirs. */
const VISITS = 20;

/** Numbers of a person; others (visit, card, inpatient number) change from visit to visit and stay with their message. */
export const personal = new Set<IdentifierKind>(['resident-id', 'health-card', 'social-security', 'document']);
/** Of these a person has one: a newer one takes the place of the one before. */
const single = new Set<IdentifierKind>(['resident-id']);

export const newPatient = (patientKey: string): PatientState => ({
  patientKey,
  patient: { identifiers: [] },
  toldAt: {},
  encounters: [],
  retired: [],
});

/**
 * Takes what a registration says. Of each field the newer message counts; times that do not order leave it to arrival.
 * A deleted field (`""`) goes, one left empty stays, identifiers are added to those known.
 */
export function applyDemographics(state: PatientState | undefined, said: PatientStatement): PatientState {
  const before = state ?? newPatient(said.patientKey);
  const patient: Patient = { ...before.patient };
  const toldAt = { ...before.toldAt };
  const isNewer = (field: Field | 'identifiers'): boolean => compareTimes(said.messageTime, toldAt[field]) >= 0;
  const told = (field: Field | 'identifiers'): void => {
    toldAt[field] = said.messageTime ?? toldAt[field] ?? '';
  };
  for (const field of fields) {
    const cleared = said.cleared.includes(field);
    if ((said.patient[field] === undefined && !cleared) || !isNewer(field)) continue;
    setField(patient, field, cleared ? undefined : said.patient);
    told(field);
  }
  const identifiers = personalOf(said.patient.identifiers);
  if (identifiers.length > 0 && isNewer('identifiers')) {
    // What only a report said is outweighed: it must not count as registered because something else was.
    const registered = before.toldAt.identifiers === undefined ? [] : before.patient.identifiers;
    patient.identifiers = joinIdentifiers(registered, identifiers);
    told('identifiers');
  }
  const encounters = withVisit(before.encounters, said.encounter, said.messageTime);
  const after: PatientState = { ...before, patient, toldAt, encounters };
  return state && JSON.stringify(state) === JSON.stringify(after) ? state : after;
}

/**
 * Takes what a report says of its patient, where no registration said anything: the last report's word. It completes
 * no other report, it only lets one be told that is about somebody else. One whose name is another than the name known
 * teaches its name at most: its birth date and numbers may be another person's.
 * @returns the state it was given when the report says nothing new.
 */
export function learnFromReport(
  state: PatientState | undefined,
  patientKey: string,
  said: Patient,
): PatientState | undefined {
  const before = state ?? newPatient(patientKey);
  const patient: Patient = { ...before.patient };
  let changed = false;
  const isAnother = compare(patient.name, said.name) === 'differs';
  for (const field of isAnother ? (['name'] as const) : fields) {
    // A field that a registration deleted stays deleted.
    if (before.toldAt[field] !== undefined || said[field] === undefined) continue;
    if (JSON.stringify(said[field]) === JSON.stringify(patient[field])) continue;
    setField(patient, field, said);
    changed = true;
  }
  if (before.toldAt.identifiers === undefined && !isAnother) {
    patient.identifiers = joinIdentifiers(patient.identifiers, personalOf(said.identifiers));
    changed ||= patient.identifiers !== before.patient.identifiers;
  }
  return changed ? { ...before, patient } : state;
}

/**
 * Forgets what a report taught that was withdrawn or is another patient's: fields that no registration told of and
 * that are as this report says. @returns the state it was given when nothing of it is that report's.
 */
export function unlearn(state: PatientState, said: Patient): PatientState {
  const patient: Patient = { ...state.patient };
  let changed = false;
  for (const field of fields) {
    if (state.toldAt[field] !== undefined || patient[field] === undefined) continue;
    if (JSON.stringify(patient[field]) !== JSON.stringify(said[field])) continue;
    setField(patient, field, undefined);
    changed = true;
  }
  if (state.toldAt.identifiers === undefined) {
    const isSaid = (one: Identifier) => said.identifiers.some((s) => s.kind === one.kind && s.value === one.value);
    const kept = patient.identifiers.filter((one) => !isSaid(one));
    changed ||= kept.length < patient.identifiers.length;
    patient.identifiers = kept;
  }
  return changed ? { ...state, patient } : state;
}

export function setField(patient: Patient, field: Field, from: Patient | undefined): void {
  if (field === 'sex') patient.sex = from?.sex;
  else patient[field] = from?.[field];
}

export const personalOf = (identifiers: readonly Identifier[]): Identifier[] =>
  identifiers.filter(({ kind }) => personal.has(kind));

function joinIdentifiers(known: Identifier[], said: readonly Identifier[]): Identifier[] {
  const isKnown = (one: Identifier): boolean =>
    known.some(({ kind, value }) => kind === one.kind && value === one.value);
  const added = said.filter((one) => !isKnown(one));
  if (added.length === 0) return known;
  const replaced = new Set(added.map(({ kind }) => kind).filter((kind) => single.has(kind)));
  return [...known.filter(({ kind }) => !replaced.has(kind)), ...added];
}

function withVisit(
  visits: PatientState['encounters'],
  encounter: Encounter | undefined,
  toldAt: string | undefined,
): PatientState['encounters'] {
  const visitNumber = encounter?.visitNumber;
  if (encounter === undefined || visitNumber === undefined) return visits;
  const known = visits.find((visit) => visit.visitNumber === visitNumber);
  if (known && compareTimes(toldAt, known.toldAt) < 0) return visits;
  const said = Object.fromEntries(Object.entries(encounter).filter(([, value]) => value !== undefined));
  const visit = {
    visitNumber,
    encounter: { ...known?.encounter, ...said } as Encounter,
    toldAt: toldAt ?? known?.toldAt,
  };
  return [...visits.filter((one) => one !== known), visit].slice(-VISITS);
}
