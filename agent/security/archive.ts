import { hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf, QianzhiError } from '../support/errors.ts';
import { tidyMemory } from '../support/memory.ts';
import { CHUNK, openChunk, SEALED_CHUNK, sealChunk, TAG } from './chunks.ts';

/**
 * Files that a source has taken and keeps: each sealed by itself, under a name that says nothing. Layout: magic (8 bytes), salt
 * (16), check (16), then the content in sealed chunks (chunks.ts). The content begins with what the file was (its length in
 * 4 bytes, JSON), then its bytes. The key is of this file alone, made from the archive key and the salt. A file that was cut,
 * extended or changed does not open (QUE-4003).
 */
const MAGIC = Buffer.from('QZARCH1\n', 'latin1');
const SALT = 16;
const KEY = 32;
const CHECK = 16;
const HEADER = MAGIC.length + SALT + CHECK;
const MOST_INFO = 64 * 1024;

/** What an archived file was. */
export interface ArchivedFile {
  source: string;
  /** Its path below the folder of its source, one character a byte; counts as patient data. */
  path: string;
  /** Bytes. */
  size: number;
  /** When it was last written, milliseconds since 1970. */
  mtimeMs: number;
  archivedMs: number;
}

/** A key of 32 bytes for archives alone, made from the key-encryption key: they open without the store. */
export const archiveKeyOf = (kek: Uint8Array): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', kek, new Uint8Array(0), 'qianzhi archive', 32));

interface FileKeys {
  key: Uint8Array;
  /** Tells a wrong key from a damaged file. */
  check: Uint8Array;
}

function keysOf(archiveKey: Uint8Array, salt: Uint8Array): FileKeys {
  const made = new Uint8Array(hkdfSync('sha256', archiveKey, salt, 'archived file', KEY + CHECK));
  return { key: made.subarray(0, KEY), check: made.subarray(KEY) };
}

/**
 * Writes a sealed file at `path`, over whatever is there, durable when it resolves. `content` are the bytes of the file in pieces,
 * each done with when the next is asked for. Rejects with the system's error, or with what `content` throws.
 */
export async function writeArchived(
  archiveKey: Uint8Array,
  path: Buffer | string,
  what: ArchivedFile,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  const salt = randomBytes(SALT);
  const { key, check } = keysOf(archiveKey, salt);
  const info = Buffer.from(JSON.stringify(what));
  const plain = Buffer.allocUnsafe(Math.min(CHUNK, 4 + info.length + what.size));
  let filled = 0;
  let chunks = 0;
  const file = await open(path, 'w', 0o600);
  try {
    const seal = async (last: boolean) => {
      const place = { format: MAGIC, chunk: chunks, last };
      await file.writeFile(Buffer.concat(sealChunk(plain.subarray(0, filled), key, place)));
      if (chunks % 16 === 15) tidyMemory();
      chunks += 1;
      filled = 0;
    };
    const add = async (bytes: Uint8Array) => {
      for (let at = 0; at < bytes.length; ) {
        // A full chunk is kept until more comes: the last one has to be told apart.
        if (filled === CHUNK) await seal(false);
        const part = bytes.subarray(at, at + plain.length - filled);
        if (part.length === 0) throw new QianzhiError('QUE-4003');
        plain.set(part, filled);
        filled += part.length;
        at += part.length;
      }
    };
    await file.writeFile(Buffer.concat([MAGIC, salt, check]));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(info.length);
    await add(Buffer.concat([length, info]));
    for await (const piece of content) await add(piece);
    await seal(true);
    await file.datasync();
  } finally {
    await file.close();
  }
}

export interface OpenedArchive {
  what: ArchivedFile;
  /** The bytes of the file, each piece proved before it is given. Throws QUE-4003 where it is damaged. */
  content: AsyncGenerator<Uint8Array>;
  /** The same file from its beginning, opened by itself. */
  again(): Promise<OpenedArchive>;
  close(): Promise<void>;
}

/**
 * Opens a sealed file. Throws QUE-4004 when it was sealed with another key, QUE-4003 when it is damaged or none of these,
 * QUE-4020 when it cannot be read now.
 */
export async function openArchived(archiveKey: Uint8Array, path: Buffer | string): Promise<OpenedArchive> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    throw new QianzhiError(errnoOf(cause) === 'EISDIR' ? 'QUE-4003' : 'QUE-4020', undefined, { cause });
  }
  try {
    const chunks = chunksOf(file, archiveKey);
    const first = await chunks.next();
    const head = first.done === true ? Buffer.alloc(0) : first.value;
    const length = head.length < 4 ? 0 : head.readUInt32BE(0);
    if (length === 0 || length > MOST_INFO || head.length < 4 + length) throw new QianzhiError('QUE-4003');
    const what = JSON.parse(head.toString('utf8', 4, 4 + length)) as ArchivedFile;
    const content = async function* () {
      if (head.length > 4 + length) yield head.subarray(4 + length);
      yield* chunks;
    };
    return { what, content: content(), again: () => openArchived(archiveKey, path), close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function* chunksOf(file: FileHandle, archiveKey: Uint8Array): AsyncGenerator<Buffer> {
  const { size } = await file.stat();
  const read = async (length: number, from: number): Promise<Buffer> => {
    const bytes = Buffer.allocUnsafe(length);
    let at = 0;
    while (at < length) {
      const { bytesRead } = await file.read(bytes, at, length - at, from + at);
      if (bytesRead === 0) throw new QianzhiError('QUE-4003');
      at += bytesRead;
    }
    return bytes;
  };
  if (size < HEADER + TAG) throw new QianzhiError('QUE-4003');
  const header = await read(HEADER, 0);
  if (!header.subarray(0, MAGIC.length).equals(MAGIC)) throw new QianzhiError('QUE-4003');
  const { key, check } = keysOf(archiveKey, header.subarray(MAGIC.length, MAGIC.length + SALT));
  if (!timingSafeEqual(check, header.subarray(MAGIC.length + SALT))) throw new QianzhiError('QUE-4004');
  const count = Math.ceil((size - HEADER) / SEALED_CHUNK);
  for (let chunk = 0; chunk < count; chunk++) {
    const from = HEADER + chunk * SEALED_CHUNK;
    const length = Math.min(SEALED_CHUNK, size - from);
    if (length < TAG) throw new QianzhiError('QUE-4003');
    yield openChunk(await read(length, from), key, { format: MAGIC, chunk, last: chunk === count - 1 });
  }
}
