import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { fileStamp, readIdentity, validityAt, warningDue, watchExpiry } from '../../../agent/security/certificates.ts';
import { createPki } from '../../platform/pki.ts';

const day = 86_400_000;

t.test('reads chain and CA, and shows subject, dates and fingerprint', async (t) => {
  const pki = createPki(join(t.testdir(), 'pki'));
  const files = { ca: pki.ca, cert: pki.clientCert, key: pki.clientKey };
  writeFileSync(pki.clientCert, `${readFileSync(pki.clientCert, 'utf8')}${readFileSync(pki.ca, 'utf8')}`);
  const identity = await readIdentity(files);
  t.same(
    identity.certificates.map((certificate) => certificate.role),
    ['client', 'platform-ca'],
  );
  for (const certificate of identity.certificates) {
    t.match(certificate.fingerprint, /^[0-9a-f]{64}$/);
    t.notMatch(certificate.subject, /\n/);
    t.ok(certificate.notBeforeMs < Date.now() && certificate.notAfterMs > Date.now());
  }
  const stamp = await fileStamp(files);
  t.equal(await fileStamp(files), stamp);
  writeFileSync(pki.clientCert, `${readFileSync(pki.clientCert, 'utf8')}\n`);
  t.not(await fileStamp(files), stamp);
  t.match(await fileStamp({ ...files, ca: `${pki.ca}.none` }), /^absent /);
});

t.test('says which file cannot be used', async (t) => {
  const pki = createPki(join(t.testdir(), 'pki'));
  const files = { ca: pki.ca, cert: pki.clientCert, key: pki.clientKey };
  const rejects = (over: object, where: string) =>
    t.rejects(readIdentity({ ...files, ...over }), { code: 'TLS-1209', where });
  await rejects({ ca: join(pki.folder, 'none') }, 'tls.ca');
  await rejects({ ca: pki.clientKey }, 'tls.ca');
  await rejects({ cert: pki.clientKey }, 'tls.cert');
  await rejects({ key: pki.clientCert }, 'tls.key');
  await rejects({ key: pki.serverKey }, 'tls.key');
  const broken = join(pki.folder, 'broken.pem');
  writeFileSync(broken, '-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n');
  await rejects({ cert: broken }, 'tls.cert');
});

t.test('warns at 30, 14, 7, 3 and 1 days, once each, and not through a short life', (t) => {
  const year = {
    role: 'client' as const,
    subject: 'CN=x',
    notBeforeMs: 0,
    notAfterMs: 365 * day,
    fingerprint: 'f',
  };
  t.equal(warningDue(year, 334 * day), undefined);
  t.equal(warningDue(year, 335 * day), 30);
  t.equal(warningDue(year, 352 * day), 14);
  t.equal(warningDue(year, 364.5 * day), 1);
  const week = { ...year, notAfterMs: 7 * day };
  t.equal(warningDue(week, 0), undefined);
  t.equal(warningDue(week, 6.5 * day), 1);
  t.equal(validityAt(year, -1), 'not-yet');
  t.equal(validityAt(year, 365 * day), 'valid');
  t.equal(validityAt(year, 365 * day + 1), 'expired');
  const said: string[] = [];
  const note = (_: string, fields?: { code?: string; count?: number }) =>
    void said.push(`${fields?.code} ${fields?.count ?? ''}`.trim());
  const watch = watchExpiry({ info: note, warn: note, error: note }, 'p');
  for (let at = 300; at < 370; at += 0.5) watch([year], at * day);
  t.same(said, ['TLS-1208 30', 'TLS-1208 14', 'TLS-1208 7', 'TLS-1208 3', 'TLS-1208 1', 'TLS-1205']);
  t.end();
});
