import { hash } from 'node:crypto';
import { QianzhiError } from '../../../../agent/support/errors.ts';

/**
 * Id of one version of a report: the first 32 hex characters of SHA-256 over `<setId>:<version>`.
 * Derived, so that a replay gives the same id and a correction can name the version before it.
 */
export const documentId = (setId: string, version: number): string =>
  hash('sha256', `${setId}:${version}`).slice(0, 32);

/** Checks what the journal gives and not the sender. Throws QianzhiError MAP-3002. */
export function checkVersion(setId: string, version: number): void {
  if (!Number.isSafeInteger(version) || version < 1) throw new QianzhiError('MAP-3002', 'version');
  if (setId.trim() === '') throw new QianzhiError('MAP-3002', 'setId');
}
