import type { Clock } from '../../../agent/support/clock.ts';
import type { ErrorCode } from '../../../agent/support/errors.ts';
import type { IgnoredReason, TakenOutcome } from './taking.ts';

/** What a watched folder tells of itself. Counts only: names of files are patient data. */
export interface FolderFigures {
  takenToday: number;
  /** Of those, files of which nothing was new. */
  duplicatesToday: number;
  conflictsToday: number;
  lastFileMs?: number;
  /** Files that were seen and are not decided yet. */
  waiting: number;
  /** What lies in the folder now and is passed over. */
  ignored: Partial<Record<IgnoredReason, number>>;
  /** What lies in the folder now and cannot be taken, by code. */
  held: Partial<Record<ErrorCode, number>>;
}

type Counts = Map<string, number>;
const add = (counts: Counts, what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);

export interface Tally {
  taken(outcome: TakenOutcome): void;
  /** A full pass counts anew what lies in the folder; what it counted is shown when it ends. */
  beginPass(): void;
  endPass(): void;
  /** During a full pass, of what it comes upon. */
  cameUpon(sort: 'ignored', reason: IgnoredReason): void;
  cameUpon(sort: 'held', code: ErrorCode): void;
  /** Between: a file was decided. A pass that runs then may miss it; the next one counts it. */
  decided(sort: 'ignored', reason: IgnoredReason): void;
  decided(sort: 'held', code: ErrorCode): void;
  figures(): Omit<FolderFigures, 'waiting'>;
}

export function createTally(clock: Clock): Tally {
  let shown = { ignored: new Map() as Counts, held: new Map() as Counts };
  let counting = { ignored: new Map() as Counts, held: new Map() as Counts };
  let day = '';
  let today = { stored: 0, duplicate: 0, conflict: 0 };
  let lastFileMs: number | undefined;
  const turn = () => {
    const now = new Date(clock.now()).toDateString();
    if (now === day) return;
    day = now;
    today = { stored: 0, duplicate: 0, conflict: 0 };
  };
  return {
    taken(outcome) {
      turn();
      today[outcome] += 1;
      lastFileMs = clock.now();
    },
    beginPass() {
      counting = { ignored: new Map(), held: new Map() };
    },
    endPass() {
      shown = counting;
    },
    cameUpon: (sort: 'ignored' | 'held', what: string) => void add(counting[sort], what),
    decided: (sort: 'ignored' | 'held', what: string) => void add(shown[sort], what),
    figures() {
      turn();
      return {
        takenToday: today.stored + today.duplicate + today.conflict,
        duplicatesToday: today.duplicate,
        conflictsToday: today.conflict,
        ...(lastFileMs === undefined ? {} : { lastFileMs }),
        ignored: Object.fromEntries(shown.ignored),
        held: Object.fromEntries(shown.held),
      };
    },
  };
}
