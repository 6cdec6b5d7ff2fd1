/** A function that gives the site's local day of a time as yyyymmdd, for example 20261122. */
export function localDays(timeZone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  // Zones change at quarter hours at the finest, so one answer serves a quarter of an hour.
  const QUARTER = 900_000;
  let quarter = Number.NaN;
  let day = 0;
  return (ms) => {
    const q = Math.floor(ms / QUARTER);
    if (q !== quarter) {
      quarter = q;
      day = Number(format.format(ms).replaceAll('-', ''));
    }
    return day;
  };
}
