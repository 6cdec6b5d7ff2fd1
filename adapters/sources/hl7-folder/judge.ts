import type { SourceSender } from '../../../agent/intake/source.ts';
import type { IntakeRules } from '../../hl7v2/intake-rules.ts';
import { type Msh, readMsh } from '../../hl7v2/msh.ts';
import type { Profile } from '../../hl7v2/profile/schema.ts';
import { chooseSender, knownSenders, type SenderEntry } from '../../hl7v2/senders.ts';
import { namesNobody } from '../hl7-mllp/parties.ts';
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
  const known = knownSenders(entries);
  return (part, batch) => {
    const msh = readMsh(part, own.charset);
    const speaks = msh !== undefined && batch !== undefined && namesNobody(msh) ? batch : msh;
    const sender = chooseSender(known, { msh: speaks })?.name;
    const theirs = (sender === undefined ? undefined : rules.get(sender)) ?? own;
    const isRefused = sender === undefined && unlisted === 'refuse';
    return { verdict: judgeFrame(part, theirs, msh, isRefused), rules: theirs, sender };
  };
}
