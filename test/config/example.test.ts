import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { registry } from '../../adapters/registry.ts';
import { checkTexts } from '../../config/check-texts.ts';
import type { ConfigError } from '../../config/config-error.ts';
import { loadConfig } from '../../config/load.ts';

const example = fileURLToPath(new URL('../../config/examples/qianzhi.yaml', import.meta.url));

t.test('the example is valid as it stands, with the real adapters, profile and pack', async (t) => {
  const loaded = loadConfig(example, registry, {});
  const { profiles, renderers } = checkTexts(loaded, registry);
  t.same([...profiles.keys()], ['lis']);
  t.same([...renderers.keys()], ['province']);
  t.match(loaded.warnings, [{ code: 'CFG-5012', path: 'site.org_code' }]);
});

t.test('the certificates of the example are found relative to its folder', async (t) => {
  const loaded = loadConfig(example, registry, {});
  t.same(
    loaded.files.map(({ path }) => path),
    ['platforms[0].tls.ca', 'platforms[0].tls.cert', 'platforms[0].tls.key'],
  );
  for (const { file } of loaded.files) t.ok(file.startsWith(loaded.folder), 'absolute, in the folder of the example');
});

t.test('what the example shows commented out is valid too', async (t) => {
  const optional =
    /^(\s*)# ((?:peers|senders|unlisted|min_version|hold_seconds|filters|file):| {2}(?:- name| {2}profile| {2}applications| {2}continues|sources|patient_classes|organisations):|institutions:| {2}- \{ name: 示例县中医院)/;
  const text = readFileSync(example, 'utf8')
    .split('\n')
    .map((line) => (optional.test(line) ? line.replace('# ', '') : line))
    .join('\n')
    .replace('host: 127.0.0.1 #【必填】', 'host: 0.0.0.0');
  const folder = t.testdir({ 'qianzhi.yaml': text });
  const loaded = loadConfig(`${folder}/qianzhi.yaml`, registry, {});
  t.match(loaded.sources[0]?.settings, { host: '0.0.0.0', peers: ['10.1.2.3', '10.1.4.0/24'] });
  t.match(loaded.sources[0]?.senders, [{ name: 'bc6800', continues: 'lis' }]);
  t.match(loaded.sources[0]?.settings, { senders: [{ applications: ['BC-6800'] }], unlisted: 'take' });
  t.ok(checkTexts(loaded, registry).profiles.get('bc6800'));
  t.match(loaded.platforms[0], { holdSeconds: 600, settings: { tls: { min_version: '1.2' } } });
  t.same(loaded.platforms[0]?.filters, {
    sources: ['lis'],
    patient_classes: ['outpatient', 'emergency', 'inpatient', 'checkup'],
    organisations: ['000000000000000000'],
  });
  t.same(loaded.site.institutions, [{ name: '示例县中医院', org_code: '000000000000000001' }]);
  t.match(loaded.log, { file: `${folder}/qianzhi.log` });
});

t.test('who sets answers for a folder is told what answers each message of a file', (t) => {
  const lines = readFileSync(example, 'utf8').split('\n');
  const answers = lines.findIndex((line) => line.includes('#   answers: { folder:'));
  const [chinese = '', english = ''] = lines.slice(answers + 1, answers + 3);
  t.match(chinese, /一个文件多条时只答一次；逐条应答见接入规则 intake\.several_messages: each/);
  t.match(english, /one answer for a file of several; one each: intake\.several_messages: each/);
  t.end();
});

t.test('mistakes in the real adapters’ own keys are told in both languages', async (t) => {
  const text = readFileSync(example, 'utf8')
    .replace('url: https://', 'url: http://')
    .replace('# peers: [10.1.2.3, 10.1.4.0/24]', 'peers: [lis-server]');
  const folder = t.testdir({ 'qianzhi.yaml': text });
  try {
    loadConfig(`${folder}/qianzhi.yaml`, registry, {});
    t.fail('must be refused');
  } catch (error) {
    t.match((error as ConfigError).issues, [
      { path: 'sources[0].peers[0]', message: { zh: /^应为 IP 地址或网段/, en: /^must be an IP address/ } },
      { path: 'platforms[0].url', message: { zh: /https:\/\//, en: /begins with https:\/\// } },
    ]);
  }
});
