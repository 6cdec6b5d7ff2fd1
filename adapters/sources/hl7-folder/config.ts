import { z } from 'zod';
import { filePath } from '../../../agent/support/file-path.ts';
import { bothLanguages } from '../../../agent/support/text.ts';
import { sendersKey } from '../../hl7v2/senders.ts';

/** `.ok`: what stands behind a name, of a file beside the messages. */
const suffix = () =>
  z.string().regex(/^\.[0-9A-Za-z_.-]{0,14}[0-9A-Za-z_-]$/, {
    error: bothLanguages('应是以点开头的后缀，例如 .ok。', 'must be a suffix that begins with a dot, such as .ok.'),
  });

const namePattern = z.string().regex(/^[^/\\]{1,100}$/, {
  error: bothLanguages(
    '应是文件名模式，例如 *.hl7，不含文件夹。',
    'must be a pattern for file names such as *.hl7, without folders.',
  ),
});

/** Keys of a watched folder of HL7 files; name, kind and profile are common to all sources and added by the config. */
export const hl7FolderConfig = z
  .strictObject({
    /** The folder that is watched, with all folders below it. May be on a network share. */
    folder: filePath(),
    /** Names of files that are read, with * and ?, capitals and small letters alike; empty: all. */
    include: z.array(namePattern).max(50).default([]),
    /** How often the folder is listed when that is cheap; a folder that costs more is listed less often. */
    scan_interval_seconds: z.number().min(0.2).max(3600).default(5),
    /** How long a file must have been still before it is read. */
    min_age_seconds: z.number().min(0.1).max(3600).default(2),
    /** How long a file that is cut off may stay as it is before it is held as HL7-2131. */
    give_up_minutes: z
      .number()
      .positive()
      .max(7 * 24 * 60)
      .default(30),
    /** A file without a line end at its end, or a batch without its trailer: held as cut off, or taken once it is still. */
    open_end: z.enum(['hold', 'take']).default('hold'),
    /** Senders that write X.hl7 and, when it is whole, X.ok (or X.hl7.ok): X.hl7 is read only then. */
    marker: suffix().optional(),
    max_message_bytes: z
      .int()
      .min(1024)
      .max(256 * 1024 * 1024)
      .default(16 * 1024 * 1024),
    /** What becomes of a file whose messages are all stored: moved to `archive`, deleted, or left where it is. */
    after: z.enum(['move', 'delete', 'leave']).default('move'),
    /** Where files are moved: sealed, under names of ours; as they are where `plain` says why. Needed for `after: move`. */
    archive: z
      .strictObject({
        folder: filePath(),
        plain: z
          .string()
          .trim()
          .max(500)
          .refine((reason) => reason.length >= 8, {
            error: bothLanguages(
              '请写明为何要明文存放（至少 8 个字符）。',
              'must say why files may lie unsealed (8 characters at least).',
            ),
          })
          .optional(),
      })
      .optional(),
    /** For senders that read an answer: a file with the acknowledgements of each file, under its name and `suffix`. */
    answers: z.strictObject({ folder: filePath(), suffix: suffix().default('.ack') }).optional(),
    ...sendersKey({ addresses: false }),
    /** Whether the system's notices of changes make scans happen sooner. Of no use on network shares. */
    watch: z.boolean().default(true),
  })
  .refine(({ after, archive }) => after !== 'move' || archive !== undefined, {
    path: ['archive'],
    error: bothLanguages(
      '收妥后移走（after: move，缺省）时要写明移到哪个文件夹（archive.folder）；也可写 after: delete 或 leave。',
      'is needed where files are moved once stored (after: move, the default): archive.folder; or write after: delete or leave.',
    ),
  });

export type Hl7FolderConfig = z.infer<typeof hl7FolderConfig>;
