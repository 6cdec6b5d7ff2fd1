import { hash } from 'node:crypto';
import { join } from 'node:path';
import type { ImageSourceAdapter, ImageSourceContext } from '../../../agent/intake/instance.ts';
import type { RunningSource, SourceStatus } from '../../../agent/intake/source.ts';
import { QianzhiError } from '../../../agent/support/errors.ts';
import { placeIn } from '../watching/paths.ts';
import { realPath } from '../watching/real-path.ts';
import { openSeen } from '../watching/seen.ts';
import { asSender } from '../watching/status.ts';
import type { FolderFigures } from '../watching/tally.ts';
import { watchFolder } from '../watching/watch.ts';
import { dicomFolderCodes } from './codes.ts';
import { type DicomFolderConfig, dicomFolderConfig } from './config.ts';
import { createDicomFolder, type DicomFolderOptions } from './folder.ts';

export interface FolderStatus extends SourceStatus {
  folder: FolderFigures;
}

export interface RunningFolder extends RunningSource {
  status(): FolderStatus;
}

async function afterOf(config: DicomFolderConfig, name: string): Promise<DicomFolderOptions['after']> {
  if (config.after !== 'move') return config.after;
  const where = `sources.${name}.archive`;
  if (config.archive === undefined) throw new QianzhiError(dicomFolderCodes.archive, where);
  const [root, archive] = await Promise.all([realPath(config.folder), realPath(config.archive)]);
  if (placeIn(archive, root) !== undefined) throw new QianzhiError(dicomFolderCodes.archive, where);
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
    const { clock, log, name, changed } = context;
    const after = await afterOf(config, name);
    const root = await realPath(config.folder);
    // The name of a source or folder may say more than a file name should.
    const memory = hash('sha256', `${name}\n${config.folder}`).slice(0, 24);
    const folder = createDicomFolder({
      root,
      after,
      minAgeMs: config.min_age_seconds * 1000,
      giveUpMs: config.give_up_minutes * 60_000,
      concurrency: config.concurrency,
      instances: context.instances,
      seen: await openSeen(join(context.dataFolder, 'dicom-folder', `${memory}.seen`)),
      clock,
      changed: () => watching.note(),
    });
    const watching = watchFolder({
      kind: 'dicom-folder',
      name,
      clock,
      log,
      changed,
      root,
      archive: typeof after === 'object' ? after.archive : undefined,
      scanIntervalMs: config.scan_interval_seconds * 1000,
      hints: config.watch,
      lost: dicomFolderCodes.lost,
      folder,
    });
    return {
      status() {
        const figures = folder.figures();
        return {
          name,
          kind: 'dicom-folder',
          ...watching.state(),
          senders: [asSender(figures, watching.passedMs(), dicomFolderCodes)],
          refusedConnections: 0,
          folder: figures,
        };
      },
      stop: watching.stop,
    };
  },
} satisfies ImageSourceAdapter<typeof dicomFolderConfig>;
