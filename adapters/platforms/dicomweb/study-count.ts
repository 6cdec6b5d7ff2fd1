import type { Phi } from '../../../agent/support/phi.ts';
import { datasetsOf, numberOf, uidOf } from './store-answer.ts';

/**
 * Path and query below the base address that ask how many instances a study has: QIDO-RS (PS3.18 §10.6) for the study
 * with Number of Study Related Instances (0020,1208), one short answer for any size of study. Undefined for what is no
 * UID. The UID has to stand in the address, as the standard has no other form: nothing may log this.
 */
export function studyCountQuery(studyUid: Phi<string>): string | undefined {
  const uid = studyUid.reveal();
  if (!/^[0-9.]{1,64}$/.test(uid)) return undefined;
  return `/studies?StudyInstanceUID=${uid}&includefield=00201208&limit=1`;
}

/** Reads the answer, `status` 200 or 204. Undefined when the platform does not say, or speaks of another study. */
export function readStudyCount(status: number, body: Buffer, studyUid: Phi<string>): number | undefined {
  if (status === 204) return 0;
  const datasets = datasetsOf(body);
  if (datasets?.length === 0) return 0;
  const study = datasets?.find((dataset) => uidOf(dataset, '0020000D') === studyUid.reveal());
  return study === undefined ? undefined : numberOf(study, '00201208');
}

/** A search that no study answers (no UID is ever 2.25.0): it proves the service without fetching anybody's data. */
export const emptySearch = '/studies?StudyInstanceUID=2.25.0&limit=1';
