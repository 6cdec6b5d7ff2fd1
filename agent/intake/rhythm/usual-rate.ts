/** Hours of the week. */
export const CELLS = 168;
/** Weeks remembered of each of them. */
export const WEEKS = 8;
/** Weeks after which an hour of the week is known by itself. */
const ENOUGH = 3;

/**
 * What was seen in one hour of the week, newest last: in how many of its minutes something came, as a character from
 * `0` (none) to `l` (60). Minutes, not messages: a batch of a thousand says no more about silence than one message.
 */
export type Cell = string;

const ZERO = 48;

export const withHour = (cell: Cell, minutes: number): Cell =>
  (cell + String.fromCharCode(ZERO + Math.min(60, minutes))).slice(-WEEKS);

/** The mean without the highest quarter: an hour of one busy week is nothing to be expected in the next. */
function usualOf(seen: Cell): number {
  const sorted = Buffer.from(seen, 'latin1').sort();
  const kept = seen.length < 2 ? sorted : sorted.subarray(0, -Math.ceil(seen.length / 4));
  return kept.reduce((sum, code) => sum + code - ZERO, 0) / Math.max(1, kept.length);
}

/**
 * Minutes of an hour of the week in which something usually comes; 0 where that is none or not known.
 * An hour seen once or twice is believed as far as the same hour of the other weekdays agrees, one never seen (a machine that
 * is restarted every Monday at five) as far as both of its neighbours do; the lower of them counts. On a public holiday
 * any weekday may be the model, so again the lowest.
 */
export function usualMinutes(cells: Cell[], cell: number, holiday: boolean): number {
  const hour = cell % 24;
  if (holiday) return Math.min(...weekdays.map((day) => usualMinutes(cells, day * 24 + hour, false)));
  const own = cells[cell] ?? '';
  if (own.length >= ENOUGH) return usualOf(own);
  if (own.length > 0) {
    const others = weekdays.map((day) => cells[day * 24 + hour] ?? '').join('');
    return others.length < ENOUGH ? 0 : Math.min(usualOf(own), usualOf(others));
  }
  const beside = [cells[(cell + CELLS - 1) % CELLS] ?? '', cells[(cell + 1) % CELLS] ?? ''];
  return beside.every((seen) => seen.length >= ENOUGH) ? Math.min(...beside.map(usualOf)) : 0;
}
const weekdays = [0, 1, 2, 3, 4, 5, 6];

/** Whether anything is to be expected in the week at all. */
export const expectsAnything = (cells: Cell[]): boolean =>
  cells.some((_, cell) => usualMinutes(cells, cell, false) > 0);
