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
  clock: Clock;
  log: Log;
  changed(): void;
}

/**
 * A listener that cannot start is shown as failed and does not stop the others (invariant 11).
 * @param profile its source profile as the check made it.
 * @throws QianzhiError CFG-… where the configuration is to blame: then nothing may start.
 */
export async function startSource(
  { name, kind, settings }: LoadedSource,
  profile: unknown,
  registry: Registry,
  { accept, pendingBytes, images, dataFolder, clock, log, changed }: SourceParts,
): Promise<RunningSource> {
  const adapter = registry.sources.find((a) => a.kind === kind);
  const imageAdapter = registry.imageSources.find((a) => a.kind === kind);
  const context = {
    name,
    profile,
    clock,
    log,
    accept: (message: Omit<Incoming, 'source'>) => accept({ ...message, source: name }),
    pendingBytes,
    changed,
  };
  try {
    if (adapter) return await adapter.start(context, settings);
    if (!imageAdapter || !images) throw new QianzhiError('CFG-5003', `sources.${name}.kind`);
    if (typeof images === 'string') throw new QianzhiError(images);
    return await imageAdapter.start({ ...context, instances: images.intakeOf(name), dataFolder }, settings);
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
    return { status: () => failed, stop: async () => {} };
  }
}
