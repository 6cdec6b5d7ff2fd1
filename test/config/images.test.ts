import { join } from 'node:path';
import t, { type Test } from 'tap';
import { registry } from '../../adapters/registry.ts';
import { checkTexts } from '../../config/check-texts.ts';
import { ConfigError } from '../../config/config-error.ts';
import { loadConfig } from '../../config/load.ts';

/** A configuration for images; `sources` and `platforms` are its two lists. */
const configOf = (sources: string, platforms: string) => `
config_version: 1
site: { name: 示例医院, org_code: "123456789012345678" }
data: { folder: ./data, key: file:./keys/data.key }
sources:
  - { name: pacs, kind: dicom-scp, profile: dicom-default, port: 0, ae_titles: [QIANZHI], calling_ae_titles: [CT] }
${sources}
platforms:
  - name: cloud
    kind: dicomweb
    url: https://cloud.example.invalid/dicom-web
    tls: { ca: ca.pem, cert: c.pem, key: k.pem }
${platforms}
`;
const load = (t: Test, sources = '', platforms = '') =>
  loadConfig(join(t.testdir({ 'qianzhi.yaml': configOf(sources, platforms) }), 'qianzhi.yaml'), registry, {});
const issues = (work: () => unknown): string[] => {
  try {
    work();
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map(({ code, path, message }) => `${code} ${path} ${message.en}`);
  }
};

t.test('a platform for images has a schedule and no format', (t) => {
  const speed =
    '    speed: { bytes_per_second: 50000, windows: [{ days: [1, 5], from: "08:00", to: "17:30", bytes_per_second: 0 }] }';
  const config = load(t, '', speed);
  t.same(config.platforms, []);
  t.match(config.imagePlatforms, [
    {
      name: 'cloud',
      kind: 'dicomweb',
      verify: true,
      schedule: {
        bytesPerSecond: 50_000,
        windows: [{ days: [1, 5], fromMinute: 480, toMinute: 1050, bytesPerSecond: 0 }],
        urgentAlways: true,
      },
    },
  ]);
  t.same(
    config.files.map(({ path }) => path),
    ['platforms[0].tls.ca', 'platforms[0].tls.cert', 'platforms[0].tls.key'],
  );
  t.same(
    issues(() => checkTexts(config, registry)),
    [],
  );
  t.end();
});

t.test('a folder needs an archive where files are moved, and is no certificate file', (t) => {
  const folder = (more: string) =>
    `  - { name: dropped, kind: dicom-folder, profile: dicom-default, folder: ./in${more} }`;
  t.match(
    issues(() => load(t, folder(''))),
    [/^CFG-5003 sources\[1\]\.archive .*is needed/],
  );
  for (const more of [', archive: ./done', ', after: delete', ', after: leave']) {
    t.notOk(load(t, folder(more)).files.some(({ path }) => path.startsWith('sources')));
  }
  t.end();
});

t.test('a profile of another kind of source is called that, by the source', (t) => {
  const source =
    '  - { name: ct, kind: dicom-scp, profile: cn-default, port: 0, ae_titles: [Q], calling_ae_titles: [] }';
  const config = load(t, source);
  t.match(
    issues(() => checkTexts(config, registry)),
    [/^CFG-5009 sources\[1\]\.profile .*another kind of source/],
  );
  t.end();
});

t.test('half of the images configured is warned of, at the half that is there', (t) => {
  const warned = (text: string) =>
    loadConfig(join(t.testdir({ 'qianzhi.yaml': text }), 'qianzhi.yaml'), registry, {}).warnings.map(
      ({ code, path }) => `${code} ${path}`,
    );
  const whole = configOf('', '');
  t.same(warned(whole), []);
  const lines = whole.split('\n');
  const lis = '  - { name: lis, kind: hl7-mllp, profile: cn-default, host: 127.0.0.1, port: 0 }';
  t.same(warned(lines.map((line) => (line.includes('dicom-scp') ? lis : line)).join('\n')), [
    'CFG-5013 platforms[0].kind',
  ]);
  const province =
    '    kind: https\n    format: wst500-cda\n    pack: cn-wst500\n    url: https://cloud.example.invalid/';
  const documents = whole
    .replace('    kind: dicomweb', province)
    .replace('    url: https://cloud.example.invalid/dicom-web\n', '');
  t.same(warned(documents), ['CFG-5013 sources[0].kind']);
  t.end();
});
