import type { z } from 'zod';
import type { OutboxDocument } from '../store/contract.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';

/** What the platform said of one document. */
export type ItemReceipt =
  | { n: number; outcome: 'accepted'; receipt?: string }
  | { n: number; outcome: 'received'; receipt?: string }
  | { n: number; outcome: 'refused'; code: string; platformCode?: string }
  | { n: number; outcome: 'retry'; code: string; retryAfterMs?: number }
  | { n: number; outcome: 'wait-for-parent' };

/** What came of one request. Never throws for what the network or the platform does. */
export type SendResult =
  /** The platform answered item by item. Documents missing in `items` are of unknown outcome: retry. */
  | { kind: 'items'; items: ItemReceipt[] }
  /** Nothing of the batch took effect as far as known; try again, not before `retryAfterMs` when given. */
  | { kind: 'retry'; code: string; retryAfterMs?: number }
  /** The batch is too large: halve it (413). */
  | { kind: 'too-large'; code: string }
  /** The batch was refused as a whole without naming an item: bisect. */
  | { kind: 'refused-whole'; code: string }
  /** Identity or trust problem (401, 403, TLS): stop uploads, alarm, probe slowly. */
  | { kind: 'stop'; code: string };

export interface CertificateStatus {
  role: 'client' | 'platform-ca';
  subject: string;
  notBeforeMs: number;
  notAfterMs: number;
  /** SHA-256 fingerprint, hex. */
  fingerprint: string;
}

/** What every way out has, whatever it takes. */
export interface WayOut {
  /** A cheap call that proves DNS, TCP, TLS, certificate and platform; for the slow probe and `test platform`. */
  probe(signal: AbortSignal): Promise<ProbeResult>;
  certificates(): CertificateStatus[];
  close(): Promise<void>;
}
export type ProbeResult = { ok: true; clockOffsetMs?: number } | { ok: false; code: string };

/** A way out for documents. */
export interface PlatformConnection extends WayOut {
  /** Largest batch `send` may be given: documents, and document bytes before compression. Default 100 and 512 KB. */
  limits?: { documents: number; bytes: number };
  /** How long a document may be answered `wait-for-parent`, from the first time; then it is held. Default 24 hours. */
  parentWaitMs?: number;
  send(documents: OutboxDocument[], signal: AbortSignal): Promise<SendResult>;
  /** Asks after documents that were `received` and not yet `accepted`. */
  ask(documents: OutboxDocument[], signal: AbortSignal): Promise<SendResult>;
}

export interface WayOutAdapter<C extends WayOut, S extends z.ZodObject = z.ZodObject> {
  kind: string;
  config: S;
  /** Reads certificates and opens the pool. Rejects with TLS-… or CFG-… when they cannot be used. */
  open(context: { name: string; clock: Clock; log: Log; agentId: string }, config: z.infer<S>): Promise<C>;
}
export type PlatformAdapter<S extends z.ZodObject = z.ZodObject> = WayOutAdapter<PlatformConnection, S>;
