import { isIP } from 'node:net';
import { z } from 'zod';
import { bothLanguages } from '../../../agent/support/text.ts';
import { isNetwork } from './addresses.ts';

/** Keys that every listener has: where it listens, and to whom. */
export const listeningKeys = {
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
};

export interface ListeningConfig {
  host: string;
  port: number;
  peers?: string[] | undefined;
}

export const hour = 3600;
/** A time-out in seconds; fractions are for tests. */
export const seconds = (most: number) => z.number().positive().max(most);
