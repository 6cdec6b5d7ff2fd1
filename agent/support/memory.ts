import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * V8 lets some 64 MB of dead buffers stand in each isolate before it looks for them, and the agent has
 * several: at full speed that alone was 200 MB of resident memory. What passes through us are buffers, so
 * each thread looks by itself (invariant 12; decision 0007): often among the young, which costs little,
 * and among all only when that did not help.
 */
const YOUNG_STEP_BYTES = 2 * 1024 * 1024;
const ALL_STEP_BYTES = 3 * 1024 * 1024;
/** However much passes through, looking among all takes at most so much of a thread's time … */
const ALL_SHARE = 1 / 100;
/** … as long as no more than this stands. */
const ALL_STEP_MOST_BYTES = 6 * 1024 * 1024;

type Collect = (options: { type: 'minor' | 'major'; execution: 'sync' }) => void;

/** Buffers and heap of this thread, dead ones too. */
const standing = (): number => {
  const { external_memory, used_heap_size } = getHeapStatistics();
  return external_memory + used_heap_size;
};

let collect: Collect | undefined;
/** What stood after the last look, and after the last look among all. */
let after = Number.POSITIVE_INFINITY;
let floor = Number.POSITIVE_INFINITY;
/** Before then it would take more than its share to look among all again. */
let allAgainAt = 0;

const gc = (): Collect => {
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as Collect;
  }
  return collect;
};

/** Call when a thread has started: what loading left behind goes at once. Some ten milliseconds. */
export function tidyAfterStart(): void {
  gc()({ type: 'major', execution: 'sync' });
  after = standing();
  floor = after;
}

/** Call at the end of a piece of work. Costs a microsecond, a millisecond among the young, some ten among all. */
export function tidyMemory(): void {
  const now = standing();
  after = Math.min(after, now);
  floor = Math.min(floor, now);
  if (now - after < YOUNG_STEP_BYTES) return;
  // What was left by the look before: the dead buffers of this one are still counted when it returns, and fall away later.
  const grown = after - floor;
  gc()({ type: 'minor', execution: 'sync' });
  after = standing();
  const from = performance.now();
  if (grown < ALL_STEP_BYTES || (from < allAgainAt && grown < ALL_STEP_MOST_BYTES)) return;
  gc()({ type: 'major', execution: 'sync' });
  const to = performance.now();
  allAgainAt = to + (to - from) / ALL_SHARE;
  after = standing();
  floor = after;
}

let isAhead = false;
/** The same once all that is due in this turn of the thread was done: what waits for an answer has it before. */
export function tidySoon(): void {
  if (isAhead) return;
  isAhead = true;
  setImmediate(() => {
    isAhead = false;
    tidyMemory();
  });
}
