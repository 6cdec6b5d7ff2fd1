import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { OutboxDocument } from '../../../agent/store/contract.ts';
import { compressedBeside } from '../../../agent/support/zstd.ts';

/** Compressions of the protocol, in the order of preference. */
export const compressions = ['zstd', 'gzip'] as const;
export type Compression = (typeof compressions)[number];

const deflate = promisify(gzip);

const textual = /^text\/|[/+](?:xml|json)(?:;|$)/;

interface Line {
  /** Of the JSON, up to the content. */
  head: Buffer;
  /** The content as a JSON string; each character is one byte of it. */
  content: string;
}

function lineOf(document: OutboxDocument): Line {
  const revealed = document.bytes.reveal();
  const bytes = Buffer.from(revealed.buffer, revealed.byteOffset, revealed.byteLength);
  const fields = JSON.stringify({
    key: document.key,
    operation: document.operation,
    type: document.type,
    mediaType: document.mediaType,
    setId: document.setId,
    version: document.version,
    report: document.reportNumber.reveal(),
    lane: document.lane,
    attempt: document.attempt,
    sha256: hash('sha256', bytes),
  });
  // What is not UTF-8 after all goes as base64, so that the very bytes arrive (invariant 4).
  const text = textual.test(document.mediaType) && isUtf8(bytes);
  return {
    head: Buffer.from(`${fields.slice(0, -1)},"${text ? 'content' : 'content64'}":`),
    // JSON escapes ASCII characters only, so it may take each byte of UTF-8 for a character: half the
    // time of decoding 58 KB and encoding them again.
    content: JSON.stringify(bytes.toString(text ? 'latin1' : 'base64')),
  };
}

const lineEnd = '}\n';

/** The NDJSON body of `POST /v1/documents`, UTF-8, one line a document. Holds patient data. */
export function documentLines(documents: readonly OutboxDocument[]): Buffer {
  const lines = documents.map(lineOf);
  const length = lines.reduce((sum, { head, content }) => sum + head.length + content.length + lineEnd.length, 0);
  const body = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const { head, content } of lines) {
    at += head.copy(body, at);
    at += body.write(content, at, 'latin1');
    at += body.write(lineEnd, at, 'latin1');
  }
  return body;
}

/** The NDJSON body of `POST /v1/receipts`: keys only. */
export const receiptLines = (documents: readonly OutboxDocument[]): Buffer =>
  Buffer.from(documents.map((document) => `${JSON.stringify({ key: document.key })}\n`).join(''), 'utf8');

/** gzip, too, at level 1: measured best for batches of this size (reference/storage-and-delivery.md §5). */
export const compress = (body: Buffer, compression: Compression): Promise<Buffer> =>
  compression === 'zstd' ? compressedBeside(body) : deflate(body, { level: 1 });
