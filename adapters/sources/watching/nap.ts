/** A sleep that can be cut short. */
export interface Nap {
  /** Resolves after the time, at most `longestMs`, or at a call of `wake`; at once when that came since the last one. */
  sleep(ms: number): Promise<void>;
  wake(): void;
}

export function createNap(longestMs: number): Nap {
  let end: (() => void) | undefined;
  let woken = false;
  return {
    wake() {
      woken = true;
      end?.();
    },
    sleep(ms) {
      return new Promise((resolve) => {
        const timer = setTimeout(done, woken ? 0 : Math.max(1, Math.min(ms, longestMs)));
        function done() {
          clearTimeout(timer);
          woken = false;
          end = undefined;
          resolve();
        }
        end = done;
      });
    },
  };
}
