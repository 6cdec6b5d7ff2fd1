import { parse } from 'yaml';
import { intakeRulesSchema } from '../../../../adapters/hl7v2/profile/intake-schema.ts';

/** The part of a checked profile that a listener reads, from YAML text; what is absent has its default. */
export const intakeOf = (text = '') => ({
  intake: intakeRulesSchema.parse((parse(text) as { intake?: unknown } | null)?.intake ?? {}),
});
