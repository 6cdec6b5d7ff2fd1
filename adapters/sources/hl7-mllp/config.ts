import { z } from 'zod';
import { sendersKey } from '../../hl7v2/senders.ts';
import { hour, listeningKeys, seconds } from '../listening/config.ts';

/** Keys of an MLLP listener; name, kind and profile are common to all sources and added by the config. */
export const hl7MllpConfig = z.strictObject({
  ...listeningKeys,
  ...sendersKey({ addresses: true }),
  max_message_bytes: z
    .int()
    .min(1024)
    .max(256 * 1024 * 1024)
    .default(16 * 1024 * 1024),
  max_connections: z.int().min(1).max(10_000).default(256),
  max_connections_per_peer: z.int().min(1).max(10_000).default(32),
  /** How long a connection may be silent between messages. Devices keep one open for hours. */
  idle_timeout_seconds: seconds(7 * 24 * hour).default(6 * hour),
  /** How long a message may take from its first byte to its last, and how long a peer may leave answers unread. */
  frame_timeout_seconds: seconds(hour).default(120),
  /** How long a new connection may wait before its first message begins. */
  first_byte_timeout_seconds: seconds(24 * hour).default(hour),
});

export type Hl7MllpConfig = z.infer<typeof hl7MllpConfig>;
