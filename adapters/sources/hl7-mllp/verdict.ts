import { type ErrorCode, errorTable } from '../../../agent/support/errors.ts';
import { isAcknowledgement } from '../../hl7v2/ack.ts';
import type { Outcome } from '../../hl7v2/answer.ts';
import { isQuery } from '../../hl7v2/extract/message-type.ts';
import { type IntakeRules, judgeProcessingId, judgeType, takesVersion } from '../../hl7v2/intake-rules.ts';
import { type Msh, readMsh } from '../../hl7v2/msh.ts';
import { endsInContinuation, isXml } from '../../hl7v2/odd-payloads.ts';

/** What intake does with one message; it is decided from MSH, and from the segment at its end. */
export type FrameVerdict =
  /** Make it durable, then answer AA; if that fails, AE 207. What is itself an answer has none. */
  | { kind: 'store'; msh: Msh; answered: boolean }
  /** Answer with an error; nothing is stored. What is itself an answer has none. */
  | { kind: 'refuse'; msh: Msh | undefined; answer: Outcome | undefined; problem: ErrorCode }
  /** An acknowledgement of our acknowledgement: neither stored nor answered (point 24). */
  | { kind: 'ignore' };

/** Why nothing of a sender is taken: it is none of those listed, or fits an entry in part only. */
export type StrangerCode = 'HL7-2121' | 'HL7-2123';

/** What an answer says in words: the code that page and log show, so that both sides can talk about the same thing. */
export const wordsOf = (code: ErrorCode): string => `${code} ${errorTable[code].en.title}`;

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/**
 * Judges one payload by the rules of its source (reference/hl7v2.md §3.2 points 24, 30–32, 43, 44, 51).
 * @param refused its sender is one of whom nothing is taken.
 */
export function judgeFrame(
  payload: Uint8Array,
  rules: IntakeRules,
  msh: Msh | undefined = readMsh(payload, rules.charset),
  refused?: StrangerCode,
): FrameVerdict {
  const refuse = (answer: Outcome | undefined, problem: ErrorCode): FrameVerdict => ({
    kind: 'refuse',
    msh,
    answer,
    problem,
  });
  const refuseFor = (code: 'AE' | 'AR', condition: 100 | 200 | 207, problem: ErrorCode, field?: number): FrameVerdict =>
    refuse({ code, condition, ...(field !== undefined && { field }), text: wordsOf(problem) }, problem);
  if (msh === undefined) {
    if (isXml(payload)) return refuseFor('AR', 200, 'HL7-2111');
    return refuse({ code: 'AE', condition: 100, text: 'MSH segment not readable' }, 'HL7-2101');
  }
  if (msh.messageType.code.toUpperCase() === 'ACK') return { kind: 'ignore' };
  // Another answer that carries content (a query response): kept, and not answered.
  if (isAcknowledgement(msh))
    return refused === undefined ? { kind: 'store', msh, answered: false } : refuse(undefined, refused);
  if (refused !== undefined) return refuseFor('AR', 207, refused, 3);
  if (rules.strict_control_id && msh.controlId.length === 0)
    return refuse({ code: 'AE', condition: 101, field: 10 }, 'HL7-2102');
  const type = judgeType(rules, msh.messageType);
  if (type === 'reject') return refuse({ code: 'AR', condition: 200, field: 9 }, 'HL7-2104');
  const [version = ''] = textOf(msh.version).split(msh.delimiters.component);
  if (!takesVersion(rules, version))
    return refuse({ code: 'AR', condition: 203, field: 12, text: wordsOf('HL7-2115') }, 'HL7-2115');
  if (judgeProcessingId(rules, textOf(msh.processingId)) === 'reject')
    return refuse({ code: 'AR', condition: 202, field: 11 }, 'HL7-2105');
  if (isQuery(msh.messageType.code)) {
    if (rules.queries === 'refuse') return refuseFor('AR', 200, 'HL7-2114', 9);
  } else if (type === 'accept') {
    // A type that is filtered is not carried anyhow: its sender need not be bothered with what is wrong in it.
    if (msh.isJoined && rules.segments_joined === 'refuse') return refuseFor('AR', 100, 'HL7-2113');
    const isPart = () => msh.isContinued || endsInContinuation(payload, msh.delimiters.field);
    if (rules.continuation !== 'take' && isPart())
      return refuseFor(rules.continuation === 'ar' ? 'AR' : 'AE', 207, 'HL7-2110', msh.isContinued ? 14 : undefined);
  }
  return { kind: 'store', msh, answered: true };
}
