import type { Clock } from '../../../agent/support/clock.ts';

/** When the next pass over the folder is due, by what the last ones cost. */
export interface Pace {
  /** The pass that is due now; undefined when none is. */
  due(): 'full' | 'quick' | undefined;
  /** Monotonic milliseconds from which the next is due. */
  nextMs(): number;
  /** Call around a pass; `full` counts as both. */
  begin(): void;
  end(kind: 'full' | 'quick'): void;
}

/** A full pass may take 1 % of one processor, the quick ones between half of that. */
const fullShare = 100;
const quickShare = 200;
/** However large the folder is, all of it is looked at this often. */
const longestFullMs = 15 * 60_000;
const longestQuickMs = 60_000;

/**
 * While a full pass is cheap each pass is a full one. What counts is the time of the processor and not the time it
 * took: a share that answers slowly costs little. Other work in the process during the pass makes it look dearer than
 * it was, never cheaper; so it counts at most the time that the pass took.
 */
export function createPace(clock: Clock, intervalMs: number, cpuMs: () => number = processMs): Pace {
  let fullMs = Number.NEGATIVE_INFINITY;
  let quickMs = Number.NEGATIVE_INFINITY;
  let beganMs = 0;
  let beganCpuMs = 0;
  return {
    due() {
      const nowMs = clock.monotonic();
      return nowMs >= fullMs ? 'full' : nowMs >= quickMs ? 'quick' : undefined;
    },
    nextMs: () => Math.min(fullMs, quickMs),
    begin() {
      beganMs = clock.monotonic();
      beganCpuMs = cpuMs();
    },
    end(kind) {
      const nowMs = clock.monotonic();
      const cost = Math.min(cpuMs() - beganCpuMs, nowMs - beganMs);
      if (kind === 'full') fullMs = nowMs + Math.max(intervalMs, Math.min(longestFullMs, cost * fullShare));
      quickMs = nowMs + Math.max(intervalMs, kind === 'quick' ? Math.min(longestQuickMs, cost * quickShare) : 0);
    },
  };
}

function processMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
