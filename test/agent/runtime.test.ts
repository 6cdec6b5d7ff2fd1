import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { registry } from '../../adapters/registry.ts';
import { startAgent } from '../../agent/runtime.ts';
import { silentLog } from '../../agent/support/log.ts';
import { loadConfig } from '../../config/load.ts';
import { goodConfig } from '../config/small-registry.ts';
import { quickFolder } from '../quick-folder.ts';

t.setTimeout(600_000);

t.test('what is wrong with the spool stops the sources of images, and nothing else', async (t) => {
  const folder = quickFolder('runtime');
  for (const name of ['data', 'in', 'out']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'data', 'spool'), 'a file where the folder should be');
  const images = `
  - name: images
    kind: dicom-folder
    profile: dicom-default
    folder: ./in
    archive: ./out`;
  const text = goodConfig
    .replace('./profile.yaml', 'cn-default')
    .replace('./pack.yaml', 'cn-wst500')
    .replace('port: 2575', `port: 0${images}`)
    .replace('sources:', 'status: { port: 0 }\nsources:');
  writeFileSync(join(folder, 'qianzhi.yaml'), text);
  const config = loadConfig(join(folder, 'qianzhi.yaml'), registry, {});
  const events: string[] = [];
  const log = {
    ...silentLog,
    error: (event: string, fields?: object) => void events.push(`${event} ${JSON.stringify(fields)}`),
  };
  const agent = await startAgent({ config, registry, demo: false, log });
  t.teardown(() => agent.stop(1_000));
  t.match(
    agent.status().sources.map(({ name, state, problem }) => [name, state, problem?.code]),
    [
      ['lis', 'listening', undefined],
      ['images', 'failed', 'QUE-4020'],
    ],
  );
  t.ok(events.some((event) => event.startsWith('images-not-started {"code":"QUE-4020"')));
  t.ok(agent.addresses.sources.lis, 'messages are received');
});

t.test('senders told apart from the first day on may part with nothing: nobody is warned', async (t) => {
  const folder = quickFolder('runtime-senders');
  const senders = 'port: 0\n    senders: [{ name: ward, profile: cn-default, facilities: [W3] }]';
  const text = goodConfig
    .replace('./profile.yaml', 'cn-default')
    .replace('./pack.yaml', 'cn-wst500')
    .replace('port: 2575', senders)
    .replace('sources:', 'status: { port: 0 }\nsources:');
  writeFileSync(join(folder, 'qianzhi.yaml'), text);
  const config = loadConfig(join(folder, 'qianzhi.yaml'), registry, {});
  const agent = await startAgent({ config, registry, demo: false, log: silentLog });
  t.teardown(() => agent.stop(1_000));
  const { problems, sources } = agent.status();
  t.match(sources, [{ name: 'lis', state: 'listening', under: [{ name: 'ward', senders: [] }] }]);
  t.notOk(problems.find(({ code }) => code === 'HL7-2122'));
});
