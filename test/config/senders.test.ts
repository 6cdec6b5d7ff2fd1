import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { registry } from '../../adapters/registry.ts';
import { checkTexts } from '../../config/check-texts.ts';
import { ConfigError } from '../../config/config-error.ts';
import { type LoadedConfig, loadConfig } from '../../config/load.ts';
import { logicalSources, parted } from '../../config/logical-sources.ts';

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
  t.same(warned(continued('lab', 'sources: [lab, bc6800]')), ['CFG-5017 platforms[0].filters.sources']);
  t.same(warned(continued('lab', 'sources: [lab, bc6800, ward]')), []);
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

t.test(
  'a sender whose port a platform lists, and not itself, is warned of: its reports would go nowhere',
  async (t) => {
    const warned = (continues: string, filters: string) =>
      load(t, one.replace(' }', `${continues} }`), filters).warnings.map(
        ({ code, message }) => `${code} ${message.en}`,
      );
    for (const continues of ['', ', continues: none']) {
      t.match(warned(continues, 'sources: [lab]'), [/^CFG-5017 lists lab and not bc6800/], continues);
      t.same(warned(continues, 'sources: [lab, bc6800]'), []);
      t.same(warned(continues, 'sources: [bc6800]'), []);
      t.same(warned(continues, ''), []);
    }
  },
);

t.test('continues: none says that it is a new system, whose reports are its own', async (t) => {
  const loaded = load(
    t,
    `${one.replace(' }', ', continues: none }')}\n- { name: ward, profile: cn-default, facilities: [A] }`,
  );
  t.same(loaded.warnings, []);
  t.match(
    logicalSources(loaded).map(({ name, identity, isNew }) => [name, identity, isNew]),
    [
      ['lab', 'lab', undefined],
      ['bc6800', 'bc6800', true],
      ['ward', 'ward', undefined],
    ],
  );
  t.notOk('continues' in loaded.sources[0]!.senders[0]!, 'it is no name of a source');
});

t.test('entries that nothing can fit are warned of, and a port that would refuse everything is refused', async (t) => {
  const warned = (senders: string, more = '') =>
    load(t, senders, '', more).warnings.map(({ line, code, path }) => `${line} ${code} ${path}`);
  const second = (criteria: string) => `${one}\n- { name: second, profile: cn-default, ${criteria} }`;
  t.same(warned(second('applications: [BC-6800]')), ['12 CFG-5018 sources[0].senders[1]']);
  t.same(warned(second('applications: [BC-6800], facilities: [A]')), ['12 CFG-5018 sources[0].senders[1]']);
  t.same(warned(second('applications: [BC-6800, BC-5000]')), [], 'the other name reaches it');
  t.same(warned(second('facilities: [A]')), []);
  const named = (name: string) => `- { name: ward, profile: cn-default, applications: [A, "${name}"] }`;
  t.same(warned(named('BC^6800')), ['11 CFG-5018 sources[0].senders[0].applications[1]']);
  t.same(warned(named('生化仪 2')), []);
  const at = (network: string) => `- { name: ward, profile: cn-default, addresses: ["${network}"] }`;
  const peers = '    host: 0.0.0.0\n    peers: [10.1.2.0/24, "fd00:1::/32"]';
  for (const outside of ['10.9.9.9', '10.1.3.0/24', 'fd01::1']) {
    t.same(warned(at(outside), peers), ['11 CFG-5018 sources[0].senders[0].addresses[0]'], outside);
  }
  for (const inside of ['10.1.2.7', '10.0.0.0/8', 'fd00:1::5']) t.same(warned(at(inside), peers), [], inside);
  t.same(warned(at('10.9.9.9')), [], 'without peers');

  t.same(
    issues(() => load(t, one, '', '    unlisted: refuse')),
    [],
  );
  const bare = configOf(one, '', '    unlisted: refuse').replace(/senders:\n.*\n/, 'senders: []\n');
  const file = join(t.testdir({ 'bare.yaml': bare }), 'bare.yaml');
  t.same(
    issues(() => loadConfig(file, registry, {})),
    ['11 CFG-5003 sources[0].unlisted'],
  );
});

t.test('a port tells at most 64 senders apart', async (t) => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, n) => `- { name: s${n}, profile: cn-default, applications: [S${n}] }`).join('\n');
  t.same(
    issues(() => load(t, many(64))),
    [],
  );
  t.match(issues(() => load(t, many(65))).join(), /CFG-5003 sources\[0\]\.senders/);
});

t.test(
  'a new name is told of where its reports may stand under another, and not where it is said that it is new',
  async (t) => {
    const ward = '\n- { name: ward, profile: cn-default, facilities: [A] }';
    const said = (senders: string, unused: string[], former: string[] = []) =>
      parted(logicalSources(load(t, senders)), { unused, former });
    const fresh = ['bc6800', 'ward'];
    t.same(said(one + ward, ['lab', ...fresh]), [], 'a store nothing came to');
    t.same(said(one + ward, fresh), fresh, 'its port was used');
    t.same(
      said(one + ward, ['lab', 'ward']),
      ['ward'],
      'another sender of the port was: perhaps it was taken for that one',
    );
    t.same(said(one, ['lab', 'bc6800'], ['bc-6800']), ['bc6800'], 'renamed, on a port that itself received nothing');
    const continues = (name: string) => one.replace(' }', `, continues: ${name} }`);
    t.same(said(continues('none'), ['bc6800'], ['bc-6800']), []);
    t.same(
      said(continues('bc-6800') + ward, ['lab', ...fresh], ['bc-6800']),
      [],
      'the name that is gone has been found',
    );
    t.same(said(one, [], ['bc-6800']), [], 'after its first message nothing can be saved');
  },
);
