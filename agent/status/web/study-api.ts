import type { InstanceRow, Resent } from '../../store/image-contract.ts';
import type { ShownStudy, StudyWithReports } from '../model.ts';
import { Refused } from './search.ts';

/** What the page asks about studies. Each rejects when it is not answered, or refused with a code (`Refused`). */

async function ask<Answer>(path: string, body?: object): Promise<Answer> {
  const answer = await fetch(
    `/api/v1/studies/${path}`,
    body && { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) },
  );
  if (answer.ok) return (await answer.json()) as Answer;
  const { code } = (await answer.json().catch(() => ({}))) as { code?: string };
  throw new Refused(code);
}

/** The term travels in the body: it is patient data, and addresses are kept by browsers. */
export const findStudies = async (by: string, term: string): Promise<ShownStudy[]> =>
  (await ask<{ studies: ShownStudy[] }>('search', { by, term })).studies;

export const studyNumbered = async (study: number): Promise<StudyWithReports> =>
  (await ask<{ study: StudyWithReports }>(`${study}`)).study;

/** As many images as the server gives at once. */
export const imagePage = 50;
export const imagesOf = async (study: number, after: number): Promise<InstanceRow[]> =>
  (await ask<{ instances: InstanceRow[] }>(`${study}/instances?after=${after}`)).instances;

export const resendStudy = (study: number): Promise<Resent> => ask<Resent>(`${study}/resend`, {});
