import { type ErrorCode, errnoOf, QianzhiError } from '../support/errors.ts';

/** Exit codes (reference surface.md §3.3). */
export const exitCode = {
  ok: 0,
  failure: 1,
  usage: 2,
  degraded: 3,
  notReachable: 5,
  cannotWrite: 73,
  permission: 77,
  configInvalid: 78,
} as const;

const cannotWrite: ReadonlySet<ErrorCode> = new Set(['QUE-4001', 'QUE-4002', 'QUE-4007']);

/** The exit code for a fatal error code. */
export function exitCodeOf(code: ErrorCode): number {
  if (code.startsWith('CFG-')) return exitCode.configInvalid;
  return cannotWrite.has(code) ? exitCode.cannotWrite : exitCode.failure;
}

/** The exit code for anything thrown; a system error underneath decides between permission and writing. */
export function exitCodeForError(error: unknown): number {
  const errno = errnoOf(error instanceof QianzhiError ? error.cause : error);
  if (error instanceof QianzhiError && error.code.startsWith('CFG-')) return exitCode.configInvalid;
  if (errno === 'EACCES' || errno === 'EPERM') return exitCode.permission;
  if (errno === 'ENOSPC' || errno === 'EROFS' || errno === 'EDQUOT') return exitCode.cannotWrite;
  return error instanceof QianzhiError ? exitCodeOf(error.code) : exitCode.failure;
}
