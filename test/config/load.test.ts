import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { checkTexts } from '../../config/check-texts.ts';
import { ConfigError } from '../../config/config-error.ts';
import { loadConfig } from '../../config/load.ts';
import { goodConfig, smallRegistry } from './small-registry.ts';

function folderWith(t: Test, config: string | Uint8Array, profile = 'charset: gbk\n', pack = 'base: x\n'): string {
  const folder = t.testdir({ 'profile.yaml': profile, 'pack.yaml': pack });
  writeFileSync(join(folder, 'qianzhi.yaml'), config);
  return folder;
}

const load = (folder: string, env: Record<string, string> = {}) =>
  loadConfig(join(folder, 'qianzhi.yaml'), smallRegistry, env);

/** `line:column code path` of every issue. */
function issuesOf(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map((issue) => `${issue.line}:${issue.column} ${issue.code} ${issue.path}`);
  }
  return [];
}

/** Issues of the good configuration with one text replaced. */
function issuesWith(t: Test, from: string, to: string, env: Record<string, string> = {}): string[] {
  if (!goodConfig.includes(from)) throw new Error(`not in the good configuration: ${from}`);
  return issuesOf(() => load(folderWith(t, goodConfig.replace(from, to)), env));
}

t.test('a good configuration loads with defaults, texts and absolute paths', async (t) => {
  const folder = folderWith(t, goodConfig);
  const loaded = load(folder);
  t.equal(loaded.site.time_zone, 'Asia/Shanghai');
  t.equal(loaded.site.language, 'zh');
  t.same(loaded.status, { host: '127.0.0.1', port: 8686 });
  t.same(loaded.log, { level: 'info' });
  const key = `file:${join(folder, 'keys/data.key')}`;
  t.same(loaded.data, {
    folder: join(folder, 'data'),
    key,
    keep_images_days: 7,
    report_wait_hours: 72,
    image_categories: [],
  });
  t.same(loaded.sources, [
    {
      name: 'lis',
      kind: 'hl7-mllp',
      profileText: 'charset: gbk\n',
      profilePath: join(folder, 'profile.yaml'),
      profileAt: { line: 11, column: 14, path: 'sources[0].profile' },
      senders: [],
      settings: { host: '127.0.0.1', port: 2575 },
    },
  ]);
  const [platform] = loaded.platforms;
  t.equal(platform?.packText, 'base: x\n');
  t.equal(platform?.holdSeconds, 0);
  t.equal(platform?.outboxBound, 10_000);
  t.same(platform?.filters, {});
  t.same(platform?.overlay, {});
  t.same(platform?.settings, {
    url: 'https://platform.example.invalid/',
    tls: {
      ca: join(folder, 'certs/ca.pem'),
      cert: join(folder, 'certs/client.pem'),
      key: join(folder, 'certs/client.key'),
    },
  });
  t.match(loaded.files[0], { file: join(folder, 'certs/ca.pem'), path: 'platforms[0].tls.ca', line: 20, column: 11 });
  t.same(loaded.warnings, []);
});

t.test('every issue of a file is told at once, in line order', async (t) => {
  const text = goodConfig.replace('  name: 示例医院', '  nmae: 示例医院').replace('port: 2575', 'port: 99999');
  t.same(
    issuesOf(() => load(folderWith(t, text))),
    ['2:1 CFG-5003 site.name', '3:3 CFG-5004 site.nmae', '12:11 CFG-5003 sources[0].port'],
  );
});

t.test('a check of an adapter over its whole entry stays in force, and speaks both languages', async (t) => {
  const entry = '    kind: hl7-folder\n    folder: in\n    done: in\n    profile: ./profile.yaml\n';
  const text = goodConfig.replace('    kind: hl7-mllp\n    profile: ./profile.yaml\n    port: 2575\n', entry);
  try {
    load(folderWith(t, text));
    t.fail('must be refused');
  } catch (error) {
    t.match((error as ConfigError).issues, [
      { line: 12, path: 'sources[0].done', message: { zh: '不能与 folder 相同。', en: 'must differ from folder.' } },
    ]);
  }
});

t.test('environment variables are put into values after parsing', async (t) => {
  t.test('as text, as a number where a number is wanted, with a default', async (t) => {
    const text = goodConfig
      .replace('"123456789012345678"', '${ORG}')
      .replace('port: 2575', 'port: ${PORT}')
      .replace('platform.example.invalid', '${HOST:-platform.test}');
    const loaded = load(folderWith(t, text), { ORG: '12345', PORT: '2576' });
    t.equal(loaded.site.org_code, '12345', 'digits stay text where text is wanted');
    t.equal(loaded.sources[0]?.settings.port, 2576);
    t.equal(loaded.platforms[0]?.settings.url, 'https://platform.test/');
    t.match(loaded.effective, { site: { org_code: '${ORG}' }, sources: [{ port: '${PORT}' }] }, 'never shown');
  });
  t.test('cannot inject YAML', async (t) => {
    const text = goodConfig.replace('示例医院', '${NAME}');
    const loaded = load(folderWith(t, text), { NAME: 'a\n  language: en' });
    t.equal(loaded.site.name, 'a\n  language: en');
    t.equal(loaded.site.language, 'zh');
  });
  t.test('are not replaced in keys', async (t) => {
    t.same(issuesWith(t, '  name: 示例医院', '  name: x\n  ${KEY}: x', { KEY: 'language' }), [
      '4:3 CFG-5004 site.${KEY}',
    ]);
  });
  t.test('a number field refuses what is no number', async (t) => {
    t.same(issuesWith(t, 'port: 2575', 'port: ${PORT}', { PORT: 'abc' }), ['12:11 CFG-5003 sources[0].port']);
  });
  t.test('an unset or empty variable without default is told once, with its name', async (t) => {
    t.same(issuesWith(t, 'port: 2575', 'port: ${PORT}'), ['12:11 CFG-5005 sources[0].port']);
    t.same(issuesWith(t, 'port: 2575', 'port: ${PORT}', { PORT: '' }), ['12:11 CFG-5005 sources[0].port']);
  });
  t.test('half a reference is an error, and $${ writes it literally', async (t) => {
    t.same(issuesWith(t, '示例医院', '"${NAME"', { NAME: 'x' }), ['3:9 CFG-5003 site.name']);
    t.equal(
      load(
        folderWith(
          t,
          goodConfig.replace('示例医院', () => '$${NAME}'),
        ),
      ).site.name,
      '${NAME}',
    );
  });
});

/** What every issue of the good configuration with one text replaced says, in both languages. */
function wordsWith(t: Test, from: string, to: string): string {
  try {
    load(folderWith(t, goodConfig.replace(from, to)));
  } catch (error) {
    if (error instanceof ConfigError)
      return error.issues.map(({ message }) => `${message.zh} ${message.en}`).join('\n');
    throw error;
  }
  return '';
}

t.test('a colon as Chinese keyboards write it, or without its space, is named with its line', async (t) => {
  for (const [from, to] of [
    ['site:', 'site：'],
    ['    kind: hl7-mllp', '    kind：hl7-mllp'],
    ['  - name: lis', '  - name： lis'],
    ['    port: 2575', '    port ：2575'],
  ] as const) {
    const line = goodConfig.slice(0, goodConfig.indexOf(from)).split('\n').length;
    const words = wordsWith(t, from, to);
    t.match(words, `第 ${line} 行用了全角冒号`, to);
    t.match(words, `Line ${line} has a full-width colon`, to);
  }
  t.match(wordsWith(t, '    port: 2575', '    port:2575'), /第 12 行的冒号后缺空格.* Line 12 has no space/);
  t.notMatch(wordsWith(t, '示例医院', '"医院：东区'), /全角/, 'a full-width colon in a text is none');
  t.notMatch(wordsWith(t, '    url: https:', '   url: https:'), /行的冒号后缺空格/, 'nor is that of an address');
  t.match(wordsWith(t, 'name: 示例医院', 'name: *.hl7'), /请加引号.*quote it/);
});

t.test('a misspelt name of a built-in profile is told with the one that was meant', async (t) => {
  for (const name of ['cn-defualt', 'CN-Default', 'cn_default'])
    t.match(wordsWith(t, './profile.yaml', name), /是否想写 cn-default；.*did you mean cn-default\?/, name);
  t.match(wordsWith(t, './profile.yaml', 'zzz'), /没有这个名称的内置文件；/);
});

t.test('YAML is read strictly', async (t) => {
  t.same(issuesWith(t, '  name: 示例医院\n', '  name: a\n  name: b\n'), ['4:3 CFG-5002 '], 'a repeated key');
  t.same(issuesWith(t, '  name: 示例医院', '\tname: a'), ['3:1 CFG-5002 '], 'a tab');
  t.same(issuesWith(t, '示例医院', '"open'), ['3:14 CFG-5002 '], 'an open quote');
  t.same(issuesWith(t, 'site:', 'site: &s'), [], 'an anchor alone expands nothing');
  t.same(issuesWith(t, '示例医院', '*s'), ['3:9 CFG-5002 '], 'an alias');
  t.same(issuesWith(t, '示例医院', '!!js/function x'), ['3:9 CFG-5002 '], 'a tag');
  t.same(issuesWith(t, '  name: 示例医院', '  name: x\n  <<: {language: en}'), ['4:3 CFG-5004 site.<<'], 'a merge key');
  t.same(issuesWith(t, '  name: 示例医院', '  name: x\n  __proto__: {}'), ['4:3 CFG-5004 site.__proto__']);
  t.match(
    issuesOf(() => load(folderWith(t, `${goodConfig}---\na: 1\n`))),
    [/CFG-5002/],
    'two documents',
  );
  t.match(
    issuesOf(() => load(folderWith(t, ''))),
    [/^1:1 CFG-5003 $/],
    'an empty file',
  );
  t.match(
    issuesOf(() => load(folderWith(t, '- a\n'))),
    [/^1:1 CFG-5003 $/],
    'a list',
  );
});

t.test('JSON is accepted, being YAML', async (t) => {
  const { parse } = await import('yaml');
  t.equal(load(folderWith(t, JSON.stringify(parse(goodConfig)))).sources[0]?.name, 'lis');
});

t.test('a file saved as GBK is named as such, with the line; a byte order mark does no harm', async (t) => {
  const gbk = Buffer.concat([
    Buffer.from('config_version: 1\nsite:\n  name: '),
    Buffer.from([0xc8, 0xcb, 0xc3, 0xf1]),
    Buffer.from('\n'),
  ]);
  t.same(
    issuesOf(() => load(folderWith(t, gbk))),
    ['3:1 CFG-5002 '],
  );
  t.equal(load(folderWith(t, `\ufeff${goodConfig}`)).sources[0]?.name, 'lis');
});

t.test('a newer configuration is refused with one sentence, whatever else it holds', async (t) => {
  t.same(
    issuesOf(() => load(folderWith(t, goodConfig.replace('config_version: 1', 'config_version: 2\nfuture: {}')))),
    ['1:17 CFG-5008 config_version'],
  );
});

t.test('a text that looks like a number asks for quotes', async (t) => {
  try {
    load(folderWith(t, goodConfig.replace('"123456789012345678"', '010')));
    t.fail('must be refused');
  } catch (error) {
    t.match((error as ConfigError).issues[0]?.message, { zh: /请加英文引号/, en: /put it in quotes/ });
  }
});

t.test('names, ports and references between entries', async (t) => {
  const second = '  - name: lis\n    kind: hl7-mllp\n    profile: ./profile.yaml\n    port: 2575\nplatforms:';
  t.same(issuesWith(t, 'platforms:', second), ['13:11 CFG-5003 sources[1].name', '16:11 CFG-5003 sources[1].port']);
  t.same(issuesWith(t, 'name: province', 'name: lis'), ['14:11 CFG-5003 platforms[0].name']);
  t.same(issuesWith(t, 'name: lis', 'name: agent'), ['9:11 CFG-5003 sources[0].name']);
  t.same(issuesWith(t, 'port: 2575', 'port: 8686'), ['12:11 CFG-5003 sources[0].port'], 'the port of the page');
  t.same(issuesWith(t, '    pack:', '    filters: {sources: [lsi]}\n    pack:'), [
    '17:25 CFG-5003 platforms[0].filters.sources[0]',
  ]);
});

t.test('a listener that the network can reach needs an address list', async (t) => {
  t.same(issuesWith(t, 'port: 2575', 'port: 2575\n    host: 0.0.0.0'), ['13:11 CFG-5011 sources[0].host']);
  t.same(issuesWith(t, 'port: 2575', 'port: 2575\n    host: 0.0.0.0\n    peers: [10.1.0.0/16]'), []);
  const secured = (wanted: string) =>
    issuesWith(t, 'port: 2575', `port: 2575\n    host: 0.0.0.0\n    tls: {client_certificates: ${wanted}}`);
  t.same(secured('required'), [], 'or sees certificates');
  t.same(secured('none'), ['13:11 CFG-5011 sources[0].host']);
});

t.test('a key inside the data folder is refused', async (t) => {
  t.same(issuesWith(t, 'file:./keys/data.key', 'file:./data/data.key'), ['7:8 CFG-5006 data.key']);
  t.same(issuesWith(t, 'file:./keys/data.key', 'file:./keys/../data/sub/key'), ['7:8 CFG-5006 data.key'], 'through ..');
  t.same(issuesWith(t, 'file:./keys/data.key', 'file:./data2/key'), [], 'a name that merely begins alike');
  t.same(issuesWith(t, 'file:./keys/data.key', 'systemd:qianzhi-key'), []);
  t.test('through a symbolic link', async (t) => {
    const folder = folderWith(t, goodConfig);
    mkdirSync(join(folder, 'data'));
    symlinkSync(join(folder, 'data'), join(folder, 'keys'));
    t.same(
      issuesOf(() => load(folder)),
      ['7:8 CFG-5006 data.key'],
    );
  });
});

t.test('a profile or pack that is not there is told at its line', async (t) => {
  t.same(issuesWith(t, './profile.yaml', './absent.yaml'), ['11:14 CFG-5003 sources[0].profile']);
  t.same(issuesWith(t, './pack.yaml', 'no-such-pack'), ['17:11 CFG-5003 platforms[0].pack']);
});

t.test('errors inside a profile or pack name that file', async (t) => {
  const folder = folderWith(t, goodConfig, 'broken\n', 'broken\n');
  const loaded = load(folder);
  try {
    checkTexts(loaded, smallRegistry);
    t.fail('must be refused');
  } catch (error) {
    t.match((error as ConfigError).issues, [
      { code: 'CFG-5010', file: join(folder, 'pack.yaml'), path: 'elements.sex' },
      { code: 'CFG-5009', file: join(folder, 'profile.yaml'), line: 2, column: 7, path: 'report.number' },
    ]);
  }
});

t.test('a file that cannot be read is CFG-5001', async (t) => {
  t.throws(() => loadConfig(join(t.testdir({}), 'absent.yaml'), smallRegistry, {}), { code: 'CFG-5001' });
});

t.test('a value left over from the example is warned of', async (t) => {
  const loaded = load(folderWith(t, goodConfig.replace('123456789012345678', '000000000000000000')));
  t.match(loaded.warnings, [{ code: 'CFG-5012', line: 4, path: 'site.org_code' }]);
});

t.test('loading writes nothing', async (t) => {
  const folder = folderWith(t, goodConfig);
  load(folder);
  t.throws(() => readFileSync(join(folder, 'keys/data.key')));
  t.throws(() => readFileSync(join(folder, 'data')));
});
