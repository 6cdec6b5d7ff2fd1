import t from 'tap';
import { checkProfile, compileProfile } from '../../../../adapters/hl7v2/profile/check.ts';
import { ConfigError } from '../../../../config/config-error.ts';
import { mshOf, obr, obx, onlyLab, pid, profileText, pv1, read } from '../extract/reading.ts';

const head = 'profile_version: 1\nname: my-lis\ntitle: { zh: 我院, en: mine }\n';
const extending = (rest: string, base = 'cn-default') => `extends: ${base}\n${head}${rest}`;
const profileOf = (text: string) => checkProfile(text).profile;
const mistakes = (text: string): string[] => {
  try {
    checkProfile(text);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message.en}`);
  }
  return [];
};
const base = profileOf(profileText);

t.test('a profile that says nothing else is the one it extends, under its own name', (t) => {
  const mine = profileOf(extending(''));
  t.same({ ...mine, name: base.name, title: base.title }, base);
  t.equal(mine.name, 'my-lis');
  t.notOk('extends' in mine || 'drop' in mine, 'who compiles it need not know');
  t.match(mistakes('extends: cn-default\n'), [/profile_version: is missing/, /name: is missing/, /title: is missing/]);
  t.end();
});

t.test('a key that it writes replaces the base’s as a whole, the other keys of the section stay', (t) => {
  const mine = profileOf(
    extending(
      'encounter:\n  department: { code: PV1-10 }\nintake:\n  types: { accept: [ORU^R01] }\nsentinel_dates: []\n',
    ),
  );
  t.same(mine.encounter.department, { code: 'PV1-10' }, 'a code with another’s name would be no pair');
  t.same(mine.encounter.ward, base.encounter.ward);
  t.same(mine.intake.types, { accept: ['ORU^R01'], reject: [] });
  t.equal(mine.intake.ack, base.intake.ack);
  t.same(mine.sentinel_dates, []);
  t.same(mine.patient, base.patient);
  t.end();
});

t.test('tables are joined entry by entry', (t) => {
  const mine = profileOf(extending('tables:\n  item_status:\n    D: retract\n    "9": hold\n'));
  t.same(mine.tables.item_status, { ...base.tables.item_status, D: 'retract', '9': 'hold' });
  t.same(mine.tables.flags, base.tables.flags);
  t.end();
});

t.test('what is dropped is not taken: an entry of a table is unknown then, and a section can be written anew', (t) => {
  const mine = profileOf(
    extending('drop: [tables.flags.M, tables.exam_sections.18782-3, exam, specimen]\nspecimen: { number: OBR-2 }\n'),
  );
  t.equal(mine.tables.flags.M, undefined);
  t.equal(mine.tables.flags.N, 'normal');
  t.equal(mine.tables.exam_sections['18782-3'], undefined);
  t.equal(mine.exam, undefined);
  t.same(mine.specimen, { number: 'OBR-2' });
  const message = [mshOf('ORU^R01'), pid, pv1, obr(), obx('K', '4.1', 'F', 'M')];
  const said = onlyLab(read(message, compileProfile(extending('drop: [tables.flags.M]\n'))));
  t.equal(said.report.items[0]?.interpretation, undefined);
  t.match(said.findings, [{ code: 'MAP-3001' }]);
  t.end();
});

t.test('a built-in profile that itself extends another can be extended', (t) => {
  const mine = profileOf(extending('assembly: { quiet_seconds: 60 }\n', 'mindray-analyser'));
  t.equal(mine.intake.ack, 'device-mindray');
  t.equal(mine.assembly.quiet_seconds, 60);
  t.equal(mine.items.sub_id, undefined, 'what it drops stays dropped');
  t.same(mine.sentinel_dates, base.sentinel_dates);
  t.end();
});

t.test('mistakes are told at the place in the file that is written, never in the base', (t) => {
  t.same(mistakes(extending('', 'cn-defualt')), [
    `1:10 extends: must be the name of a built-in profile: cn-default, mindray-analyser, mindray-monitor, lis-oul, pacs-report, his, winning. Did you mean "cn-default"?`,
  ]);
  t.match(mistakes(extending('', './other.yaml')), [/^1:10 extends: must be the name of a built-in/]);
  t.match(mistakes(extending('', '[a]')), [/^1:10 extends: must be/]);
  t.match(mistakes(`${head}drop: [exam]\n`), [/^4:1 drop: has nothing to drop from/]);
  t.match(mistakes(`extend: cn-default\n${head}`), [
    /patient/,
    /report/,
    /items/,
    /tables/,
    /^1:1 extend: is not known here. Did you mean "extends"\?/,
  ]);
  t.match(mistakes(extending('drop: exam\n')), [/^5:7 drop: must be a list/]);
  t.match(mistakes(extending('drop: [exam, items.subid, 7]\n')), [
    /^5:14 drop\[1\]: is not in cn-default/,
    /^5:27 drop\[2\]: is not in/,
  ]);
  t.match(mistakes(extending('patient:\n  phone: "PID-13 | PIX-1"\nreport:\n  statsu: OBR-25\n')), [
    /^6:20 patient.phone: there is no segment PIX/,
    /^8:3 report.statsu: is not known here. Did you mean "status"\?/,
  ]);
  t.match(mistakes(extending('drop: [document]\n')), [/^1:10 intake.types.accept\[27\]: needs the section document/]);
  t.match(mistakes(extending('drop: [items.value]\nitems:\n  flag: OBX-8\n')), [/^6:1 items.value: is missing/]);
  t.match(mistakes(extending('patient: { __proto__: 5, constructor: PID-2 }\n__proto__: { a: 1 }\n')), [
    /^5:12 patient.__proto__: is not known here/,
    /^5:26 patient.constructor: is not known here/,
    /^6:1 __proto__: is not known here/,
  ]);
  t.match(mistakes(extending('patient: 5\n')), [/^5:10 patient: must be a group/]);
  t.match(mistakes(extending('tables: { flags: 5 }\n')), [/^5:18 tables.flags: must be a group/]);
  t.match(mistakes(extending('items:\n')), [/^5:1 items: is empty/]);
  t.end();
});

t.test('a heartbeat is what the profile says it is, and results never are', (t) => {
  const compiled = (text: string) => compileProfile(extending(text));
  const ruleOf = (segments: string[], profile: string) => {
    const reading = read(segments, compiled(profile));
    return reading.kind === 'filtered' ? reading.rule : reading.kind;
  };
  const bare = [mshOf('ORU^R01'), pid, pv1];
  t.equal(ruleOf([mshOf('ORU^R01')], ''), 'heartbeat');
  t.equal(ruleOf(bare, ''), 'held', 'nothing in it, and not known for a sign of life');
  t.equal(ruleOf(bare, 'heartbeat: { segments: [PID, PV1] }\n'), 'heartbeat');
  const cancelled = [...bare, obr(), 'NTE|1||x'];
  t.equal(ruleOf(cancelled, 'heartbeat: { segments: [PID, PV1] }\n'), 'statements', 'an order is no sign of life');
  for (const id of ['OBR', 'OBX', 'ORC', 'SPM', 'NTE'])
    t.match(mistakes(extending(`heartbeat: { segments: [PID, ${id}] }\n`)), [/orders and results are no sign of life/]);
  for (const lost of [' ', '\t', '\v', '\f', '\\X0D\\', '<CR>', '\u2028']) {
    const joined = [[mshOf('ORU^R01'), pid, obr(), obx('K', '9.9')].join(lost)];
    t.equal(ruleOf(joined, ''), 'held', 'a result whose line ends were lost is no sign of life');
  }
  t.equal(ruleOf([mshOf('QRY^A19')], ''), 'query');
  t.equal(ruleOf([mshOf('QRY^A19'), 'QRD|1'], 'heartbeat: { types: [QRY^A19] }\n'), 'heartbeat');
  t.equal(ruleOf([mshOf('ZZZ^Z01')], 'heartbeat: { types: [ZZZ] }\n'), 'heartbeat');
  t.end();
});

t.test('of a sender of device data only, nothing becomes a report whatever it is coded in', (t) => {
  const only = compileProfile(extending('device_codings: ["*"]\n'));
  for (const results of [[obx('K', '4.1')], []]) {
    const reading = read([mshOf('ORU^R01'), pid, pv1, obr(), ...results], only);
    t.match(reading, { kind: 'statements', statements: [{ filtered: 'device-observation' }] });
  }
  t.end();
});

t.test('settings of a device among its results are left out; a report of nothing else is held', (t) => {
  const profile = compileProfile(extending('items:\n  not_results: { path: OBX-3.1, values: ["08001"] }\n'));
  const said = (...results: string[]) => read([mshOf('ORU^R01'), pid, pv1, obr(), ...results], profile);
  const { report } = onlyLab(said(obx('08001', 'O', ''), obx('K', '4.1')));
  t.same(
    report.items.map(({ key }) => key),
    ['K'],
    'its own status is nobody’s business',
  );
  t.equal(onlyLab(said(obx('08001', 'O', 'W'), obx('K', '4.1'))).reportAction, 'retract', 'but for a wrong patient');
  t.match(mistakes(extending('items:\n  not_results: { path: OBX-11, values: [D] }\n')), [
    /must look at OBX-3 or OBX-4/,
  ]);
  t.match(said(obx('08001', 'O')), { statements: [{ held: { code: 'HL7-2102', where: 'OBX' } }] });
  t.end();
});

t.test('a test that was not done is kept as an item without value, or left out where the profile says so', (t) => {
  const keysUnder = (profile: string, ...results: string[]) => {
    const reading = read([mshOf('ORU^R01'), pid, pv1, obr(), ...results], compileProfile(extending(profile)));
    return onlyLab(reading).report.items.map(({ key }) => key);
  };
  const empty = 'OBX|1|ST|A^A||||||||F|||20240520093000';
  const others = ['OBX|2|ST|B^B||||3-5||||F', 'OBX|3|ST|C^C|||||H|||F', 'OBX|4|ST|D^D||||||||F', 'NTE|1||see below'];
  t.same(keysUnder('', empty, ...others, obx('K', '4.1')), ['A', 'B', 'C', 'D', 'K']);
  t.same(keysUnder('items: { empty: leave-out }\n', empty, ...others, obx('K', '4.1')), ['B', 'C', 'D', 'K']);
  const withStatus = (status: string) =>
    read(
      [mshOf('ORU^R01'), pid, pv1, obr(), empty.replace('|F|', `|${status}|`), obx('K', '4.1')],
      compileProfile(extending('items: { empty: leave-out }\n')),
    );
  t.same(onlyLab(withStatus('D')).itemActions, { A: 'remove-item' }, 'a deletion is no test left undone');
  t.equal(onlyLab(withStatus('W')).reportAction, 'retract');
  t.same(onlyLab(withStatus('P')).itemActions, { A: 'hold' });
  t.match(withStatus('?'), { statements: [{ held: { code: 'MAP-3006' } }] });
  const leaving = 'items: { empty: leave-out }\n';
  t.same(
    keysUnder(leaving, 'OBX|1|CE|S^S||^^^POS^阳性^L||||||F', obx('K', '4.1')),
    ['S', 'K'],
    'an alternate is a value',
  );
  t.same(keysUnder(leaving, 'OBX|1|NM|S^S||""||||||F', obx('K', '4.1')), ['S', 'K'], 'an emptied value says something');
  const order = obr().split('|');
  order[25] = 'X';
  const gone = read([mshOf('ORU^R01'), pid, pv1, order.join('|'), empty], compileProfile(extending(leaving)));
  t.equal(onlyLab(gone).reportAction, 'retract', 'a cancelled order is none either');
  for (const parts of ['corrections: delta\n', 'assembly: { quiet_seconds: 60 }\n'])
    t.match(mistakes(extending(parts + leaving)), [/items.empty: .*delta/]);
  t.end();
});

t.test('what is neither a patient’s nor quality control, by what the profile lists, is held', (t) => {
  const rules = 'quality_control: { path: MSH-16, values: ["1", "2"], patient: ["0"] }\n';
  const saying = (mark: string) => {
    const header = mshOf('ORU^R01').split('|');
    while (header.length < 16) header.push('');
    header[15] = mark;
    return read([header.join('|'), pid, pv1, obr(), obx('K', '4.1')], compileProfile(extending(rules)));
  };
  t.match(saying('2'), { kind: 'filtered', rule: 'quality-control' });
  for (const patient of ['', '0']) t.match(saying(patient), { kind: 'statements' });
  for (const other of ['02', '3', 'QC']) t.match(saying(other), { kind: 'held', code: 'MAP-3043' });
  t.end();
});

t.test('han() reads a name wherever the Chinese of it stands', (t) => {
  const profile = compileProfile(extending('patient:\n  name: han(PID-5) | PID-5.1\n'));
  const nameOf = (name: string) =>
    onlyLab(read([mshOf('ORU^R01'), pid.replace('张三', name), pv1, obr(), obx('K', '4.1')], profile)).report.patient
      .name;
  t.same(['张三', 'ZHANGSAN^张三', '张三^ZHANGSAN', '^张三', 'ZHANGSAN', 'A^B^C^先生', 'X~张三'].map(nameOf), [
    '张三',
    '张三',
    '张三',
    '张三',
    'ZHANGSAN',
    'A',
    'X',
  ]);
  t.end();
});
