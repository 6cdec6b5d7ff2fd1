import type { SourceSender } from '../../../agent/intake/source.ts';
import type { IntakeRules } from '../../hl7v2/intake-rules.ts';
import { type Msh, readMsh } from '../../hl7v2/msh.ts';
import type { Profile } from '../../hl7v2/profile/schema.ts';
import { chooseSender, knownSenders, type SenderEntry, sendersAt, speaksFor } from '../../hl7v2/senders.ts';
import { type FrameVerdict, judgeFrame } from '../hl7-mllp/verdict.ts';

/** What becomes of one message, by the rules of whoever sent it. */
export interface Judged {
  verdict: FrameVerdict;
  rules: IntakeRules;
  /** The name it is stored under, where it is another than that of the folder. */
  sender?: string | undefined;
}

export const rulesOf = (profile: unknown): IntakeRules => (profile as Pick<Profile, 'intake'>).intake;

/** `batch`: the header of the batch a message came in, which speaks for messages that name nobody. */
export type Judge = (part: Uint8Array, batch: Msh | undefined) => Judged;

/** Judges messages of a folder; `senders` in the order of `entries`. */
export function createJudge(
  own: IntakeRules,
  entries: readonly SenderEntry[],
  unlisted: 'take' | 'refuse',
  senders: readonly SourceSender[],
): Judge {
  const rules = new Map(senders.map(({ name, profile }) => [name, rulesOf(profile)]));
  const known = sendersAt(knownSenders(entries));
  return (part, batch) => {
    const msh = readMsh(part, own.charset);
    const chosen = chooseSender(known, speaksFor(msh, batch));
    if (chosen === 'in-part') return { verdict: judgeFrame(part, own, msh, 'HL7-2123'), rules: own };
    const sender = chosen?.name;
    const theirs = (sender === undefined ? undefined : rules.get(sender)) ?? own;
    // Only a header without a declared charset is cut otherwise by the sender's own.
    const read = theirs.charset === own.charset ? msh : readMsh(part, theirs.charset);
    const refused = sender === undefined && unlisted === 'refuse' ? 'HL7-2121' : undefined;
    return { verdict: judgeFrame(part, theirs, read, refused), rules: theirs, sender };
  };
}
