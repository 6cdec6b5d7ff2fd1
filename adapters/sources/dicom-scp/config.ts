import { z } from 'zod';
import { bothLanguages } from '../../../agent/support/text.ts';
import { isUid } from '../../dicom/dimse/uids.ts';
import { hour, listeningKeys, seconds } from '../listening/config.ts';

/** PS3.5 §6.2, value representation AE: 1 to 16 characters of ASCII without control characters and backslash, no padding. */
const aeTitle = z
  .string()
  .regex(
    /^(?! )[\x20-\x5b\x5d-\x7e]{1,16}(?<! )$/,
    bothLanguages('应为 1 到 16 个 ASCII 字符的 AE 标题。', 'must be an AE title of 1 to 16 ASCII characters.'),
  );

/** Keys of a DICOM listener; name, kind and profile are common to all sources and added by the config. */
export const dicomScpConfig = z.strictObject({
  /** `port`: 104 and 11112 (without rights) are DICOM's own. `tls`: PS3.15 Annex B. */
  ...listeningKeys,
  /** Our own titles: what a device calls. */
  ae_titles: z.array(aeTitle).min(1),
  /** The devices' titles. Whoever is not named is refused; an empty list means nobody. */
  calling_ae_titles: z.array(aeTitle),
  /** SOP classes taken beside the standard's storage classes: a vendor's private ones. */
  further_sop_classes: z.array(z.string().refine(isUid, bothLanguages('应为 UID。', 'must be a UID.'))).default([]),
  max_associations: z.int().min(1).max(1000).default(32),
  max_associations_per_peer: z.int().min(1).max(1000).default(16),
  /** Longest P-DATA-TF that we offer to take. */
  max_pdu_bytes: z
    .int()
    .min(4096)
    .max(1024 * 1024)
    .default(128 * 1024),
  /** ARTIM (PS3.8 §9.1.5): from the connection to a complete request, TLS included; and for the peer to close at the end. */
  association_timeout_seconds: seconds(hour).default(30),
  /** How long an association may be silent between two PDUs. */
  idle_timeout_seconds: seconds(24 * hour).default(600),
  /** How long one PDU may take from its first byte to its last, and how long a peer may leave responses unread. */
  pdu_timeout_seconds: seconds(hour).default(60),
});

export type DicomScpConfig = z.infer<typeof dicomScpConfig>;
