import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { httpsConfig } from '../../../../adapters/platforms/https/config.ts';
import { openHttps } from '../../../../adapters/platforms/https/platform.ts';
import { createTrustMemory, looksIntercepted, looksLikeSkew } from '../../../../adapters/platforms/mutual-tls/trust.ts';
import { type Clock, systemClock } from '../../../../agent/support/clock.ts';
import { silentLog } from '../../../../agent/support/log.ts';
import { createPki } from '../../../platform/pki.ts';
import { document } from './documents.ts';
import { startFaultPlatform } from './fault-platform.ts';

const hour = 3_600_000;
const day = 24 * hour;
const never = new AbortController().signal;

t.test('clock skew is claimed only where the platform’s clock, or every CA, proves it', async (t) => {
  const certificate = { fromMs: 10 * day, toMs: 20 * day };
  const ca = { fromMs: 0, toMs: 100 * day };
  const skew = (now: number, platform?: number, cas = [ca]) => looksLikeSkew(certificate, cas, now, platform);
  t.equal(skew(21 * day, 15 * day), true, 'ours runs ahead');
  t.equal(skew(9 * day, 15 * day), true, 'ours runs behind');
  t.equal(skew(21 * day, 21 * day), false, 'the certificate has expired');
  t.equal(skew(25 * day, 21 * day), false, 'clocks apart, and expired all the same');
  t.equal(skew(20 * day + 1000, 20 * day - 1000), false, 'two seconds explain nothing');
  t.equal(skew(21 * day, 15 * day, [{ fromMs: 0, toMs: 12 * day }]), false, 'the CA has expired');
  t.equal(skew(21 * day), false, 'ahead, and nothing known of the platform’s clock');
  t.equal(skew(-day), true, 'before the CA was made');
  t.equal(skew(-day, undefined, [ca, { fromMs: -2 * day, toMs: day }]), false, 'not before all of them');
  t.equal(skew(-day, undefined, []), false);
});

t.test('what the platform’s clock must show goes on with our monotonic clock, not with the wall clock', async (t) => {
  let monotonic = 1_000;
  const clock: Clock = { now: () => 0, monotonic: () => monotonic };
  const memory = createTrustMemory(clock);
  t.equal(memory.platformNowMs(), undefined);
  memory.learnTime(Number.NaN);
  t.equal(memory.platformNowMs(), undefined);
  memory.learnTime(50 * day);
  monotonic += hour;
  t.equal(memory.platformNowMs(), 50 * day + hour);
});

t.test('interception is claimed only for the right name under another CA, with evidence', async (t) => {
  const folder = t.testdir();
  const pki = createPki(join(folder, 'own'));
  const read = (file: string) => new X509Certificate(readFileSync(file));
  const authorities = [read(pki.ca)];
  const foreign = read(createPki(join(folder, 'foreign'), { server: 'other-ca' }).serverCert);
  const own = read(pki.serverCert);
  const selfSigned = read(createPki(join(folder, 'self'), { server: 'self-signed' }).serverCert);
  t.equal(looksIntercepted(foreign, 'localhost', true, authorities, undefined), true, 'a chain to another root');
  t.equal(looksIntercepted(foreign, '127.0.0.1', true, authorities, undefined), true, 'also by address');
  t.equal(looksIntercepted(foreign, 'localhost', false, authorities, own.issuer), true, 'another issuer than before');
  t.equal(
    looksIntercepted(foreign, 'localhost', false, authorities, undefined),
    false,
    'a missing intermediate looks alike',
  );
  t.equal(looksIntercepted(foreign, 'localhost', false, authorities, foreign.issuer), false, 'the issuer of before');
  t.equal(looksIntercepted(foreign, 'platform.example', true, authorities, own.issuer), false, 'another name');
  t.equal(looksIntercepted(own, 'localhost', true, authorities, undefined), false, 'a CA of the name we trust');
  t.equal(looksIntercepted(selfSigned, 'localhost', true, authorities, own.issuer), false, 'self-signed');
});

t.test('a PC whose clock has fallen back for years says so, not that its certificate is not yet valid', async (t) => {
  const pki = createPki(join(t.testdir(), 'pki'));
  const platform = await startFaultPlatform(pki);
  t.teardown(() => platform.close());
  let behindMs = 10 * 365 * day;
  const clock: Clock = { now: () => Date.now() - behindMs, monotonic: systemClock.monotonic };
  const connection = await openHttps(
    { name: 'p', clock, log: silentLog, agentId: 'agent-1' },
    httpsConfig.parse({ url: platform.url, tls: { ca: pki.ca, cert: pki.clientCert, key: pki.clientKey } }),
  );
  t.teardown(() => connection.close());
  t.same(await connection.probe(never), { ok: false, code: 'TLS-1206' });
  t.same(await connection.send([document(1)], never), { kind: 'stop', code: 'TLS-1206' });
  t.equal(platform.connections, 0);
  behindMs = 0;
  t.match(await connection.send([document(1)], never), { kind: 'items' }, 'and goes on when it is corrected');
});
