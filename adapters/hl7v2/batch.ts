import { hl7Time } from './ack.ts';
import type { TakenApart } from './take-apart.ts';

/**
 * The answer to a batch, unframed: the acknowledgements of its messages in their order, in an envelope of
 * the batch's own delimiters and applications, with its control id in BHS-12. `id` is our own BHS-11.
 */
export function buildBatchAck(
  { header, controlId }: NonNullable<TakenApart['envelope']>,
  acks: readonly Uint8Array[],
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
  return Buffer.concat([...line, Buffer.from('\r'), ...acks, Buffer.from(`BTS${separator}${acks.length}\r`, 'latin1')]);
}
