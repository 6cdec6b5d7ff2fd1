import { writeFileSync } from 'node:fs';

/** The most resident memory counts from now on (proc(5), clear_refs); where that is not allowed, from the start. */
export function resetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // Not Linux, or not ours.
  }
}
