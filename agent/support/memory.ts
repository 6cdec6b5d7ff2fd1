import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * V8 lets some 64 MB of dead buffers stand in each isolate before it looks for them, and the agent has
 * four: at full speed that alone was 200 MB of resident memory. What passes through us are buffers, so
 * each thread looks by itself, after so many bytes of them (invariant 12; docs/performance.md).
 */
const STEP_BYTES = 4 * 1024 * 1024;

/** Buffers and heap of this thread, dead ones too. */
const standing = (): number => {
  const { external_memory, used_heap_size } = getHeapStatistics();
  return external_memory + used_heap_size;
};

let collect: (() => void) | undefined;
let floor = Number.POSITIVE_INFINITY;

/** Call at the end of a piece of work. Costs a microsecond, and some 10 ms when it collects. */
export function tidyMemory(): void {
  const now = standing();
  if (now < floor) floor = now;
  if (now - floor < STEP_BYTES) return;
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  floor = standing();
}
