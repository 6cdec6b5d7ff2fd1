import type { SourceContext } from '../../../agent/intake/source.ts';
import type { Accepted, Incoming } from '../../../agent/store/contract.ts';
import type { ErrorCode } from '../../../agent/support/errors.ts';
import type { IntakeRules } from '../../hl7v2/intake-rules.ts';
import type { Msh } from '../../hl7v2/msh.ts';
import type { Profile } from '../../hl7v2/profile/schema.ts';
import { chooseSender, knownSenders } from '../../hl7v2/senders.ts';
import type { Ledger, Listener } from '../listening/listener.ts';
import type { Hl7MllpConfig } from './config.ts';

/** Whose a message is: the source's own, or one of its senders'. `peer`: address of who is connected. */
export interface Party {
  /** How it is judged and answered. */
  rules: IntakeRules;
  /** Nobody who sends here (`unlisted: refuse`). */
  isRefused: boolean;
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
    isRefused: name === undefined && unlisted === 'refuse',
    accept: (message) => context.accept(message, name),
    message: ledger.senders.message,
    answered: ledger.senders.answered,
    problem: ledger.note,
  });
  const own = partyOf(context.profile, listener);
  if (senders.length === 0) return onlyOwn(own);
  const profiles = new Map(context.senders.map(({ name, profile }) => [name, profile]));
  const known = knownSenders(senders).map((sender) => ({
    ...sender,
    party: partyOf(profiles.get(sender.name), listener.under(sender.name), sender.name),
  }));
  return {
    own,
    of(peer, msh, batch) {
      const speaks = msh !== undefined && batch !== undefined && namesNobody(msh) ? batch : msh;
      return chooseSender(known, { address: peer, msh: speaks })?.party ?? own;
    },
  };
}

const rulesOf = (profile: unknown): IntakeRules => (profile as Pick<Profile, 'intake'>).intake;

/** Neither MSH-3 nor MSH-4. */
export const namesNobody = ({ sendingApplication, sendingFacility }: Msh): boolean =>
  isEmpty(sendingApplication) && isEmpty(sendingFacility);

/** Blanks, and delimiters with nothing between them. */
const isEmpty = (field: Uint8Array): boolean =>
  Buffer.from(field)
    .toString('latin1')
    .replace(/[\s"^~&]/g, '') === '';
