/** The waits of one loop: some end early when woken, all end when released. */
export interface Pacer {
  /** Until `ms` have passed or wake() is called; a wake since the last sleep counts. */
  sleep(ms: number): Promise<void>;
  /** Until `ms` have passed or release() is called. */
  pause(ms: number): Promise<void>;
  wake(): void;
  /** Ends all waits, now and later. */
  release(): void;
  /** Until the promise settles, at most `ms`. Never rejects. */
  atMost(work: Promise<unknown>, ms: number): Promise<void>;
}

/** Timers of Node wrap at 2^31 ms; nothing here needs more than this. */
const longestMs = 3_600_000;

export function startPacer(): Pacer {
  let woken = false;
  let released = false;
  let endSleep: (() => void) | undefined;
  const pauses = new Set<() => void>();

  return {
    sleep(ms) {
      if (woken || released) {
        woken = false;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        const end = (): void => {
          clearTimeout(timer);
          endSleep = undefined;
          woken = false;
          resolve();
        };
        const timer = setTimeout(end, Math.min(ms, longestMs));
        endSleep = end;
      });
    },
    pause(ms) {
      if (released) return Promise.resolve();
      return new Promise((resolve) => {
        const end = (): void => {
          clearTimeout(timer);
          pauses.delete(end);
          resolve();
        };
        const timer = setTimeout(end, Math.min(ms, longestMs));
        pauses.add(end);
      });
    },
    wake() {
      woken = true;
      endSleep?.();
    },
    release() {
      released = true;
      endSleep?.();
      for (const end of [...pauses]) end();
    },
    async atMost(work, ms) {
      let timer: NodeJS.Timeout | undefined;
      const limit = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, ms);
      });
      await Promise.race([
        work.then(
          () => {},
          () => {},
        ),
        limit,
      ]);
      clearTimeout(timer);
    },
  };
}
