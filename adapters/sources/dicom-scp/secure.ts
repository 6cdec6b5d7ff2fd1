import type { Socket } from 'node:net';
import { createServer, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { type CertificateFiles, fileStamp, readIdentity } from '../../../agent/security/certificates.ts';
import { QianzhiError } from '../../../agent/support/errors.ts';
import type { DicomScpConfig } from './config.ts';

/** Puts TLS on connections (PS3.15 Annex B: at least TLS 1.2). */
export interface Secure {
  /** The handshake on a new connection; `done` gets the secure socket, or nothing when it did not come about. */
  handshake(socket: Socket, done: (socket: TLSSocket | undefined) => void): void;
  /**
   * Takes the files again when they were replaced: true when new connections use them from now on. Rejects with
   * TLS-1209 when they cannot be used; the old ones stay (invariant 9).
   */
  renew(): Promise<boolean>;
}

/** Rejects with TLS-1209, `where` = `tls.cert`, `tls.key` or `tls.ca`, when the files cannot be used. */
export async function openSecure(config: NonNullable<DicomScpConfig['tls']>, handshakeMs: number): Promise<Secure> {
  const wanted = config.client_certificates === 'required';
  // Where nobody has to show a certificate there need not be a CA, and none is consulted.
  const files: CertificateFiles = { cert: config.cert, key: config.key, ca: config.ca ?? config.cert };
  const read = async (): Promise<SecureContextOptions> => {
    const { cert, key, ca } = await readIdentity(files);
    const minVersion = config.min_version === '1.2' ? 'TLSv1.2' : 'TLSv1.3';
    return { cert, key, minVersion, ...(wanted ? { ca } : {}) };
  };
  let stamp = await fileStamp(files);
  const server = createServer({
    ...(await read()),
    requestCert: wanted,
    rejectUnauthorized: wanted,
    handshakeTimeout: handshakeMs,
    allowHalfOpen: true,
  });
  const waiting = new Map<string, (socket: TLSSocket | undefined) => void>();
  // The connection and the secure socket on it have the same two ends.
  const nameOf = (socket: Socket) => `${socket.localAddress} ${socket.remoteAddress} ${socket.remotePort}`;
  server.on('secureConnection', (socket) => {
    const name = nameOf(socket);
    const done = waiting.get(name);
    waiting.delete(name);
    if (done === undefined) socket.destroy();
    else done(socket);
  });
  // What went wrong is told when the connection below closes, which always follows.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return {
    handshake(socket, done) {
      const name = nameOf(socket);
      waiting.set(name, done);
      socket.once('close', () => {
        if (waiting.get(name) !== done) return;
        waiting.delete(name);
        done(undefined);
      });
      server.emit('connection', socket);
    },
    async renew() {
      const seen = await fileStamp(files);
      if (seen === stamp) return false;
      try {
        server.setSecureContext(await read());
      } catch (error) {
        throw error instanceof QianzhiError ? error : new QianzhiError('TLS-1209', 'tls', { cause: error });
      }
      stamp = seen;
      return true;
    },
  };
}
