import type { ErrorCode } from '../../../agent/support/errors.ts';
import { type Answer, isAcknowledgement } from '../../hl7v2/ack.ts';
import { type IntakeRules, judgeProcessingId, judgeType } from '../../hl7v2/intake-rules.ts';
import { type Msh, readMsh } from '../../hl7v2/msh.ts';

/** What intake does with one message; it is decided from MSH alone. */
export type FrameVerdict =
  /** Make it durable, then answer AA; if that fails, answer AE 207. Each may be silent instead. */
  | { kind: 'store'; msh: Msh; success: 'answer' | 'silent'; failure: 'answer' | 'silent' }
  /** Answer with an error; nothing is stored. */
  | { kind: 'refuse'; msh: Msh | undefined; answer: Answer; problem: ErrorCode }
  /** An acknowledgement of our acknowledgement: neither stored nor answered (point 24). */
  | { kind: 'ignore' };

/** Judges one payload by the rules of its source (reference/hl7v2.md §3.2 points 24, 27, 30–32). */
export function judgeFrame(payload: Uint8Array, rules: IntakeRules): FrameVerdict {
  const msh = readMsh(payload, rules.charset);
  const refuse = (answer: Answer, problem: ErrorCode): FrameVerdict => ({ kind: 'refuse', msh, answer, problem });
  if (msh === undefined) return refuse({ code: 'AE', condition: 100, text: 'MSH segment not readable' }, 'HL7-2101');
  if (msh.messageType.code.toUpperCase() === 'ACK') return { kind: 'ignore' };
  // Another answer that carries content (a query response): kept, and not answered.
  if (isAcknowledgement(msh)) return { kind: 'store', msh, success: 'silent', failure: 'silent' };
  if (rules.strict_control_id && msh.controlId.length === 0)
    return refuse({ code: 'AE', condition: 101, field: 10 }, 'HL7-2102');
  if (judgeType(rules, msh.messageType) === 'reject')
    return refuse({ code: 'AR', condition: 200, field: 9 }, 'HL7-2104');
  if (judgeProcessingId(rules, Buffer.from(msh.processingId).toString('latin1')) === 'reject')
    return refuse({ code: 'AR', condition: 202, field: 11 }, 'HL7-2105');
  const wantsNone = msh.acceptAck.toUpperCase() === 'NE' && msh.applicationAck.toUpperCase() === 'NE';
  const silent = rules.ack === 'original' && wantsNone;
  return { kind: 'store', msh, success: silent ? 'silent' : 'answer', failure: 'answer' };
}
