import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { z } from 'zod';
import { encodeText } from '../../adapters/hl7v2/charset.ts';
import { checkProfile, compileProfile } from '../../adapters/hl7v2/profile/check.ts';
import { profileSchema } from '../../adapters/hl7v2/profile/schema.ts';
import { registry } from '../../adapters/registry.ts';
import { isErrorCode } from '../../agent/support/errors.ts';
import { phi } from '../../agent/support/phi.ts';
import { hl7Dialects } from '../../config/built-in.ts';
import { checkTexts } from '../../config/check-texts.ts';
import { ConfigError, placeOf } from '../../config/config-error.ts';
import { loadConfig } from '../../config/load.ts';
import { inputOf } from '../adapters/formats/wst500-cda/render-input.ts';
import { shipped } from '../adapters/formats/wst500-cda/rendered.ts';
import { goodConfig } from '../config/small-registry.ts';

/** The guides' own examples are run, so that they cannot grow old. */
const guides = (['zh', 'en'] as const).map((lang) => {
  const file = lang === 'zh' ? 'source-profiles.zh-CN.md' : 'source-profiles.md';
  const text = readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(([, info = '', body = '']) => ({ info, body }));
  const of = (info: string) => blocks.filter((block) => block.info === info).map(({ body }) => body);
  const whole = of('yaml').filter((body) => /^extends:/m.test(body));
  return { lang, text, of, whole, parts: of('yaml').filter((body) => !whole.includes(body)), example: whole[1] ?? '' };
});

const context = { receivedMs: Date.UTC(2026, 2, 1, 2), source: 'lis', timeZone: 'Asia/Shanghai' };

for (const { lang, text, of, whole, parts, example } of guides) {
  t.test(`${lang}: the example makes a report of its message, in GBK without a word of it`, async (t) => {
    const [message = ''] = of('hl7');
    const bytes = encodeText(message.trim().replaceAll('\n', '\r'), 'GB18030');
    const said = (profile: string) => compileProfile(profile).read(phi(bytes), context);
    t.match(said(example), {
      kind: 'statements',
      statements: [
        {
          ok: {
            reportKey: 'lis|BG260301001',
            patientKey: '100086',
            reportAction: 'publish',
            findings: [],
            report: {
              kind: 'lab-report',
              reportNumber: 'BG260301001',
              orderNumbers: ['D5521'],
              patient: {
                name: '示例甲',
                sex: { standard: { code: '1' } },
                birthDate: '19900307',
                identifiers: [
                  { kind: 'in-house', value: '100086' },
                  { kind: 'inpatient', value: 'ZY100086' },
                  { kind: 'resident-id' },
                ],
              },
              encounter: { patientClass: 'inpatient', visitNumber: 'ZY100086', ward: { code: '08', name: '内科病区' } },
              specimen: { number: 'D5521', type: { code: 'XQ', name: '全血' } },
              reportedAt: '20260301092500',
              auditedBy: { name: '示例审核' },
              items: [
                { item: { code: 'WBC', name: '白细胞' }, value: '12.3', unit: '10^9/L', interpretation: 'abnormal' },
                { item: { code: 'RBC' }, value: '4.6', unit: '10^12/L', interpretation: 'normal' },
              ],
            },
          },
        },
      ],
    });
  });

  t.test(
    `${lang}: a document can be made of the example's report, and lacks its number without what the guide adds`,
    async (t) => {
      const [message = ''] = of('hl7');
      const outcomeOf = (profile: string) => {
        const bytes = encodeText(message.trim().replaceAll('\n', '\r'), 'GB18030');
        const reading = compileProfile(profile).read(phi(bytes), context);
        const [said] = reading.kind === 'statements' ? reading.statements : [];
        if (said === undefined || !('ok' in said)) throw new Error(reading.kind);
        const out = shipped('base').render(inputOf(said.ok.report));
        return out.kind === 'held' ? `${out.code} ${out.where}` : out.kind;
      };
      t.equal(outcomeOf(example), 'document');
      t.equal(outcomeOf(example.replace(/identifiers:\n.*\n/, 'identifiers: []\n')), 'MAP-3009 encounter.number');
      t.match(text, 'MAP-3009');
    },
  );

  t.test(`${lang}: on the way to it every step is as the guide says`, async (t) => {
    const [message = ''] = of('hl7');
    const full = parse(example) as Record<string, Record<string, Record<string, unknown>>>;
    const { extends: base, profile_version, name, title, intake } = full;
    const steps: Array<[string, Record<string, unknown>]> = [
      ['MAP-3003 patient.in_house', {}],
      ['MAP-3006 report.status', { patient: { in_house: full.patient?.in_house } }],
      [
        'MAP-3005 encounter.class',
        { tables: { report_status: full.tables?.report_status, item_status: full.tables?.item_status } },
      ],
      ['ok D5521-XCG', { tables: { ...full.tables, flags: {} } }],
      ['ok BG260301001', { report: full.report, specimen: full.specimen }],
    ];
    let profile: Record<string, unknown> = { extends: base, profile_version, name, title, intake };
    for (const [outcome, added] of steps) {
      profile = { ...profile, ...added };
      const reading = compileProfile(JSON.stringify(profile)).read(
        phi(encodeText(message.trim().replaceAll('\n', '\r'), 'GB18030')),
        context,
      );
      const [said] = reading.kind === 'statements' ? reading.statements : [];
      if (said === undefined || !('held' in said || 'ok' in said)) throw new Error(reading.kind);
      const got =
        'held' in said
          ? `${said.held.code} ${said.held.where}`
          : `ok ${'reportNumber' in said.ok.report && said.ok.report.reportNumber}`;
      t.equal(got, outcome);
      if ('ok' in said) t.match(said.ok.findings, [{ code: 'MAP-3001', where: 'items[0].flag' }]);
      for (const word of outcome.split(' ').slice(outcome.startsWith('ok') ? 2 : 0)) t.ok(text.includes(word), word);
    }
  });

  t.test(`${lang}: every profile and every part of one holds`, async (t) => {
    t.equal(whole.length, 2);
    t.ok(parts.length >= 8);
    for (const body of whole) t.doesNotThrow(() => checkProfile(body), body);
    const head = 'extends: cn-default\nprofile_version: 1\nname: x\ntitle: { zh: x, en: x }\n';
    for (const body of parts) t.doesNotThrow(() => checkProfile(head + body), body);
  });

  t.test(`${lang}: the mistakes it shows are told in these words`, async (t) => {
    const shown = of('').flatMap((body) => body.split('\n').filter((line) => line.includes('CFG-5009')));
    const wrong = example.replace('number: OBR-3', 'number: OBT-3').replace('  flags:', '  flag:');
    try {
      checkProfile(wrong, 'demo-lis.yaml');
      t.fail('must be refused');
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      t.same(
        error.issues.map(
          (issue) => `${placeOf(issue)} ${issue.code} ${issue.path}${lang === 'zh' ? '：' : ' '}${issue.message[lang]}`,
        ),
        shown,
      );
    }
  });

  t.test(`${lang}: its configurations hold, senders of one port included`, async (t) => {
    const blocks = of('yaml config');
    t.equal(blocks.length, 3);
    for (const body of blocks) {
      const folder = t.testdir({ 'demo-lis.yaml': example });
      const [before = '', after = ''] = goodConfig.split(/^sources:\n[\s\S]*?(?=^platforms:)/m);
      writeFileSync(join(folder, 'qianzhi.yaml'), before + body + after.replace('./pack.yaml', 'cn-wst500'));
      const loaded = loadConfig(join(folder, 'qianzhi.yaml'), registry, {});
      t.ok(checkTexts(loaded, registry).profiles.size >= 1, body);
    }
  });

  t.test(`${lang}: it names every built-in profile, and no code that is none`, async (t) => {
    for (const name of hl7Dialects) t.ok(text.includes(`\`${name}\``), name);
    const codes = [...text.matchAll(/\b(?:MAP|HL7|CFG|MLLP)-\d{4}\b/g)].map(([code]) => code);
    t.ok(codes.length > 10);
    for (const code of codes) t.ok(isErrorCode(code), code);
  });

  t.test(`${lang}: it names every key of a profile`, async (t) => {
    const missing = keysOf(profileSchema).filter((key) => !text.includes(`\`${key}\``));
    t.same(missing, []);
  });
}

t.test('both guides have the same examples', async (t) => {
  const plain = (body: string) => body.replace(/\s+#.*$/gm, '').replace(/^#.*\n/gm, '');
  for (const info of ['hl7', 'yaml', 'yaml config']) {
    const [zh, en] = guides.map(({ of }) => of(info).map(plain));
    t.same(en, zh, info);
  }
});

/** Names of all sections and keys; what a code or a person is made of (code, name, id) is told once. */
function keysOf(schema: unknown): string[] {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
    inner = inner.unwrap();
  }
  if (inner instanceof z.ZodArray) return keysOf(inner.element);
  if (!(inner instanceof z.ZodObject)) return [];
  const pair = ['code', 'name', 'id', 'path', 'kind'];
  return Object.entries(inner.shape).flatMap(([key, value]) => (pair.includes(key) ? [] : [key, ...keysOf(value)]));
}
