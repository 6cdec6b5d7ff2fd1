import type { z } from 'zod';
import type { Accepted, Incoming } from '../store/contract.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';

/** What a running source tells about itself. Addresses and configured names only; no message content. */
export interface SourceStatus {
  name: string;
  kind: string;
  state: 'starting' | 'listening' | 'failed' | 'stopped';
  /** Bound address, for example `127.0.0.1:2575`. */
  address?: string;
  problem?: { code: string; sinceMs: number };
  senders: SenderStatus[];
  refusedConnections: number;
}

export interface SenderStatus {
  /** Peer address without port. */
  address: string;
  connections: number;
  connectedSinceMs?: number;
  messagesToday: number;
  lastMessageMs?: number;
  lastAck?: string;
  /**
   * Last protocol problem of this peer. `said`: what it called itself or us, where that was the problem; printable ASCII,
   * for the page of this machine only and never for the log (invariant 10).
   */
  problem?: { code: string; atMs: number; count: number; said?: string };
}

export interface SourceContext {
  name: string;
  /** The source profile as its check made it; the adapter reads the part that concerns intake. */
  profile: unknown;
  clock: Clock;
  log: Log;
  /** Durable when it resolves. Rejects with QUE-… when the store cannot take it: answer AE/CE, never AA. */
  accept(message: Omit<Incoming, 'source'>): Promise<Accepted>;
  /** Bytes accepted and not yet durable, over all sources. */
  pendingBytes(): number;
  /** Call when the status changed; the runtime reads `status()`. */
  changed(): void;
}

export interface RunningSource {
  status(): SourceStatus;
  /** Stops listening, lets messages already framed be acknowledged, closes within the given time. */
  stop(graceMs: number): Promise<void>;
}

/** A way in. `config` is the zod schema of its own keys (name and kind are common). */
export interface SourceAdapter<S extends z.ZodObject = z.ZodObject> {
  kind: string;
  config: S;
  /** Rejects with a QianzhiError (for example MLLP-2001 port in use). */
  start(context: SourceContext, config: z.infer<S>): Promise<RunningSource>;
}
