import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { registry } from '../../adapters/registry.ts';
import { ConfigError } from '../../config/config-error.ts';
import { loadConfig } from '../../config/load.ts';
import { quickFolder } from '../quick-folder.ts';
import { goodConfig } from './small-registry.ts';

/** The paths that are refused in a configuration with one window of so many bytes a second. */
function refused(rate: number): string[] {
  const cloud = `  - name: cloud
    kind: dicomweb
    url: https://cloud.example.invalid/dicom-web
    tls: { ca: certs/ca.pem, cert: certs/client.pem, key: certs/client.key }
    speed: { windows: [{ from: "08:00", to: "17:00", bytes_per_second: ${rate} }] }
`;
  const text = goodConfig.replace('./profile.yaml', 'cn-default').replace('./pack.yaml', 'cn-wst500') + cloud;
  const file = join(quickFolder('speed'), 'qianzhi.yaml');
  writeFileSync(file, text);
  try {
    loadConfig(file, registry, {});
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map(({ path }) => path);
  }
}

t.test('a window lets nothing through or enough for a request to get on', async (t) => {
  const path = 'platforms[1].speed.windows[0].bytes_per_second';
  t.same([0, 1024, 2_000_000].map(refused), [[], [], []]);
  t.same([1, 1023].map(refused), [[path], [path]]);
});
