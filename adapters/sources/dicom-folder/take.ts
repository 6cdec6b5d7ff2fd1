import type { IncomingInstance, InstanceIntake } from '../../../agent/intake/instance.ts';
import { phi } from '../../../agent/support/phi.ts';
import { type Completeness, checkCompleteness } from '../../dicom/completeness.ts';
import { buildPreamble } from '../../dicom/part10.ts';
import { type HeaderFault, type HeaderReading, readHeader } from '../../dicom/read-header.ts';
import { type Identity, sameIdentity } from '../watching/identity.ts';
import { type OpenFile, ReadFailure, takeOpened } from '../watching/open-file.ts';
import type { Taking } from '../watching/taking.ts';
import { dicomFolderCodes } from './codes.ts';

/** One read serves the check, the header and the preamble of a file of usual make. */
const headBytes = 64 * 1024;
/** What stands before the dataset is some hundred bytes; private information in group 0002 is bounded so. */
const longestPreamble = 1024 * 1024;

export interface TakeParts {
  instances: InstanceIntake;
  piece: Uint8Array;
  now(): number;
}

const headerVerdict = (code: HeaderFault): Taking => {
  if (code === 'DCM-2202') return { kind: 'ignored', reason: 'not-dicom' };
  if (code === 'DCM-2214') return { kind: 'ignored', reason: 'media-directory' };
  return { kind: 'held', code };
};

class EndedEarly extends Error {}

/**
 * Takes one file: opens it, sees that it is still what the scan saw, that its structure is whole, reads its header, and
 * streams it to the intake in pieces of at most 256 KB. It is accepted only if nothing of it changed meanwhile.
 * Never rejects: whatever is wrong with the file is the answer (invariant 11).
 */
export const takeFile = (path: Buffer | string, expected: Identity, with_: TakeParts): Promise<Taking> =>
  takeOpened(path, expected, dicomFolderCodes, (file) => takeOpen(file, with_));

async function takeOpen(file: OpenFile, { instances, piece, now }: TakeParts): Promise<Taking> {
  const { size, identity: before, readInto } = file;
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
    const after = await file.identityNow();
    if (!sameIdentity(after, before)) {
      await instance.discard();
      return { kind: 'changed', identity: after };
    }
    return { kind: 'taken', outcome: (await instance.commit()).outcome };
  } catch (error) {
    await instance?.discard().catch(() => {});
    if (error instanceof EndedEarly) return { kind: 'changed', identity: await file.identityNow() };
    throw error;
  }
}
