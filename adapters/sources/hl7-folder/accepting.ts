import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SourceContext } from '../../../agent/intake/source.ts';
import type { Clock } from '../../../agent/support/clock.ts';
import { codeOf, type ErrorCode, QianzhiError } from '../../../agent/support/errors.ts';
import { ackProfiles, hasUnknownCondition } from '../../hl7v2/ack-profiles.ts';
import { calledItself } from '../../hl7v2/called-itself.ts';
import type { Msh } from '../../hl7v2/msh.ts';
import { wordsOf } from '../hl7-mllp/verdict.ts';
import type { Said } from './answers.ts';
import type { Judge } from './judge.ts';
import { chained, chainStart, type Mark } from './progress.ts';

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
   * then, when parts are dealt with. Rejects with the store's code where it could take no more: those before
   * `handled` are durable. `headers`: for each part that of the batch it came in.
   */
  take(
    parts: readonly Uint8Array[],
    headers: ReadonlyArray<Msh | undefined>,
    say: (said: Said) => Promise<void>,
    wait: () => Promise<void>,
  ): Promise<void>;
  handled(): number;
  /** Parts the store was given that no mark tells of yet. */
  unmarked(): number;
  /** How far the file was taken, from now on told. */
  mark(whole: boolean): Mark;
  /** Messages that are durable, and those of them that are new. */
  counts(): { durable: number; fresh: number };
  /** The first refusal. */
  refusal(): ErrorCode | undefined;
}

/** Messages on their way to the store at a time. */
const mostAtOnce = 64;
const mostBytesAtOnce = 4 * 1024 * 1024;

/** `done`: how far the file was taken in an earlier look. */
export function createAccepting(parts: AcceptingParts, done: Mark | undefined): Accepting {
  const { clock, notes } = parts;
  let handled = 0;
  let durable = 0;
  let fresh = 0;
  let refusal: ErrorCode | undefined;
  let unmarked = 0;
  let [chain, before] = [chainStart, chainStart];
  const refusedBefore = new Set(done?.open);
  const open: number[] = [];

  const isDurable = (at: number): boolean => at < (done?.handled ?? 0) && !refusedBefore.has(at);

  const refuse = (code: ErrorCode, at: number, sender: string | undefined, msh: Msh | undefined) => {
    refusal ??= code;
    const wasTold = done?.whole === false && at < done.handled;
    if (!isDurable(at)) open.push(at);
    const isStranger = code === 'HL7-2121' || code === 'HL7-2123';
    const said = isStranger && msh !== undefined ? calledItself(msh) : undefined;
    if (!wasTold) notes.problem(code, sender, said);
  };
  /** Gives what is to be said; a code where the store did not take it. `at`: which part of the file it is. */
  const one = async (part: Uint8Array, batch: Msh | undefined, at: number): Promise<Said | ErrorCode | undefined> => {
    const isKnown = isDurable(at);
    const { verdict, rules, sender } = parts.judge(part, batch);
    if (verdict.kind === 'ignore') return undefined;
    if (verdict.kind === 'refuse') {
      const { msh, answer, problem } = verdict;
      refuse(problem, at, sender, msh);
      return answer && { msh, outcome: answer, rules };
    }
    const { msh, answered } = verdict;
    if (part.length > parts.maxMessageBytes) {
      refuse('HL7-2140', at, sender, msh);
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
        unmarked += 1;
        notes.stored(sender);
      } catch (error) {
        return codeOf(error, 'QUE-4007');
      }
    }
    durable += 1;
    return answered ? { msh, outcome: { code: 'AA' }, rules } : undefined;
  };

  return {
    async take(all, headers, say, wait) {
      for (let at = 0; at < all.length; ) {
        let bytes = 0;
        let end = at;
        while (end < all.length && end - at < mostAtOnce && (end === at || bytes < mostBytesAtOnce)) {
          bytes += all[end]?.length ?? 0;
          end += 1;
        }
        const start = at;
        const some = all.slice(start, end);
        const first = handled;
        const said = await Promise.all(some.map((part, i) => one(part, headers[start + i], first + i)));
        // All of them before anything can fail: what the store took must not be given to it again.
        for (const [i, each] of said.entries()) {
          if (typeof each === 'string') open.push(first + i);
          [before, chain] = [chain, chained(chain, some[i] ?? new Uint8Array(0))];
          handled += 1;
        }
        for (const each of said) {
          if (typeof each === 'string') throw new QianzhiError(each);
          if (each !== undefined) await say(each);
        }
        at = end;
        await wait();
        // Where nothing was for the store nothing has been waited for.
        await nextTurn();
      }
    },
    handled: () => handled,
    unmarked: () => unmarked,
    mark(whole) {
      unmarked = 0;
      const refused = open.filter((at) => at < handled);
      if (done === undefined || handled >= done.handled) return { handled, open: refused, chain, before, whole };
      // A look that did not come as far as one before it.
      return { ...done, open: [...refused, ...done.open.filter((at) => at >= handled)], whole };
    },
    counts: () => ({ durable, fresh }),
    refusal: () => refusal,
  };
}
