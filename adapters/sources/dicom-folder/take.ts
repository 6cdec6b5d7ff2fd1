import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { IncomingInstance, InstanceAccepted, InstanceIntake } from '../../../agent/intake/instance.ts';
import { codeOf, type ErrorCode, errnoOf } from '../../../agent/support/errors.ts';
import { phi } from '../../../agent/support/phi.ts';
import { type Completeness, checkCompleteness } from '../../dicom/completeness.ts';
import { buildPreamble } from '../../dicom/part10.ts';
import { type HeaderFault, type HeaderReading, readHeader } from '../../dicom/read-header.ts';
import { type Identity, identityOf, sameIdentity } from './identity.ts';

export type Taking =
  | { kind: 'taken'; accepted: InstanceAccepted }
  | { kind: 'ignored'; reason: 'not-dicom' | 'media-directory' }
  /** What the file says can never be taken; nothing but other content helps. */
  | { kind: 'held'; code: ErrorCode }
  /** Not whole, or its structure cannot be followed: perhaps it will be. */
  | { kind: 'incomplete'; code: 'DCM-2204' | 'DCM-2215' }
  /** It has other content than at the last look: `identity` is that of now. */
  | { kind: 'changed'; identity: Identity }
  /** The system does not let us read it. `DCM-2204` when another program holds it open for itself. */
  | { kind: 'unreadable'; code: 'DCM-2204' | 'DCM-2262' }
  | { kind: 'gone' }
  /** The intake does not take it, or anything, now. */
  | { kind: 'refused'; code: ErrorCode };

/** The most that one read asks of a file, and the memory of each file that is being read. */
export const pieceBytes = 256 * 1024;
/** One read serves the check, the header and the preamble of a file of usual make. */
const headBytes = 64 * 1024;
/** What stands before the dataset is some hundred bytes; private information in group 0002 is bounded so. */
const longestPreamble = 1024 * 1024;
/** A symbolic link, or a pipe that would wait for a writer, may have taken the file's place since the scan. */
const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

const headerVerdict = (code: HeaderFault): Taking => {
  if (code === 'DCM-2202') return { kind: 'ignored', reason: 'not-dicom' };
  if (code === 'DCM-2214') return { kind: 'ignored', reason: 'media-directory' };
  return { kind: 'held', code };
};

/** A read failed in the system: kept apart from what the intake rejects with. */
class ReadFailure extends Error {}
class EndedEarly extends Error {}

const statOf = async (handle: FileHandle): Promise<BigIntStats> => {
  try {
    return await handle.stat({ bigint: true });
  } catch (error) {
    throw new ReadFailure('stat', { cause: error });
  }
};

const unreadable = (error: unknown): Taking => {
  const errno = errnoOf(error);
  if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP') return { kind: 'gone' };
  // On Windows: a program that writes it lets nobody else open it.
  if (errno === 'EBUSY') return { kind: 'unreadable', code: 'DCM-2204' };
  return { kind: 'unreadable', code: 'DCM-2262' };
};

/**
 * Takes one file: opens it, sees that it is still what the scan saw, that its structure is whole, reads its header, and
 * streams it to the intake in pieces of at most 256 KB. It is accepted only if nothing of it changed meanwhile.
 * Never rejects: whatever is wrong with the file is the answer (invariant 11).
 */
export async function takeFile(
  path: Buffer | string,
  expected: Identity,
  with_: { instances: InstanceIntake; piece: Uint8Array; now(): number },
): Promise<Taking> {
  let handle: FileHandle;
  try {
    handle = await open(path, flags);
  } catch (error) {
    return unreadable(error);
  }
  try {
    const stats = await statOf(handle);
    if (!stats.isFile()) return { kind: 'gone' };
    const before = identityOf(stats);
    if (!sameIdentity(before, expected)) return { kind: 'changed', identity: before };
    return await takeOpen(handle, before, with_);
  } catch (error) {
    if (error instanceof ReadFailure) return unreadable(error.cause);
    return { kind: 'refused', code: codeOf(error, 'QUE-4007') };
  } finally {
    await handle.close().catch(() => {});
  }
}

async function takeOpen(
  handle: FileHandle,
  before: Identity,
  { instances, piece, now }: { instances: InstanceIntake; piece: Uint8Array; now(): number },
): Promise<Taking> {
  const { size } = before;
  const readInto = async (into: Uint8Array, length: number, offset: number): Promise<number> => {
    let read = 0;
    try {
      while (read < length) {
        const { bytesRead } = await handle.read(into, read, length - read, offset + read);
        if (bytesRead === 0) break;
        read += bytesRead;
      }
    } catch (error) {
      throw new ReadFailure('read', { cause: error });
    }
    return read;
  };
  const bytesAt = async (offset: number, length: number): Promise<Uint8Array> => {
    const into = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
    return into.subarray(0, await readInto(into, into.length, offset));
  };
  const head = await bytesAt(0, headBytes);
  const readAt = async (offset: number, length: number): Promise<Uint8Array> =>
    offset + length <= head.length || head.length === size
      ? head.subarray(offset, offset + length)
      : bytesAt(offset, length);

  let completeness: Completeness;
  let reading: HeaderReading;
  try {
    completeness = await checkCompleteness({ size, readAt });
    if (completeness === 'not-dicom') return { kind: 'ignored', reason: 'not-dicom' };
    reading = await readHeader({ size, read: (length) => readAt(0, length) });
  } catch (error) {
    if (error instanceof ReadFailure) throw error;
    // A file that our own reading stumbles over is a bad file and not a fault of the intake.
    return { kind: 'incomplete', code: 'DCM-2215' };
  }
  // A media directory is not an instance, whole or not.
  if (!reading.ok && (reading.code === 'DCM-2214' || reading.code === 'DCM-2202')) return headerVerdict(reading.code);
  if (completeness === 'short') return { kind: 'incomplete', code: 'DCM-2204' };
  if (completeness === 'malformed') return { kind: 'incomplete', code: 'DCM-2215' };
  if (!reading.ok) return headerVerdict(reading.code);
  const { header, datasetOffset, part10 } = reading;
  if (datasetOffset > longestPreamble) return { kind: 'held', code: 'DCM-2212' };

  let instance: IncomingInstance | undefined;
  try {
    instance = await instances.begin({
      sopClassUid: header.sopClassUid,
      sopInstanceUid: phi(header.sopInstanceUid),
      transferSyntaxUid: header.transferSyntaxUid,
      receivedMs: now(),
      preamble: part10 ? (await readAt(0, datasetOffset)).slice() : buildPreamble(header),
    });
    for (let offset = datasetOffset; offset < size; ) {
      const read = await readInto(piece, Math.min(piece.length, size - offset), offset);
      if (read === 0) throw new EndedEarly();
      await instance.write(piece.subarray(0, read));
      offset += read;
    }
    const after = identityOf(await statOf(handle));
    if (!sameIdentity(after, before)) {
      await instance.discard();
      return { kind: 'changed', identity: after };
    }
    return { kind: 'taken', accepted: await instance.commit() };
  } catch (error) {
    await instance?.discard().catch(() => {});
    if (error instanceof EndedEarly) {
      return { kind: 'changed', identity: identityOf(await statOf(handle)) };
    }
    throw error;
  }
}
