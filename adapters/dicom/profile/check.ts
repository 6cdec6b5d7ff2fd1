import type { NamedOrganisations } from '../../../agent/registry.ts';
import { throwIfAny } from '../../../config/config-error.ts';
import { describeIssues } from '../../../config/schema-issues.ts';
import { parseTextOf } from '../../../config/text-issues.ts';
import { type DicomProfile, dicomProfileSchema } from './schema.ts';

/**
 * Checks a source profile of images. Throws ConfigError with a CFG-5009 issue for each mistake, at its line and column of
 * `file`.
 */
export function checkDicomProfile(profileText: string, file = 'profile'): DicomProfile {
  const { yaml, issue } = parseTextOf(profileText, file, 'CFG-5009');
  const value = yaml.value ?? {};
  const parsed = dicomProfileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throwIfAny(describeIssues(parsed.error.issues, dicomProfileSchema, value).map(issue));
  throw new Error('a profile that does not parse has an issue');
}

/**
 * Whose numbers the patients of a source of images have. A header names no institution that a profile could read: with
 * `patient_id: in-house` all are the site's own.
 */
export const numbersOfDicom = (checked: unknown): NamedOrganisations | undefined =>
  (checked as DicomProfile).patient_id === 'in-house' ? undefined : { numbers: 'own', named: [] };
