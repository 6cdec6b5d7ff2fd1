import { z } from 'zod';

/** The source profile of a sender of images; config/dialects/dicom-default.yaml explains each key. */
export const dicomProfileSchema = z.strictObject({
  charset: z.string().min(1).max(64).optional(),
  patient_id: z.enum(['own', 'in-house']).default('own'),
  /** Issuers of Patient ID (0010,0021) that are the hospital itself. */
  issuers: z.array(z.string().trim().min(1).max(64)).default([]),
  accession_separator: z.string().length(1).optional(),
  /** Which of a study's numbers are those of its exam report. */
  report_numbers: z
    .array(z.enum(['accession', 'study-id']))
    .min(1)
    .default(['accession']),
  /** (0010,0040) as sent → code of GB/T 2261.1. */
  sex: z.record(z.string(), z.enum(['0', '1', '2', '9'])).default({}),
  urgent: z
    .strictObject({
      modalities: z.array(z.string().min(1).max(16)).default([]),
      /** (0040,1003), as sent. Of the standard's terms STAT, HIGH, ROUTINE, MEDIUM and LOW (PS3.3 table C.4-11) the two first. */
      priorities: z.array(z.string().min(1).max(16)).default(['STAT', 'HIGH']),
    })
    .default({ modalities: [], priorities: ['STAT', 'HIGH'] }),
  study: z
    .strictObject({
      stable_seconds: z.int().min(1).max(86_400).default(60),
      longest_minutes: z.int().min(1).max(1_440).default(240),
    })
    .default({ stable_seconds: 60, longest_minutes: 240 }),
});

export type DicomProfile = z.infer<typeof dicomProfileSchema>;
