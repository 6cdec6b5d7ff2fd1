import { z } from 'zod';
import { ackProfileNames } from '../ack-profiles.ts';
import { charsetOfLabel } from '../charset-labels.ts';

const typePattern = z
  .string()
  .regex(/^[A-Z0-9]{3}(\^([A-Z0-9]{3}|\*))?$/, 'a message type: ORU^R01, ADT^* or ADT (every trigger)');
const versions = z.array(z.string().regex(/^\d(\.\d){1,2}$/, 'a version of HL7 in quotes: "2.4" or "2.3.1"'));
/** One of a few words; the reason names them. */
const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z.enum(words, `one of ${words.join(', ')}`);
const processingIds = z.array(z.string().regex(/^[A-Z]$/, 'one letter of MSH-11: P, T or D'));

/** The `intake:` section of a source profile: how this sender is answered. It reads nothing beyond MSH. */
export const intakeRulesSchema = z.strictObject({
  /**
   * How the sender is answered (ack-profiles.ts). `original-always`: one AA, AE or AR whatever MSH-15/16 say (Chinese
   * senders put AL there and still wait for one AA). `original`: the same, but a message that asks for no answer at all (NE
   * in both) gets no AA. `enhanced`: CA, CE or CR by MSH-15, and AA as a message of its own by MSH-16. `device-mindray`: one
   * AA as Mindray's devices wait for it, MSH-16 echoed.
   */
  ack: oneOf(ackProfileNames).default('original-always'),
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
  /**
   * What a part of a message (MSH-14 filled, DSC last) is answered: AE, which many send again for ever, or AR; neither is
   * stored. `take`: for senders that fill MSH-14 without meaning it; results in parts are held by the mapping then.
   */
  continuation: oneOf(['ae', 'ar', 'take']).default('ae'),
  /** Two blanks where a segment should end: `spaces` takes them for it, else such a message is answered AR. */
  segments_joined: oneOf(['refuse', 'spaces']).default('refuse'),
  /** Questions (QRY, QBP …), which nobody here answers: taken and filtered, or answered AR 200. */
  queries: oneOf(['acknowledge', 'refuse']).default('acknowledge'),
  versions: z
    .strictObject({
      /** Values of MSH-12 taken; empty means all. Others are answered AR 203 and not stored. */
      accept: versions.default([]),
    })
    .prefault({}),
  /** `none`: messages come without MLLP; one ends where the next begins, at the end of the connection or after a silent second. */
  framing: oneOf(['mllp', 'none']).default('mllp'),
  /** Whether answers go out in MLLP; `none` only for what is received so. */
  answer_framing: oneOf(['mllp', 'none']).default('mllp'),
  /** False: a frame that ends in 0x1C without 0x0D is also taken. */
  require_end: z.boolean().default(true),
  /** True: a message without MSH-10 is answered AE 101 and not stored. */
  strict_control_id: z.boolean().default(false),
});

export type IntakeRules = z.infer<typeof intakeRulesSchema>;
