import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { goodConfig } from '../../config/small-registry.ts';
import { speak } from './program-of-test.ts';

function write(t: Test, text: string, profile = 'ok: 1\n', pack = 'ok: 1\n'): string {
  const folder = t.testdir({ 'profile.yaml': profile, 'pack.yaml': pack });
  writeFileSync(join(folder, 'qianzhi.yaml'), text);
  return folder;
}

/** What `config validate` says, with the test's own folder taken out. */
async function validate(t: Test, text: string, lang: 'zh' | 'en', profile?: string, pack?: string) {
  const folder = write(t, text, profile, pack);
  const said = await speak(['config', 'validate', '--config', join(folder, 'qianzhi.yaml'), '--lang', lang]);
  return { ...said, talk: said.talk.replaceAll(`${folder}/`, '') };
}

interface Golden {
  name: string;
  text: string;
  profile?: string;
  pack?: string;
  zh: string;
  en: string;
}

const goldens: Golden[] = [
  {
    name: 'a misspelt key',
    text: goodConfig.replace('  name: 示例医院', '  nmae: 示例医院'),
    zh: `qianzhi.yaml:2:1 CFG-5003 site.name：缺少这一项，必须填写。
qianzhi.yaml:3:3 CFG-5004 site.nmae：没有这一项，是否想写“name”？
共 2 处需要改正；没有打开任何端口或数据。`,
    en: `qianzhi.yaml:2:1 CFG-5003 site.name is missing and must be given.
qianzhi.yaml:3:3 CFG-5004 site.nmae is not known here. Did you mean "name"?
2 to correct; no port and no data was opened.`,
  },
  {
    name: 'an unknown key near nothing, a misspelt kind, a port out of range',
    text: goodConfig
      .replace('    port: 2575', '    port: 70000\n    watermark: 3')
      .replace('kind: https', 'kind: htps'),
    zh: `qianzhi.yaml:12:11 CFG-5003 sources[0].port：应至多为 65535。
qianzhi.yaml:13:5 CFG-5004 sources[0].watermark：没有这一项。这里可以写：name, kind, profile, host, port, peers, tls。
qianzhi.yaml:16:11 CFG-5003 platforms[0].kind：只能是：https。是否想写“https”？
共 3 处需要改正；没有打开任何端口或数据。`,
    en: `qianzhi.yaml:12:11 CFG-5003 sources[0].port must be at most 65535.
qianzhi.yaml:13:5 CFG-5004 sources[0].watermark is not known here. Known: name, kind, profile, host, port, peers, tls.
qianzhi.yaml:16:11 CFG-5003 platforms[0].kind must be one of: https. Did you mean "https"?
3 to correct; no port and no data was opened.`,
  },
  {
    name: 'an unquoted code, an unset variable, a key in the data folder',
    text: goodConfig
      .replace('"123456789012345678"', '010')
      .replace('file:./keys/data.key', 'file:./data/data.key')
      .replace('name: 示例医院', 'name: ${HOSPITAL}'),
    zh: `qianzhi.yaml:3:9 CFG-5005 site.name：环境变量 HOSPITAL 没有设置；请设置它，或写成 \${HOSPITAL:-默认值}。
qianzhi.yaml:4:13 CFG-5003 site.org_code：应为文字，请加英文引号，如 "010"。
共 2 处需要改正；没有打开任何端口或数据。`,
    en: `qianzhi.yaml:3:9 CFG-5005 site.name refers to the environment variable HOSPITAL, which is not set; set it, or write \${HOSPITAL:-default}.
qianzhi.yaml:4:13 CFG-5003 site.org_code must be text: put it in quotes, like "010".
2 to correct; no port and no data was opened.`,
  },
  {
    name: 'a key in the data folder',
    text: goodConfig.replace('file:./keys/data.key', 'file:./data/data.key'),
    zh: `qianzhi.yaml:7:8 CFG-5006 data.key：密钥放在了数据文件夹里，等于没有加密；请移到 data.folder 之外。
共 1 处需要改正；没有打开任何端口或数据。`,
    en: `qianzhi.yaml:7:8 CFG-5006 data.key lies inside the data folder, where it protects nothing; move it out of data.folder.
1 to correct; no port and no data was opened.`,
  },
  {
    name: 'a tab',
    text: goodConfig.replace('  name: 示例医院', '\tname: 示例医院'),
    zh: `qianzhi.yaml:3:1 CFG-5002 缩进用了 Tab，请改用空格。
共 1 处需要改正；没有打开任何端口或数据。`,
    en: `qianzhi.yaml:3:1 CFG-5002 A tab is used for indentation; use spaces.
1 to correct; no port and no data was opened.`,
  },
  {
    name: 'a newer version',
    text: goodConfig.replace('config_version: 1', 'config_version: 7'),
    zh: `qianzhi.yaml:1:17 CFG-5008 config_version：这份配置由更新的版本写成，本程序只认识 config_version 1；请安装更新的版本，或恢复旧配置。
共 1 处需要改正；没有打开任何端口或数据。`,
    en: `qianzhi.yaml:1:17 CFG-5008 config_version was written for a newer version; this program knows config_version 1. Install a newer version or restore the old configuration.
1 to correct; no port and no data was opened.`,
  },
  {
    name: 'a broken profile',
    text: goodConfig,
    profile: 'a: 1\nbroken: 1\n',
    zh: `profile.yaml:2:7 CFG-5009 report.number：接入规则有误：接入规则里的路径、表或函数不成立。
共 1 处需要改正；没有打开任何端口或数据。`,
    en: `profile.yaml:2:7 CFG-5009 report.number The source profile is wrong. A path, table or function of the profile does not hold.
1 to correct; no port and no data was opened.`,
  },
];

for (const { name, text, profile, pack, zh, en } of goldens) {
  t.test(`config validate explains ${name}, in both languages, exit 78`, async (t) => {
    t.same(await validate(t, text, 'zh', profile, pack), { exit: 78, out: '', talk: zh });
    t.same(await validate(t, text, 'en', profile, pack), { exit: 78, out: '', talk: en });
  });
}

t.test('config validate --json gives the envelope with every issue on stderr', async (t) => {
  const folder = write(t, goodConfig.replace('port: 2575', 'prot: 2575'));
  const said = await speak(['config', 'validate', '--json', '--lang', 'en', '--config', join(folder, 'qianzhi.yaml')]);
  t.equal(said.exit, 78);
  t.equal(said.out, '');
  t.match(JSON.parse(said.talk), {
    code: 'CFG-5003',
    message: 'The configuration is wrong',
    cause: String,
    fix: String,
    docs: 'docs/errors.md#cfg-5003',
    issues: [
      { code: 'CFG-5003', line: 9, column: 5, path: 'sources[0].port' },
      { code: 'CFG-5004', line: 12, column: 5, path: 'sources[0].prot', message: /Did you mean "port"/ },
    ],
  });
});

t.test('config validate says that a good one is good', async (t) => {
  t.match(await validate(t, goodConfig, 'zh'), { exit: 0, out: '配置有效：1 个来源，1 个平台。', talk: '' });
  const folder = write(t, goodConfig);
  const said = await speak(['config', 'validate', '--json', '--config', join(folder, 'qianzhi.yaml')]);
  t.match(JSON.parse(said.out), { valid: true, warnings: [] });
});

t.test(
  'config show names what no source verifies; --effective fills in defaults and hides the environment',
  async (t) => {
    const folder = write(t, goodConfig.replace('示例医院', '${SECRET_NAME}'));
    const file = join(folder, 'qianzhi.yaml');
    const env = { SECRET_NAME: '一个秘密' };
    const short = await speak(['config', 'show', '--config', file], undefined, undefined, env);
    t.equal(short.exit, 0);
    t.match(short.talk, '  - sections.method');
    const full = await speak(['config', 'show', '--effective', '--config', file], undefined, undefined, env);
    t.match(parse(full.out), {
      site: { name: '${SECRET_NAME}', time_zone: 'Asia/Shanghai' },
      platforms: [{ outbox_bound: 10_000, tls: { ca: join(folder, 'certs/ca.pem') } }],
    });
    const json = await speak(['config', 'show', '--effective', '--json', '--config', file], undefined, undefined, env);
    t.match(JSON.parse(json.out), { unverified: { province: ['sections.method'] } });
    for (const said of [short, full, json]) t.notMatch(said.out + said.talk, '一个秘密');
  },
);

t.test('config schema is a draft-07 JSON Schema of what may be written', async (t) => {
  const schema = JSON.parse((await speak(['config', 'schema'])).out);
  t.equal(schema.$schema, 'http://json-schema.org/draft-07/schema#');
  t.same(schema.required, ['config_version', 'site', 'data', 'sources', 'platforms']);
  t.equal(schema.additionalProperties, false);
  t.same(schema.properties.sources.items.oneOf.length, 2);
  t.notMatch(JSON.stringify(schema), 'filePath');
});
