import { z } from 'zod';

/** The source profile of a sender of images; config/dialects/dicom-default.yaml explains each key. */
export const dicomProfileSchema = z.strictObject({
  charset: z.string().min(1).max(64).optional(),
  patient_id: z.enum(['own', 'in-house']).default('own'),
  /** Issuers of Patient ID (0010,0021) that are the hospital itself. */
  issuers: z.array(z.string().trim().min(1).max(64)).default([]),
  accession_separator: z.string().length(1).optional(),
  /** (0010,0040) as sent → code of GB/T 2261.1. */
  sex: z.record(z.string(), z.enum(['0', '1', '2', '9'])).default({}),
  urgent: z
    .strictObject({
      modalities: z.array(z.string().min(1).max(16)).default([]),
    })
    .default({ modalities: [] }),
  study: z
    .strictObject({
      stable_seconds: z.int().min(1).max(86_400).default(60),
      longest_minutes: z.int().min(1).max(1_440).default(240),
    })
    .default({ stable_seconds: 60, longest_minutes: 240 }),
});

export type DicomProfile = z.infer<typeof dicomProfileSchema>;
