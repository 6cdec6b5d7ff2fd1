import { hash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { ImageSourceAdapter, ImageSourceContext } from '../../../agent/intake/instance.ts';
import type { RunningSource, SenderStatus, SourceStatus } from '../../../agent/intake/source.ts';
import { errnoOf, QianzhiError } from '../../../agent/support/errors.ts';
import { type DicomFolderConfig, dicomFolderConfig } from './config.ts';
import { createFolder, type FolderOptions } from './folder.ts';
import { createHint } from './hint.ts';
import { createNap } from './nap.ts';
import { createPace } from './pace.ts';
import { placeIn } from './paths.ts';
import { openSeen } from './seen.ts';
import type { FolderFigures } from './tally.ts';

export interface FolderStatus extends SourceStatus {
  folder: FolderFigures;
}

export interface RunningFolder extends RunningSource {
  status(): FolderStatus;
}

/** Changes of the status are told at most so often. */
const tellMs = 250;
/** Notices come in crowds; one pass serves all of them. */
const hintMs = 500;
const longestSleepMs = 1000;
/** A share that is gone may leave a request without an answer for ever. */
const silentMs = 60_000;
const answerMs = 3000;

/** The folder as its own sender, so that page and alerts show its figures and what is held in it. */
function asSender(figures: FolderFigures, passedMs: number): SenderStatus {
  const [worst] = Object.entries(figures.held).sort(([a], [b]) => rank(b) - rank(a));
  return {
    address: 'folder',
    connections: 0,
    messagesToday: figures.takenToday,
    ...(figures.lastFileMs === undefined ? {} : { lastMessageMs: figures.lastFileMs }),
    ...(worst === undefined ? {} : { problem: { code: worst[0], atMs: passedMs, count: worst[1] } }),
  };
}
/** One code stands for all: first what a person can put right for all files at once. */
const rank = (code: string): number => ['DCM-2204', 'DCM-2262', 'DCM-2263'].indexOf(code);

/**
 * The path with links resolved as far as it exists, so that two names of one folder are seen to be one. A share that
 * does not answer must not keep the agent from starting: then the path as it is written.
 */
async function realPath(path: string): Promise<string> {
  const whole = resolve(path);
  let timer: NodeJS.Timeout | undefined;
  const asWritten = new Promise<string>((done) => {
    timer = setTimeout(done, answerMs, whole);
  });
  try {
    return await Promise.race([resolveLinks(whole), asWritten]);
  } finally {
    clearTimeout(timer);
  }
}

async function resolveLinks(whole: string): Promise<string> {
  try {
    return await realpath(whole);
  } catch {
    return dirname(whole) === whole ? whole : join(await resolveLinks(dirname(whole)), basename(whole));
  }
}

async function afterOf(config: DicomFolderConfig, name: string): Promise<FolderOptions['after']> {
  if (config.after !== 'move') return config.after;
  const where = `sources.${name}.archive`;
  if (config.archive === undefined) throw new QianzhiError('DCM-2264', where);
  const [root, archive] = await Promise.all([realPath(config.folder), realPath(config.archive)]);
  if (placeIn(archive, root) !== undefined) throw new QianzhiError('DCM-2264', where);
  return { archive };
}

/**
 * A watched folder (reference/dicom.md §4). A file is moved or deleted only after `commit` of the intake resolved.
 * Starting rejects with DCM-2264 when the archive is missing or contains the folder, and with nothing else: a folder
 * that is not there makes the source `failed` until it is (DCM-2261).
 */
export const dicomFolder = {
  kind: 'dicom-folder',
  config: dicomFolderConfig,
  async start(context: ImageSourceContext, config: DicomFolderConfig): Promise<RunningFolder> {
    const { clock, log, name } = context;
    const after = await afterOf(config, name);
    const root = await realPath(config.folder);
    // The name of a source or folder may say more than a file name should.
    const memory = hash('sha256', `${name}\n${config.folder}`).slice(0, 24);
    const seen = await openSeen(join(context.dataFolder, 'dicom-folder', `${memory}.seen`));

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

    const folder = createFolder({
      root,
      after,
      minAgeMs: config.min_age_seconds * 1000,
      giveUpMs: config.give_up_minutes * 60_000,
      concurrency: config.concurrency,
      instances: context.instances,
      seen,
      clock,
      changed() {
        unreported = true;
      },
    });
    const pace = createPace(clock, config.scan_interval_seconds * 1000);
    const notice = () => {
      hinted = true;
      beforeScan.wake();
    };
    const hint = config.watch
      ? createHint(root, typeof after === 'object' ? after.archive : undefined, clock, notice)
      : undefined;

    const judge = () => {
      const silent = folder.silentMs() > silentMs;
      const isLost = silent || lost !== undefined;
      const code = isLost ? 'DCM-2261' : folder.trouble();
      const now = isLost ? 'failed' : 'listening';
      if (stopping || !(passedOnce || silent) || (state === now && problem?.code === code)) return;
      state = now;
      unreported = true;
      problem = code === undefined ? undefined : { code, sinceMs: clock.now() };
      if (code === undefined) log.info('dicom-folder watches', { source: name });
      else
        log.error('dicom-folder in trouble', { source: name, code, ...(isLost ? { errno: lost ?? 'ETIMEDOUT' } : {}) });
    };

    const pass = async (kind: 'full' | 'quick') => {
      hinted = false;
      pace.begin();
      const result = await folder[kind]();
      pace.end(kind);
      lost = result.lost;
      if (kind === 'full') {
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
        const kind = folder.wantsPass() ? 'full' : (pace.due() ?? (mayHint ? 'quick' : undefined));
        if (kind !== undefined) {
          await pass(kind);
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
        await loop().catch((error) =>
          log.error('dicom-folder round failed', { source: name, errno: errnoOf(error) ?? '' }),
        );
        if (!stopping) await new Promise((resolve) => setTimeout(resolve, longestSleepMs));
      }
    };
    const loops = [always(scanning), always(working)];
    const ticker = setInterval(() => {
      judge();
      if (!unreported) return;
      unreported = false;
      context.changed();
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
      await seen.flush();
      state = 'stopped';
      log.info('dicom-folder stopped', { source: name });
      context.changed();
    };
    let stopped: Promise<void> | undefined;

    return {
      status() {
        const figures = folder.figures();
        return {
          name,
          kind: 'dicom-folder',
          state,
          ...(problem === undefined ? {} : { problem }),
          senders: [asSender(figures, passedMs)],
          refusedConnections: 0,
          folder: figures,
        };
      },
      stop(graceMs) {
        stopped ??= stop(graceMs);
        return stopped;
      },
    };
  },
} satisfies ImageSourceAdapter<typeof dicomFolderConfig>;
