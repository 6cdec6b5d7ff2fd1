import { X509Certificate } from 'node:crypto';

/**
 * Extension that every certificate of the demo carries. The arc is 2.25 (X.667: an OID made from a
 * UUID, no registration needed), the UUID f0dcbe00-626c-4ba6-8d94-c1c10c9e7b7f.
 */
export const demoMarkerOid = '2.25.320160877985542617593428873873314446207';

/** The marker as it stands in a certificate: tag, length and contents of the OBJECT IDENTIFIER. */
export const demoMarkerDer: Buffer = encodeOid(demoMarkerOid);

const certificateBlock = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/**
 * True when any certificate of a PEM text (a chain counts) or the one DER certificate carries the
 * demo marker; `qianzhi run` then refuses with CFG-5007. What is no certificate gives false: whether
 * a file can be used is another check (TLS-1209). Searches the bytes OpenSSL parsed, so neither the
 * extension's place nor its criticality or value matters.
 */
export function isDemoCertificate(certificate: string | Uint8Array): boolean {
  const text = typeof certificate === 'string' ? certificate : Buffer.from(certificate).toString('latin1');
  const blocks = text.match(certificateBlock) ?? (typeof certificate === 'string' ? [] : [certificate]);
  return blocks.some((block) => {
    try {
      return new X509Certificate(block).raw.includes(demoMarkerDer);
    } catch {
      return false;
    }
  });
}

/** X.690 §8.19. Arcs may exceed 64 bits, hence BigInt. */
function encodeOid(dotted: string): Buffer {
  const [first = 0n, second = 0n, ...rest] = dotted.split('.').map(BigInt);
  const contents = [first * 40n + second, ...rest].flatMap((arc) => {
    const digits = [Number(arc & 0x7fn)];
    for (let left = arc >> 7n; left > 0n; left >>= 7n) digits.unshift(Number(left & 0x7fn) | 0x80);
    return digits;
  });
  return Buffer.from([0x06, contents.length, ...contents]);
}
