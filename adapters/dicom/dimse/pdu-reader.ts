import { QianzhiError } from '../../../agent/support/errors.ts';
import { pduHeaderBytes, pduType, pdvHeaderBytes } from './pdu.ts';

/** Longest PDU other than P-DATA that is read: a request with 128 contexts and long lists of syntaxes needs a quarter. */
const mostControlBytes = 1024 * 1024;
const firstBufferBytes = 4096;

export interface PduHeader {
  type: number;
  length: number;
}

export interface PdvHeader {
  contextId: number;
  /** A command fragment; otherwise one of a dataset. */
  command: boolean;
  last: boolean;
}

/**
 * Takes PDUs apart as they come (PS3.8 §9.3). A P-DATA-TF is never held as a whole: its fragments are given on in the
 * pieces in which the bytes arrive. Call in the order of the stream: `next`, then `body`, or `pdv` and `bytes` until
 * each gives undefined. All reject with DCM-2243 when the stream ends inside a PDU and DCM-2236 when a length is over
 * its limit.
 */
export interface PduReader {
  /** Undefined when the stream ended between two PDUs. Rejects with DCM-2237 for an unknown type. */
  next(): Promise<PduHeader | undefined>;
  /** The body of a PDU other than P-DATA. */
  body(): Promise<Uint8Array>;
  /** The next fragment of the P-DATA; undefined after its last. Rejects with DCM-2238 when a length does not fit. */
  pdv(): Promise<PdvHeader | undefined>;
  /** The next bytes of the fragment; undefined after its last. */
  bytes(): Promise<Uint8Array | undefined>;
  /** A PDU has begun and not ended. */
  inPdu(): boolean;
  /** How many PDUs have begun so far, for timeouts. */
  pdus(): number;
}

/** `more` gives the next bytes of the stream, never none, undefined at its end; it may reject. */
export function createPduReader(more: () => Promise<Uint8Array | undefined>, maxPdataBytes: number): PduReader {
  let chunk: Uint8Array = new Uint8Array();
  let at = 0;
  let count = 0;
  let open = false;
  let leftInPdu = 0;
  let leftInPdv = 0;

  const fill = async (): Promise<boolean> => {
    if (at < chunk.length) return true;
    const next = await more();
    if (next === undefined) return false;
    chunk = next;
    at = 0;
    return true;
  };
  const some = async (most: number): Promise<Uint8Array> => {
    if (!(await fill())) throw new QianzhiError('DCM-2243');
    const piece = chunk.subarray(at, at + most);
    at += piece.length;
    return piece;
  };
  /** Exactly that many bytes. The buffer grows with what has come, not with what was announced. */
  const take = async (length: number): Promise<Uint8Array> => {
    if (chunk.length - at >= length) return some(length);
    let buffer = new Uint8Array(Math.min(length, firstBufferBytes));
    for (let have = 0; have < length; ) {
      const piece = await some(length - have);
      if (have + piece.length > buffer.length) {
        const larger = new Uint8Array(Math.min(length, Math.max(buffer.length * 2, have + piece.length)));
        larger.set(buffer);
        buffer = larger;
      }
      buffer.set(piece, have);
      have += piece.length;
    }
    return buffer;
  };
  const uint32 = (bytes: Uint8Array, offset: number): number =>
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset);

  return {
    async next() {
      if (!(await fill())) return undefined;
      open = true;
      count += 1;
      const head = await take(pduHeaderBytes);
      const type = head[0] ?? 0;
      const length = uint32(head, 2);
      if (type < pduType.associateRq || type > pduType.abort) throw new QianzhiError('DCM-2237');
      if (length > (type === pduType.pData ? maxPdataBytes : mostControlBytes)) throw new QianzhiError('DCM-2236');
      leftInPdu = length;
      leftInPdv = 0;
      if (length === 0) open = false;
      return { type, length };
    },
    async body() {
      const bytes = leftInPdu === 0 ? new Uint8Array() : await take(leftInPdu);
      leftInPdu = 0;
      open = false;
      return bytes;
    },
    async pdv() {
      if (leftInPdu === 0) return undefined;
      if (leftInPdu < pdvHeaderBytes) throw new QianzhiError('DCM-2238');
      const head = await take(pdvHeaderBytes);
      const length = uint32(head, 0);
      leftInPdu -= pdvHeaderBytes;
      // Counts the context id and the control header, which are read.
      if (length < 2 || length - 2 > leftInPdu) throw new QianzhiError('DCM-2238');
      leftInPdv = length - 2;
      if (leftInPdu === 0) open = false;
      const control = head[5] ?? 0;
      return { contextId: head[4] ?? 0, command: (control & 1) !== 0, last: (control & 2) !== 0 };
    },
    async bytes() {
      if (leftInPdv === 0) return undefined;
      const piece = await some(leftInPdv);
      leftInPdv -= piece.length;
      leftInPdu -= piece.length;
      if (leftInPdu === 0) open = false;
      return piece;
    },
    inPdu: () => open,
    pdus: () => count,
  };
}
