import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SourceContext } from '../../../agent/intake/source.ts';
import type { Clock } from '../../../agent/support/clock.ts';
import { codeOf, type ErrorCode, QianzhiError } from '../../../agent/support/errors.ts';
import { ackProfiles, hasUnknownCondition } from '../../hl7v2/ack-profiles.ts';
import type { Msh } from '../../hl7v2/msh.ts';
import { calledItself } from '../hl7-mllp/answering.ts';
import { wordsOf } from '../hl7-mllp/verdict.ts';
import type { Said } from './answers.ts';
import type { Judge } from './judge.ts';

/** What the messages of files tell their source. */
export interface MessageNotes {
  /** A message is durable; `sender`: the logical source it is stored under, where that is another than the folder's own. */
  stored(sender?: string): void;
  /** Something to know about a message, or why it was not taken. `said`: see SenderStatus. */
  problem(code: ErrorCode, sender?: string, said?: string): void;
}

export interface AcceptingParts {
  judge: Judge;
  accept: SourceContext['accept'];
  clock: Clock;
  maxMessageBytes: number;
  notes: MessageNotes;
}

/** The messages of one file on their way to the store. */
export interface Accepting {
  /**
   * Judges parts and makes the messages among them durable, in order; tells what is to be said of each. `wait` is called now and
   * then with how many parts of the file are dealt with. Rejects with the store's code where it could take no more: those before
   * `handled` are durable. `batch`: the header of the batch they came in.
   */
  take(
    parts: readonly Uint8Array[],
    batch: Msh | undefined,
    say: (said: Said) => Promise<void>,
    mark: (n: number) => Promise<void>,
  ): Promise<void>;
  handled(): number;
  /** Messages that are durable, and those of them that are new. */
  counts(): { durable: number; fresh: number };
  /** The first refusal. */
  refusal(): ErrorCode | undefined;
}

/** Messages on their way to the store at a time. */
const mostAtOnce = 64;
const mostBytesAtOnce = 4 * 1024 * 1024;

/** `done`: so many parts of the file are durable, or refused, from an earlier look. */
export function createAccepting(parts: AcceptingParts, done: number): Accepting {
  const { clock, notes } = parts;
  let handled = 0;
  let durable = 0;
  let fresh = 0;
  let refusal: ErrorCode | undefined;

  const refuse = (code: ErrorCode, isKnown: boolean, sender: string | undefined, msh: Msh | undefined) => {
    refusal ??= code;
    const said = code === 'HL7-2121' && msh !== undefined ? calledItself(msh) : undefined;
    if (!isKnown) notes.problem(code, sender, said);
  };
  /** Gives what is to be said; a code where the store did not take it. */
  const one = async (
    part: Uint8Array,
    batch: Msh | undefined,
    isKnown: boolean,
  ): Promise<Said | ErrorCode | undefined> => {
    const { verdict, rules, sender } = parts.judge(part, batch);
    if (verdict.kind === 'ignore') return undefined;
    if (verdict.kind === 'refuse') {
      refuse(verdict.problem, isKnown, sender, verdict.msh);
      return { msh: verdict.msh, outcome: verdict.answer, rules };
    }
    const { msh, answered } = verdict;
    if (part.length > parts.maxMessageBytes) {
      refuse('HL7-2140', isKnown, sender, msh);
      return { msh, outcome: { code: 'AR', condition: 207, text: wordsOf('HL7-2140') }, rules };
    }
    if (!isKnown) {
      if (hasUnknownCondition(ackProfiles[rules.ack], msh)) notes.problem('HL7-2112', sender);
      try {
        // What goes to the store is in a buffer of its own.
        const message = { bytes: new Uint8Array(part), controlId: msh.controlId.slice(), receivedMs: clock.now() };
        const accepted = await parts.accept(message, sender);
        if (accepted.controlIdReused && rules.control_ids !== 'restarting') notes.problem('HL7-2103', sender);
        if (accepted.outcome === 'stored') fresh += 1;
        notes.stored(sender);
      } catch (error) {
        return codeOf(error, 'QUE-4007');
      }
    }
    durable += 1;
    return answered ? { msh, outcome: { code: 'AA' }, rules } : undefined;
  };

  return {
    async take(all, batch, say, mark) {
      for (let at = 0; at < all.length; ) {
        let bytes = 0;
        let end = at;
        while (end < all.length && end - at < mostAtOnce && (end === at || bytes < mostBytesAtOnce)) {
          bytes += all[end]?.length ?? 0;
          end += 1;
        }
        const some = all.slice(at, end);
        const said = await Promise.all(some.map((part, i) => one(part, batch, handled + i < done)));
        for (const each of said) {
          if (typeof each === 'string') throw new QianzhiError(each);
          if (each !== undefined) await say(each);
          handled += 1;
        }
        at = end;
        await mark(handled);
        // Where nothing was for the store nothing has been waited for.
        await nextTurn();
      }
    },
    handled: () => handled,
    counts: () => ({ durable, fresh }),
    refusal: () => refusal,
  };
}
