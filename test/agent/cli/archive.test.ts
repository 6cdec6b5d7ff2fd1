import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { registry } from '../../../adapters/registry.ts';
import { archive } from '../../../agent/cli/archive.ts';
import { config } from '../../../agent/cli/config.ts';
import { archiveKeyOf, writeArchived } from '../../../agent/security/archive.ts';
import { loadKek } from '../../../agent/security/kek.ts';
import { speak } from './program-of-test.ts';

const yaml = (more = '') => `config_version: 1
site: { name: 示例医院, org_code: "123456789012345678" }
data: { folder: ./data, key: "file:./keys/data.key" }
sources:
  - name: dropped
    kind: hl7-folder
    profile: cn-default
    folder: ./in
    archive: { folder: ./kept${more} }
    answers: { folder: ./acks }
platforms:
  - name: province
    kind: https
    format: wst500-cda
    pack: cn-wst500
    url: https://platform.example.invalid/
    tls: { ca: ./certs/ca.pem, cert: ./certs/client.pem, key: ./certs/client.key }
`;

/** A configuration, its key, and files in its archive as the source leaves them. */
async function site(t: Test, files: Array<[path: string, bytes: string]>) {
  const folder = t.testdir({ 'qianzhi.yaml': yaml(), keys: {} });
  mkdirSync(join(folder, 'kept/2026-11-22'), { recursive: true });
  const key = archiveKeyOf(loadKek(`file:${join(folder, 'keys/data.key')}`, false));
  for (const [n, [path, bytes]] of files.entries()) {
    const what = { source: 'dropped', path, size: bytes.length, mtimeMs: 0, archivedMs: 0 };
    const content = async function* () {
      yield Buffer.from(bytes, 'latin1');
    };
    await writeArchived(key, join(folder, `kept/2026-11-22/${n}.qza`), what, content());
  }
  const ask = (...words: string[]) =>
    speak(['archive', ...words, '--config', join(folder, 'qianzhi.yaml'), '--lang', 'en'], [archive, config], registry);
  return { folder, ask };
}

t.test('archived files are listed by what they were called, and opened byte for byte', async (t) => {
  const large = `MSH|^~\\&|${'\xff\x00'.repeat(400_000)}`;
  const { folder, ask } = await site(t, [
    ['a/张三.hl7', 'MSH|one'].map((text) => Buffer.from(text).toString('latin1')) as [string, string],
    ['../../etc/x', large],
    ['b/x', 'MSH|two'],
  ]);
  const listed = await ask('list');
  t.equal(listed.exit, 0);
  const [heads = '', first = ''] = listed.out.split('\n');
  t.match(heads, /^archived file +source +bytes +written +archived +name it had/);
  t.match(first, /0\.qza +dropped +7 +1970-01-01 08:00:00 {2}1970-01-01 08:00:00 {2}"a\/张三\.hl7"$/, 'in site time');
  t.equal(heads.indexOf('name it had'), first.indexOf('"a/'), 'heads stand over their columns');
  t.match(JSON.parse((await ask('list', '--json')).out.split('\n')[0] ?? ''), { written: '1970-01-01T00:00:00.000Z' });
  const out = join(folder, 'out');
  const opened = await ask('open', join(folder, 'kept'), '--out', out);
  t.equal(opened.exit, 0, opened.talk);
  t.same(readdirSync(out).sort(), ['x', 'x (2)', '张三.hl7'], 'each in the folder named, none over another');
  t.equal(readFileSync(join(out, '张三.hl7'), 'latin1'), 'MSH|one');
  t.equal(readFileSync(join(out, 'x'), 'latin1'), large);
  t.equal(readFileSync(join(out, 'x (2)'), 'latin1'), 'MSH|two');
});

t.test('a damaged file is named and not opened, and the others are', async (t) => {
  const { folder, ask } = await site(t, [
    ['a', 'MSH|one'],
    ['b', 'MSH|two'],
  ]);
  truncateSync(join(folder, 'kept/2026-11-22/0.qza'), 60);
  const out = join(folder, 'out');
  const said = await ask('open', join(folder, 'kept'), '--out', out);
  t.equal(said.exit, 1);
  t.match(said.talk, /QUE-4003 .*0\.qza/);
  t.same(readdirSync(out), ['b']);
});

t.test('with another key nothing opens', async (t) => {
  const { folder, ask } = await site(t, [['a', 'MSH|one']]);
  writeFileSync(join(folder, 'keys/data.key'), `${'0'.repeat(64)}\n`);
  t.match(await ask('open', join(folder, 'kept'), '--out', join(folder, 'out')), { exit: 1, talk: /QUE-4004/ });
});

t.test('nothing is written into an archive', async (t) => {
  const { folder, ask } = await site(t, [['a', 'MSH|one']]);
  for (const out of ['kept', 'kept/2026-11-22/out'])
    t.match(await ask('open', join(folder, 'kept'), '--out', join(folder, out)), { exit: 2 });
  t.match(await ask('open', '--out', join(folder, 'out')), { exit: 2 });
  t.match(await ask('open', join(folder, 'kept')), { exit: 2 });
  t.match(await ask(), { exit: 2 });
});

t.test('nothing is written where it would be read again, or the agent keeps its data', async (t) => {
  const { folder, ask } = await site(t, [['a', 'MSH|one']]);
  mkdirSync(join(folder, 'in'));
  symlinkSync(join(folder, 'in'), join(folder, 'other-name'));
  const open = (out: string) => ask('open', join(folder, 'kept'), '--out', join(folder, out));
  for (const out of ['in', 'in/sub', 'other-name', 'other-name/sub', 'acks', 'data', 'data/x']) {
    const said = await open(out);
    t.match(said, { exit: 2, talk: /--out must not be/ }, out);
    t.match(said.talk, join(folder, out), 'it is named');
  }
  t.same(readdirSync(join(folder, 'in')), []);
  t.equal((await open('input')).exit, 0, 'a name that only begins so');
});

t.test('a place that is not there is a wrong call, and an archive nothing was put into yet is empty', async (t) => {
  const { folder, ask } = await site(t, []);
  for (const verb of ['list', 'open']) {
    const said = await ask(verb, join(folder, 'nowhere'), '--out', join(folder, 'out'));
    t.match(said, { exit: 2, talk: /no such archived file or folder .*nowhere/ });
    t.notMatch(said.talk, /QUE-|image/);
  }
  rmSync(join(folder, 'kept'), { recursive: true });
  t.match(await ask('list'), { exit: 0, out: '', talk: '' });
});

t.test('an archive that is not sealed needs a reason, and is a warning', async (t) => {
  const folder = t.testdir({ 'qianzhi.yaml': yaml(', plain: read by the legacy export') });
  const said = (verb: string) =>
    speak(['config', verb, '--config', join(folder, 'qianzhi.yaml'), '--lang', 'en'], [config], registry);
  t.match(await said('validate'), { exit: 0, talk: /qianzhi\.yaml:9:\d+ CFG-5020 sources\[0\]\.archive\.plain/ });
  t.match(await said('show'), { exit: 0, talk: /CFG-5020/ });
  writeFileSync(join(folder, 'qianzhi.yaml'), yaml(', plain: no'));
  t.match(await said('validate'), { exit: 78, talk: /must say why/ });
});
