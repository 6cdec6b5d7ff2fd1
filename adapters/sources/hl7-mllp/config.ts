import { isIP } from 'node:net';
import { z } from 'zod';
import { bothLanguages } from '../../../agent/support/text.ts';
import { isNetwork } from './peers.ts';

const seconds = (most: number) => z.number().positive().max(most);
const hour = 3600;

/** Keys of an MLLP listener; name, kind and profile are common to all sources and added by the config. */
export const hl7MllpConfig = z.strictObject({
  /** Address to listen on: IPv4, IPv6, `localhost`; `0.0.0.0` or `::` for all, which needs `peers`. */
  host: z
    .string()
    .refine(
      (host) => host === 'localhost' || isIP(host) !== 0,
      bothLanguages('应为 IP 地址或 localhost。', 'must be an IP address or localhost.'),
    )
    .default('127.0.0.1'),
  /** 0 takes a free port. */
  port: z.int().min(0).max(65_535),
  /** Addresses and networks (CIDR) that may connect. Needed unless host is loopback. */
  peers: z
    .array(
      z
        .string()
        .refine(
          isNetwork,
          bothLanguages(
            '应为 IP 地址或网段，例如 10.1.2.0/24。',
            'must be an IP address or a network such as 10.1.2.0/24.',
          ),
        ),
    )
    .min(1)
    .optional(),
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
