import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { httpsConfig } from '../../../../adapters/platforms/https/config.ts';
import { openHttps } from '../../../../adapters/platforms/https/platform.ts';
import { systemClock } from '../../../../agent/support/clock.ts';
import { silentLog } from '../../../../agent/support/log.ts';
import { createPki, type PkiOptions } from '../../../platform/pki.ts';
import { choosePort } from '../../../platform/ports.ts';
import { document } from './documents.ts';

/** A server of another make, which refuses certificates in the handshake with an alert, as RFC 8446 §6.2 has it; Node's own closes silently. */
const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';

async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const up = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('openssl does not listen');
}

const cases: Array<[what: string, options: PkiOptions]> = [
  ['of another CA', { client: 'other-ca' }],
  ['that has expired by its clock', { client: 'expired' }],
];
for (const version of ['-tls1_3', '-tls1_2']) {
  for (const [what, options] of cases) {
    t.test(
      `${version}: a server that refuses a certificate ${what} with an alert is understood at once`,
      { skip },
      async (t) => {
        const pki = createPki(join(t.testdir(), 'pki'), { ...options, caAgeMs: 4 * 86_400_000 });
        const port = await choosePort();
        const files = ['-CAfile', pki.ca, '-cert', pki.serverCert, '-key', pki.serverKey];
        const server: ChildProcess = spawn(
          'openssl',
          [
            's_server',
            '-accept',
            `127.0.0.1:${port}`,
            version,
            '-quiet',
            '-Verify',
            '1',
            '-verify_return_error',
            ...files,
          ],
          { stdio: 'ignore' },
        );
        t.teardown(() => void server.kill());
        await listening(port);
        const connection = await openHttps(
          // By our clock the certificate is still valid: else it would not be shown at all.
          {
            name: 'p',
            clock: { ...systemClock, now: () => Date.now() - (options.client === 'expired' ? 2 * 86_400_000 : 0) },
            log: silentLog,
            agentId: 'agent-1',
          },
          httpsConfig.parse({
            url: `https://localhost:${port}`,
            tls: { ca: pki.ca, cert: pki.clientCert, key: pki.clientKey, min_version: '1.2' },
          }),
        );
        t.teardown(() => connection.close());
        t.same(await connection.send([document(1)], new AbortController().signal), { kind: 'stop', code: 'TLS-1204' });
      },
    );
  }
}
