import type { z } from 'zod';
import type { Accepted, Incoming } from '../store/contract.ts';
import type { Clock } from '../support/clock.ts';
import type { ErrorCode } from '../support/errors.ts';
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
  /** Its logical sources: who sends as each, and what is wrong with those messages. What is wrong with a connection stands above. */
  under?: Array<{ name: string; senders: SenderStatus[] }>;
  refusedConnections: number;
  /** Of a folder: files that lie in it and are passed over, by reason (`not-hl7`, `empty`, …). Counts only. */
  folder?: { ignored: Partial<Record<string, number>> };
}

export interface SenderStatus {
  /** Peer address without port. */
  address: string;
  /** Absent where nobody connects, as with a folder. */
  connections?: number;
  connectedSinceMs?: number;
  messagesToday: number;
  lastMessageMs?: number;
  lastAck?: string;
  /** Today's answers by their code, one of a frame. */
  acksToday?: Record<string, number>;
  /**
   * Last protocol problem of this peer. `said`: what it called itself or us, where that was the problem; printable and
   * short, for the page of this machine only and never for the log (invariant 10).
   */
  problem?: { code: string; atMs: number; count: number; said?: string };
}

/** A sender with a name and a source profile of its own: a source like any other to everything behind intake. */
export interface SourceSender {
  name: string;
  /** As its check made it. */
  profile: unknown;
}

export interface SourceContext {
  name: string;
  /** The source profile as its check made it; the adapter reads the part that concerns intake. */
  profile: unknown;
  /**
   * Logical sources that come in through this one, in the order of `senders` in its configuration; by what each is recognised
   * stands in the adapter's own settings.
   */
  senders: SourceSender[];
  clock: Clock;
  log: Log;
  /**
   * Stores under the source's own name, or under that of one of its `senders`. Durable when it resolves. Rejects with QUE-…
   * when the store cannot take it: answer AE/CE, never AA.
   */
  accept(message: Omit<Incoming, 'source'>, sender?: string): Promise<Accepted>;
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

/** What a source of files is given beside. */
export interface FileSourceContext extends SourceContext {
  /** Absolute; for what the source itself has to remember over a restart, never in clear. */
  dataFolder: string;
  /** 32 bytes, with which files it keeps are sealed (agent/security/archive.ts). Throws QUE-4004. */
  archiveKey(): Uint8Array;
}

/** A way in. `config` is the zod schema of its own keys (name and kind are common). */
export interface SourceAdapter<S extends z.ZodObject = z.ZodObject, C extends SourceContext = SourceContext> {
  kind: string;
  config: S;
  /** What works but should not stay so, at which of its keys. */
  warnings?(config: z.infer<S>): Array<{ code: ErrorCode; path: Array<string | number> }>;
  /** Keys of its profile (`intake.framing`) in which a sender's must agree with the source's own and does not. */
  differing?(own: unknown, ofSender: unknown): string[];
  /** Rejects with a QianzhiError (for example MLLP-2001 port in use). */
  start(context: C, config: z.infer<S>): Promise<RunningSource>;
}
