/** The value below which `share` of all lie; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** `p50 312 · p95 420 · max 512 ms` of waits in milliseconds. */
export const spread = (values: readonly number[]): string => {
  const rounded = (share: number) => Math.round(quantile(values, share));
  return `p50 ${rounded(0.5)} · p95 ${rounded(0.95)} · max ${rounded(1)} ms (${values.length} measured)`;
};

/** A row of the one table that the runner prints at its end: what was tried, how often, what was lost. For t.comment. */
export const tried = (what: string, howOften: string | number, lost: string | number): string =>
  `tried | ${what} | ${howOften} | ${lost}`;

/** Two columns, one line each, for t.comment. */
export function table(title: string, rows: ReadonlyArray<readonly [name: string, value: string | number]>): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return [title, ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)].join('\n');
}
