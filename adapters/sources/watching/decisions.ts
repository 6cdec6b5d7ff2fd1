import { isErrorCode } from '../../../agent/support/errors.ts';
import type { Decision } from './key-table.ts';
import type { Decisions } from './taking.ts';

export const taken: Decision = 1;
const heldBase = 100;
const highest = 255;

/**
 * The decisions of one kind of source: 1 taken, 2 to 99 reasons to pass a content over, 100 and on the codes of `family`
 * from `base` on (for DCM and 2200: DCM-2200 to DCM-2355).
 */
export function createDecisions(family: string, base: number, ignored: Readonly<Record<string, Decision>>): Decisions {
  const reasons = new Map(Object.entries(ignored).map(([reason, decision]) => [decision, reason]));
  return {
    ignored(reason) {
      const decision = ignored[reason];
      if (decision === undefined) throw new Error('a reason without a number');
      return decision;
    },
    held(code) {
      const decision = heldBase + Number(code.slice(-4)) - base;
      if (!code.startsWith(`${family}-`) || decision < heldBase || decision > highest)
        throw new Error('a code without a number');
      return decision;
    },
    meaningOf(decision) {
      if (decision === taken) return { kind: 'taken' };
      const reason = reasons.get(decision);
      if (reason !== undefined) return { kind: 'ignored', reason };
      const code = `${family}-${base + decision - heldBase}`;
      return decision >= heldBase && isErrorCode(code) ? { kind: 'held', code } : undefined;
    },
  };
}
