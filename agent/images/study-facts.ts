import type { ImageFacts, PersonName } from './image-reader.ts';

/** What the instances of a study say of it together. */
export interface StudyFacts {
  studyUid: string;
  patientId?: string;
  issuerOfPatientId?: string;
  otherPatientIds: string[];
  patientName?: PersonName;
  sex?: string;
  birthDate?: string;
  /** All that were named, in order of arrival: several orders may be one study. */
  accessionNumbers: string[];
  studyId?: string;
  studyDate?: string;
  studyTime?: string;
  studyDescription?: string;
  institutionName?: string;
  /** Sorted. */
  modalities: string[];
  /** At least one instance's text was read in a charset that its label does not name. */
  charsetGuessed: boolean;
  /** Patient facts about which instances of the study contradict each other: it is perhaps two patients'. */
  contradicts: PatientFact[];
}

export interface SeriesFacts {
  seriesUid: string;
  seriesNumber?: number;
  modality?: string;
  bodyPart?: string;
  seriesDescription?: string;
}

const patientFacts = ['patientId', 'issuerOfPatientId', 'patientName', 'sex', 'birthDate'] as const;
export type PatientFact = (typeof patientFacts)[number];
const studyTexts = ['studyId', 'studyDate', 'studyTime', 'studyDescription', 'institutionName'] as const;
const nameGroups = ['alphabetic', 'ideographic', 'phonetic'] as const;

/** Lists that a sender could make grow without end (invariant 12). */
const mostOfList = 32;

const added = (list: string[], values: ReadonlyArray<string | undefined>): string[] => {
  const all = new Set(list);
  for (const value of values) if (value !== undefined && value !== '' && all.size < mostOfList) all.add(value);
  return [...all];
};

/** Names contradict when a group that both have differs; `王^小东` and its pinyin do not. */
function differs(fact: PatientFact, known: StudyFacts, facts: ImageFacts): boolean {
  if (fact === 'patientName') {
    const [a, b] = [known.patientName, facts.patientName];
    return nameGroups.some((group) => a?.[group] && b?.[group] && a[group] !== b[group]);
  }
  const [a, b] = [known[fact], facts[fact]];
  return a !== undefined && a !== '' && b !== undefined && b !== '' && a !== b;
}

/**
 * Adds what one more instance says. The first value of a fact stands, what was absent is filled in, and contradictions
 * about the patient are noted: which of them is right nobody can know here.
 */
export function withInstance(known: StudyFacts | undefined, facts: ImageFacts): StudyFacts {
  const study: StudyFacts = known ?? {
    studyUid: facts.studyUid,
    otherPatientIds: [],
    accessionNumbers: [],
    modalities: [],
    charsetGuessed: false,
    contradicts: [],
  };
  const contradicts = patientFacts.filter((f) => study.contradicts.includes(f) || differs(f, study, facts));
  const merged: StudyFacts = {
    ...study,
    otherPatientIds: added(study.otherPatientIds, facts.otherPatientIds ?? []),
    accessionNumbers: added(study.accessionNumbers, [facts.accessionNumber]),
    modalities: added(study.modalities, [facts.modality]).sort(),
    charsetGuessed: study.charsetGuessed || facts.charsetGuessed,
    contradicts,
  };
  for (const fact of [...studyTexts, 'patientId', 'issuerOfPatientId', 'sex', 'birthDate'] as const) {
    const said = facts[fact];
    if (!merged[fact] && said) merged[fact] = said;
  }
  if (facts.patientName) merged.patientName = { ...facts.patientName, ...study.patientName };
  return merged;
}

/** What the first instance of a series says of it. */
export function seriesOf(facts: ImageFacts): SeriesFacts {
  const { seriesUid, seriesNumber, modality, bodyPart, seriesDescription } = facts;
  return {
    seriesUid,
    ...(seriesNumber !== undefined && { seriesNumber }),
    ...(modality !== undefined && { modality }),
    ...(bodyPart !== undefined && { bodyPart }),
    ...(seriesDescription !== undefined && { seriesDescription }),
  };
}
