import { join } from 'node:path';
import t, { type Test } from 'tap';
import { registry } from '../../adapters/registry.ts';
import { ConfigError } from '../../config/config-error.ts';
import { loadConfig } from '../../config/load.ts';

/** What is said of a configuration with one watched folder; `own` are the lines of its entry. */
function said(t: Test, kind: 'hl7-folder' | 'dicom-folder', ...own: string[]): string[] {
  const text = `config_version: 1
site: { name: 示例医院, org_code: "123456789012345678" }
data: { folder: ./data, key: file:./keys/data.key }
sources:
  - name: dropped
    kind: ${kind}
    profile: ${kind === 'hl7-folder' ? 'cn-default' : 'dicom-default'}
${own.map((line) => `    ${line}\n`).join('')}platforms:
  - name: cloud
    kind: dicomweb
    url: https://cloud.example.invalid/dicom-web
    tls: { ca: ca.pem, cert: c.pem, key: k.pem }
`;
  try {
    loadConfig(join(t.testdir({ 'qianzhi.yaml': text }), 'qianzhi.yaml'), registry, {});
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map(
      ({ line, column, code, path, message }) => `${line}:${column} ${code} ${path} ${message.zh}`,
    );
  }
}

t.test('an archive that is the watched folder, or has it inside, is found before the start', async (t) => {
  const around = /^9:\d+ CFG-5003 sources\[0\]\.archive(\.folder)? 归档文件夹不能/;
  for (const folder of ['./in', 'in/', './x/../in', '.', '..']) {
    t.match(said(t, 'hl7-folder', 'folder: ./in', `archive: { folder: ${folder} }`), [around], folder);
  }
  t.match(said(t, 'dicom-folder', 'folder: ./in', 'archive: ./in'), [around]);
  t.match(said(t, 'hl7-folder', 'folder: /srv/in', 'archive: { folder: /srv }'), [around]);
  for (const folder of ['./in/done', './inbox', './i', '../in']) {
    t.same(said(t, 'hl7-folder', 'folder: ./in', `archive: { folder: ${folder} }`), [], folder);
  }
});

t.test('an archive beside `after: delete` would never be used', async (t) => {
  const archive = 'archive: { folder: ./done }';
  t.match(said(t, 'hl7-folder', 'folder: ./in', 'after: delete', archive), [
    /^10:\d+ CFG-5003 sources\[0\]\.archive after: delete 时不会归档/,
  ]);
  t.match(said(t, 'dicom-folder', 'folder: ./in', 'after: delete', 'archive: ./done'), [/时不会归档/]);
  for (const after of ['move', 'leave']) t.same(said(t, 'hl7-folder', 'folder: ./in', `after: ${after}`, archive), []);
  t.same(said(t, 'hl7-folder', 'folder: ./in', 'after: delete'), []);
});

t.test('answers do not lie among the files that are read', async (t) => {
  const answers = (folder: string) =>
    said(t, 'hl7-folder', 'folder: ./in', 'after: leave', `answers: { folder: ${folder} }`);
  t.match(answers('in'), [/^10:\d+ CFG-5003 sources\[0\]\.answers\.folder 应答文件夹请与 folder 不同。/]);
  for (const folder of ['./in/acks', './acks', '.']) t.same(answers(folder), [], folder);
});
