import { hl7Time } from './ack.ts';
import { type Msh, readMsh } from './msh.ts';

/** A payload that holds several messages between FHS/BHS and BTS/FTS. */
export interface Batch {
  /** BHS (or FHS) read as a header: its fields 1 to 6 are those of MSH. Undefined when it is not readable. */
  header: Msh | undefined;
  /** BHS-11 as sent; empty when there is none. */
  controlId: Uint8Array;
  /** The messages as received, from their MSH to before the next one or the trailer: parts of the payload. */
  messages: Uint8Array[];
  /** More messages than asked for; `messages` is not all of them. */
  overfull: boolean;
}

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const isBlank = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x09 || byte === 0x00 || byte === carriageReturn || byte === lineFeed;
const isAlphanumeric = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);

const code = (name: string): number => (name.charCodeAt(0) << 16) | (name.charCodeAt(1) << 8) | name.charCodeAt(2);
const names = new Map(['MSH', 'FHS', 'BHS', 'BTS', 'FTS'].map((name) => [code(name), name]));

/** The name of the segment at `at`, if it is MSH or of the envelope. No text is made: it is asked of every line. */
function nameAt(payload: Uint8Array, at: number): string | undefined {
  const [a = 0, b = 0, c = 0] = [payload[at], payload[at + 1], payload[at + 2]];
  const name = names.get(((a & 0xdf) << 16) | ((b & 0xdf) << 8) | (c & 0xdf));
  if (name === undefined) return undefined;
  const next = payload[at + 3];
  return next === undefined || !isAlphanumeric(next) ? name : undefined;
}

/** Start of the first segment, and undefined when it is neither FHS nor BHS. */
function batchStart(payload: Uint8Array): number | undefined {
  let at = payload[0] === 0xef && payload[1] === 0xbb && payload[2] === 0xbf ? 3 : 0;
  while (isBlank(payload[at])) at++;
  const name = nameAt(payload, at);
  return name === 'FHS' || name === 'BHS' ? at : undefined;
}

function readHeader(payload: Uint8Array, start: number, end: number, charset: string | undefined): Msh | undefined {
  const header = payload.slice(start, end);
  header.set([0x4d, 0x53, 0x48]);
  return readMsh(header, charset);
}

/**
 * Takes a batch apart (HL7 v2 §2.10.3; reference/hl7v2.md §3.2 point 41). Undefined when the payload is not
 * a batch, or one without messages. Bytes, not text: segment ends never occur inside a UTF-8 or GB18030
 * character. Counts in BTS and FTS are not compared. `most` bounds the messages taken apart; `charset` is the
 * label of the source profile.
 */
export function splitBatch(payload: Uint8Array, most: number, charset?: string): Batch | undefined {
  const first = batchStart(payload);
  if (first === undefined) return undefined;
  // Where segments end in CR, a lone LF is text of a field.
  const ends = payload.includes(carriageReturn) ? carriageReturn : lineFeed;
  let header: Msh | undefined;
  let headerName = '';
  let messageFrom: number | undefined;
  const messages: Uint8Array[] = [];
  const close = (at: number) => {
    if (messageFrom !== undefined) messages.push(payload.subarray(messageFrom, at));
    messageFrom = undefined;
  };
  for (let at = first; at < payload.length && messages.length <= most; ) {
    const found = payload.indexOf(ends, at);
    const end = found < 0 ? payload.length : found;
    const name = nameAt(payload, at);
    if (name !== undefined) close(at);
    if (name === 'MSH') messageFrom = at;
    // The first BHS answers for all; FHS only where there is none.
    else if ((name === 'BHS' && headerName !== 'BHS') || (name === 'FHS' && headerName === '')) {
      header = readHeader(payload, at, end, charset);
      headerName = name;
    }
    at = end + 1;
    while (isBlank(payload[at])) at++;
  }
  close(payload.length);
  if (messages.length === 0) return undefined;
  return {
    header,
    controlId: header?.processingId ?? new Uint8Array(0),
    messages,
    overfull: messages.length > most,
  };
}

/**
 * The answer to a batch, unframed: the acknowledgements of its messages in their order, in an envelope of
 * the batch's own delimiters and applications, with its control id in BHS-12. `id` is our own BHS-11.
 */
export function buildBatchAck(batch: Batch, acks: readonly Uint8Array[], id: string, nowMs: number): Uint8Array {
  const { header } = batch;
  const separator = header?.delimiters.field ?? '|';
  const empty = new Uint8Array(0);
  const fields: Array<string | Uint8Array> = [
    'BHS',
    header?.encodingCharacters ?? '^~\\&',
    header?.receivingApplication ?? empty,
    header?.receivingFacility ?? empty,
    header?.sendingApplication ?? empty,
    header?.sendingFacility ?? empty,
    hl7Time(nowMs),
    '',
    '',
    '',
    id,
    batch.controlId,
  ];
  const line = fields.flatMap((field, n) => [
    Buffer.from(n === 0 ? '' : separator, 'latin1'),
    typeof field === 'string' ? Buffer.from(field, 'latin1') : field,
  ]);
  return Buffer.concat([...line, Buffer.from('\r'), ...acks, Buffer.from(`BTS${separator}${acks.length}\r`, 'latin1')]);
}
