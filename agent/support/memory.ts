import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * V8 lets some 64 MB of dead buffers stand in each isolate before it looks for them, and the agent has
 * several: at full speed that alone was 200 MB of resident memory. What passes through us are buffers, so
 * each thread looks by itself (invariant 12; decision 0007): often among the young, which costs little,
 * and among all only where buffers stand that are not young any more. Other dead objects among all V8 finds
 * by itself, a little at a time (`--heap-growing-percent` in installer/run-settings.ts).
 */
const YOUNG_STEP_BYTES = 2 * 1024 * 1024;
const ALL_STEP_BYTES = 3 * 1024 * 1024;
/** However much passes through, looking among all takes at most so much of a thread's time … */
const ALL_SHARE = 1 / 100;
/** … as long as no more than this stands. */
const ALL_STEP_MOST_BYTES = 6 * 1024 * 1024;

type Collect = (options: { type: 'minor' | 'major'; execution: 'sync' }) => void;

/** Of this thread, dead ones too. */
interface Standing {
  buffers: number;
  /** Buffers and heap. */
  all: number;
}
const standing = (): Standing => {
  const { external_memory, used_heap_size } = getHeapStatistics();
  return { buffers: external_memory, all: external_memory + used_heap_size };
};
/** The less of each: those found dead are still counted when a look returns, and fall away later. */
const least = (a: Standing, b: Standing): Standing => ({
  buffers: Math.min(a.buffers, b.buffers),
  all: Math.min(a.all, b.all),
});

let collect: Collect | undefined;
const unknown: Standing = { buffers: Number.POSITIVE_INFINITY, all: Number.POSITIVE_INFINITY };
/** What stood after the last look, and after the last look among all. */
let after = unknown;
let floor = unknown;
/** Before then it would take more than its share to look among all again. */
let allAgainAt = 0;

const gc = (): Collect => {
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as Collect;
  }
  return collect;
};

const lookAmongAll = () => {
  gc()({ type: 'major', execution: 'sync' });
  after = standing();
  floor = after;
};

/** Call when a thread has started: what loading left behind goes at once. Some ten milliseconds. */
export function tidyAfterStart(): void {
  lookAmongAll();
}

/** Call at the end of a piece of work. Costs a microsecond, a millisecond among the young, some ten among all. */
export function tidyMemory(): void {
  const now = standing();
  after = least(after, now);
  floor = least(floor, now);
  if (now.all - after.all < YOUNG_STEP_BYTES) return;
  const grown = after.buffers - floor.buffers;
  gc()({ type: 'minor', execution: 'sync' });
  after = standing();
  const from = performance.now();
  if (grown < ALL_STEP_BYTES || (from < allAgainAt && grown < ALL_STEP_MOST_BYTES)) return;
  lookAmongAll();
  const to = performance.now();
  allAgainAt = to + (to - from) / ALL_SHARE;
}

/**
 * The memory of bytes that nobody reads any more, at once: left to be found, it stands until the next look, and makes that
 * come sooner. Only where they are the whole of their buffer; they are empty afterwards, and so is every other view of it.
 */
export function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (byteLength > 0 && buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
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
