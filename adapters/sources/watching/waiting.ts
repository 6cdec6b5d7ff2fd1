import type { Clock } from '../../../agent/support/clock.ts';
import type { ErrorCode } from '../../../agent/support/errors.ts';
import { anyIno, type Identity, mtimeMs, sameButIno, sameIdentity } from './identity.ts';
import type { BytePath } from './paths.ts';

/** A file that was seen and is not yet taken, ignored or held. */
export interface WaitingFile {
  path: BytePath;
  identity: Identity;
  /** Monotonic milliseconds of the first look that saw this identity. */
  sinceMs: number;
  /** Monotonic milliseconds of the next look. */
  dueMs: number;
  /** Looks that ended without success, for the pauses between them. */
  tries: number;
  /** How often in a row nothing but its inode number changed. */
  inoChanges: number;
  /** Why it is not taken though it is still; undefined while it is new. */
  code?: ErrorCode;
  /** Somebody works on it. */
  busy: boolean;
  /** Part of it was taken before: in order it comes before those that are new. */
  begun: boolean;
  /** It may be stored although nothing tells of it: in order it comes before all others, by this place. See turns.ts. */
  owed?: number;
  /** It was looked at since it was seen. */
  looked: boolean;
}

const longestPauseMs = 60_000;
const firstPauseMs = 1000;
const mostInoChanges = 5;

export interface Waiting {
  has(path: BytePath): boolean;
  get(path: BytePath): WaitingFile | undefined;
  /** Remembers a file seen for the first time; false when there is no room. For one that is owed there always is. */
  add(path: BytePath, identity: Identity, begun?: boolean, owed?: number): boolean;
  /** At most `most` files whose next look is due, as they were seen; with `inOrder` as they were written, then by name. */
  due(most: number): WaitingFile[];
  /** Whether a file has been still for long enough by every clock. */
  stillLongEnough(file: WaitingFile): boolean;
  /** Milliseconds until it has been; 0 when it has. */
  stillInMs(file: WaitingFile): number;
  /** The file has other content now: it starts over. */
  changed(file: WaitingFile, identity: Identity): void;
  /** Not yet: the next look comes after a pause that grows, or after `everyMs`. False when there is no room for more of these; it is forgotten then. */
  later(file: WaitingFile, code: ErrorCode, everyMs?: number): boolean;
  /** Those that are owed, in their order. */
  owed(): WaitingFile[];
  /** The file is as good as it was, but it cannot be taken now. */
  postpone(file: WaitingFile, ms: number): void;
  forget(file: WaitingFile): void;
  /** Monotonic milliseconds of the next look; undefined when nothing waits. */
  nextMs(): number | undefined;
  count(): { fresh: number; stuck: number };
  codes(): ReadonlyMap<ErrorCode, number>;
}

const byTurn = (a: WaitingFile, b: WaitingFile): number => {
  if (a.owed !== b.owed) return (a.owed ?? Number.POSITIVE_INFINITY) - (b.owed ?? Number.POSITIVE_INFINITY);
  if (a.begun !== b.begun) return a.begun ? -1 : 1;
  const between = a.identity.mtimeNs - b.identity.mtimeNs;
  if (between !== 0n) return between < 0n ? -1 : 1;
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
};

/**
 * Files between being seen and being taken. A file is due `minAgeMs` after it was seen as it is now, by the monotonic
 * clock: whatever the wall clock does, nothing is taken earlier. By the wall clock its modification must be as old as
 * that too, because a share may show a new file late; but only for so long, or a clock set back would keep it for ever.
 */
export function createWaiting(
  clock: Clock,
  minAgeMs: number,
  limits: { mostNew: number; mostStuck: number; inOrder?: boolean },
): Waiting {
  const files = new Map<BytePath, WaitingFile>();
  const codes = new Map<ErrorCode, number>();
  let stuck = 0;

  const stillInMs = (file: WaitingFile): number => {
    const stillMs = clock.monotonic() - file.sinceMs;
    const oldMs = clock.now() - mtimeMs(file.identity);
    return Math.max(minAgeMs - stillMs, Math.min(minAgeMs - oldMs, 5 * minAgeMs - stillMs));
  };
  /**
   * Oldest first. Where an older one was only seen a moment later the younger wait for it, no longer than their age once more; for
   * one that is owed until it was looked at.
   */
  const inTurn = (found: WaitingFile[], nowMs: number): WaitingFile[] => {
    let older: WaitingFile | undefined;
    for (const file of files.values()) {
      const isNew = file.tries === 0 && file.code === undefined && !file.busy && file.dueMs > nowMs;
      if (isNew && (older === undefined || byTurn(file, older) < 0)) older = file;
    }
    return found.sort(byTurn).filter((file) => {
      if (older === undefined || byTurn(older, file) > 0) return true;
      const isOwed = older.owed !== undefined && !older.looked;
      const untilMs = isOwed ? older.dueMs : file.sinceMs + 2 * minAgeMs;
      if (nowMs >= untilMs) return true;
      file.dueMs = Math.min(older.dueMs, untilMs);
      return false;
    });
  };
  const clear = (file: WaitingFile) => {
    if (file.code === undefined) return;
    const left = (codes.get(file.code) ?? 1) - 1;
    if (left > 0) codes.set(file.code, left);
    else codes.delete(file.code);
    delete file.code;
    stuck -= 1;
  };
  const forget = (file: WaitingFile) => {
    if (files.get(file.path) !== file) return;
    clear(file);
    files.delete(file.path);
  };

  return {
    has: (path) => files.has(path),
    get: (path) => files.get(path),
    add(path, identity, begun = false, owed) {
      if (files.has(path)) return true;
      if (owed === undefined && files.size - stuck >= limits.mostNew) return false;
      const sinceMs = clock.monotonic();
      files.set(path, {
        path,
        identity,
        sinceMs,
        dueMs: sinceMs + minAgeMs,
        tries: 0,
        inoChanges: 0,
        busy: false,
        begun,
        looked: false,
        ...(owed === undefined ? {} : { owed }),
      });
      return true;
    },
    due(most) {
      const nowMs = clock.monotonic();
      const found: WaitingFile[] = [];
      for (const file of files.values()) {
        if (file.busy || file.dueMs > nowMs) continue;
        found.push(file);
        if (found.length >= most && !limits.inOrder) break;
      }
      return limits.inOrder ? inTurn(found, nowMs).slice(0, most) : found;
    },
    stillLongEnough: (file) => stillInMs(file) <= 0,
    stillInMs: (file) => Math.max(0, stillInMs(file)),
    changed(file, identity) {
      if (sameIdentity(file.identity, identity)) return;
      clear(file);
      file.inoChanges = sameButIno(file.identity, identity) ? file.inoChanges + 1 : 0;
      file.identity = file.inoChanges < mostInoChanges ? identity : { ...identity, ino: anyIno };
      file.sinceMs = clock.monotonic();
      file.dueMs = file.sinceMs + minAgeMs;
      file.tries = 0;
    },
    later(file, code, everyMs) {
      if (file.code !== code) {
        clear(file);
        if (stuck >= limits.mostStuck) {
          forget(file);
          return false;
        }
        file.code = code;
        stuck += 1;
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }
      file.tries += 1;
      const pauseMs = everyMs ?? Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(file.tries, 10));
      file.dueMs = clock.monotonic() + Math.max(minAgeMs, pauseMs);
      return true;
    },
    owed: () => [...files.values()].filter((file) => file.owed !== undefined).sort(byTurn),
    postpone(file, ms) {
      file.dueMs = clock.monotonic() + ms;
    },
    forget,
    nextMs() {
      let next: number | undefined;
      for (const file of files.values()) if (!file.busy && (next === undefined || file.dueMs < next)) next = file.dueMs;
      return next;
    },
    count: () => ({ fresh: files.size - stuck, stuck }),
    codes: () => codes,
  };
}
