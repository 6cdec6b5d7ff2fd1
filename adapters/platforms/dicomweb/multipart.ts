import { randomUUID } from 'node:crypto';
import type { OutgoingInstance } from '../../../agent/delivery/image-platform.ts';
import { QianzhiError } from '../../../agent/support/errors.ts';

/** The body of one STOW-RS request, which is never in memory as a whole (invariant 12). */
export interface StoreBody {
  contentType: string;
  /** Bytes of the whole body: sent ahead, since servers have stored nothing of a chunked one (reference/dicom.md §1.5). */
  length: number;
  /** The body from its first byte. To be taken once; throws what an instance's `open` threw. */
  pieces(): AsyncGenerator<Uint8Array>;
  /** The instance whose bytes could not be read, and why, once `pieces` has thrown for it. */
  failed(): { n: number; error: unknown } | undefined;
}

/**
 * Instances as multipart/related with parts of application/dicom (PS3.18 §8.6.1.2.1, RFC 2387). An instance
 * that gives other than `bytes` bytes is QUE-4003: what follows it would be read as something else.
 */
export function storeBody(instances: readonly OutgoingInstance[]): StoreBody {
  // 122 random bits made for this request: no instance can hold them.
  const boundary = `qianzhi-${randomUUID()}`;
  const partHead = Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`, 'latin1');
  const partEnd = Buffer.from('\r\n', 'latin1');
  const end = Buffer.from(`--${boundary}--\r\n`, 'latin1');
  const framing = instances.length * (partHead.length + partEnd.length) + end.length;
  let failed: { n: number; error: unknown } | undefined;

  async function* whole(instance: OutgoingInstance): AsyncGenerator<Uint8Array> {
    let left = instance.bytes;
    for await (const piece of instance.open()) {
      left -= piece.length;
      if (left < 0) break;
      yield piece;
    }
    if (left !== 0) throw new QianzhiError('QUE-4003');
  }

  return {
    contentType: `multipart/related; type="application/dicom"; boundary=${boundary}`,
    length: framing + instances.reduce((sum, { bytes }) => sum + bytes, 0),
    async *pieces() {
      for (const instance of instances) {
        yield partHead;
        try {
          yield* whole(instance);
        } catch (error) {
          failed = { n: instance.n, error };
          throw error;
        }
        yield partEnd;
      }
      yield end;
    },
    failed: () => failed,
  };
}
