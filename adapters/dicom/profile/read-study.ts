import type { Coded, Identifier, ImagingStudy, Patient } from '../../../agent/clinical/records/types.ts';
import type { PersonName } from '../../../agent/images/image-reader.ts';
import type { StudyManifest } from '../../../agent/images/manifest.ts';
import type { MappingContext, Reading } from '../../../agent/mapping/mapper.ts';
import type { LookupKey, LookupKind } from '../../../agent/store/contract.ts';
import { type Phi, phi } from '../../../agent/support/phi.ts';
import type { DicomProfile } from './schema.ts';

/** The type under which a study's issue stands among the messages. */
const messageType = 'DICOM study';

/**
 * What an issue of a study says (agent/images/manifest.ts): one record, which replaces what the issue before said, or
 * takes it back. Held are a study without Patient ID (MAP-3003) and one whose instances are of different patients
 * (DCM-2295): neither may go under anybody's name. Taking back is never held: the study's UID says what goes, and
 * recordPart under whom.
 */
export function readStudy(profile: DicomProfile, raw: Phi<Uint8Array>, context: MappingContext): Reading {
  const manifest = parse(raw.reveal());
  if (manifest === undefined) {
    return { kind: 'held', type: 'other', code: 'DCM-2211', where: 'manifest', lookups: [] };
  }
  const { studyUid } = manifest;
  const accessionNumbers = split(manifest.accessionNumbers, profile.accession_separator);
  const patient = patientOf(manifest, profile);
  const lookups = lookupsOf(patient, accessionNumbers, manifest);
  const held = (code: string, where: string): Reading => ({ kind: 'held', type: messageType, code, where, lookups });

  const [contradiction] = manifest.contradicts;
  const id = manifest.patient.id?.trim();
  if (!manifest.withdrawn) {
    if (contradiction !== undefined) return held('DCM-2295', `patient.${contradiction}`);
    if (!id) return held('MAP-3003', 'patient.id');
  }

  const { source } = context;
  const report: ImagingStudy = {
    kind: 'imaging-study',
    studyUid,
    ...(manifest.studyId && { studyId: manifest.studyId }),
    accessionNumbers,
    ...reportNumbersOf(manifest, accessionNumbers, profile),
    modalities: manifest.modalities,
    ...(manifest.description && { description: manifest.description }),
    patient,
    ...(startOf(manifest) !== undefined && { startedAt: startOf(manifest) }),
    series: manifest.seriesInAll,
    instances: manifest.instances,
  };
  const statement = {
    reportKey: `imaging-study|${source}|${studyUid}`,
    patientKey: patientKeyOf(manifest, profile, source),
    report,
    reportAction: manifest.withdrawn ? ('retract' as const) : ('publish' as const),
    itemActions: {},
    findings: manifest.charsetGuessed
      ? [{ code: 'DCM-2298', where: 'patient.name', dimension: 'accuracy' as const }]
      : [],
  };
  return { kind: 'statements', type: messageType, statements: [{ ok: statement }], lookups };
}

function parse(bytes: Uint8Array): StudyManifest | undefined {
  try {
    const manifest = JSON.parse(Buffer.from(bytes).toString('utf8')) as StudyManifest;
    return manifest.kind === 'imaging-study' && manifest.format === 1 ? manifest : undefined;
  } catch {
    return undefined;
  }
}

const split = (numbers: readonly string[], separator: string | undefined): string[] => [
  ...new Set(
    numbers
      .flatMap((number) => (separator === undefined ? [number] : number.split(separator)))
      .map((number) => number.trim())
      .filter((number) => number !== ''),
  ),
];

/** Nothing where they are the accession numbers: so it stays the same record as before there were others. */
function reportNumbersOf(
  { studyId }: StudyManifest,
  accessionNumbers: string[],
  { report_numbers: fields, accession_separator: separator }: DicomProfile,
): Pick<ImagingStudy, 'reportNumbers'> {
  if (!fields.includes('study-id')) return {};
  const accessions = fields.includes('accession') ? accessionNumbers : [];
  return { reportNumbers: [...new Set([...accessions, ...split([studyId ?? ''], separator)])] };
}

/** Issuer of Patient ID (0010,0021); empty where none is named. */
const issuerOf = ({ patient }: StudyManifest): string => patient.issuerOfId?.trim() ?? '';

/** Whether Patient ID is the hospital's own number: so the profile says, and no other issuer is named. */
const isInHouse = (manifest: StudyManifest, { patient_id, issuers }: DicomProfile): boolean =>
  patient_id === 'in-house' && (issuerOf(manifest) === '' || issuers.includes(issuerOf(manifest)));

/**
 * Numbers of the sender's own, or of another issuer, must not be taken for the hospital's: two people would share a lane
 * and an index entry. A backslash cannot be in either value (LO, PS3.5 §6.2).
 */
function patientKeyOf(manifest: StudyManifest, profile: DicomProfile, source: string): string {
  const id = manifest.patient.id?.trim() ?? '';
  if (id !== '' && isInHouse(manifest, profile)) return id;
  const issuer = issuerOf(manifest);
  return `${source}|${issuer === '' ? id : `${issuer}\\${id}`}`;
}

function patientOf(manifest: StudyManifest, profile: DicomProfile): Patient {
  const { patient } = manifest;
  const identifiers: Identifier[] = [];
  const add = (kind: Identifier['kind'], value: string | undefined, source: string): void => {
    const text = value?.trim();
    if (text) identifiers.push({ kind, value: text, source });
  };
  add(isInHouse(manifest, profile) ? 'in-house' : 'other', patient.id, '(0010,0020)');
  for (const id of patient.otherIds) add('other', id, '(0010,1000)');
  const name = displayName(patient.name);
  const sex = sexOf(patient.sex, profile);
  const birthDate = /^\d{8}$/.exec(patient.birthDate ?? '')?.[0];
  return { identifiers, ...(name && { name }), ...(sex && { sex }), ...(birthDate && { birthDate }) };
}

/** The ideographic group as Chinese names are written; else the alphabetic one. Components without `^` (PS3.5 §6.2). */
function displayName(name: PersonName | undefined): string | undefined {
  const parts = (group: string | undefined) => (group ?? '').split('^').filter((part) => part.trim() !== '');
  const ideographic = parts(name?.ideographic);
  if (ideographic.length > 0) return ideographic.join('');
  const alphabetic = parts(name?.alphabetic);
  // Most Chinese senders write the characters where the Latin letters belong.
  return alphabetic.length === 0 ? undefined : alphabetic.join(alphabetic.some(isLatin) ? ' ' : '');
}

const isLatin = (text: string): boolean => /\p{Script=Latin}/u.test(text);

/** Names of GB/T 2261.1. */
const sexNames: Record<string, string> = { '0': '未知的性别', '1': '男性', '2': '女性', '9': '未说明的性别' };

function sexOf(sent: string | undefined, { sex }: DicomProfile): Coded | undefined {
  const code = sent?.trim();
  if (!code) return undefined;
  const mapped = Object.hasOwn(sex, code) ? sex[code] : undefined;
  return { code, ...(mapped && { standard: { code: mapped, name: sexNames[mapped] ?? mapped, table: 'sex' } }) };
}

/** (0008,0020) and (0008,0030): date, and time to the second where it is given so. */
function startOf({ date, time }: StudyManifest): string | undefined {
  const day = /^\d{8}$/.exec(date ?? '')?.[0];
  const clock = /^\d{4}(?:\d{2})?/.exec(time ?? '')?.[0] ?? '';
  return day === undefined ? undefined : day + clock;
}

function lookupsOf(patient: Patient, accessionNumbers: readonly string[], manifest: StudyManifest): LookupKey[] {
  const keys = new Map<string, LookupKey>();
  const add = (kind: LookupKind, value: string | undefined): void => {
    if (value) keys.set(`${kind}\n${value}`, { kind, value: phi(value) });
  };
  for (const { value } of patient.identifiers) add('patient', value);
  add('name', patient.name);
  for (const number of accessionNumbers) add('order', number);
  add('report', manifest.studyUid);
  return [...keys.values()];
}
