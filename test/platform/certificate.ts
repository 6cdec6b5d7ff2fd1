import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { demoMarkerDer } from '../../agent/security/demo-marker.ts';
import { bits, context, integer, nul, octets, oid, primitive, sequence, set, time, utf8, yes } from './der.ts';

/** What a certificate says; everything is P-256 with SHA-256. */
export interface CertificateRequest {
  /** Subject common name. */
  subject: string;
  issuer: string;
  publicKey: KeyObject;
  issuerKey: KeyObject;
  notBeforeMs: number;
  notAfterMs: number;
  use: 'ca' | 'server' | 'client';
  /** Subject alternative names; an address is told by its form. */
  names?: string[];
  uris?: string[];
  /** Critical name constraints of a CA: host names and addresses below which it may issue. */
  permitted?: string[];
  /** Carries the demo marker. */
  marker?: boolean;
}

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));
const commonName = (text: string) => sequence(set(sequence(oid('2.5.4.3'), utf8(text))));

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = address.split('::');
  const words = (part: string) => (part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16)));
  const before = words(head);
  const after = words(tail);
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

const dnsName = (name: string) => primitive(2, Buffer.from(name, 'ascii'));
const alternativeName = (name: string) => (isIP(name) === 0 ? dnsName(name) : primitive(7, addressBytes(name)));

/** RFC 5280 §4.2.1.10: an address constraint is the address and a mask of equal length. */
function permittedSubtree(name: string): Buffer {
  if (isIP(name) === 0) return sequence(dnsName(name));
  const bytes = addressBytes(name);
  return sequence(primitive(7, Buffer.concat([bytes, Buffer.alloc(bytes.length, 0xff)])));
}

const extension = (id: Uint8Array, critical: boolean, value: Uint8Array) =>
  sequence(id, ...(critical ? [yes] : []), octets(value));

function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 20);
}

function extensions(request: CertificateRequest): Buffer[] {
  const { use, names = [], uris = [], permitted = [] } = request;
  const list = [
    extension(oid('2.5.29.19'), true, use === 'ca' ? sequence(yes, integer(Buffer.from([0]))) : sequence()),
    // keyCertSign + cRLSign for the CA, digitalSignature for the others.
    extension(oid('2.5.29.15'), true, use === 'ca' ? bits(Buffer.from([0x06]), 1) : bits(Buffer.from([0x80]), 7)),
    extension(oid('2.5.29.14'), false, octets(keyIdentifier(request.publicKey))),
  ];
  if (use !== 'ca') {
    const purpose = use === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2';
    const issuer = keyIdentifier(createPublicKey(request.issuerKey));
    list.push(
      extension(oid('2.5.29.37'), false, sequence(oid(purpose))),
      extension(oid('2.5.29.35'), false, sequence(primitive(0, issuer))),
    );
  }
  if (names.length + uris.length > 0) {
    const all = [...names.map(alternativeName), ...uris.map((uri) => primitive(6, Buffer.from(uri, 'ascii')))];
    list.push(extension(oid('2.5.29.17'), false, sequence(...all)));
  }
  if (permitted.length > 0) {
    list.push(extension(oid('2.5.29.30'), true, sequence(context(0, ...permitted.map(permittedSubtree)))));
  }
  if (request.marker) list.push(extension(demoMarkerDer, false, nul));
  return list;
}

/** A signed X.509 v3 certificate as PEM. */
export function makeCertificate(request: CertificateRequest): string {
  const serial = randomBytes(16);
  serial[0]! &= 0x7f;
  serial[0]! |= 0x40;
  const body = sequence(
    context(0, integer(Buffer.from([2]))),
    integer(serial),
    ecdsaWithSha256,
    commonName(request.issuer),
    sequence(time(request.notBeforeMs), time(request.notAfterMs)),
    commonName(request.subject),
    request.publicKey.export({ type: 'spki', format: 'der' }),
    context(3, sequence(...extensions(request))),
  );
  const certificate = sequence(body, ecdsaWithSha256, bits(sign('sha256', body, request.issuerKey)));
  const lines = certificate.toString('base64').match(/.{1,64}/g)!;
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
