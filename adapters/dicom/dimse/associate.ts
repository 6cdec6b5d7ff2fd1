import { QianzhiError } from '../../../agent/support/errors.ts';
import { pdu, pduType } from './pdu.ts';
import { applicationContext, readUid } from './uids.ts';

export interface ProposedContext {
  id: number;
  abstractSyntax: string;
  /** In the proposer's order. */
  transferSyntaxes: string[];
}

/** An A-ASSOCIATE-RQ (PS3.8 §9.3.2). AE titles come from outside: they are compared and never shown. */
export interface AssociateRequest {
  protocolVersion: number;
  called: string;
  calling: string;
  applicationContext: string;
  contexts: ProposedContext[];
  /** Longest P-DATA-TF that the peer takes; 0 for any. */
  maxPduBytes: number;
  /** Called and calling title and what follows them, which the answer gives back as they are. */
  titles: Uint8Array;
}

/** PS3.8 Table 9-11 ff.; PS3.7 Annex D.3.3 for what is inside the user information. */
const item = {
  applicationContext: 0x10,
  proposed: 0x20,
  answered: 0x21,
  abstractSyntax: 0x30,
  transferSyntax: 0x40,
  user: 0x50,
  maxLength: 0x51,
  implementationClass: 0x52,
  implementationVersion: 0x55,
} as const;

/** Protocol version and two reserved bytes, two titles of 16, and 32 reserved ones. */
const titlesAt = 4;
const fixedBytes = 68;
/** Context ids are the odd numbers of a byte (PS3.8 §7.1.1.13). */
const mostContexts = 128;

/** Calls `take` for each item of a list; throws DCM-2235 when one does not fit. Unknown types are the caller's to pass over. */
function eachItem(bytes: Uint8Array, take: (type: number, value: Uint8Array) => void): void {
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + (((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0));
    if (at + 4 > bytes.length || end > bytes.length) throw new QianzhiError('DCM-2235');
    take(bytes[at] ?? 0, bytes.subarray(at + 4, end));
    at = end;
  }
}

/** Leading and trailing spaces say nothing (PS3.8 Table 9-11). */
const readTitle = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('latin1')
    .replace(/^[ \0]+|[ \0]+$/g, '');

function readContext(bytes: Uint8Array): ProposedContext {
  const id = bytes[0] ?? 0;
  if (bytes.length < 4 || id % 2 === 0) throw new QianzhiError('DCM-2235');
  const context: ProposedContext = { id, abstractSyntax: '', transferSyntaxes: [] };
  eachItem(bytes.subarray(4), (type, value) => {
    if (type === item.abstractSyntax) context.abstractSyntax = readUid(value);
    if (type === item.transferSyntax) context.transferSyntaxes.push(readUid(value));
  });
  return context;
}

/**
 * Reads the body of an A-ASSOCIATE-RQ. Role selection, asynchronous operations, extended negotiation and user identity
 * are passed over: not answering them means that they are not agreed (PS3.7 Annex D.3.3). Throws DCM-2235 when an item
 * does not fit, or a context id is even, used twice, or one of more than 128.
 */
export function readAssociateRequest(body: Uint8Array): AssociateRequest {
  if (body.length < fixedBytes) throw new QianzhiError('DCM-2235');
  const request: AssociateRequest = {
    protocolVersion: ((body[0] ?? 0) << 8) | (body[1] ?? 0),
    called: readTitle(body.subarray(titlesAt, titlesAt + 16)),
    calling: readTitle(body.subarray(titlesAt + 16, titlesAt + 32)),
    applicationContext: '',
    contexts: [],
    maxPduBytes: 0,
    titles: body.slice(titlesAt, fixedBytes),
  };
  const ids = new Set<number>();
  eachItem(body.subarray(fixedBytes), (type, value) => {
    if (type === item.applicationContext) request.applicationContext = readUid(value);
    else if (type === item.proposed) {
      const context = readContext(value);
      if (ids.has(context.id) || ids.size === mostContexts) throw new QianzhiError('DCM-2235');
      ids.add(context.id);
      request.contexts.push(context);
    } else if (type === item.user)
      eachItem(value, (inner, setting) => {
        if (inner === item.maxLength && setting.length === 4) request.maxPduBytes = Buffer.from(setting).readUInt32BE();
      });
  });
  return request;
}

/** Result of a context, PS3.8 Table 9-18. */
export const contextResult = { accepted: 0, abstractSyntaxNotSupported: 3, transferSyntaxesNotSupported: 4 } as const;

export interface AnsweredContext {
  id: number;
  result: (typeof contextResult)[keyof typeof contextResult];
  /** The one chosen; without meaning unless accepted, but it must be there. */
  transferSyntax: string;
}

const encode = (type: number, ...parts: Uint8Array[]): Buffer => {
  const value = Buffer.concat(parts);
  const header = Buffer.from([type, 0, value.length >> 8, value.length & 0xff]);
  return Buffer.concat([header, value]);
};
const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');

/** What the answer says of us: longest P-DATA-TF taken, implementation class UID and version name (at most 16 characters). */
export interface Ourselves {
  maxPduBytes: number;
  implementationClass: string;
  implementationVersion: string;
}

/** An A-ASSOCIATE-AC (PS3.8 §9.3.3), in the order of the request's contexts. */
export function associateAc(request: AssociateRequest, contexts: readonly AnsweredContext[], us: Ourselves): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(us.maxPduBytes);
  return pdu(
    pduType.associateAc,
    Uint8Array.of(0, 1, 0, 0),
    request.titles,
    encode(item.applicationContext, ascii(applicationContext)),
    ...contexts.map(({ id, result, transferSyntax }) =>
      encode(item.answered, Uint8Array.of(id, 0, result, 0), encode(item.transferSyntax, ascii(transferSyntax))),
    ),
    encode(
      item.user,
      encode(item.maxLength, length),
      encode(item.implementationClass, ascii(us.implementationClass)),
      encode(item.implementationVersion, ascii(us.implementationVersion)),
    ),
  );
}
