import { type Answer, isTaken, type Outcome } from './answer.ts';
import type { Msh } from './msh.ts';

/** How a sender is answered. A further one is a row of `ackProfiles`. */
export interface AckProfile {
  /**
   * What MSH-15 and MSH-16 decide. `nothing`: every message has one AA, AE or AR. `silence`: the same, but one that asks for
   * no answer at all (NE in both) gets no AA; a failure is told all the same. `each-answer`: table 0155 for the accept
   * answer (CA, CE, CR) and for the application's, which is a message of its own.
   */
  conditionsDecide: 'nothing' | 'silence' | 'each-answer';
  /** Values of MSH-16 that are no condition and are copied into the answer. */
  echoedConditions: readonly string[];
  /** MSA-3 and MSA-6 of what was taken. */
  accepted?: { text: string; condition: string };
  /** What went wrong: in ERR (and up to 2.4 in MSA-3 too), or in MSA-3 and MSA-6 alone. */
  errors: 'ERR' | 'MSA';
  /** ACK^R01^ACK from 2.5 on. */
  structure: boolean;
}

/** reference/hl7v2.md §3.2 points 25 to 28. */
export const ackProfiles = {
  // Chinese senders put AL into MSH-15 and MSH-16 and wait for one AA.
  'original-always': { conditionsDecide: 'nothing', echoedConditions: [], errors: 'ERR', structure: true },
  original: { conditionsDecide: 'silence', echoedConditions: [], errors: 'ERR', structure: true },
  enhanced: { conditionsDecide: 'each-answer', echoedConditions: [], errors: 'ERR', structure: true },
  // MSH-16 says patient, calibration or QC, and the device waits for it to come back.
  'device-mindray': {
    conditionsDecide: 'nothing',
    echoedConditions: ['0', '1', '2'],
    accepted: { text: 'Message accepted', condition: '0' },
    errors: 'MSA',
    structure: false,
  },
} as const satisfies Record<string, AckProfile>;

export type AckProfileName = keyof typeof ackProfiles;
export const ackProfileNames = Object.keys(ackProfiles) as [AckProfileName, ...AckProfileName[]];

/** Table 0155. */
const conditions = ['AL', 'NE', 'ER', 'SU'] as const;
type Condition = (typeof conditions)[number];

const conditionOf = (value: string): Condition | 'none' | 'unknown' =>
  value === '' ? 'none' : (conditions.find((one) => one === value.toUpperCase()) ?? 'unknown');

/** MSH-15 or MSH-16 holds what no table knows, and the profile would go by it: the message is answered as in original mode. */
export const hasUnknownCondition = ({ conditionsDecide }: AckProfile, msh: Msh): boolean =>
  conditionsDecide !== 'nothing' && [msh.acceptAck, msh.applicationAck].some((one) => conditionOf(one) === 'unknown');

/** What is said of a message, in this order; nothing where its sender asks for nothing. `msh` undefined: it was not readable. */
export function answersTo(profile: AckProfile, msh: Msh | undefined, outcome: Outcome): Answer[] {
  if (msh === undefined || profile.conditionsDecide === 'nothing' || hasUnknownCondition(profile, msh))
    return [outcome];
  const accept = conditionOf(msh.acceptAck);
  const application = conditionOf(msh.applicationAck);
  if (accept === 'none' && application === 'none') return [outcome];
  if (profile.conditionsDecide === 'silence')
    return isTaken(outcome) && accept === 'NE' && application === 'NE' ? [] : [outcome];
  const due = (condition: string): boolean => condition === 'AL' || condition === (isTaken(outcome) ? 'SU' : 'ER');
  const answers: Answer[] = due(accept) ? [acceptAnswer(outcome)] : [];
  // AA says "durably stored", as CA does, so both are due at once. What was not accepted no application ever saw.
  if (due(application) && (isTaken(outcome) || answers.length === 0)) answers.push(outcome);
  return answers;
}

function acceptAnswer(outcome: Outcome): Answer {
  if (outcome.code === 'AA') return { code: 'CA' };
  return { ...outcome, code: outcome.code === 'AE' ? 'CE' : 'CR' };
}
