import { join } from 'node:path';
import type { Test } from 'tap';
import { dicomwebConfig } from '../../../../adapters/platforms/dicomweb/config.ts';
import { dicomwebTiming, openDicomweb } from '../../../../adapters/platforms/dicomweb/platform.ts';
import type { Timing } from '../../../../adapters/platforms/mutual-tls/exchange.ts';
import type { ImagePlatformConnection } from '../../../../agent/delivery/image-platform.ts';
import { systemClock } from '../../../../agent/support/clock.ts';
import { type Log, silentLog } from '../../../../agent/support/log.ts';
import { createPki, type Pki, type PkiOptions } from '../../../platform/pki.ts';
import { file, newUid, outgoing } from './instances.ts';
import { type StorePlatform, startStorePlatform } from './store-platform.ts';

export const never = new AbortController().signal;

export interface Rig {
  pki: Pki;
  platform: StorePlatform;
  connection: ImagePlatformConnection;
}

/** A connection to `url` with the certificates of `tls`, closed when the test ends. */
export async function connect(
  t: Test,
  url: string,
  tls: { ca: string; cert: string; key: string },
  options: { timing?: Partial<Timing>; log?: Log; config?: object } = {},
): Promise<ImagePlatformConnection> {
  const connection = await openDicomweb(
    { name: 'cloud', clock: systemClock, log: options.log ?? silentLog, agentId: 'agent-1' },
    dicomwebConfig.parse({ url, tls, ...options.config }),
    { ...dicomwebTiming, ...options.timing },
  );
  t.teardown(() => connection.close());
  return connection;
}

/** The scripted platform and a connection to it. */
export async function rig(
  t: Test,
  options: { timing?: Partial<Timing>; log?: Log; config?: object; pki?: PkiOptions } = {},
): Promise<Rig> {
  const pki = createPki(join(t.testdir(), 'pki'), options.pki);
  const platform = await startStorePlatform(pki);
  t.teardown(() => platform.close());
  const tls = { ca: pki.ca, cert: pki.clientCert, key: pki.clientKey };
  return { pki, platform, connection: await connect(t, platform.url, tls, options) };
}

/** Instances 1, 2, … of one new study, small ones. */
export function instances(count: number) {
  const study = newUid();
  return Array.from({ length: count }, (_, i) => {
    const sop = `${study}.${i + 1}`.slice(0, 64);
    const bytes = file({ study, sop });
    return { sop, study, bytes, out: outgoing(i + 1, bytes, { study, sop }) };
  });
}
