import { join } from 'node:path';
import type { Test } from 'tap';
import { httpsConfig } from '../../../../adapters/platforms/https/config.ts';
import { openHttps } from '../../../../adapters/platforms/https/platform.ts';
import type { Timing } from '../../../../adapters/platforms/mutual-tls/exchange.ts';
import { systemClock } from '../../../../agent/support/clock.ts';
import { silentLog } from '../../../../agent/support/log.ts';
import { createPki, type Pki, type PkiOptions } from '../../../platform/pki.ts';
import { startFaultPlatform } from './fault-platform.ts';

export const patient: Timing = { connectMs: 5_000, answerMs: 5_000, exchangeMs: 20_000, certificateCheckMs: 0 };
/** For the peers that never answer. */
export const quick: Timing = { ...patient, connectMs: 400, answerMs: 400 };
/** No request is given up. */
export const never = new AbortController().signal;

const settings = (url: string, pki: Pki, tls: object = {}) =>
  httpsConfig.parse({ url, tls: { ca: pki.ca, cert: pki.clientCert, key: pki.clientKey, ...tls } });

/** The adapter at an address, closed with the test. */
export const open = (t: Test, url: string, pki: Pki, tls: object = {}, timing: Timing = patient) =>
  openHttps(
    { name: 'p', clock: systemClock, log: silentLog, agentId: 'agent-1' },
    settings(url, pki, tls),
    timing,
  ).then((connection) => {
    t.teardown(() => connection.close());
    return connection;
  });

/** The adapter and a platform that misbehaves as told. */
export async function rig(t: Test, options: PkiOptions = {}, server: Parameters<typeof startFaultPlatform>[1] = {}) {
  const pki = createPki(join(t.testdir(), 'pki'), options);
  const platform = await startFaultPlatform(pki, server);
  t.teardown(() => platform.close());
  return { pki, platform, connection: await open(t, platform.url, pki) };
}
