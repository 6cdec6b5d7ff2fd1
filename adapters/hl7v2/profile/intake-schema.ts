import { z } from 'zod';
import { charsetOfLabel } from '../charset-labels.ts';

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
  /**
   * Several messages in one frame, without an envelope. `first`: the first is answered for all, with an error where one of
   * them could not be taken; a sender that waits for one answer a frame would take a second for that of its next message.
   * `each`: for senders that wait for one a message.
   */
  several_messages: z.enum(['each', 'first']).default('first'),
  /** False: a frame that ends in 0x1C without 0x0D is also taken. */
  require_end: z.boolean().default(true),
  /** True: a message without MSH-10 is answered AE 101 and not stored. */
  strict_control_id: z.boolean().default(false),
});

export type IntakeRules = z.infer<typeof intakeRulesSchema>;
