import type { SourceContext } from '../../../agent/intake/source.ts';
import type { Accepted, Incoming } from '../../../agent/store/contract.ts';
import type { ErrorCode } from '../../../agent/support/errors.ts';
import type { IntakeRules } from '../../hl7v2/intake-rules.ts';
import type { Msh } from '../../hl7v2/msh.ts';
import type { Profile } from '../../hl7v2/profile/schema.ts';
import { chooseSender, knownSenders, type SenderAt, sendersAt, speaksFor } from '../../hl7v2/senders.ts';
import type { Ledger, Listener } from '../listening/listener.ts';
import type { Hl7MllpConfig } from './config.ts';
import type { StrangerCode } from './verdict.ts';

/** Whose a message is: the source's own, or one of its senders'. `peer`: address of who is connected. */
export interface Party {
  /** How it is judged and answered. */
  rules: IntakeRules;
  /** Nothing of theirs is taken, and why: nobody who sends here (`unlisted: refuse`), or one who fits an entry in part. */
  refused?: StrangerCode;
  accept(message: Omit<Incoming, 'source'>): Promise<Accepted>;
  /** A message was taken for storing. */
  message(peer: string): void;
  /** An answer was written: `AA`, `AE`, `AR`, or the same with C. */
  answered(peer: string, code: string): void;
  /** `said`: see SenderStatus. */
  problem(peer: string, code: ErrorCode, count?: number, said?: string): void;
}

/** Those whose messages come in here; a connection may carry messages of several. */
export interface Parties {
  /** Of the source itself: what belongs to the connection, and whose messages are nobody else's. */
  own: Party;
  /**
   * Whose a message is. `msh` undefined: its header is not readable, and only an address tells.
   * @param batch the header of the batch it came in, which speaks for messages that name nobody.
   */
  of(peer: string, msh: Msh | undefined, batch?: Msh): Party;
}

/** Where all messages are the source's own. */
export const onlyOwn = (own: Party): Parties => ({ own, of: () => own });

/** The parties of a listener. */
export function openParties(
  context: Pick<SourceContext, 'profile' | 'senders' | 'accept'>,
  { senders, unlisted }: Pick<Hl7MllpConfig, 'senders' | 'unlisted'>,
  listener: Pick<Listener, 'under'> & Ledger,
): Parties {
  const partyOf = (profile: unknown, ledger: Ledger, name?: string): Party => ({
    rules: rulesOf(profile),
    accept: (message) => context.accept(message, name),
    message: ledger.senders.message,
    answered: ledger.senders.answered,
    problem: ledger.note,
  });
  const named = partyOf(context.profile, listener);
  const own: Party = unlisted === 'refuse' ? { ...named, refused: 'HL7-2121' } : named;
  if (senders.length === 0) return onlyOwn(own);
  const inPart: Party = { ...named, refused: 'HL7-2123' };
  const profiles = new Map(context.senders.map(({ name, profile }) => [name, profile]));
  const known = knownSenders(senders).map((sender) => ({
    ...sender,
    party: partyOf(profiles.get(sender.name), listener.under(sender.name), sender.name),
  }));
  const byPeer = new Map<string, SenderAt<(typeof known)[number]>[]>();
  const at = (peer: string) => {
    let here = byPeer.get(peer);
    if (here === undefined) {
      here = sendersAt(known, peer);
      if (byPeer.size >= mostPeers) byPeer.clear();
      byPeer.set(peer, here);
    }
    return here;
  };
  return {
    own,
    of(peer, msh, batch) {
      const chosen = chooseSender(at(peer), speaksFor(msh, batch));
      return chosen === 'in-part' ? inPart : (chosen?.party ?? own);
    },
  };
}

/** Addresses remembered; with one more all are compared anew. */
const mostPeers = 1000;

const rulesOf = (profile: unknown): IntakeRules => (profile as Pick<Profile, 'intake'>).intake;
