import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { QianzhiError } from '../../agent/support/errors.ts';
import { charsetOfLabel } from './charset-labels.ts';

const typePattern = z
  .string()
  .regex(/^[A-Z0-9]{3}(\^([A-Z0-9]{3}|\*))?$/, 'a message type: ORU^R01, ADT^* or ADT (every trigger)');
const processingIds = z.array(z.string().regex(/^[A-Z]$/, 'one letter of MSH-11: P, T or D'));

/** The `intake:` section of a source profile: how this sender is answered. It reads nothing beyond MSH. */
export const intakeRulesSchema = z.strictObject({
  /**
   * `original-always`: one AA, AE or AR whatever MSH-15/16 say (Chinese senders put AL there and still wait
   * for one AA). `original`: the same, but a message that asks for no answer at all (NE in both) gets no
   * AA; a failure is answered all the same.
   */
  ack: z.enum(['original-always', 'original']).default('original-always'),
  /** Charset tried after the one MSH-18 declares. */
  charset: z
    .string()
    .refine((label) => charsetOfLabel(label) !== undefined, 'not a known charset (UTF-8, GBK, GB18030, 8859/1 …)')
    .optional(),
  types: z
    .strictObject({
      /** Types taken; empty means all. Others are acknowledged AA and filtered visibly by the mapping. */
      accept: z.array(typePattern).default([]),
      /** Types answered AR 200 and not stored. */
      reject: z.array(typePattern).default([]),
    })
    .prefault({}),
  processing_id: z
    .strictObject({
      /** MSH-11 values taken (empty MSH-11 counts as P). Others are acknowledged AA and filtered visibly. */
      accept: processingIds.default(['P']),
      /** MSH-11 values answered AR 202 and not stored. */
      reject: processingIds.default([]),
    })
    .prefault({}),
  /** False: a frame that ends in 0x1C without 0x0D is also taken. */
  require_end: z.boolean().default(true),
  /** True: a message without MSH-10 is answered AE 101 and not stored. */
  strict_control_id: z.boolean().default(false),
});

export type IntakeRules = z.infer<typeof intakeRulesSchema>;
export type IntakeVerdict = 'accept' | 'filter' | 'reject';

/**
 * Reads the `intake:` section of a source profile; an absent section means the defaults. Other sections
 * are not looked at. Throws QianzhiError CFG-5009 with `where` = `line:column path`.
 */
export function parseIntakeRules(profileYamlText: string): IntakeRules {
  const lines = new LineCounter();
  const document = parseDocument(profileYamlText, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number, path: string): QianzhiError => {
    const { line, col } = lines.linePos(offset);
    return new QianzhiError('CFG-5009', `${line}:${col} ${path}`.trim());
  };
  const [error] = document.errors;
  if (error !== undefined) throw at(error.pos[0], '');
  const root: unknown = document.toJS();
  const section = typeof root === 'object' && root !== null ? (root as { intake?: unknown }).intake : undefined;
  const parsed = intakeRulesSchema.safeParse(section ?? {});
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = ['intake', ...(issue?.path ?? [])].map((key) => (typeof key === 'symbol' ? String(key) : key));
  for (let depth = path.length; depth > 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true) as { range?: [number, number, number] } | undefined;
    if (node?.range !== undefined) throw at(node.range[0], path.join('.'));
  }
  throw at(0, path.join('.'));
}

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
