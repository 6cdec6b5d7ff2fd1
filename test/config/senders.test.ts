import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { registry } from '../../adapters/registry.ts';
import { checkTexts } from '../../config/check-texts.ts';
import { ConfigError } from '../../config/config-error.ts';
import { type LoadedConfig, loadConfig } from '../../config/load.ts';
import { logicalSources } from '../../config/logical-sources.ts';

/** A configuration whose one source has these senders. */
const configOf = (senders: string, filters = '', more = '') => `
config_version: 1
site: { name: 示例医院, org_code: "123456789012345678" }
data: { folder: ./data, key: file:./keys/data.key }
sources:
  - name: lab
    kind: hl7-mllp
    profile: cn-default
    port: 0
    senders:
${senders.replaceAll(/^/gm, '      ')}
${more}
platforms:
  - name: province
    kind: https
    format: wst500-cda
    pack: cn-wst500
    url: https://platform.example.invalid/
    tls: { ca: ca.pem, cert: c.pem, key: k.pem }
    filters: { ${filters} }
`;

const one = '- { name: bc6800, profile: cn-default, applications: [BC-6800] }';

function load(t: Test, senders: string, filters?: string, more?: string, profiles: Record<string, string> = {}) {
  const folder = t.testdir({ 'qianzhi.yaml': configOf(senders, filters, more) });
  for (const [name, text] of Object.entries(profiles)) writeFileSync(join(folder, name), text);
  return loadConfig(join(folder, 'qianzhi.yaml'), registry, {});
}

/** `line code path` of each issue, of the configuration or of its texts. */
function issues(work: () => LoadedConfig): string[] {
  try {
    checkTexts(work(), registry);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map(({ line, code, path }) => `${line} ${code} ${path}`);
  }
}

/** A whole profile that says one thing otherwise than cn-default. */
const profile = (intake: string) =>
  `extends: cn-default\nprofile_version: 1\nname: own\ntitle: { zh: 自己的, en: Own }\nintake: ${intake}\n`;

t.test('a sender is a source of its own name, with a profile of its own', async (t) => {
  const own = { 'own.yaml': profile('{ ack: enhanced }') };
  const senders = `${one}\n- { name: gate, profile: ./own.yaml, addresses: [10.1.2.7, 10.1.3.0/24], continues: lab }`;
  const loaded = load(t, senders, 'sources: [bc6800, lab, gate]', '', own);
  t.match(
    logicalSources(loaded).map(({ name, kind, via, identity }) => [name, kind, via?.name, identity]),
    [
      ['lab', 'hl7-mllp', undefined, 'lab'],
      ['bc6800', 'hl7-mllp', 'lab', 'bc6800'],
      ['gate', 'hl7-mllp', 'lab', 'lab'],
    ],
  );
  t.match(loaded.sources[0]?.settings.senders, [{ name: 'bc6800' }, { addresses: ['10.1.2.7', '10.1.3.0/24'] }]);
  const { profiles } = checkTexts(loaded, registry);
  t.match(profiles.get('gate'), { intake: { ack: 'enhanced' } });
  t.match(profiles.get('bc6800'), { intake: { ack: 'original-always' } });
  t.same(loaded.warnings, []);
});

t.test('names are one space: of sources, senders and platforms', async (t) => {
  const named = (name: string, more = '') =>
    issues(() => load(t, `${one}\n- { name: ${name}, profile: cn-default, facilities: [A] }`, '', more));
  t.same(named('ward'), []);
  for (const taken of ['lab', 'bc6800']) t.same(named(taken), ['12 CFG-5003 sources[0].senders[1].name'], taken);
  t.same(named('province'), ['15 CFG-5003 platforms[0].name']);
  t.same(named('agent'), ['12 CFG-5003 sources[0].senders[1].name'], 'reserved');
  t.same(named('A'), ['12 CFG-5003 sources[0].senders[1].name']);
  const second = '  - { name: ward, kind: hl7-mllp, profile: cn-default, port: 0 }';
  t.same(named('ward', second), ['13 CFG-5003 sources[1].name']);
});

t.test('a mistake in an entry is told at its line', async (t) => {
  const wrong = (entry: string) => issues(() => load(t, `${one}\n- { name: ward, profile: cn-default${entry} }`));
  t.same(wrong(''), ['12 CFG-5003 sources[0].senders[1]'], 'nothing to recognise it by');
  t.match(wrong(', application: [A]').join(), /CFG-5004 sources\[0\]\.senders\[1\]\.application/);
  t.same(wrong(', addresses: [10.1.2.300]'), ['12 CFG-5003 sources[0].senders[1].addresses[0]']);
  const absent = '- { name: ward, profile: ./absent.yaml, facilities: [A] }';
  t.same(
    issues(() => load(t, absent)),
    ['11 CFG-5003 sources[0].senders[0].profile'],
  );
  const images = '- { name: ward, profile: dicom-default, facilities: [A] }';
  t.same(
    issues(() => load(t, images)),
    ['11 CFG-5009 sources[0].senders[0].profile'],
    'a profile for another kind of source',
  );
});

t.test('an error in the profile of a sender is told at its place in that file', async (t) => {
  const broken = { 'own.yaml': profile('{ ack: sometimes }') };
  const entry = '- { name: ward, profile: ./own.yaml, facilities: [A] }';
  const found = issues(() => load(t, entry, '', '', broken));
  t.same(found, ['5 CFG-5009 intake.ack']);
});

t.test('a profile whose framing is not that of the port is refused (CFG-5014)', async (t) => {
  const entry = '- { name: ward, profile: ./own.yaml, facilities: [A] }';
  const withFraming = (intake: string) => issues(() => load(t, entry, '', '', { 'own.yaml': profile(intake) }));
  t.same(withFraming('{ framing: none, answer_framing: none }'), ['11 CFG-5014 sources[0].senders[0].profile']);
  t.same(withFraming('{ require_end: false }'), ['11 CFG-5014 sources[0].senders[0].profile']);
  t.same(withFraming('{ framing: mllp, ack: enhanced }'), []);
});

t.test('continues: the name before, neither its own nor one that itself continues', async (t) => {
  const continued = (name: string, filters?: string) => () =>
    load(t, `${one}\n- { name: ward, profile: cn-default, facilities: [A], continues: ${name} }`, filters);
  t.same(issues(continued('lab')), []);
  t.same(issues(continued('bc6800')), []);
  t.same(issues(continued('ward')), ['12 CFG-5015 sources[0].senders[1].continues']);
  const chain = `${one.replace(' }', ', continues: lab }')}\n- { name: ward, profile: cn-default, facilities: [A], continues: bc6800 }`;
  t.same(
    issues(() => load(t, chain)),
    ['12 CFG-5015 sources[0].senders[1].continues'],
  );
  const warned = (work: () => LoadedConfig) => work().warnings.map(({ code, path }) => `${code} ${path}`);
  t.same(warned(continued('lab')), []);
  t.same(warned(continued('old-lis')), ['CFG-5016 sources[0].senders[1].continues'], 'perhaps mistyped');
  t.same(warned(continued('lab', 'sources: [lab]')), ['CFG-5017 platforms[0].filters.sources']);
  t.same(warned(continued('lab', 'sources: [lab, ward]')), []);
  t.same(warned(continued('lab', 'sources: [bc6800]')), [], 'the platform never had any of them');
});

t.test('filters name sources and senders', async (t) => {
  t.same(
    issues(() => load(t, one, 'sources: [bc6800]')),
    [],
  );
  t.same(
    issues(() => load(t, one, 'sources: [bc680]')),
    ['20 CFG-5003 platforms[0].filters.sources[0]'],
  );
});
