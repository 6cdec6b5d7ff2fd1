import { z } from 'zod';
import { platformUrl, tlsFiles } from '../mutual-tls/config.ts';

/**
 * The `https` platform's own part of an entry under `platforms` (the common keys are added by
 * config/). There is no plaintext form and no option that turns a check off (reference/surface.md §9, T9).
 */
export const httpsConfig = z.strictObject({
  /** Base address; the paths of docs/platform-api.md are appended. No user, query or fragment. */
  url: platformUrl,
  tls: tlsFiles,
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
