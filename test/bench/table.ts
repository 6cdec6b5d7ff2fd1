/** Cells as text, numbers right-aligned, the first column left-aligned; a row of one cell is a heading. */
export function formatTable(rows: string[][]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, at) =>
    Math.max(...rows.map((row) => (row.length === 1 ? 0 : (row[at] ?? '').length))),
  );
  return rows
    .map((row) =>
      row
        .map((cell, at) => (at === 0 ? cell.padEnd(row.length === 1 ? 0 : widths[0]!) : cell.padStart(widths[at]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Three significant digits, no exponent; a dash where nothing was measured. */
export function show(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

/** Of an even number of values the mean of the middle two; NaN of none. */
export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[(sorted.length >> 1) - 1] ?? Number.NaN) + upper) / 2;
}

/** All values when every one is there, and there are any; else undefined. */
export function allOrNone(values: Array<number | undefined>): number[] | undefined {
  const found = values.filter((value) => value !== undefined);
  return found.length > 0 && found.length === values.length ? found : undefined;
}
