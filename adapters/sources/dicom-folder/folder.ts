import type { InstanceIntake } from '../../../agent/intake/instance.ts';
import { createFolder, type Folder, type FolderOptions } from '../watching/folder.ts';
import { pathIn, placeIn } from '../watching/paths.ts';
import { putAway } from '../watching/put-away.ts';
import { dicomFolderCodes } from './codes.ts';
import { dicomDecisions } from './decisions.ts';
import { takeFile } from './take.ts';

export interface DicomFolderOptions extends Omit<FolderOptions, 'files' | 'excluded'> {
  /** Where stored files are moved; `delete` and `leave` as they say. */
  after: { archive: string } | 'delete' | 'leave';
  instances: InstanceIntake;
}

/** A watched folder whose files are instances. */
export function createDicomFolder({ after, instances, ...options }: DicomFolderOptions): Folder {
  const { root, clock } = options;
  const archive = typeof after === 'object' ? after.archive : undefined;
  const archivePlace = archive === undefined ? undefined : placeIn(root, archive);
  return createFolder({
    ...options,
    ...(archivePlace === undefined ? {} : { excluded: [archivePlace] }),
    files: {
      codes: dicomFolderCodes,
      decisions: dicomDecisions,
      take: (path, identity, piece) => takeFile(pathIn(root, path), identity, { instances, piece, now: clock.now }),
      ...(after === 'leave' ? {} : { putAway: (path, identity) => putAway(root, path, identity, archive) }),
    },
  });
}
