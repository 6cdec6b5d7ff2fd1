import { z } from 'zod';
import { filePath } from '../../../agent/support/file-path.ts';
import { bothLanguages } from '../../../agent/support/text.ts';

/** Keys of a watched folder; name, kind and profile are common to all sources and added by the config. */
export const dicomFolderConfig = z
  .strictObject({
    /** The folder that is watched, with all folders below it. May be on a network share. */
    folder: filePath(),
    /** How often the folder is listed when that is cheap; a folder that costs more is listed less often. */
    scan_interval_seconds: z.number().min(0.2).max(3600).default(5),
    /** How long a file must have been still before it is read. */
    min_age_seconds: z.number().min(0.1).max(3600).default(2),
    /** How long a file that is cut off may stay as it is before it is held as DCM-2204. */
    give_up_minutes: z
      .number()
      .positive()
      .max(7 * 24 * 60)
      .default(30),
    /** What becomes of a file that is stored: moved to `archive`, deleted, or left where it is. */
    after: z.enum(['move', 'delete', 'leave']).default('move'),
    /** Where files are moved, in the same tree as they lay in. Needed for `after: move`. */
    archive: filePath().optional(),
    /** Files read at the same time. */
    concurrency: z.int().min(1).max(16).default(4),
    /** Whether the system's notices of changes make scans happen sooner. Of no use on network shares. */
    watch: z.boolean().default(true),
  })
  .refine(({ after, archive }) => after !== 'move' || archive !== undefined, {
    path: ['archive'],
    error: bothLanguages(
      '收妥后移走（after: move，缺省）时要写明移到哪个文件夹；也可写 after: delete 或 leave。',
      'is needed where files are moved once stored (after: move, the default); or write after: delete or leave.',
    ),
  });

export type DicomFolderConfig = z.infer<typeof dicomFolderConfig>;
