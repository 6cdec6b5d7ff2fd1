import type { IntakeRules } from './profile/intake-schema.ts';

export type { IntakeRules };
export type IntakeVerdict = 'accept' | 'filter' | 'reject';

/** The patterns that take a type: `ORU`, `ORU^*`, `ORU^R01`. */
const patternsOf = ({ code, trigger }: { code: string; trigger: string }): string[] => {
  const upper = code.toUpperCase();
  return [`${upper}^${trigger.toUpperCase()}`, `${upper}^*`, upper];
};

/** Whether a type is one of those a list of patterns names. */
export const isOneOf = (patterns: readonly string[], type: { code: string; trigger: string }): boolean =>
  patterns.length > 0 && patternsOf(type).some((pattern) => patterns.includes(pattern));

/** What the rules say about a message type: take it, acknowledge and filter it (HL7-2104), or answer AR 200. */
export function judgeType(rules: IntakeRules, type: { code: string; trigger: string }): IntakeVerdict {
  const { accept, reject } = rules.types;
  if (accept.length === 0 && reject.length === 0) return 'accept';
  if (isOneOf(reject, type)) return 'reject';
  return accept.length === 0 || isOneOf(accept, type) ? 'accept' : 'filter';
}

/** The same for MSH-11 (its first component is what counts): filter is HL7-2105, reject is AR 202. */
export function judgeProcessingId(rules: IntakeRules, processingId: string): IntakeVerdict {
  const id = processingId.trim().slice(0, 1).toUpperCase() || 'P';
  if (rules.processing_id.reject.includes(id)) return 'reject';
  return rules.processing_id.accept.includes(id) ? 'accept' : 'filter';
}

/** Whether MSH-12 (its first component, `version`) is one the rules take; what they do not is answered AR 203. */
export function takesVersion({ versions: { accept } }: IntakeRules, version: string): boolean {
  return accept.length === 0 || accept.includes(version.trim());
}
