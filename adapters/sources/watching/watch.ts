import type { SourceContext, SourceStatus } from '../../../agent/intake/source.ts';
import { type ErrorCode, errnoOf } from '../../../agent/support/errors.ts';
import type { Folder } from './folder.ts';
import { createHint } from './hint.ts';
import { createNap } from './nap.ts';
import { createPace } from './pace.ts';
import type { FolderCodes } from './taking.ts';

export interface WatchOptions extends Pick<SourceContext, 'name' | 'clock' | 'log' | 'changed'> {
  /** Kind of the source, for the log. */
  kind: string;
  /** Absolute. */
  root: string;
  /** A folder whose changes are nobody's business; absolute. */
  archive?: string | undefined;
  scanIntervalMs: number;
  /** Whether the system's notices make scans happen sooner. */
  hints: boolean;
  lost: FolderCodes['lost'];
  folder: Folder;
}

export interface Watching {
  state(): Pick<SourceStatus, 'state' | 'problem'>;
  /** Wall clock of the end of the last full pass. */
  passedMs(): number;
  /** The status changed. */
  note(): void;
  /** Ends the loops; files in work are finished, for so long. */
  stop(graceMs: number): Promise<void>;
}

/** Changes of the status are told at most so often. */
const tellMs = 250;
/** Notices come in crowds; one pass serves all of them. */
const hintMs = 500;
const longestSleepMs = 1000;
/** A share that is gone may leave a request without an answer for ever. */
const silentMs = 60_000;

/** The loops of a watched folder: passes over it when they are due, and work on what they found, until `stop`. */
export function watchFolder(options: WatchOptions): Watching {
  const { name, kind, clock, log, folder, root } = options;
  let state: SourceStatus['state'] = 'starting';
  let problem: SourceStatus['problem'];
  let passedOnce = false;
  let passedMs = clock.now();
  /** The system's error while the folder cannot be read. */
  let lost: string | undefined;
  let stopping = false;
  let unreported = true;
  let hinted = false;
  const beforeScan = createNap(longestSleepMs);
  const beforeWork = createNap(longestSleepMs);
  const pace = createPace(clock, options.scanIntervalMs);
  const notice = () => {
    hinted = true;
    beforeScan.wake();
  };
  const hint = options.hints ? createHint(root, options.archive, clock, notice) : undefined;

  const judge = () => {
    const silent = folder.silentMs() > silentMs;
    const isLost = silent || lost !== undefined;
    const code: ErrorCode | undefined = isLost ? options.lost : folder.trouble();
    const now = isLost ? 'failed' : 'listening';
    if (stopping || !(passedOnce || silent) || (state === now && problem?.code === code)) return;
    state = now;
    unreported = true;
    problem = code === undefined ? undefined : { code, sinceMs: clock.now() };
    if (code === undefined) log.info(`${kind} watches`, { source: name });
    else log.error(`${kind} in trouble`, { source: name, code, ...(isLost ? { errno: lost ?? 'ETIMEDOUT' } : {}) });
  };

  const pass = async (which: 'full' | 'quick') => {
    hinted = false;
    pace.begin();
    const result = await folder[which]();
    pace.end(which);
    lost = result.lost;
    if (which === 'full') {
      passedOnce = true;
      passedMs = clock.now();
      // A watcher on a folder that is gone would not come back with it.
      if (lost === undefined) hint?.passed(result.files + result.folders);
      else hint?.failed();
    }
    unreported = true;
  };
  const scanning = async () => {
    let lastMs = Number.NEGATIVE_INFINITY;
    while (!stopping) {
      const mayHint = hinted && clock.monotonic() - lastMs >= hintMs;
      const which = folder.wantsPass() ? 'full' : (pace.due() ?? (mayHint ? 'quick' : undefined));
      if (which !== undefined) {
        await pass(which);
        lastMs = clock.monotonic();
        judge();
        beforeWork.wake();
      }
      const untilMs = pace.nextMs() - clock.monotonic();
      await beforeScan.sleep(hinted ? Math.min(untilMs, hintMs) : untilMs);
    }
  };
  const working = async () => {
    while (!stopping) {
      await folder.work();
      judge();
      await beforeWork.sleep(folder.nextWorkMs() ?? longestSleepMs);
    }
  };
  /** A fault of ours in one round is not the end of all rounds. */
  const always = async (loop: () => Promise<void>) => {
    while (!stopping) {
      await loop().catch((error) => log.error(`${kind} round failed`, { source: name, errno: errnoOf(error) ?? '' }));
      if (!stopping) await new Promise((resolve) => setTimeout(resolve, longestSleepMs));
    }
  };
  const loops = [always(scanning), always(working)];
  const ticker = setInterval(() => {
    judge();
    if (!unreported) return;
    unreported = false;
    options.changed();
  }, tellMs);

  const stop = async (graceMs: number) => {
    stopping = true;
    folder.stop();
    beforeScan.wake();
    beforeWork.wake();
    let grace: NodeJS.Timeout | undefined;
    const cut = new Promise<void>((resolve) => {
      grace = setTimeout(resolve, graceMs);
    });
    await Promise.race([Promise.all(loops), cut]);
    clearTimeout(grace);
    clearInterval(ticker);
    await hint?.close();
    await folder.remember();
    state = 'stopped';
    log.info(`${kind} stopped`, { source: name });
    options.changed();
  };
  let stopped: Promise<void> | undefined;

  return {
    state: () => ({ state, ...(problem === undefined ? {} : { problem }) }),
    passedMs: () => passedMs,
    note() {
      unreported = true;
    },
    stop(graceMs) {
      stopped ??= stop(graceMs);
      return stopped;
    },
  };
}
