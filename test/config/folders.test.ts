import { join } from 'node:path';
import t, { type Test } from 'tap';
import { registry } from '../../adapters/registry.ts';
import { ConfigError } from '../../config/config-error.ts';
import { loadConfig } from '../../config/load.ts';

type Kind = 'hl7-folder' | 'dicom-folder';

/** What is said of a configuration with one watched folder; `own` are the lines of its entry. */
const said = (t: Test, kind: Kind, ...own: string[]): string[] => saidOfAll(t, { kind, own });

/** The same with several; their names are dropped0, dropped1 and so on. */
function saidOfAll(t: Test, ...sources: Array<{ kind: Kind; own: string[] }>): string[] {
  const text = `config_version: 1
site: { name: 示例医院, org_code: "123456789012345678" }
data: { folder: ./data, key: file:./keys/data.key }
sources:
${sources
  .map(
    ({ kind, own }, n) => `  - name: dropped${n}
    kind: ${kind}
    profile: ${kind === 'hl7-folder' ? 'cn-default' : 'dicom-default'}
${own.map((line) => `    ${line}\n`).join('')}`,
  )
  .join('')}platforms:
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

t.test('two sources of one kind never watch the same files', async (t) => {
  const two = (kind: Kind, one: string, other: string, ...more: string[]) =>
    saidOfAll(
      t,
      { kind, own: [`folder: ${one}`, 'after: leave', ...more] },
      { kind, own: [`folder: ${other}`, 'after: leave', ...more] },
    );
  const taken = /CFG-5003 sources\[1\]\.folder 来源 dropped0 已监视/;
  for (const kind of ['hl7-folder', 'dicom-folder'] as const) {
    for (const other of ['./in', 'in/', 'in/ecg', '.', '..']) t.match(two(kind, './in', other), [taken], other);
    for (const other of ['./inbox', '../in', './i', 'in/.qz']) t.same(two(kind, './in', other), [], other);
  }
  t.match(two('hl7-folder', 'in', 'in', 'include: ["*.hl7"]'), [taken]);
  const leave = 'after: leave';
  const named = (names: string) => ({
    kind: 'hl7-folder' as const,
    own: ['folder: in', leave, `include: ["${names}"]`],
  });
  t.same(saidOfAll(t, named('*.oru'), named('*.adt')), [], 'their names tell them apart');
  t.match(saidOfAll(t, named('*.oru'), named('*.ORU')), [taken]);
  t.match(saidOfAll(t, named('*.oru'), named('*')), [taken]);
  const marked = (marker: string) => ({ kind: 'hl7-folder' as const, own: ['folder: in', leave, `marker: ${marker}`] });
  t.same(saidOfAll(t, marked('.ok'), marked('.rdy')), []);
  t.match(saidOfAll(t, marked('.ok'), marked('.ok')), [taken]);
  const images = { kind: 'dicom-folder' as const, own: ['folder: in', leave] };
  t.same(saidOfAll(t, named('*.hl7'), images), [], 'messages and images may lie together');
});

t.test('what one source puts away, no other reads', async (t) => {
  const reader = (kind: Kind) => ({ kind, own: ['folder: in', 'after: leave'] });
  const put = (kind: Kind, ...own: string[]) => saidOfAll(t, reader(kind), { kind, own: ['folder: other', ...own] });
  const among = (what: string) => new RegExp(`CFG-5003 sources\\[1\\]\\.${what} 在来源 dropped0 监视的文件夹里`);
  t.match(put('dicom-folder', 'archive: in/done'), [among('archive')]);
  t.match(put('hl7-folder', 'archive: { folder: in }'), [among('archive\\.folder')]);
  t.match(put('hl7-folder', 'after: leave', 'answers: { folder: in }'), [among('answers\\.folder')]);
  const reason = 'plain: 检验科要求按原名查档';
  const plain = { kind: 'hl7-folder' as const, own: ['folder: other', `archive: { folder: in, ${reason} }`] };
  for (const include of ['[]', '["*"]', '["*.hl7"]']) {
    const own = ['folder: in', 'after: leave', `include: ${include}`];
    t.match(saidOfAll(t, { kind: 'hl7-folder', own }, plain), [among('archive\\.folder')], include);
    const sealed = { kind: 'hl7-folder' as const, own: ['folder: other', 'archive: { folder: in }'] };
    t.same(saidOfAll(t, { kind: 'hl7-folder', own }, sealed).length, include.includes('hl7') ? 0 : 1);
  }
  const done = 'archive: in/done';
  t.same(
    saidOfAll(
      t,
      { kind: 'dicom-folder', own: ['folder: in', done] },
      { kind: 'dicom-folder', own: ['folder: x', done] },
    ),
    [],
    'nobody looks into his own archive',
  );
  t.same(put('dicom-folder', 'archive: in/.done'), [], 'nor into hidden folders');
  t.same(put('hl7-folder', 'archive: { folder: done }', 'answers: { folder: acks }'), []);
  const byName = { kind: 'hl7-folder' as const, own: ['folder: in', 'after: leave', 'include: ["*.hl7"]'] };
  const answering = { kind: 'hl7-folder' as const, own: ['folder: other', 'after: leave', 'answers: { folder: in }'] };
  t.same(saidOfAll(t, byName, answering), [], 'answers are not among the names it reads');
});
