import { z } from 'zod';
import { filePath } from '../../../agent/support/file-path.ts';
import { bothLanguages } from '../../../agent/support/text.ts';

/**
 * Keys that every platform over mutual TLS has. There is no plaintext form and no option that turns a
 * check off (reference/surface.md §9, T9).
 */
export const platformUrl = z
  .url({
    protocol: /^https$/,
    error: bothLanguages('应为 https:// 开头的网址。', 'must be a URL that begins with https://.'),
  })
  .refine(plain, {
    error: bothLanguages(
      '只能是 https://主机[:端口][/路径]，不带用户名、参数或 #。',
      'must be https://host[:port][/path] without user, query or fragment.',
    ),
  });

export const tlsFiles = z.strictObject({
  /** PEM file of the platform's CA: the only one trusted. */
  ca: filePath(),
  /** PEM file of our certificate, with intermediates if any. */
  cert: filePath(),
  /** PEM file of our private key. */
  key: filePath(),
  /** Lowest TLS version accepted; 1.2 only where the platform cannot do better. */
  min_version: z.enum(['1.2', '1.3']).default('1.3'),
});

/** The part of a platform's configuration that a line needs. */
export interface MutualTlsConfig {
  url: string;
  tls: z.infer<typeof tlsFiles>;
}

function plain(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password, search, hash } = new URL(text);
  return username === '' && password === '' && search === '' && hash === '';
}
