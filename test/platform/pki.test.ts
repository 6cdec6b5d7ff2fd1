import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import t from 'tap';
import { demoMarkerDer, demoMarkerOid, isDemoCertificate } from '../../agent/security/demo-marker.ts';
import { createPki, ensurePki, type Pki, type PkiOptions } from './pki.ts';

const read = (path: string) => readFileSync(path, 'utf8');
const dayMs = 86_400_000;

/** One TLS 1.3 connection to localhost: `accepted` by both sides, or what the client saw. */
async function shake(pki: Pki): Promise<string> {
  const server = createServer({
    minVersion: 'TLSv1.3',
    cert: read(pki.serverCert),
    key: read(pki.serverKey),
    ca: read(pki.ca),
    requestCert: true,
    rejectUnauthorized: true,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {});
    socket.end('x');
  });
  const client = await new Promise<string>((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      servername: 'localhost',
      port: (server.address() as AddressInfo).port,
      ca: read(pki.ca),
      cert: read(pki.clientCert),
      key: read(pki.clientKey),
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('data', () => resolve('accepted'));
    // Node's server drops a certificate it does not want after the handshake, without an alert.
    socket.on('close', () => resolve('closed'));
  });
  server.close();
  return client;
}

t.test('certificates serve mutual TLS 1.3 on localhost', async (t) => {
  t.equal(await shake(createPki(t.testdir(), { marker: true })), 'accepted');
});

t.test('the variants are refused, each for its own reason', async (t) => {
  const verdict = async (name: string, options: PkiOptions) => shake(createPki(`${folder}/${name}`, options));
  const folder = t.testdir();
  t.equal(await verdict('a', { server: 'expired' }), 'CERT_HAS_EXPIRED');
  t.equal(await verdict('b', { server: 'wrong-name' }), 'ERR_TLS_CERT_ALTNAME_INVALID');
  t.equal(await verdict('c', { server: 'other-ca' }), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  // Node names the violated name constraint only as UNSPECIFIED; accepted it must not be.
  t.equal(await verdict('d', { server: 'constraint' }), 'UNSPECIFIED');
  for (const client of ['expired', 'not-yet-valid', 'other-ca'] as const) {
    t.equal(await verdict(client, { client }), 'closed', client);
  }
});

t.test('a demo certificate is bound to this machine, short-lived and its keys are private', async (t) => {
  const pki = createPki(t.testdir(), { marker: true, days: 30 });
  const ca = new X509Certificate(read(pki.ca));
  t.equal(ca.ca, true);
  for (const path of [pki.ca, pki.serverCert, pki.clientCert]) {
    const certificate = new X509Certificate(read(path));
    t.ok(certificate.verify(ca.publicKey));
    t.ok(Date.parse(certificate.validTo) - Date.parse(certificate.validFrom) <= 7 * dayMs);
    t.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
  }
  const client = new X509Certificate(read(pki.clientCert));
  t.match(client.subjectAltName, /^URI:urn:qianzhi:demo:/);
  t.same(client.keyUsage, ['1.3.6.1.5.5.7.3.2']);
  t.match(
    new X509Certificate(read(pki.serverCert)).subjectAltName,
    'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
  );
  if (process.platform !== 'win32') {
    for (const key of [pki.caKey, pki.serverKey, pki.clientKey]) t.equal(statSync(key).mode & 0o777, 0o600);
  }
});

t.test('the marker is told from the certificate, in chains and in DER too', async (t) => {
  const folder = t.testdir();
  const marked = createPki(`${folder}/marked`, { marker: true });
  const plain = createPki(`${folder}/plain`);
  t.equal(demoMarkerOid, `2.25.${BigInt('0xf0dcbe00626c4ba68d94c1c10c9e7b7f')}`);
  t.equal(demoMarkerDer.length, 22);
  for (const path of [marked.ca, marked.serverCert, marked.clientCert]) t.equal(isDemoCertificate(read(path)), true);
  for (const path of [plain.ca, plain.serverCert, plain.clientCert]) t.equal(isDemoCertificate(read(path)), false);
  t.equal(isDemoCertificate(read(plain.clientCert) + read(marked.ca)), true, 'second of a chain');
  t.equal(isDemoCertificate(readFileSync(marked.clientCert)), true, 'PEM as bytes');
  t.equal(isDemoCertificate(new X509Certificate(read(marked.clientCert)).raw), true, 'DER');
  t.equal(isDemoCertificate('-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----'), false);
  t.equal(isDemoCertificate(''), false);
});

t.test('the PKI of a folder is kept while it lives and renewed before it ends', async (t) => {
  const folder = t.testdir();
  const nowMs = Date.now();
  const first = read(ensurePki(folder, { marker: true, nowMs }).clientCert);
  t.equal(read(ensurePki(folder, { marker: true, nowMs: nowMs + 5 * dayMs }).clientCert), first);
  t.not(read(ensurePki(folder, { marker: true, nowMs: nowMs + 6.5 * dayMs }).clientCert), first);
  const unmarked = ensurePki(folder, { nowMs: nowMs + 6.5 * dayMs });
  t.equal(isDemoCertificate(read(unmarked.clientCert)), false, 'another marker setting is another PKI');
});
