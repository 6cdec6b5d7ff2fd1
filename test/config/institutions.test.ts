import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { registry } from '../../adapters/registry.ts';
import { siteOf } from '../../agent/rendering/site.ts';
import { checkTexts } from '../../config/check-texts.ts';
import { ConfigError } from '../../config/config-error.ts';
import { loadConfig } from '../../config/load.ts';

const asset = (path: string): string => readFileSync(new URL(`../../config/${path}`, import.meta.url), 'utf8');
const example = asset('examples/qianzhi.yaml');
const profile = asset('dialects/cn-default.yaml');

const own = '000000000000000000';
const tcm = '000000000000000001';
const withInstitutions = (entries: string): string =>
  example.replace('  language: zh', `  institutions: [${entries}]\n  language: zh`);
const tcmEntry = `{ name: 示例县中医院, org_code: "${tcm}" }`;

function issuesOf(t: Test, config: string, profileText = profile): string[] {
  const folder = t.testdir({ 'own.yaml': profileText });
  const file = join(folder, 'qianzhi.yaml');
  writeFileSync(file, config.replace('profile: cn-default', 'profile: ./own.yaml'));
  try {
    checkTexts(loadConfig(file, registry, {}), registry);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map(
      ({ file, line, column, code, path, message }) =>
        `${file.split('/').at(-1)} ${line}:${column} ${code} ${path} ${message.en}`,
    );
  }
  return [];
}

const telling = (table: string): string =>
  profile
    .replace(/^patient:\n/m, 'organisation: { path: MSH-4.1 }\npatient:\n')
    .replace(/^tables:\n/m, `tables:\n  organisations: ${table}\n`);
const lineOf = (text: string, part: string): number => text.slice(0, text.indexOf(part)).split('\n').length;

t.test('further institutions stand beside the site, each with a code of its own', async (t) => {
  const folder = t.testdir({ 'qianzhi.yaml': withInstitutions(tcmEntry) });
  const { site } = loadConfig(join(folder, 'qianzhi.yaml'), registry, {});
  t.same(siteOf(site), {
    orgCode: own,
    name: '示例医院',
    institutions: [{ orgCode: tcm, name: '示例县中医院' }],
  });
  t.match(issuesOf(t, withInstitutions(`${tcmEntry}, ${tcmEntry}`)), [
    /CFG-5003 site\.institutions\[1\]\.org_code is used already/,
  ]);
  t.match(issuesOf(t, withInstitutions(`{ name: 示例, org_code: "${own}" }`)), [
    /CFG-5003 site\.institutions\[0\]\.org_code is used already/,
  ]);
  t.match(issuesOf(t, withInstitutions('{ name: 示例, org_code: "a b" }')), [
    /site\.institutions\[0\]\.org_code must be/,
  ]);
  t.match(issuesOf(t, withInstitutions('{ org_code: "1" }')), [/site\.institutions\[0\]\.name is missing/]);
});

t.test('a profile may map to no institution that the site does not have', async (t) => {
  const good = telling(`{ H: "${own}", TCM: "${tcm}" }`);
  t.same(issuesOf(t, withInstitutions(tcmEntry), good), []);
  const line = lineOf(good, '  organisations:');
  const column = `  organisations: { H: "${own}", TCM: `.length + 1;
  t.match(issuesOf(t, example, good), [
    new RegExp(`^own\\.yaml ${line}:${column} CFG-5009 tables\\.organisations\\.TCM is neither site\\.org_code`),
  ]);
  const slip = issuesOf(t, withInstitutions(tcmEntry), telling(`{ H: "${own}", TCM: "00000000000000001" }`));
  t.match(slip, [/Did you mean/]);
});

t.test('a platform may take some institutions, of those there are', async (t) => {
  const filtering = (codes: string): string =>
    withInstitutions(tcmEntry).replace(/^( +)# filters:.*$/m, `$1filters: { organisations: [${codes}] }`);
  t.same(issuesOf(t, filtering(`"${tcm}"`)), []);
  t.match(issuesOf(t, filtering(`"${own}", "1"`)), [
    /CFG-5003 platforms\[0\]\.filters\.organisations\[1\] is neither site\.org_code/,
  ]);
});

t.test('beside further institutions a source that tells none apart is warned of', async (t) => {
  const warningsOf = (config: string, profileText: string): string[] => {
    const folder = t.testdir({ 'own.yaml': profileText });
    const file = join(folder, 'qianzhi.yaml');
    writeFileSync(file, config.replace('profile: cn-default', 'profile: ./own.yaml'));
    return checkTexts(loadConfig(file, registry, {}), registry).warnings.map(({ code, path }) => `${code} ${path}`);
  };
  t.same(warningsOf(withInstitutions(tcmEntry), profile), ['MAP-3042 sources[0].profile']);
  t.same(warningsOf(withInstitutions(tcmEntry), telling(`{ H: "${own}" }`)), []);
  const sharing = (table: string) =>
    telling(table).replace('{ path: MSH-4.1 }', '{ path: MSH-4.1, patient_numbers: shared }');
  t.same(warningsOf(withInstitutions(tcmEntry), sharing(`{ H: "${own}", T: "${tcm}" }`)), []);
  const among = warningsOf(withInstitutions(tcmEntry), sharing(`{ T: "${tcm}" }`));
  t.same(among, ['MAP-3042 sources[0].profile'], 'they would share the numbers of the site');
  t.same(warningsOf(example, profile), [], 'one institution alone has nothing to tell apart');
});

t.test('an institution shares its numbers or has its own, in every profile alike', async (t) => {
  const his = telling(`{ H: "${own}", TCM: "${tcm}" }`);
  const issuesWith = (lis: string): string[] => {
    const folder = t.testdir({ 'own.yaml': his, 'lis.yaml': lis });
    const file = join(folder, 'qianzhi.yaml');
    const second = '\n  - { name: lab, kind: hl7-mllp, profile: ./lis.yaml, port: 2576 }\nplatforms:';
    writeFileSync(file, withInstitutions(tcmEntry).replace('cn-default', './own.yaml').replace('\nplatforms:', second));
    try {
      checkTexts(loadConfig(file, registry, {}), registry);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.issues.map(({ file: of, path, message }) => `${of.split('/').at(-1)} ${path} ${message.en}`);
    }
    return [];
  };
  t.same(issuesWith(his), []);
  const shared = his.replace('{ path: MSH-4.1 }', '{ path: MSH-4.1, patient_numbers: shared }');
  t.match(issuesWith(shared), [/^lis\.yaml tables\.organisations\.TCM has patient_numbers: shared here and own/]);
  t.same(issuesWith(shared.replace(`, TCM: "${tcm}"`, '')), [], 'of the site itself both say the same');
});
