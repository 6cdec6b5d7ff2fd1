import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { CertificateStatus } from '../delivery/platform.ts';
import { QianzhiError } from '../support/errors.ts';
import type { Log } from '../support/log.ts';

/** The three PEM files of a platform's `tls` block. */
export interface CertificateFiles {
  /** The platform's CA, one or more certificates. Nothing else is trusted. */
  ca: string;
  /** Our certificate, followed by its intermediates when there are any. */
  cert: string;
  /** Our private key, not encrypted. */
  key: string;
}

/** What a connection needs to prove who we are and to check who the platform is. */
export interface Identity {
  /** PEM, one certificate each. */
  ca: string[];
  /** PEM chain as in the file. */
  cert: string;
  key: string;
  /** Our own certificate first, then the platform's CAs. */
  certificates: CertificateStatus[];
}

const dayMs = 86_400_000;

/** Days before the end at which the log says so (reference/surface.md §5.2). */
export const warningDays = [30, 14, 7, 3, 1] as const;

const pemBlock = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

async function readText(file: string, where: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new QianzhiError('TLS-1209', where, { cause });
  }
}

function parseCertificates(pem: string, where: string): X509Certificate[] {
  const blocks = pem.match(pemBlock);
  if (blocks === null) throw new QianzhiError('TLS-1209', where);
  return blocks.map((block) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw new QianzhiError('TLS-1209', where, { cause });
    }
  });
}

function parseKey(pem: string, where: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new QianzhiError('TLS-1209', where, { cause });
  }
}

/** Subject, dates and SHA-256 fingerprint (hex, lower case, no colons) for the page and `test platform`. */
export function certificateStatus(certificate: X509Certificate, role: CertificateStatus['role']): CertificateStatus {
  return {
    role,
    subject: certificate.subject.replaceAll('\n', ', '),
    notBeforeMs: certificate.validFromDate.getTime(),
    notAfterMs: certificate.validToDate.getTime(),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

/**
 * Reads and checks the three files: present, PEM, and certificate and key belonging together. Dates
 * are not judged here: an expired certificate still opens, so that the page can show its dates.
 * Throws QianzhiError TLS-1209 with `where` = `tls.ca`, `tls.cert` or `tls.key`.
 */
export async function readIdentity(files: CertificateFiles): Promise<Identity> {
  const [caPem, cert, key] = await Promise.all([
    readText(files.ca, 'tls.ca'),
    readText(files.cert, 'tls.cert'),
    readText(files.key, 'tls.key'),
  ]);
  const authorities = parseCertificates(caPem, 'tls.ca');
  const [own] = parseCertificates(cert, 'tls.cert');
  const privateKey = parseKey(key, 'tls.key');
  if (own === undefined || !own.checkPrivateKey(privateKey)) throw new QianzhiError('TLS-1209', 'tls.key');
  return {
    ca: authorities.map((authority) => authority.toString()),
    cert,
    key,
    certificates: [
      certificateStatus(own, 'client'),
      ...authorities.map((authority) => certificateStatus(authority, 'platform-ca')),
    ],
  };
}

/** What tells that a file was replaced: modification time, size and inode; `absent` when it cannot be seen. */
export async function fileStamp(files: CertificateFiles): Promise<string> {
  const stamps = [files.ca, files.cert, files.key].map(async (file) => {
    try {
      const { mtimeMs, size, ino } = await stat(file);
      return `${mtimeMs}/${size}/${ino}`;
    } catch {
      return 'absent';
    }
  });
  return (await Promise.all(stamps)).join(' ');
}

export type Validity = 'valid' | 'not-yet' | 'expired';

/** Where `nowMs` lies in the certificate's validity; both ends belong to it (RFC 5280 §4.1.2.5). */
export function validityAt(certificate: CertificateStatus, nowMs: number): Validity {
  if (nowMs < certificate.notBeforeMs) return 'not-yet';
  return nowMs > certificate.notAfterMs ? 'expired' : 'valid';
}

/**
 * The warning that is due, as days of `warningDays`, or undefined. A warning longer than a third of
 * the certificate's life is left out, else a certificate of seven days would warn from its first hour.
 */
export function warningDue(certificate: CertificateStatus, nowMs: number): number | undefined {
  const left = certificate.notAfterMs - nowMs;
  const life = certificate.notAfterMs - certificate.notBeforeMs;
  let due: number | undefined;
  for (const days of warningDays) if (left <= days * dayMs && days * dayMs <= life / 3) due = days;
  return due;
}

/** Logs TLS-1208 once for each warning and TLS-1205 once when our certificate is not valid. Give it every look at the clock. */
export function watchExpiry(
  log: Log,
  platform: string,
): (certificates: readonly CertificateStatus[], nowMs: number) => void {
  let said = '';
  return (certificates, nowMs) => {
    const own = certificates.find((certificate) => certificate.role === 'client');
    if (own === undefined) return;
    const validity = validityAt(own, nowMs);
    const days = validity === 'valid' ? warningDue(own, nowMs) : undefined;
    const saying = validity === 'valid' ? (days ?? '') : validity;
    const key = `${own.fingerprint} ${saying}`;
    if (key === said) return;
    said = key;
    if (validity !== 'valid') log.error('own-certificate-not-valid', { platform, code: 'TLS-1205', state: validity });
    else if (days !== undefined) log.warn('own-certificate-expires-soon', { platform, code: 'TLS-1208', count: days });
  };
}
