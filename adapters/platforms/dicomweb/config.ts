import { z } from 'zod';
import { platformUrl, tlsFiles } from '../mutual-tls/config.ts';

const mebibyte = 1024 * 1024;

/** The `dicomweb` platform's own part of an entry under `platforms` (the common keys are added by config/). */
export const dicomwebConfig = z.strictObject({
  /** Base address of the DICOMweb service (PS3.18 §8.2); `/studies` is appended. No user, query or fragment. */
  url: platformUrl,
  tls: tlsFiles,
  batch: z
    .strictObject({
      /** Instances in one request. */
      instances: z.int().min(1).max(100).default(10),
      /** Bytes of instances in one request; a single larger instance goes alone. */
      bytes: z
        .int()
        .min(64 * 1024)
        .max(1024 * mebibyte)
        .default(16 * mebibyte),
    })
    .default({ instances: 10, bytes: 16 * mebibyte }),
  /** Requests on their way at once. */
  concurrency: z.int().min(1).max(16).default(4),
});

export type DicomwebConfig = z.infer<typeof dicomwebConfig>;
