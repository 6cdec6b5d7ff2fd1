import { z } from 'zod';
import { filePath } from '../../../agent/support/file-path.ts';
import { bothLanguages } from '../../../agent/support/text.ts';

/**
 * The `https` platform's own part of an entry under `platforms` (the common keys are added by
 * config/). There is no plaintext form and no option that turns a check off (reference/surface.md §9, T9).
 */
export const httpsConfig = z.strictObject({
  /** Base address; the paths of docs/platform-api.md are appended. No user, query or fragment. */
  url: z
    .url({
      protocol: /^https$/,
      error: bothLanguages('应为 https:// 开头的网址。', 'must be a URL that begins with https://.'),
    })
    .refine(plain, {
      error: bothLanguages(
        '只能是 https://主机[:端口][/路径]，不带用户名、参数或 #。',
        'must be https://host[:port][/path] without user, query or fragment.',
      ),
    }),
  tls: z.strictObject({
    /** PEM file of the platform's CA: the only one trusted. */
    ca: filePath(),
    /** PEM file of our certificate, with intermediates if any. */
    cert: filePath(),
    /** PEM file of our private key. */
    key: filePath(),
    /** Lowest TLS version accepted; 1.2 only where the platform cannot do better. */
    min_version: z.enum(['1.2', '1.3']).default('1.3'),
  }),
  batch: z
    .strictObject({
      /** Documents in one request. */
      documents: z.int().min(1).max(100).default(100),
      /** Document bytes in one request before compression; a single larger document goes alone. */
      bytes: z
        .int()
        .min(1024)
        .max(512 * 1024)
        .default(512 * 1024),
    })
    .default({ documents: 100, bytes: 512 * 1024 }),
  /** How long a document whose encounter or patient the platform wants first is tried again before a person gets it. */
  parent_wait_hours: z
    .int()
    .min(1)
    .max(24 * 30)
    .default(24),
});

export type HttpsConfig = z.infer<typeof httpsConfig>;

function plain(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password, search, hash } = new URL(text);
  return username === '' && password === '' && search === '' && hash === '';
}
