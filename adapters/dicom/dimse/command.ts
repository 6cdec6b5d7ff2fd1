import { QianzhiError } from '../../../agent/support/errors.ts';
import { readUid } from './uids.ts';

/** Command fields, PS3.7 Annex E.1-1; a response has the high bit. */
export const commandField = { cStore: 0x0001, cEcho: 0x0030, cCancel: 0x0fff, response: 0x8000 } as const;

/** Statuses, PS3.7 Annex C and PS3.4 Table B.2-1. */
export const status = {
  success: 0x0000,
  processingFailure: 0x0110,
  invalidInstance: 0x0117,
  classNotSupported: 0x0122,
  unrecognizedOperation: 0x0211,
  outOfResources: 0xa700,
  classMismatch: 0xa900,
  cannotUnderstand: 0xc000,
} as const;
export type Status = (typeof status)[keyof typeof status];

/** As dcmtk and people write it: `0000`, `A700`. */
export const statusText = (code: number): string => code.toString(16).toUpperCase().padStart(4, '0');

/** What we read of a command set; UIDs without padding, as sent otherwise. */
export interface Command {
  field: number;
  messageId: number;
  sopClassUid: string;
  sopInstanceUid: string;
  hasDataset: boolean;
}

/** Command Data Set Type: no dataset follows (PS3.7 Annex E.1). */
const noDataset = 0x0101;
const element = {
  sopClassUid: 0x0002,
  field: 0x0100,
  messageId: 0x0110,
  respondsTo: 0x0120,
  datasetType: 0x0800,
  status: 0x0900,
  comment: 0x0902,
  sopInstanceUid: 0x1000,
} as const;

/**
 * Reads a command set: group 0000 in implicit VR little endian, whatever the context's transfer syntax (PS3.7 §6.3.1).
 * Elements that we do not need (priority, move originator …) are passed over; the group length is not believed.
 * Throws DCM-2239 when an element does not fit, is of another group, or command field or dataset type is absent.
 */
export function readCommand(bytes: Uint8Array): Command {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = new Map<number, Uint8Array>();
  for (let at = 0; at < bytes.length; ) {
    if (at + 8 > bytes.length || view.getUint16(at, true) !== 0) throw new QianzhiError('DCM-2239');
    const end = at + 8 + view.getUint32(at + 4, true);
    if (end > bytes.length) throw new QianzhiError('DCM-2239');
    found.set(view.getUint16(at + 2, true), bytes.subarray(at + 8, end));
    at = end;
  }
  const number = (tag: number): number | undefined => {
    const value = found.get(tag);
    return value?.length === 2 ? (value[0] ?? 0) | ((value[1] ?? 0) << 8) : undefined;
  };
  const uid = (tag: number): string => readUid(found.get(tag) ?? new Uint8Array());
  const field = number(element.field);
  const datasetType = number(element.datasetType);
  if (field === undefined || datasetType === undefined) throw new QianzhiError('DCM-2239');
  return {
    field,
    messageId: number(element.messageId) ?? 0,
    sopClassUid: uid(element.sopClassUid),
    sopInstanceUid: uid(element.sopInstanceUid),
    hasDataset: datasetType !== noDataset,
  };
}

const uint16 = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8]);
/** Even length: UIDs with NUL, text with a space (PS3.5 §6.2). */
const padded = (text: string, pad: '\0' | ' '): Buffer =>
  Buffer.from(text.length % 2 === 0 ? text : text + pad, 'latin1');

function encode(tag: number, value: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16LE(tag, 2);
  header.writeUInt32LE(value.length, 4);
  return Buffer.concat([header, value]);
}

/**
 * The answer to a command: its message id, SOP class and instance given back, the status, and an error comment
 * (0000,0902) of at most 64 ASCII characters (PS3.7 §9.3.1.2, §9.3.5.2).
 */
export function buildResponse(to: Command, code: number, comment?: string): Buffer {
  const elements = [
    ...(to.sopClassUid === '' ? [] : [encode(element.sopClassUid, padded(to.sopClassUid, '\0'))]),
    encode(element.field, uint16(to.field | commandField.response)),
    encode(element.respondsTo, uint16(to.messageId)),
    encode(element.datasetType, uint16(noDataset)),
    encode(element.status, uint16(code)),
    ...(comment === undefined ? [] : [encode(element.comment, padded(comment.slice(0, 64), ' '))]),
    ...(to.sopInstanceUid === '' ? [] : [encode(element.sopInstanceUid, padded(to.sopInstanceUid, '\0'))]),
  ];
  const body = Buffer.concat(elements);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  return Buffer.concat([encode(0, length), body]);
}
