/** PDU types, PS3.8 §9.3.1. */
export const pduType = {
  associateRq: 1,
  associateAc: 2,
  associateRj: 3,
  pData: 4,
  releaseRq: 5,
  releaseRp: 6,
  abort: 7,
} as const;

/** Type, reserved byte, length. */
export const pduHeaderBytes = 6;
/** Before each fragment in P-DATA-TF: length, context id, message control header (PS3.8 §9.3.5.1, Annex E.2). */
export const pdvHeaderBytes = 6;

/** A PDU of a type around its body. */
export function pdu(type: number, ...body: Uint8Array[]): Buffer {
  const length = body.reduce((sum, part) => sum + part.length, 0);
  const header = Buffer.alloc(pduHeaderBytes);
  header[0] = type;
  header.writeUInt32BE(length, 2);
  return Buffer.concat([header, ...body]);
}

/** Why an association is refused: result, source and reason of PS3.8 Table 9-21. */
export const rejection = {
  applicationContext: [1, 1, 2],
  callingTitle: [1, 1, 3],
  calledTitle: [1, 1, 7],
  protocolVersion: [1, 2, 2],
  /** Transient: the same request may succeed later. */
  localLimit: [2, 3, 2],
} as const;
export type Rejection = keyof typeof rejection;

export const associateRj = (why: Rejection): Buffer => pdu(pduType.associateRj, Uint8Array.of(0, ...rejection[why]));

export const releaseRq = (): Buffer => pdu(pduType.releaseRq, new Uint8Array(4));
export const releaseRp = (): Buffer => pdu(pduType.releaseRp, new Uint8Array(4));

/** Reasons of an abort by the service provider, PS3.8 Table 9-26. */
export const abortReason = { unexpectedPdu: 2, invalidParameter: 6 } as const;
export type AbortReason = keyof typeof abortReason;

/** A-ABORT: `user` when we only want to end (source 0), else as the provider (source 2) with its reason. */
export const abort = (reason: AbortReason | 'user'): Buffer =>
  pdu(pduType.abort, Uint8Array.of(0, 0, reason === 'user' ? 0 : 2, reason === 'user' ? 0 : abortReason[reason]));

/**
 * A command set in as many P-DATA-TF PDUs as the peer's limit asks for (0: no limit). The limit is for the PDU
 * without its own header (PS3.8 Annex D.1); one too small for any fragment is taken as the smallest possible.
 */
export function commandPdus(contextId: number, command: Uint8Array, peerMaxBytes: number): Buffer {
  const most = peerMaxBytes === 0 ? command.length : Math.max(2, (peerMaxBytes - pdvHeaderBytes) & ~1);
  const pdus: Buffer[] = [];
  for (let at = 0; at < command.length; at += most) {
    const part = command.subarray(at, at + most);
    const header = Buffer.alloc(pdvHeaderBytes);
    header.writeUInt32BE(part.length + 2, 0);
    header[4] = contextId;
    header[5] = at + most >= command.length ? 3 : 1;
    pdus.push(pdu(pduType.pData, header, part));
  }
  return Buffer.concat(pdus);
}
