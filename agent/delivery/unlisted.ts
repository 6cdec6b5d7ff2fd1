/** How often in a row the platform answered without a word about an instance. In memory: a restart begins anew. */
export interface Unlisted {
  /** True when it happened so often that a person has to look. */
  again(n: number): boolean;
  cleared(n: number): void;
}
const UNLISTED_BELIEVED = 8;
const MOST_REMEMBERED = 10_000;

export function createUnlisted(): Unlisted {
  const times = new Map<number, number>();
  return {
    again(n) {
      if (times.size > MOST_REMEMBERED) times.clear();
      const now = (times.get(n) ?? 0) + 1;
      times.set(n, now);
      return now >= UNLISTED_BELIEVED;
    },
    cleared: (n) => void times.delete(n),
  };
}
