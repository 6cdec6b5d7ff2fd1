import { once } from 'node:events';
import { createServer } from 'node:net';
import t from 'tap';
import { registry } from '../../../adapters/registry.ts';
import { startSource } from '../../../agent/intake/start-source.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import { intakeOf } from '../../adapters/sources/hl7-mllp/intake-of.ts';

t.test('a source whose port is taken is shown failed, and starts by itself once it is free', async (t) => {
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const logged: string[] = [];
  const write = (event: string) => void logged.push(event);
  let changed = 0;
  const source = await startSource(
    {
      name: 'lis',
      kind: 'hl7-mllp',
      profileText: '',
      profilePath: '',
      profileAt: { path: '', line: 1, column: 1 },
      senders: [],
      settings: registry.sources.find(({ kind }) => kind === 'hl7-mllp')!.config.parse({ host: '127.0.0.1', port }),
    },
    new Map([['lis', intakeOf()]]),
    registry,
    {
      accept: async () => ({ seq: 1, outcome: 'stored', controlIdReused: false }),
      pendingBytes: () => 0,
      images: undefined,
      dataFolder: t.testdir({}),
      archiveKey: () => new Uint8Array(32),
      clock: systemClock,
      log: { info: write, warn: write, error: write },
      changed: () => {
        changed += 1;
      },
    },
  );
  t.teardown(() => source.stop(0));
  t.match(source.status(), { name: 'lis', state: 'failed', problem: { code: 'MLLP-2001' } });
  other.close();
  while (source.status().state !== 'listening') await new Promise((resolve) => setTimeout(resolve, 50));
  t.match(source.status(), { state: 'listening', address: `127.0.0.1:${port}` });
  t.ok(logged.indexOf('source-failed') === 0 && logged.includes('source-started'), 'both are logged');
  t.ok(changed > 0, 'the page is told');
  await source.stop(0);
  const again = createServer().listen(port, '127.0.0.1');
  await once(again, 'listening');
  again.close();
});
