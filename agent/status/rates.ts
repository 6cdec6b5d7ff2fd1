/** Counts of the last five minutes, in buckets of ten seconds: constant memory whatever the traffic. */
export interface RateMeter {
  /** `count` things happened at `nowMs`. */
  add(count: number, nowMs: number): void;
  /** Per minute over the last five minutes (or since the first `add`, at least one minute); undefined before it. */
  perMinute(nowMs: number): number | undefined;
  lastMs(): number | undefined;
}

const bucketMs = 10_000;
const buckets = 30;

/** A meter for one edge of the status page. Give it one clock, the wall clock of the model. */
export function createRateMeter(): RateMeter {
  const counts = new Array<number>(buckets).fill(0);
  const stamps = new Array<number>(buckets).fill(-1);
  let firstMs: number | undefined;
  let lastMs: number | undefined;
  return {
    add(count, nowMs) {
      const stamp = Math.floor(nowMs / bucketMs);
      const at = stamp % buckets;
      if (stamps[at] !== stamp) {
        stamps[at] = stamp;
        counts[at] = 0;
      }
      counts[at] = (counts[at] ?? 0) + count;
      firstMs ??= nowMs;
      lastMs = nowMs;
    },
    perMinute(nowMs) {
      if (firstMs === undefined) return undefined;
      const newest = Math.floor(nowMs / bucketMs);
      let total = 0;
      for (let at = 0; at < buckets; at++) {
        const stamp = stamps[at] ?? -1;
        if (stamp > newest - buckets && stamp <= newest) total += counts[at] ?? 0;
      }
      const spanMs = Math.min(buckets * bucketMs, Math.max(60_000, nowMs - firstMs));
      return (total * 60_000) / spanMs;
    },
    lastMs: () => lastMs,
  };
}
