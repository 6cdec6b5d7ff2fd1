import type { IntakeRules } from './profile/intake-schema.ts';

export type { IntakeRules };
export type IntakeVerdict = 'accept' | 'filter' | 'reject';

const matches = (pattern: string, type: { code: string; trigger: string }): boolean => {
  const [code, trigger = '*'] = pattern.split('^');
  return code === type.code.toUpperCase() && (trigger === '*' || trigger === type.trigger.toUpperCase());
};

/** What the rules say about a message type: take it, acknowledge and filter it (HL7-2104), or answer AR 200. */
export function judgeType(rules: IntakeRules, type: { code: string; trigger: string }): IntakeVerdict {
  if (rules.types.reject.some((pattern) => matches(pattern, type))) return 'reject';
  const { accept } = rules.types;
  return accept.length === 0 || accept.some((pattern) => matches(pattern, type)) ? 'accept' : 'filter';
}

/** The same for MSH-11 (its first component is what counts): filter is HL7-2105, reject is AR 202. */
export function judgeProcessingId(rules: IntakeRules, processingId: string): IntakeVerdict {
  const id = processingId.trim().slice(0, 1).toUpperCase() || 'P';
  if (rules.processing_id.reject.includes(id)) return 'reject';
  return rules.processing_id.accept.includes(id) ? 'accept' : 'filter';
}
