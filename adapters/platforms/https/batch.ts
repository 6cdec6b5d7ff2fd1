import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, gzip, zstdCompress } from 'node:zlib';
import type { OutboxDocument } from '../../../agent/store/contract.ts';

/** Compressions of the protocol, in the order of preference. */
export const compressions = ['zstd', 'gzip'] as const;
export type Compression = (typeof compressions)[number];

const zstd = promisify(zstdCompress);
const deflate = promisify(gzip);

// Keeps a byte order mark: the text must give back the very bytes (invariant 4).
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const textual = /^text\/|[/+](?:xml|json)(?:;|$)/;

function content(document: OutboxDocument, bytes: Uint8Array): { content: string } | { content64: string } {
  if (textual.test(document.mediaType)) {
    try {
      return { content: utf8.decode(bytes) };
    } catch {
      // Not UTF-8 after all: the bytes go as they are.
    }
  }
  return { content64: Buffer.from(bytes).toString('base64') };
}

function line(document: OutboxDocument): string {
  const bytes = document.bytes.reveal();
  return JSON.stringify({
    key: document.key,
    operation: document.operation,
    type: document.type,
    mediaType: document.mediaType,
    setId: document.setId,
    version: document.version,
    report: document.reportNumber.reveal(),
    lane: document.lane,
    attempt: document.attempt,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    ...content(document, bytes),
  });
}

/** The NDJSON body of `POST /v1/documents`, UTF-8, one line a document. Holds patient data. */
export const documentLines = (documents: readonly OutboxDocument[]): Buffer =>
  Buffer.from(`${documents.map(line).join('\n')}\n`, 'utf8');

/** The NDJSON body of `POST /v1/receipts`: keys only. */
export const receiptLines = (documents: readonly OutboxDocument[]): Buffer =>
  Buffer.from(documents.map((document) => `${JSON.stringify({ key: document.key })}\n`).join(''), 'utf8');

/** Level 1 of either: measured best for batches of this size (reference/storage-and-delivery.md §5). */
export const compress = (body: Buffer, compression: Compression): Promise<Buffer> =>
  compression === 'zstd'
    ? zstd(body, { params: { [constants.ZSTD_c_compressionLevel]: 1 } })
    : deflate(body, { level: 1 });
