import type { FuzzCase } from './mutations.ts';
import { readFields, readMessage, type Step, takeIn } from './whole-path.ts';

/** What one step may hold the thread for, in ms, of an input of at most 64 KB (reference/hl7v2.md §3.2 point 52). */
export const longestMs = 50;

/** Milliseconds of the thread that the longest step of a case takes. Of its processor time: what others take is not ours. */
function once({ payload, chunks }: Pick<FuzzCase, 'payload' | 'chunks'>): number {
  let longest = 0;
  const step: Step = (work) => {
    const before = process.threadCpuUsage();
    const done = work();
    const { user, system } = process.threadCpuUsage(before);
    longest = Math.max(longest, (user + system) / 1000);
    return done;
  };
  for (const message of takeIn(payload, chunks, step)) {
    step(() => readFields(message));
    step(() => readMessage(message));
  }
  return longest;
}

/** A pause of the collector or a shared machine, which can last a second, is not the case's: one that takes too long is the best of ten. */
export function longestStep(one: Pick<FuzzCase, 'payload' | 'chunks'>): number {
  let ms = once(one);
  for (let again = 0; ms > longestMs && again < 9; again++) ms = Math.min(ms, once(one));
  return ms;
}
