import { type CipherKey, createCipheriv, createDecipheriv } from 'node:crypto';
import { QianzhiError } from '../support/errors.ts';

/**
 * How a file of any size is sealed: chunks of 256 KB of content (the last one shorter, or empty), each sealed with AES-256-GCM
 * and followed by its tag. The key is of this file alone, so the nonce is the chunk's number; AAD = what the file begins with,
 * the chunk's number in 4 bytes, and 1 for the last one. What was cut, extended, reordered or changed does not open.
 */
export const CHUNK = 256 * 1024;
export const TAG = 16;
export const SEALED_CHUNK = CHUNK + TAG;

export interface ChunkPlace {
  /** What the file begins with: its format. */
  format: Uint8Array;
  /** From 0. */
  chunk: number;
  last: boolean;
}

const nonceOf = ({ chunk }: ChunkPlace): Buffer => {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(chunk, 8);
  return nonce;
};
const aadOf = ({ format, chunk, last }: ChunkPlace): Buffer => {
  const aad = Buffer.alloc(format.length + 5);
  aad.set(format);
  aad.writeUInt32BE(chunk, format.length);
  aad[format.length + 4] = last ? 1 : 0;
  return aad;
};

/** The chunk, sealed, in two pieces: as many bytes as it had, and the tag. */
export function sealChunk(plain: Uint8Array, key: CipherKey, place: ChunkPlace): [body: Buffer, tag: Buffer] {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(place));
  cipher.setAAD(aadOf(place));
  const body = cipher.update(plain);
  cipher.final();
  return [body, cipher.getAuthTag()];
}

/** The opposite, of at least TAG bytes. Throws QUE-4003 when it is not what was sealed with this key at this place. */
export function openChunk(sealed: Buffer, key: CipherKey, place: ChunkPlace): Buffer {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(place));
    decipher.setAAD(aadOf(place));
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG));
    const plain = decipher.update(sealed.subarray(0, sealed.length - TAG));
    decipher.final();
    return plain;
  } catch (cause) {
    throw new QianzhiError('QUE-4003', undefined, { cause });
  }
}
