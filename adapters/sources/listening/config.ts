import { isIP } from 'node:net';
import { z } from 'zod';
import { filePath } from '../../../agent/support/file-path.ts';
import { bothLanguages } from '../../../agent/support/text.ts';
import { isNetwork } from './addresses.ts';

/** An address, or a network in CIDR form. */
export const networkKey = z
  .string()
  .refine(
    isNetwork,
    bothLanguages('应为 IP 地址或网段，例如 10.1.2.0/24。', 'must be an IP address or a network such as 10.1.2.0/24.'),
  );

/** TLS on a listener; without it the listener speaks in plain. */
export const listenerTls = z
  .strictObject({
    /** PEM file of our certificate, with intermediates if any. */
    cert: filePath(),
    /** PEM file of our private key. */
    key: filePath(),
    /** PEM file of the CA that issues the senders' certificates. */
    ca: filePath().optional(),
    /** Whether a sender must show a certificate of that CA. */
    client_certificates: z.enum(['required', 'none']).default('required'),
    min_version: z.enum(['1.2', '1.3']).default('1.2'),
  })
  .refine(
    ({ ca, client_certificates }) => client_certificates === 'none' || ca !== undefined,
    bothLanguages('要求客户端证书时必须给出 ca。', 'ca is needed when client certificates are required.'),
  );

export type ListenerTls = z.infer<typeof listenerTls>;

/** Keys that every listener has: where it listens, to whom, and how. */
export const listeningKeys = {
  /** Address to listen on: IPv4, IPv6, `localhost`; `0.0.0.0` or `::` for all. */
  host: z
    .string()
    .refine(
      (host) => host === 'localhost' || isIP(host) !== 0,
      bothLanguages('应为 IP 地址或 localhost。', 'must be an IP address or localhost.'),
    )
    .default('127.0.0.1'),
  /** 0 takes a free port. */
  port: z.int().min(0).max(65_535),
  /** Addresses and networks (CIDR) that may connect. Needed unless host is loopback or `tls` asks for certificates. */
  peers: z.array(networkKey).min(1).optional(),
  tls: listenerTls.optional(),
};

export interface ListeningConfig {
  host: string;
  port: number;
  peers?: string[] | undefined;
  tls?: ListenerTls | undefined;
}

export const hour = 3600;
/** A time-out in seconds; fractions are for tests. */
export const seconds = (most: number) => z.number().positive().max(most);
