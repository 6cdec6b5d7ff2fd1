import { createHash } from 'node:crypto';
import { institutionOf, keyWithin } from '../institutions.ts';

/**
 * Platform-facing identity of a report, stable for ever: 32 hex characters of its key at its institution.
 * @param orgCode of the site's own, which has the reports whose key names no other.
 */
export const setIdsOf =
  (orgCode: string) =>
  (reportKey: string): string =>
    createHash('sha256')
      .update(`${institutionOf(reportKey) ?? orgCode}\n${keyWithin(reportKey)}`)
      .digest('hex')
      .slice(0, 32);
