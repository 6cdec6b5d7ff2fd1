import { hl7Time } from './ack.ts';
import type { TakenApart } from './take-apart.ts';

/**
 * The answer to a batch, unframed: the acknowledgements of its messages in their order, in an envelope of
 * the batch's own delimiters and applications, with its control id in BHS-12. `id` is our own BHS-11.
 */
export function buildBatchAck(
  envelope: NonNullable<TakenApart['envelope']>,
  acks: readonly Uint8Array[],
  id: string,
  nowMs: number,
): Uint8Array {
  return Buffer.concat([batchHeader(envelope, id, nowMs), ...acks, batchTrailer(envelope, acks.length)]);
}

/** What stands before the acknowledgements of a batch: its BHS. */
export function batchHeader(
  { header, controlId }: NonNullable<TakenApart['envelope']>,
  id: string,
  nowMs: number,
): Uint8Array {
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
    controlId,
  ];
  const line = fields.flatMap((field, n) => [
    Buffer.from(n === 0 ? '' : separator, 'latin1'),
    typeof field === 'string' ? Buffer.from(field, 'latin1') : field,
  ]);
  return Buffer.concat([...line, Buffer.from('\r')]);
}

/** What stands behind them: BTS with their number. */
export const batchTrailer = ({ header }: NonNullable<TakenApart['envelope']>, count: number): Uint8Array =>
  Buffer.from(`BTS${header?.delimiters.field ?? '|'}${count}\r`, 'latin1');
