import { createHash } from 'node:crypto';
import type { Attachment } from '../../../../agent/clinical/records/types.ts';
import {
  componentOf,
  fieldText,
  type Hl7Message,
  piece,
  repetitionsOf,
  type Segment,
  unescapeText,
} from '../../parser.ts';
import { codedOf, type Extraction, remark } from '../reading.ts';
import { valueTypeName } from './observation-value.ts';

/** The whole value is an address: of a picture, a viewer, a shared folder. */
const address = /^(?:[a-z][a-z0-9+.-]{1,15}:\/\/|\\\\[^\s\\])\S+$/i;

export const isAddress = (value: string): boolean =>
  (value.includes('://') || value.startsWith('\\\\')) && address.test(value.trim());

/**
 * What an OBX holds instead of a value: embedded data (ED) or a pointer (RP, or an address as text). Of data kind, size and
 * hash of the decoded bytes are kept, of a pointer no more than that it was there: addresses of the intranet stay in it.
 */
function readAttachment(x: Extraction, obx: Segment): Attachment {
  const { message } = x.scope;
  const item = codedOf(x, x.rules.items);
  const title = item?.name ?? item?.code;
  const source = 'OBX-5';
  const field = repetitionsOf(message, fieldText(message, obx, 5))[0] ?? '';
  const type = valueTypeName(message, obx);
  if (type !== 'ED') {
    // RP: pointer ^ application ^ type ^ subtype
    const mediaType = type === 'RP' ? mediaTypeOf(message, field, 3) : undefined;
    return { kind: 'reference', ...(mediaType && { mediaType }), ...(title && { title }), source };
  }
  // ED: application ^ type ^ subtype ^ encoding ^ data
  const mediaType = mediaTypeOf(message, field, 2);
  const bytes = decode(piece(field, message.delimiters.component, 5), componentOf(message, field, 4), message);
  return {
    kind: 'embedded',
    ...(mediaType && { mediaType }),
    ...(title && { title }),
    ...(bytes && { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length }),
    source,
  };
}

/**
 * Adds the attachment of an OBX. Whether a platform has a place for it is its format's to say; here only data that does not
 * decode is remarked (MAP-3024).
 */
export function attach(x: Extraction, attachments: Attachment[], obx: Segment): void {
  const attachment = readAttachment(x, obx);
  if (attachment.kind === 'embedded' && attachment.bytes === undefined) {
    remark(x, 'MAP-3024', `attachments[${attachments.length}]`, 'completeness');
  }
  attachments.push(attachment);
}

/** `application/pdf` from two components, or what there is of it. */
function mediaTypeOf(message: Hl7Message, field: string, component: number): string | undefined {
  const parts = [component, component + 1]
    .map((n) => componentOf(message, field, n).trim().toLowerCase())
    .filter((part) => /^[a-z0-9][a-z0-9.+-]{0,63}$/.test(part));
  return parts.length === 0 ? undefined : parts.join('/');
}

/** The bytes of embedded data; undefined when they do not decode. Line breaks inside, escaped too, are not part of them. */
function decode(data: string, encoding: string, message: Hl7Message): Buffer | undefined {
  const plain = unescapeText(message, data);
  const text = plain.replace(/\s+/g, '');
  if (text === '') return undefined;
  switch (encoding.trim().toLowerCase()) {
    case 'base64':
      return /^[A-Za-z0-9+/_-]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
    case 'hex':
      return /^(?:[0-9A-Fa-f]{2})+$/.test(text) ? Buffer.from(text, 'hex') : undefined;
    case 'a':
      return Buffer.from(plain, 'utf8');
    default:
      return undefined;
  }
}
