import type { z } from 'zod';
import type { Phi } from '../support/phi.ts';
import type { SendResult, WayOut, WayOutAdapter } from './platform.ts';

/** One stored instance on its way out. */
export interface OutgoingInstance {
  n: number;
  /** Another content is known under its UID: that the platform has that UID does not say that it has this one. */
  contested?: boolean;
  studyUid: Phi<string>;
  sopClassUid: string;
  sopInstanceUid: Phi<string>;
  transferSyntaxUid: string;
  /** Bytes of the Part 10 file: exactly what `open` gives in all. */
  bytes: number;
  /**
   * The Part 10 file from its first byte, in pieces of at most some 256 KB, opened as they are taken. Throws
   * QianzhiError QUE-4003 in the middle when the stored file is damaged: the request has to be given up then, and the
   * instance settled as refused with that code; its neighbours go on.
   */
  open(): AsyncIterable<Uint8Array>;
}

/** A way out for images. */
export interface ImagePlatformConnection extends WayOut {
  /** Largest batch `send` may be given; a single larger instance goes alone. */
  limits: { instances: number; bytes: number };
  /** How many requests may be on their way at once. */
  concurrency: number;
  /**
   * Sends instances in one request and judges each by its SOP Instance UID in the answer's body, never by the status
   * alone. Never throws for what the network or the platform does.
   */
  send(instances: OutgoingInstance[], signal: AbortSignal): Promise<SendResult>;
  /** How many instances of a study the platform says it has; undefined when it cannot say. */
  countInstances?(studyUid: Phi<string>, signal: AbortSignal): Promise<number | undefined>;
}

export type ImagePlatformAdapter<S extends z.ZodObject = z.ZodObject> = WayOutAdapter<ImagePlatformConnection, S>;
