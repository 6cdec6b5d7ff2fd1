import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  X509Certificate,
} from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDemoCertificate } from '../../agent/security/demo-marker.ts';
import { makeCertificate } from './certificate.ts';

const dayMs = 86_400_000;
/** The longest life a certificate of the demo may have. */
export const mostDays = 7;
/** How far back a life begins, for clocks that differ a little. */
const backdatedMs = 300_000;
const ownNames = ['localhost', '127.0.0.1', '::1'];

export interface PkiOptions {
  /** Demo marker in every certificate; `qianzhi run` refuses those. Tests of the product leave it out. */
  marker?: boolean;
  /** Life in days, at most 7. */
  days?: number;
  /** The client's URI name; default `urn:qianzhi:demo:<uuid>`. */
  agentUri?: string;
  /** A client certificate that a platform must not accept. `other-ca`: issued by a CA nobody trusts. */
  client?: 'valid' | 'expired' | 'not-yet-valid' | 'other-ca';
  /**
   * A server certificate that the agent must not accept. `constraint`: for a name its CA may not issue.
   * `other-ca-chain`: of another CA, sent along as a device that opens TLS does. `self-signed`: its own issuer.
   */
  server?: 'valid' | 'expired' | 'wrong-name' | 'other-ca' | 'other-ca-chain' | 'self-signed' | 'constraint';
  /** Further names of the server; a CA that may issue for any name is made for them. */
  serverNames?: string[];
  nowMs?: number;
  /** How long ago the CA was made; default five minutes. */
  caAgeMs?: number;
}

/** Paths of the PEM files. Keys have mode 0600 and never leave the folder. */
export interface Pki {
  folder: string;
  ca: string;
  caKey: string;
  serverCert: string;
  serverKey: string;
  clientCert: string;
  clientKey: string;
}

const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

const paths = (folder: string): Pki => ({
  folder,
  ca: join(folder, 'ca.pem'),
  caKey: join(folder, 'ca.key'),
  serverCert: join(folder, 'server.pem'),
  serverKey: join(folder, 'server.key'),
  clientCert: join(folder, 'client.pem'),
  clientKey: join(folder, 'client.key'),
});

function put(path: string, text: string | Buffer, mode: number): void {
  const writing = `${path}.part`;
  writeFileSync(writing, text, { mode });
  chmodSync(writing, mode);
  renameSync(writing, path);
}

/**
 * Makes a CA that may issue for this machine only (critical name constraints: localhost, 127.0.0.1,
 * ::1), a server certificate and a client certificate, all P-256, into `folder`; what was there is
 * replaced. The variants of `client` and `server` are for tests of refusal.
 */
export function createPki(folder: string, options: PkiOptions = {}): Pki {
  const { marker = false, server = 'valid', nowMs = Date.now() } = options;
  const days = Math.min(options.days ?? mostDays, mostDays);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const ca = { subject: 'Qianzhi simulated province CA', ...pair() };
  const permitted = server === 'wrong-name' || options.serverNames ? [] : ownNames;
  const caCert = makeCertificate({
    notBeforeMs: nowMs - (options.caAgeMs ?? backdatedMs),
    notAfterMs: nowMs - (options.caAgeMs ?? backdatedMs) + days * dayMs,
    subject: ca.subject,
    issuer: ca.subject,
    publicKey: ca.publicKey,
    issuerKey: ca.privateKey,
    use: 'ca',
    permitted,
    marker,
  });
  const files = paths(folder);
  put(files.caKey, ca.privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
  put(files.ca, caCert, 0o644);
  return issuePairs(files, ca, options);
}

/** New server and client pairs under the CA that is there, in place of the old ones: what a renewal does, or a fault. */
export function reissue(pki: Pki, options: PkiOptions = {}): Pki {
  const privateKey = createPrivateKey(readFileSync(pki.caKey));
  const ca = { subject: 'Qianzhi simulated province CA', privateKey, publicKey: createPublicKey(privateKey) };
  return issuePairs(pki, ca, options);
}

type Authority = { subject: string; publicKey: KeyObject; privateKey: KeyObject };

function issuePairs(files: Pki, ca: Authority, options: PkiOptions): Pki {
  const { marker = false, client = 'valid', server = 'valid', nowMs = Date.now() } = options;
  const days = Math.min(options.days ?? mostDays, mostDays);
  const valid = { notBeforeMs: nowMs - backdatedMs, notAfterMs: nowMs - backdatedMs + days * dayMs };
  const expired = { notBeforeMs: nowMs - 3 * dayMs, notAfterMs: nowMs - dayMs };
  const later = { notBeforeMs: nowMs + dayMs, notAfterMs: nowMs + 2 * dayMs };

  const other: Authority = { subject: 'Another CA', ...pair() };
  const issue = (use: 'server' | 'client', variant: string, extra: { names?: string[]; uris?: string[] }) => {
    const keys = pair();
    const self = { subject: 'Qianzhi simulated province', ...keys };
    const by = variant.startsWith('other-ca') ? other : variant === 'self-signed' ? self : ca;
    const life = variant === 'expired' ? expired : variant === 'not-yet-valid' ? later : valid;
    const certificate = makeCertificate({
      ...life,
      ...extra,
      subject: use === 'server' ? 'Qianzhi simulated province' : 'qianzhi-demo-agent',
      issuer: by.subject,
      publicKey: keys.publicKey,
      issuerKey: by.privateKey,
      use,
      marker,
    });
    return { certificate, key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) };
  };
  const foreign = server === 'wrong-name' || server === 'constraint';
  const serverPair = issue('server', server, {
    names: foreign
      ? ['platform.example', ...(server === 'constraint' ? ownNames : [])]
      : [...ownNames, ...(options.serverNames ?? [])],
  });
  if (server === 'other-ca-chain') {
    const { subject, publicKey, privateKey: issuerKey } = other;
    serverPair.certificate += makeCertificate({ ...valid, subject, issuer: subject, publicKey, issuerKey, use: 'ca' });
  }
  const clientPair = issue('client', client, { uris: [options.agentUri ?? `urn:qianzhi:demo:${randomUUID()}`] });

  put(files.serverKey, serverPair.key, 0o600);
  put(files.clientKey, clientPair.key, 0o600);
  put(files.serverCert, serverPair.certificate, 0o644);
  put(files.clientCert, clientPair.certificate, 0o644);
  return files;
}

/** The PKI of a demo folder: the one that is there while it has a day to live, else a new one. */
export function ensurePki(folder: string, options: PkiOptions = {}): Pki {
  const files = paths(folder);
  const nowMs = options.nowMs ?? Date.now();
  try {
    const usable = [files.ca, files.serverCert, files.clientCert].every((path) => {
      const pem = readFileSync(path, 'utf8');
      const left = Date.parse(new X509Certificate(pem).validTo) - nowMs;
      return left > dayMs && left <= mostDays * dayMs && isDemoCertificate(pem) === (options.marker ?? false);
    });
    for (const key of [files.caKey, files.serverKey, files.clientKey]) readFileSync(key);
    if (usable) return files;
  } catch {
    // Absent or damaged: made anew.
  }
  return createPki(folder, options);
}
