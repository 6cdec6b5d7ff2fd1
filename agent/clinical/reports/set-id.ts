import { createHash } from 'node:crypto';

/** Platform-facing identity of a report, stable for ever: 32 hex characters of its key at one institution. */
export const setIdsOf =
  (orgCode: string) =>
  (reportKey: string): string =>
    createHash('sha256').update(`${orgCode}\n${reportKey}`).digest('hex').slice(0, 32);
