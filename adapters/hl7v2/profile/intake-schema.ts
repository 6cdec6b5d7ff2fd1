import { z } from 'zod';
import { bothLanguages } from '../../../agent/support/text.ts';
import { ackProfileNames } from '../ack-profiles.ts';
import { charsetOfLabel } from '../charset-labels.ts';

/** A message type as profiles name it: `ORU^R01`, `ADT^*`, `ADT`. */
export const typePattern = z
  .string()
  .regex(
    /^[A-Z0-9]{3}(\^([A-Z0-9]{3}|\*))?$/,
    bothLanguages(
      '应为大写的消息类型，如 ORU^R01，或 ADT^*（全部触发事件）。',
      'must be a message type in capitals: ORU^R01, or ADT^* (every trigger).',
    ),
  );
const versions = z.array(
  z
    .string()
    .regex(
      /^\d(\.\d){1,2}$/,
      bothLanguages('应为带引号的 HL7 版本号，如 "2.4"。', 'must be a version of HL7 in quotes: "2.4" or "2.3.1".'),
    ),
);
const processingIds = z.array(
  z
    .string()
    .regex(/^[A-Z]$/, bothLanguages('应为 MSH-11 的一个字母：P、T 或 D。', 'must be a letter of MSH-11: P, T or D.')),
);

/** The `intake:` section of a source profile: how this sender is answered. It reads nothing beyond MSH. */
export const intakeRulesSchema = z.strictObject({
  /**
   * How the sender is answered (ack-profiles.ts). `original-always`: one AA, AE or AR whatever MSH-15/16 say (Chinese
   * senders put AL there and still wait for one AA). `original`: the same, but a message that asks for no answer at all (NE
   * in both) gets no AA. `enhanced`: CA, CE or CR by MSH-15, and AA as a message of its own by MSH-16. `device-mindray`: one
   * AA as Mindray's devices wait for it, MSH-16 echoed.
   */
  ack: z.enum(ackProfileNames).default('original-always'),
  /** Charset tried after the one MSH-18 declares. */
  charset: z
    .string()
    .refine(
      (label) => charsetOfLabel(label) !== undefined,
      bothLanguages(
        '不认识这个字符集；常用 UTF-8、GBK、GB18030。',
        'is no known charset (UTF-8, GBK, GB18030, 8859/1 …).',
      ),
    )
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
  /** A batch (BHS … BTS) is answered by a batch of the answers to its messages, or by one answer for all as `several_messages: first`. */
  batch_answers: z.enum(['batch', 'first']).default('batch'),
  /**
   * What a part of a message (MSH-14 filled, DSC last) is answered: AE, which many send again for ever, or AR; neither is
   * stored. `take`: for senders that fill MSH-14 without meaning it; results in parts are held by the mapping then.
   */
  continuation: z.enum(['ae', 'ar', 'take']).default('ae'),
  /** Two blanks where a segment should end: `spaces` takes them for it, else such a message is answered AR. */
  segments_joined: z.enum(['refuse', 'spaces']).default('refuse'),
  /** Questions (QRY, QBP …), which nobody here answers: taken and filtered, or answered AR 200. */
  queries: z.enum(['acknowledge', 'refuse']).default('acknowledge'),
  versions: z
    .strictObject({
      /** Values of MSH-12 taken; empty means all. Others are answered AR 203 and not stored. */
      accept: versions.default([]),
    })
    .prefault({}),
  /** `none`: messages come without MLLP; one ends where the next begins, at the end of the connection or after a silent second. */
  framing: z.enum(['mllp', 'none']).default('mllp'),
  /** Whether answers go out in MLLP; `none` only for what is received so. */
  answer_framing: z.enum(['mllp', 'none']).default('mllp'),
  /** False: a frame that ends in 0x1C without 0x0D is also taken. */
  require_end: z.boolean().default(true),
  /** True: a message without MSH-10 is answered AE 101 and not stored. */
  strict_control_id: z.boolean().default(false),
  /**
   * `restarting`: MSH-10 is a counter that begins anew with the device, so the same one with other content is no reason for
   * HL7-2103. Stored is the same either way: identical bytes once, everything else each.
   */
  control_ids: z.enum(['unique', 'restarting']).default('unique'),
});

/**
 * The `heartbeat:` section. `types`: messages that are nothing else. `segments`: a result message made of nothing but these;
 * results are never among them.
 */
export const heartbeatSchema = z.strictObject({
  types: z.array(typePattern).default([]),
  segments: z
    .array(
      z
        .string()
        .regex(
          /^(?!(?:OBR|OBX|ORC|SPM|NTE)$)[A-Z][A-Z0-9]{2}$/,
          bothLanguages(
            '应为段名，如 MSH、PID；不能是 OBR、OBX、ORC、SPM、NTE（有医嘱或结果就不是心跳）。',
            'must be the name of a segment, like MSH or PID; not OBR, OBX, ORC, SPM or NTE: orders and results are no sign of life.',
          ),
        ),
    )
    .min(1)
    .default(['MSH']),
});

export type IntakeRules = z.infer<typeof intakeRulesSchema>;
