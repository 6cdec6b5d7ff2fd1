import type { z } from 'zod';
import type { Phi } from '../support/phi.ts';
import type { RunningSource, SourceContext } from './source.ts';

/**
 * How a DICOM source hands over what it receives. An instance is streamed: it is never in memory as a whole
 * (invariant 12), and it exists from the moment `commit` resolves (invariant 1), not before.
 */

/** What the transport says of an instance before its dataset comes. */
export interface InstanceOrigin {
  /** (0008,0016) and (0008,0018); the latter is untrusted text of at most 64 characters and never a file name. */
  sopClassUid: string;
  sopInstanceUid: Phi<string>;
  transferSyntaxUid: string;
  receivedMs: number;
  /**
   * Bytes before the dataset (preamble and file meta information), as found in the file or as made by the receiver.
   * They are part of the stored Part 10 file and not of what makes two instances the same.
   */
  preamble: Uint8Array;
}

export interface InstanceAccepted {
  /** Number of the instance, in the order of acceptance. */
  n: number;
  /**
   * stored: new. duplicate: the same dataset bytes under the same SOP Instance UID are stored already, under `n`.
   * conflict: the UID is known with another dataset; both are kept and a person is told.
   */
  outcome: 'stored' | 'duplicate' | 'conflict';
}

/** One instance on its way in: write, write, …, then commit or discard. */
export interface IncomingInstance {
  /**
   * The next bytes of the dataset, which the caller must not change before the promise resolves. Await it before the
   * next one: that is the back pressure. Rejects with QUE-4002 when the disk is full; discard it then.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Durable when it resolves: file and record survive `kill -9` and a power cut. Rejects with QUE-…; discard it then. */
  commit(): Promise<InstanceAccepted>;
  /** Takes everything back. At any time, any number of times; after a commit it does nothing. */
  discard(): Promise<void>;
}

export interface InstanceIntake {
  /** Rejects with QUE-4002 while the disk is too full to take more: answer A700, leave files where they are. */
  begin(origin: InstanceOrigin): Promise<IncomingInstance>;
}

export interface ImageSourceContext extends Omit<SourceContext, 'senders'> {
  instances: InstanceIntake;
  /** Absolute; for what the source itself has to remember over a restart, never in clear. */
  dataFolder: string;
}

/** A way in for images. */
export interface ImageSourceAdapter<S extends z.ZodObject = z.ZodObject> {
  kind: string;
  config: S;
  /** Rejects with a QianzhiError (for example DCM-2231 port in use). */
  start(context: ImageSourceContext, config: z.infer<S>): Promise<RunningSource>;
}
