import type { StudyToIssue } from '../store/image-contract.ts';
import type { PersonName } from './image-reader.ts';
import type { PatientFact, SeriesFacts } from './study-facts.ts';

/**
 * One issue of a study as it goes the way of messages: what the headers of its instances say together, at the time of the
 * issue. Values as sent, text decoded; absent where no header said it.
 */
export interface StudyManifest {
  kind: 'imaging-study';
  format: 1;
  /** 1 is the first; a later one (addendum, withdrawal) replaces all before it. */
  issue: number;
  /** A person took the study back. */
  withdrawn: boolean;
  studyUid: string;
  patient: {
    id?: string;
    issuerOfId?: string;
    otherIds: string[];
    name?: PersonName;
    sex?: string;
    birthDate?: string;
  };
  /** Facts about the patient in which instances contradict each other (DCM-2295): not to be linked by them. */
  contradicts: PatientFact[];
  charsetGuessed: boolean;
  accessionNumbers: string[];
  studyId?: string;
  /** YYYYMMDD, HHMMSS.FFFFFF as sent. */
  date?: string;
  time?: string;
  description?: string;
  institution?: string;
  /** Sorted. */
  modalities: string[];
  instances: number;
  /** By series number, then UID; at most 2,000 of `seriesInAll`. */
  series: Array<SeriesFacts & { instances: number }>;
  seriesInAll: number;
}

/** The manifest of a study that is due. */
export function manifestOf(study: StudyToIssue): StudyManifest {
  const facts = study.facts.reveal();
  const series = study.series
    .map(({ facts: of, instances }) => ({ ...of.reveal(), instances }))
    .sort(
      (a, b) =>
        (a.seriesNumber ?? Number.MAX_SAFE_INTEGER) - (b.seriesNumber ?? Number.MAX_SAFE_INTEGER) ||
        (a.seriesUid < b.seriesUid ? -1 : 1),
    );
  return {
    kind: 'imaging-study',
    format: 1,
    issue: study.issue,
    withdrawn: study.withdrawn,
    studyUid: facts.studyUid,
    patient: {
      id: facts.patientId,
      issuerOfId: facts.issuerOfPatientId,
      otherIds: facts.otherPatientIds,
      name: facts.patientName,
      sex: facts.sex,
      birthDate: facts.birthDate,
    },
    contradicts: facts.contradicts,
    charsetGuessed: facts.charsetGuessed,
    accessionNumbers: facts.accessionNumbers,
    studyId: facts.studyId,
    date: facts.studyDate,
    time: facts.studyTime,
    description: facts.studyDescription,
    institution: facts.institutionName,
    modalities: facts.modalities,
    instances: study.instances,
    series,
    seriesInAll: study.seriesInAll,
  };
}

/** UTF-8 JSON with sorted keys and without spaces: the same manifest is the same bytes. */
export const manifestBytes = (manifest: StudyManifest): Uint8Array =>
  new Uint8Array(Buffer.from(JSON.stringify(sorted(manifest))));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

/** Control id of the message that carries an issue. */
export const manifestControlId = ({ studyUid, issue }: StudyManifest): Uint8Array =>
  new Uint8Array(Buffer.from(`${studyUid}#${issue}`));
