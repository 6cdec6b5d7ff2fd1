import { type ErrorCode, isErrorCode } from '../../../agent/support/errors.ts';
import type { Decision } from './key-table.ts';
import type { IgnoredName } from './paths.ts';

export type IgnoredContent = 'not-dicom' | 'media-directory';
/** Why something in the folder is passed over; nothing is wrong with it. */
export type IgnoredReason = IgnoredName | IgnoredContent | 'link' | 'special';

/** Decisions about a content as `seen.ts` keeps them; the numbers stand in files and never change their meaning. */
export const taken: Decision = 1;
const ignored: Record<IgnoredContent, Decision> = { 'not-dicom': 2, 'media-directory': 3 };
const heldBase = 100;
const codeBase = 2200;

export const ignoredDecision = (reason: IgnoredContent): Decision => ignored[reason];

/** Codes of DCM-2200 to DCM-2355 have a decision. */
export const heldDecision = (code: ErrorCode): Decision => heldBase + Number(code.slice(-4)) - codeBase;

export type Meaning =
  | { kind: 'taken' }
  | { kind: 'ignored'; reason: IgnoredContent }
  | { kind: 'held'; code: ErrorCode };

/** undefined for what another version of the agent decided: the file is read again. */
export function meaningOf(decision: Decision): Meaning | undefined {
  if (decision === taken) return { kind: 'taken' };
  if (decision === ignored['not-dicom']) return { kind: 'ignored', reason: 'not-dicom' };
  if (decision === ignored['media-directory']) return { kind: 'ignored', reason: 'media-directory' };
  const code = `DCM-${codeBase + decision - heldBase}`;
  return decision >= heldBase && isErrorCode(code) ? { kind: 'held', code } : undefined;
}
