import t, { type Test } from 'tap';
import { readAsset } from '../../../../agent/support/assets.ts';
import { goldenExam } from '../../golden-records.ts';
import { compilePack } from './compile-pack.ts';
import { inputOf } from './render-input.ts';

const packText = readAsset('config/provinces/cn-wst500/pack.yaml');
const refused = (t: Test, text: string, overlay: Record<string, unknown>, where: string | RegExp) =>
  t.throws(() => compilePack(text, overlay), { code: 'CFG-5010', where });

t.test('an unknown key is refused with its place and the nearest known one', async (t) => {
  refused(t, packText, { missing_valeu: '-' }, 'overlay missing_valeu → missing_value');
  refused(t, packText, { zzz: 1 }, 'overlay zzz');
  refused(
    t,
    packText,
    { encounter_numbers: { inpatiant: ['inpatient'] } },
    /^overlay encounter_numbers.inpatiant → inpatient$/,
  );
  refused(t, packText.replace('  technician:', '  tecnician:'), {}, /^pack \d+:\d+ elements/);
});

t.test('a wrong value is refused with line and column', async (t) => {
  const line = packText.split('\n').findIndex((l) => l.startsWith('  icd_oid')) + 1;
  refused(
    t,
    packText.replace('value: 2.16.156.10011.2.3.3.11', 'value: none'),
    {},
    new RegExp(`^pack ${line}:\\d+ values.icd_oid.value$`),
  );
  refused(t, packText.replace('sources:', 'sources: ['), {}, /^pack \d+:\d+$/);
  refused(t, '', {}, /^pack /);
});

t.test('a value without evidence or with a source nobody wrote down is refused', async (t) => {
  refused(
    t,
    packText.replace(', evidence: verified, source: templates }', ', source: templates }'),
    {},
    /^pack \d+:\d+ values/,
  );
  refused(t, packText.replace('source: own', 'source: hearsay'), {}, /^pack \d+:\d+ values.*source$/);
});

t.test('a rule that the schema would not survive is refused', async (t) => {
  const identity = 'patient.name: { role: identity,';
  refused(t, packText.replace(identity, "patient.name: { role: context, missing: '-',"), {}, /elements.patient.name$/);
  const strict = readAsset('config/provinces/cn-wst500-strict/pack.yaml');
  refused(
    t,
    strict.replace(/patient.phone: \{ role: context, missing: .-./, 'patient.phone: { role: context, missing: omit'),
    {},
    /elements.patient.phone$/,
  );
  refused(
    t,
    strict.replace('  orderedAt: { role: identity,', '  orderedAt: { role: optional, missing: omit,'),
    {},
    /elements.orderedAt$/,
  );
  refused(t, packText.replace('form: { value: base', 'form: { value: strict'), {}, /elements/);
});

t.test('any context element can be made identity', async (t) => {
  const text = packText.replace(/specimen.number: \{ role: context, missing: .-./, 'specimen.number: { role: identity');
  const input = inputOf();
  const record = { ...input.content.record, specimen: {} };
  const out = compilePack(text, {}).render({ ...input, content: { ...input.content, record } });
  t.same(out, { kind: 'held', code: 'MAP-3009', where: 'specimen.number' });
  t.match(compilePack(text, {}).render(inputOf(goldenExam)), { kind: 'document' }, 'an examination has no specimen');
  for (const key of ['method', 'performedBy', 'orderedAt', 'interpretation', 'chiefComplaint']) {
    const rule = new RegExp(`^  ${key}: \\{ role: \\w+, missing: [^,]+`, 'm');
    t.match(packText, rule);
    const strictly = compilePack(packText.replace(rule, `  ${key}: { role: identity`), {});
    t.match(strictly.render(inputOf()), { kind: 'document' }, 'nothing that laboratory reports have');
    const orderingDepartment = { name: '呼吸内科' };
    const held = strictly.render(inputOf({ ...goldenExam, orderingDepartment }));
    t.match(held, { kind: 'held', code: 'MAP-3009', where: new RegExp(`^${key}`) });
  }
});

t.test('the hash changes with pack, overlay and code tables, and with nothing else', async (t) => {
  const hash = compilePack(packText, {}).packHash;
  t.match(hash, /^[0-9a-f]{64}$/);
  t.equal(compilePack(packText, {}).packHash, hash);
  t.not(compilePack(`${packText}# edited\n`, {}).packHash, hash);
  t.not(compilePack(packText, { icd_name: 'ICD' }).packHash, hash);
  const a = compilePack(packText, { icd_name: 'ICD', missing_value: 'NA' }).packHash;
  t.equal(compilePack(packText, { missing_value: 'NA', icd_name: 'ICD' }).packHash, a);
  const edited = compilePack(packText, {}, (path) => readAsset(path).replace('男性', '男'));
  t.not(edited.packHash, hash);
});

t.test('a code table without a row the document needs is refused', async (t) => {
  const cut = (path: string) => readAsset(path).replace(/^ward,.*\n/m, '');
  t.throws(() => compilePack(packText, {}, cut), { code: 'CFG-5010', where: 'codes/oids:ward' });
});

t.test('what no source verifies is listed', async (t) => {
  const { unverified } = compilePack(packText, {});
  t.ok(unverified.includes('values.set_id_root'));
  t.ok(unverified.includes('values.titled_sections') && unverified.includes('elements.findings'));
  t.notOk(unverified.includes('values.titles'));
});

t.test('the overlay changes what it names', async (t) => {
  const out = compilePack(packText, { missing_value: 'NA', result_text: 'unquantified' }).render(inputOf());
  if (out.kind !== 'document') throw new Error(JSON.stringify(out));
  const xml = new TextDecoder().decode(out.bytes.reveal());
  t.match(xml, '<id extension="NA" root="2.16.156.10011.1.11"/>');
  t.match(
    xml,
    '<value xsi:type="ST">C反应蛋白定性(CRP-Q)：阳性；参考范围 阴性；提示 A；检验时间 20240520093000</value>',
  );
});
