import type { LoadedSource } from '../../config/load.ts';
import type { RunningImages } from '../images/running.ts';
import type { Registry } from '../registry.ts';
import type { Accepted, Incoming } from '../store/contract.ts';
import type { Clock } from '../support/clock.ts';
import { codeOf, type ErrorCode, QianzhiError } from '../support/errors.ts';
import type { Log } from '../support/log.ts';
import type { RunningSource, SourceStatus } from './source.ts';

/** Undefined where there is nothing of images: nothing of theirs is made or loaded then. A code: they cannot be started. */
export type Images = RunningImages | ErrorCode | undefined;

/** What all sources are given. */
export interface SourceParts {
  /** Takes a message of the source it names. */
  accept(message: Incoming): Promise<Accepted>;
  pendingBytes(): number;
  images: Images;
  dataFolder: string;
  archiveKey(): Uint8Array;
  clock: Clock;
  log: Log;
  changed(): void;
}

/** Between attempts to start a source that could not; doubled each time up to the longest. */
const RETRY_MS = { first: 2_000, longest: 60_000 };

/**
 * A listener that cannot start is shown as failed, does not stop the others (invariant 11), and is tried again: a port that is
 * taken now, a share that is not mounted yet, are there a minute later.
 * @param profiles source profiles as their check made them, by name of source and of sender.
 * @throws QianzhiError CFG-… where the configuration is to blame: then nothing may start.
 */
export async function startSource(
  { name, kind, senders, settings }: LoadedSource,
  profiles: ReadonlyMap<string, unknown>,
  registry: Registry,
  { accept, pendingBytes, images, dataFolder, archiveKey, clock, log, changed }: SourceParts,
): Promise<RunningSource> {
  const adapter = registry.sources.find((a) => a.kind === kind);
  const imageAdapter = registry.imageSources.find((a) => a.kind === kind);
  const continued = new Map(senders.map((sender) => [sender.name, sender.continues]));
  const context = {
    name,
    profile: profiles.get(name),
    clock,
    log,
    senders: senders.map((sender) => ({ name: sender.name, profile: profiles.get(sender.name) })),
    accept(message: Omit<Incoming, 'source'>, sender = name) {
      const continues = continued.get(sender);
      return accept({ ...message, source: sender, ...(continues !== undefined && { continues }) });
    },
    pendingBytes,
    changed,
  };
  const start = async (): Promise<RunningSource> => {
    if (adapter) return await adapter.start({ ...context, dataFolder, archiveKey }, settings);
    if (!imageAdapter || !images) throw new QianzhiError('CFG-5003', `sources.${name}.kind`);
    if (typeof images === 'string') throw new QianzhiError(images);
    return await imageAdapter.start({ ...context, instances: images.intakeOf(name), dataFolder }, settings);
  };
  try {
    return await start();
  } catch (error) {
    const code = codeOf(error, 'SYS-6004');
    if (code.startsWith('CFG-')) throw error;
    log.error('source-failed', { source: name, code });
    const failed: SourceStatus = {
      name,
      kind,
      state: 'failed',
      problem: { code, sinceMs: clock.now() },
      senders: [],
      refusedConnections: 0,
    };
    return startLater(start, failed, { log, changed });
  }
}

/** Stands for a source that could not start until it can. */
function startLater(
  start: () => Promise<RunningSource>,
  failed: SourceStatus,
  { log, changed }: Pick<SourceParts, 'log' | 'changed'>,
): RunningSource {
  let status = failed;
  let running: RunningSource | undefined;
  let stopped = false;
  let starting: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout;
  const attempt = async (waitedMs: number): Promise<void> => {
    try {
      running = await start();
      log.info('source-started', { source: failed.name });
    } catch (error) {
      const code = codeOf(error, 'SYS-6004');
      if (status.problem && code !== status.problem.code) {
        log.error('source-failed', { source: failed.name, code });
        status = { ...failed, problem: { ...status.problem, code } };
      }
      if (!stopped) schedule(Math.min(waitedMs * 2, RETRY_MS.longest));
    }
    changed();
  };
  const schedule = (ms: number): void => {
    timer = setTimeout(() => {
      starting = attempt(ms);
    }, ms);
    timer.unref();
  };
  schedule(RETRY_MS.first);
  return {
    status: () => running?.status() ?? status,
    async stop(graceMs) {
      stopped = true;
      clearTimeout(timer);
      await starting;
      await running?.stop(graceMs);
    },
  };
}
