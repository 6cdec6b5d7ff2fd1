import { z } from 'zod';
import { bothLanguages } from '../support/text.ts';

/** The name of a source, of a sender or of a platform: one space of names, for they all stand in the books. */
export const nameKey = z.string().regex(/^[a-z0-9-]{1,32}$/, {
  error: bothLanguages(
    '只能用小写字母、数字和连字符，1 到 32 个字符。',
    'must be 1 to 32 lower-case letters, digits or hyphens.',
  ),
});

/** The source profile of a source or of a sender. */
export const profileKey = z.string().min(1).meta({
  description: '接入规则：内置名称或 ./文件.yaml Source profile: a built-in name or ./file.yaml',
});
