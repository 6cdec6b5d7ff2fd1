import { z } from 'zod';
import { bothLanguages } from '../../../agent/support/text.ts';
import { path } from './path-schemas.ts';

/** Which institution a message belongs to (院区, 医共体). Without this section everything is the site's own. */
export const organisationSchema = z.strictObject({
  /** Read in MSH, EVN, PV1, PV2 and Z segments, for each patient of a message. */
  path,
  /** own: two institutions may give one number to two people. shared: one HIS numbers the patients of all. */
  patient_numbers: z.enum(['own', 'shared']).default('own'),
});

/** Value as sent → organisation code of the site or of one of its institutions. What is not listed is held. */
export const organisationCodes = z.record(
  z.string(),
  z.string().regex(/^[0-9A-Za-z-]{1,64}$/, {
    error: bothLanguages(
      '应为 site.org_code 或 site.institutions 里的机构代码，请加引号。',
      'must be an organisation code of site.org_code or site.institutions, in quotes.',
    ),
  }),
);
