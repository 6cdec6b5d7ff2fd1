import { compareTimes } from '../records/time.ts';
import type { ClinicalRecord, Encounter, Identifier, IdentifierKind, Patient } from '../records/types.ts';
import type { ReportStatement } from '../reports/types.ts';
import type { PatientState, PatientStatement } from './types.ts';

/**
 * The patient index: what is known of each in-house number, told field by field by registrations (ADT) and, where no
 * registration said anything, by reports. Pure functions: none changes a state it was given, and one that has nothing
 * to change gives back the same object.
 */

const fields = ['name', 'sex', 'birthDate', 'phone', 'address'] as const;
type Field = (typeof fields)[number];

/** Visits kept of a patient: reports come within weeks of theirs. */
const VISITS = 20;

/** Numbers of a person; others (visit, card, inpatient number) change from visit to visit and stay with their message. */
const personal = new Set<IdentifierKind>(['resident-id', 'health-card', 'social-security', 'document']);
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
    patient.identifiers = joinIdentifiers(before.patient.identifiers, identifiers);
    told('identifiers');
  }
  const encounters = withVisit(before.encounters, said.encounter, said.messageTime);
  const after: PatientState = { ...before, patient, toldAt, encounters };
  return state && JSON.stringify(state) === JSON.stringify(after) ? state : after;
}

/**
 * Takes what a report says of its patient, where no registration said anything: the last report's word.
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
  for (const field of fields) {
    // A field that a registration deleted stays deleted.
    if (before.toldAt[field] !== undefined || said[field] === undefined) continue;
    if (JSON.stringify(said[field]) === JSON.stringify(patient[field])) continue;
    setField(patient, field, said);
    changed = true;
  }
  if (before.toldAt.identifiers === undefined) {
    patient.identifiers = joinIdentifiers(patient.identifiers, personalOf(said.identifiers));
    changed ||= patient.identifiers !== before.patient.identifiers;
  }
  return changed ? { ...before, patient } : state;
}

function setField(patient: Patient, field: Field, from: Patient | undefined): void {
  if (field === 'sex') patient.sex = from?.sex;
  else patient[field] = from?.[field];
}

const personalOf = (identifiers: readonly Identifier[]): Identifier[] =>
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

export type Lacking = NonNullable<ReportStatement['lacks']>;

/**
 * Fills what a message lacks of its patient: the fields of `lacks`, and with them the personal numbers the index
 * knows. The class of a visit comes only from the same visit number. Nothing else is filled, so a report sent again
 * after a registration says no more than before. @returns the record, and what it still lacks.
 */
export function completeFromIndex<R extends ClinicalRecord>(
  record: R,
  lacks: Lacking,
  state: PatientState | undefined,
): { record: R; lacks: Lacking } {
  if (lacks.length === 0 || state === undefined) return { record, lacks };
  const { patient: known } = state;
  const patient: Patient = { ...record.patient };
  for (const field of lacks) if (field !== 'patientClass') setField(patient, field, known);
  if (lacks.some((what) => what !== 'patientClass')) {
    const own = new Set(patient.identifiers.map(({ kind }) => kind));
    const missing = personalOf(known.identifiers).filter(({ kind }) => !own.has(kind));
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

/** What a record lacks of the person. */
export const lackingOf = ({ patient }: ClinicalRecord): Lacking =>
  (['name', 'sex', 'birthDate'] as const).filter((field) => patient[field] === undefined);

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
  const known = (field: Field | 'identifiers'): boolean => !told || state.toldAt[field] !== undefined;
  const name = compare(known('name') ? state.patient.name : undefined, said.name);
  const birthDate = compare(known('birthDate') ? state.patient.birthDate : undefined, said.birthDate);
  const resident = compare(known('identifiers') ? residentId(state.patient) : undefined, residentId(said));
  if (resident === 'differs' && !(name === 'same' && birthDate === 'same')) return 'patient.residentId';
  return birthDate === 'differs' && name === 'differs' ? 'patient.birthDate' : undefined;
}

const residentId = (patient: Patient): string | undefined =>
  patient.identifiers.find(({ kind }) => kind === 'resident-id')?.value;

/** Names are compared without spaces: senders pad and space them. */
function compare(a: string | undefined, b: string | undefined): 'same' | 'differs' | undefined {
  if (a === undefined || b === undefined) return undefined;
  return a.replace(/\s/gu, '') === b.replace(/\s/gu, '') ? 'same' : 'differs';
}

/**
 * A record's patient as the one of another in-house number, after a merge or its undoing: that number, and what the
 * index knows of it. Numbers of visits stay, they are those of the record.
 * @param own what stands where the index knows nothing: after a merge both are one person, after an unlink they are not.
 */
export function withIdentity(own: Patient, of: PatientState, keepsOwn: boolean): Patient {
  const known = personalOf(of.patient.identifiers);
  const kinds = new Set<IdentifierKind>(known.map(({ kind }) => kind));
  const kept = own.identifiers.filter(
    ({ kind }) => kind !== 'in-house' && !kinds.has(kind) && (keepsOwn || !personal.has(kind)),
  );
  const inHouse: Identifier = { kind: 'in-house', value: of.patientKey, source: 'patient index' };
  const patient: Patient = { identifiers: [inHouse, ...known, ...kept] };
  for (const field of fields) {
    setField(patient, field, of.patient);
    if (patient[field] === undefined && keepsOwn) setField(patient, field, own);
  }
  return patient;
}
