import type { Socket } from 'node:net';
import { createServer, type SecureContextOptions, type TLSSocket } from 'node:tls';
import type { CertificateStatus } from '../../../agent/delivery/platform.ts';
import { type CertificateFiles, fileStamp, readIdentity } from '../../../agent/security/certificates.ts';
import { errnoOf, QianzhiError } from '../../../agent/support/errors.ts';
import type { ListenerTls } from './config.ts';

/** Why a handshake did not come about. `plain`: the peer does not speak TLS. */
export type HandshakeFault = 'plain' | 'failed';

export interface HandshakeFailure {
  fault: HandshakeFault;
  /** OpenSSL's or Node's code for it, if any. */
  reason: string;
}

/** Puts TLS on connections (for DICOM PS3.15 Annex B, for HL7 IHE ATNA: at least TLS 1.2). */
export interface Secure {
  /**
   * The handshake on a new connection, which takes half-closed ones (`allowHalfOpen`). `done` is called once: with the secure
   * socket, with why there is none, or with neither where the peer went without a byte (a probe of the port).
   */
  handshake(socket: Socket, done: (socket: TLSSocket | undefined, failure?: HandshakeFailure) => void): void;
  /**
   * Takes the files again when they were replaced: true when new connections use them from now on. Rejects with
   * TLS-1209 when they cannot be used; the old ones stay (invariant 9).
   */
  renew(): Promise<boolean>;
  /** Our own certificate, as it is shown to new connections. */
  certificate(): CertificateStatus | undefined;
}

/** Node's codes for a first record that is none. */
const plainCodes = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_HTTPS_PROXY_REQUEST',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
]);

const timedOut = 'ERR_TLS_HANDSHAKE_TIMEOUT';

function failureOf(error: Error, socket: TLSSocket): HandshakeFailure {
  const code = errnoOf(error) ?? '';
  // Node's types say Error; it is the code of what verifying found.
  const unverified: unknown = socket.authorizationError;
  const reason = typeof unverified === 'string' ? unverified : code;
  return { fault: plainCodes.has(code) ? 'plain' : 'failed', reason };
}

/** Rejects with TLS-1209, `where` = `tls.cert`, `tls.key` or `tls.ca`, when the files cannot be used. */
export async function openSecure(config: ListenerTls, handshakeMs: number): Promise<Secure> {
  const wanted = config.client_certificates === 'required';
  // Where nobody has to show a certificate there need not be a CA, and none is consulted.
  const files: CertificateFiles = { cert: config.cert, key: config.key, ca: config.ca ?? config.cert };
  const read = async (): Promise<{ options: SecureContextOptions; own: CertificateStatus | undefined }> => {
    const { cert, key, ca, certificates } = await readIdentity(files);
    const minVersion = config.min_version === '1.2' ? 'TLSv1.2' : 'TLSv1.3';
    return { options: { cert, key, minVersion, ...(wanted ? { ca } : {}) }, own: certificates[0] };
  };
  let stamp = await fileStamp(files);
  const first = await read();
  let own = first.own;
  const server = createServer({
    ...first.options,
    requestCert: wanted,
    rejectUnauthorized: wanted,
    handshakeTimeout: handshakeMs,
  });
  const waiting = new Map<string, (socket: TLSSocket) => void>();
  const failures = new WeakMap<object, HandshakeFailure>();
  // The connection and the secure socket on it have the same two ends.
  const nameOf = (socket: Socket) => `${socket.localAddress} ${socket.remoteAddress} ${socket.remotePort}`;
  server.on('secureConnection', (socket) => {
    // From here on who ends its side may wait for our answer (reference/hl7v2.md §3.2 point 10).
    socket.allowHalfOpen = true;
    const name = nameOf(socket);
    const done = waiting.get(name);
    waiting.delete(name);
    if (done === undefined) socket.destroy();
    else done(socket);
  });
  server.on('tlsClientError', (error, socket) => {
    // Only the name of what went wrong hangs on Node's own property: no public one leads from here to the connection.
    const { _parent: below } = socket as { _parent?: object };
    if (below !== undefined) failures.set(below, failureOf(error, socket));
    socket.destroy();
  });
  return {
    handshake(socket, done) {
      const name = nameOf(socket);
      let isShaken = false;
      const shaken = (secure: TLSSocket) => {
        isShaken = true;
        done(secure);
      };
      waiting.set(name, shaken);
      socket.once('close', () => {
        if (isShaken) return;
        // A device that connects anew from the same port may stand there by now.
        if (waiting.get(name) === shaken) waiting.delete(name);
        // What went wrong may be told only after the close.
        setImmediate(() => {
          const failure = failures.get(socket) ?? { fault: 'failed', reason: '' };
          const unspoken = socket.bytesRead === 0 && failure.reason !== timedOut;
          done(undefined, unspoken ? undefined : failure);
        });
      });
      // Who ends its side before the handshake is done is gone: nothing of it can come any more.
      socket.allowHalfOpen = false;
      server.emit('connection', socket);
    },
    async renew() {
      const seen = await fileStamp(files);
      if (seen === stamp) return false;
      try {
        const next = await read();
        server.setSecureContext(next.options);
        own = next.own;
      } catch (error) {
        throw error instanceof QianzhiError ? error : new QianzhiError('TLS-1209', 'tls', { cause: error });
      }
      stamp = seen;
      return true;
    },
    certificate: () => own,
  };
}
