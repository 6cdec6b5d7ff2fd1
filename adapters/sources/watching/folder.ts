import type { Clock } from '../../../agent/support/clock.ts';
import type { ErrorCode } from '../../../agent/support/errors.ts';
import { taken } from './decisions.ts';
import { type Identity, sameIdentity } from './identity.ts';
import { type BytePath, unsetAside } from './paths.ts';
import { createScan, type PassResult } from './scan.ts';
import type { Seen } from './seen.ts';
import type { FileKind, Taking } from './taking.ts';
import { createTally, type FolderFigures } from './tally.ts';
import { createWaiting, type WaitingFile } from './waiting.ts';

export interface FolderOptions {
  /** Absolute. */
  root: string;
  files: FileKind;
  /** Folders below the root that are not looked into. */
  excluded?: readonly BytePath[];
  minAgeMs: number;
  giveUpMs: number;
  concurrency: number;
  /** New files that are remembered at a time; the others are found again by the next pass. */
  mostWaiting?: number;
  seen: Seen;
  clock: Clock;
  /** A file was decided or a trouble came or went. */
  changed(): void;
}

export interface Folder {
  full(): Promise<PassResult>;
  quick(): Promise<PassResult>;
  /** True when there is room for files that a pass has found and could not remember: the next pass is due at once. */
  wantsPass(): boolean;
  /** Works on the files that are due, until none is; gives how many were looked at. */
  work(): Promise<number>;
  /** Milliseconds until `work` has something to do; undefined when nothing waits. */
  nextWorkMs(): number | undefined;
  figures(): FolderFigures;
  /** How long the file system has not answered a pass that is under way; 0 when none is. */
  silentMs(): number;
  /** Why nothing, or not all, can be taken at this time. */
  trouble(): ErrorCode | undefined;
  /** Files in work are finished, nothing new is begun. */
  stop(): void;
  /** Writes down what was decided. */
  remember(): Promise<void>;
}

/** The most that one read asks of a file, and the memory of each file that is being read. */
export const pieceBytes = 256 * 1024;
/** Files of each sort, new and stuck, that are remembered: there may be more in the folder than in memory (invariant 12). */
const mostWaiting = 20_000;
/** Files of one round: small, so that a stop or a trouble is soon noticed. */
const roundSize = 256;
/** Stored files that are still to be moved; the next full pass brings those beyond. */
const mostToPutAway = 10_000;
const mostFailures = 20;
const firstRefusalMs = 1000;
const longestRefusalMs = 30_000;
const longestFilePauseMs = 600_000;
/** So often a file that is refused stays the first, where order counts. */
const triesInPlace = 5;
const noRoomPauseMs = 30_000;
/** What may not be fixed by the time of the next full pass is tried again with that pass. */
const recheckMs = 250;

/** One watched folder: what the scan finds waits, is taken when it is ready, and is put away. Every file by itself. */
export function createFolder(options: FolderOptions): Folder {
  const { root, files, clock, seen } = options;
  const { codes, decisions } = files;
  const inOrder = files.inOrder === true;
  const mostNew = options.mostWaiting ?? mostWaiting;
  const waiting = createWaiting(clock, options.minAgeMs, { mostNew, mostStuck: mostWaiting, inOrder });
  const tally = createTally(clock);
  const excluded = new Set(options.excluded ?? []);
  const pieces = Array.from({ length: options.concurrency }, () => new Uint8Array(pieceBytes));
  const toPutAway = new Map<BytePath, Identity>();
  let fullPass = false;
  let stopped = false;
  /** The code with which the intake last refused, and when to try again. */
  let refusal: ErrorCode | undefined;
  let refusedUntilMs = 0;
  let refusalMs = firstRefusalMs;
  let noRoom = false;
  /** More new files were found than are remembered. */
  let overflowed = false;

  /** A file that was set aside on its way out is the one it was. */
  const keyOf = (path: BytePath, identity: Identity) => seen.keyOf(unsetAside(path), identity);
  const heldKeyOf = (path: BytePath, identity: Identity) =>
    files.rules === undefined ? keyOf(path, identity) : seen.keyOf(`${unsetAside(path)}\n${files.rules}`, identity);

  const scan = createScan({
    root,
    clock,
    excluded: (path) => excluded.has(path),
    stopped: () => stopped,
    finder: {
      passedOver: (path) => files.ignoredName?.(path),
      wants: (path) => !waiting.has(path),
      found(path, identity) {
        const meaning =
          decisions.meaningOf(seen.get(keyOf(path, identity))) ??
          (files.rules === undefined ? undefined : decisions.meaningOf(seen.get(heldKeyOf(path, identity))));
        if (meaning === undefined) {
          const added = waiting.add(path, identity, files.begun?.(path, identity), files.turns?.of(path));
          overflowed ||= !added;
          return added;
        }
        if (meaning.kind === 'taken') {
          if (files.putAway !== undefined && fullPass && toPutAway.size < mostToPutAway) toPutAway.set(path, identity);
        } else if (fullPass && meaning.kind === 'ignored') tally.cameUpon('ignored', meaning.reason);
        else if (fullPass && meaning.kind === 'held') tally.cameUpon('held', meaning.code);
        return true;
      },
      ignored(reason) {
        if (fullPass) tally.cameUpon('ignored', reason);
      },
      unreadable() {
        if (fullPass) tally.cameUpon('held', codes.unreadable);
      },
    },
  });

  const hold = (file: WaitingFile, code: ErrorCode) => {
    seen.set(heldKeyOf(file.path, file.identity), decisions.held(code));
    tally.decided('held', code);
    waiting.forget(file);
  };

  const refused = (file: WaitingFile, code: ErrorCode) => {
    const nowMs = clock.monotonic();
    refusal = code;
    refusedUntilMs = nowMs + refusalMs;
    refusalMs = Math.min(longestRefusalMs, refusalMs * 2);
    // The file itself waits longer each time: if it is the cause, it stands in nobody's way.
    file.tries += 1;
    const pauseMs = Math.min(longestFilePauseMs, firstRefusalMs * 2 ** Math.min(file.tries, 10));
    waiting.postpone(file, inOrder && file.tries <= triesInPlace ? 0 : pauseMs);
  };

  const putAwayNow = async (path: BytePath, identity: Identity): Promise<boolean> => {
    if (files.putAway === undefined) return true;
    toPutAway.delete(path);
    try {
      const outcome = await files.putAway(path, identity);
      if (outcome !== 'gone') seen.forget(keyOf(path, identity));
      return true;
    } catch {
      // It stays taken. The next full pass finds it and it is tried again.
      tally.decided('held', codes.notPutAway);
      return false;
    }
  };

  /** Those that could not be moved before. Where many fail one after the other, the rest would too. */
  const putAwayOld = async (): Promise<void> => {
    let failures = 0;
    for (const [path, identity] of [...toPutAway]) {
      if (stopped) return;
      if (failures < mostFailures) failures = (await putAwayNow(path, identity)) ? 0 : failures + 1;
      else tally.decided('held', codes.notPutAway);
    }
    toPutAway.clear();
  };

  const settle = async (file: WaitingFile, taking: Taking): Promise<void> => {
    switch (taking.kind) {
      case 'taken':
        refusal = undefined;
        refusalMs = firstRefusalMs;
        seen.set(keyOf(file.path, file.identity), taken);
        tally.taken(taking.outcome);
        waiting.forget(file);
        if (files.rememberFirst) await seen.flush();
        await putAwayNow(file.path, file.identity);
        return;
      case 'ignored':
        seen.set(keyOf(file.path, file.identity), decisions.ignored(taking.reason));
        tally.decided('ignored', taking.reason);
        return waiting.forget(file);
      case 'held':
        return hold(file, taking.code);
      case 'incomplete':
        if (clock.monotonic() - file.sinceMs >= options.giveUpMs) return hold(file, taking.code);
        // Where too many are cut off already there is no waiting for this one: any change of it is noticed all the same.
        if (!waiting.later(file, taking.code)) hold(file, taking.code);
        return;
      case 'changed':
        if (sameIdentity(file.identity, taking.identity)) waiting.later(file, codes.unfinished);
        else waiting.changed(file, taking.identity);
        return;
      case 'unreadable':
        // Rights may be granted without a trace in the file, so this is never remembered for longer.
        waiting.later(file, taking.code, taking.everyMs);
        return;
      case 'gone':
        return waiting.forget(file);
      case 'refused':
        return refused(file, taking.code);
    }
  };

  /** Asked of all of a round at one moment, or a file would overtake an older one that was not ready when its turn came. */
  const isReady = (file: WaitingFile): boolean => {
    const ms = waiting.stillInMs(file);
    if (ms > 0) waiting.postpone(file, ms);
    return ms <= 0;
  };

  const look = async (file: WaitingFile, piece: Uint8Array): Promise<void> => {
    if (!waiting.stillLongEnough(file)) return waiting.postpone(file, Math.max(recheckMs, options.minAgeMs / 4));
    noRoom = !seen.hasRoom();
    if (noRoom) return waiting.postpone(file, noRoomPauseMs);
    file.busy = true;
    try {
      await settle(file, await files.take(file.path, file.identity, piece));
    } finally {
      file.busy = false;
      file.looked = true;
    }
    options.changed();
  };

  const held = (): FolderFigures['held'] => {
    const sums = new Map(Object.entries(tally.figures().held));
    for (const [code, n] of waiting.codes()) sums.set(code, (sums.get(code) ?? 0) + n);
    return Object.fromEntries(sums);
  };

  return {
    async full() {
      fullPass = true;
      overflowed = false;
      tally.beginPass();
      seen.beginPass();
      try {
        const result = await scan.full();
        if (result.lost === undefined && !stopped) {
          tally.endPass();
          files.turns?.lookedThrough();
        }
        if (result.complete) seen.endPass();
        return result;
      } finally {
        fullPass = false;
      }
    },
    quick: () => scan.quick(),
    wantsPass: () => overflowed && !noRoom && refusal === undefined && waiting.count().fresh < mostNew / 4,
    async work() {
      let looked = 0;
      await putAwayOld();
      while (!stopped && clock.monotonic() >= refusedUntilMs && !files.turns?.awaited()) {
        const due = waiting.due(roundSize);
        if (due.length === 0) break;
        const round = inOrder ? due.filter(isReady) : due;
        // One that is owed and not ready is waited for.
        if (round.length < due.length && waiting.owed().length > 0) continue;
        await files.turns?.next([...waiting.owed(), ...round]);
        const next = round.values();
        // Until the intake takes again, one file asks for all.
        const slots = refusal === undefined ? pieces : pieces.slice(0, 1);
        await Promise.all(
          slots.map(async (piece) => {
            for (const file of next) {
              if (stopped || clock.monotonic() < refusedUntilMs) return;
              looked += 1;
              await look(file, piece);
            }
          }),
        );
        await seen.flush();
        if (seen.writable()) files.remembered?.();
      }
      const told = looked > 0 && refusal === undefined && seen.writable();
      if (told) await files.turns?.next(waiting.owed());
      return looked;
    },
    nextWorkMs() {
      const nextMs = toPutAway.size > 0 ? 0 : files.turns?.awaited() ? undefined : waiting.nextMs();
      return nextMs === undefined ? undefined : Math.max(0, Math.max(nextMs, refusedUntilMs) - clock.monotonic());
    },
    figures: () => ({ ...tally.figures(), held: held(), waiting: waiting.count().fresh }),
    silentMs: () => scan.silentMs(),
    trouble: () => refusal ?? (noRoom ? codes.tooMany : seen.writable() ? undefined : codes.notRemembered),
    stop() {
      stopped = true;
    },
    remember: () => seen.flush(),
  };
}
