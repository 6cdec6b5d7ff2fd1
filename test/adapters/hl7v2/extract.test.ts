import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { compileProfile } from '../../../adapters/hl7v2/profile/check.ts';
import type { ReportStatement } from '../../../agent/clinical/reports/types.ts';
import type { Reading } from '../../../agent/mapping/mapper.ts';
import { isErrorCode } from '../../../agent/support/errors.ts';
import { phi } from '../../../agent/support/phi.ts';

const profileText = readFileSync(new URL('../../../config/dialects/cn-default.yaml', import.meta.url), 'utf8');
const reader = compileProfile(profileText);
/** 2024-05-20 10:30 in Shanghai. */
const receivedMs = Date.UTC(2024, 4, 20, 2, 30);
const context = { receivedMs, source: 'lis', timeZone: 'Asia/Shanghai' };

const msh = 'MSH|^~\\&|LIS|H|E|R|20240520102600||ORU^R01|M1|P|2.4';
const pid = 'PID|1|P1|ZY1^^^^PatientNO||张三||19900307|M';
const pv1 = 'PV1|1|I|W03^^12^0301^呼吸内科||||||||||||||||V1';
const obr = (over: Record<number, string> = {}): string => {
  const fields = ['OBR', '1', 'A1', 'S1', 'XCG^血常规'];
  const all: Record<number, string> = { 20: 'R1', 22: '20240520102000', 25: 'F', ...over };
  for (let n = 1; n <= 34; n++) fields[n] = all[n] ?? fields[n] ?? '';
  return fields.join('|');
};
const obx = (code: string, value: string, status = 'F', flag = '', type = 'NM'): string =>
  `OBX|1|${type}|${code}^${code}||${value}|mmol/L|3.5-5.5|${flag}|||${status}|||20240520093000`;

const read = (segments: string[], with_: { reader?: typeof reader; text?: string } = {}): Reading =>
  (with_.reader ?? reader).read(phi(Buffer.from(segments.join('\r'))), context);

const change = (from: string | RegExp, to: string) => {
  const text = profileText.replace(from, to);
  if (text === profileText) throw new Error(`nothing changed: ${from}`);
  return compileProfile(text);
};

/** What came of each statement: `publish R1`, `held MAP-3006`. */
const outcomes = (reading: Reading): string[] =>
  reading.kind === 'statements'
    ? reading.statements.map((s) => {
        if ('held' in s) {
          if (!isErrorCode(s.held.code)) throw new Error(`unknown code ${s.held.code}`);
          return `held ${s.held.code}`;
        }
        return `${s.ok.reportAction} ${s.ok.report.reportNumber}`;
      })
    : [`${reading.kind} ${reading.kind === 'held' ? reading.code : reading.rule}`];

const only = (reading: Reading): ReportStatement => {
  if (reading.kind !== 'statements' || reading.statements.length !== 1) throw new Error(outcomes(reading).join());
  const [statement] = reading.statements;
  if (statement === undefined || !('ok' in statement)) throw new Error(outcomes(reading).join());
  return statement.ok;
};
const whereHeld = (reading: Reading): string | undefined => {
  if (reading.kind === 'held') return reading.where;
  const first = reading.kind === 'statements' ? reading.statements[0] : undefined;
  return first !== undefined && 'held' in first ? first.held.where : undefined;
};

// ------------------------------------------------------------------ status

t.test('report status: each code does what the table says, and an unknown or absent one is never final', (t) => {
  const wanted: Record<string, string> = {
    F: 'publish R1',
    C: 'publish R1',
    P: 'hold R1',
    R: 'hold R1',
    S: 'hold R1',
    I: 'hold R1',
    O: 'hold R1',
    A: 'hold R1',
    X: 'retract R1',
    '2': 'held MAP-3006',
    '': 'held MAP-3006',
    '""': 'held MAP-3006',
    f: 'held MAP-3006',
  };
  for (const [code, outcome] of Object.entries(wanted)) {
    t.same(outcomes(read([msh, pid, pv1, obr({ 25: code }), obx('K', '4.2')])), [outcome], `OBR-25 ${code}`);
  }
  t.end();
});

t.test('item status: removed and unfinished items are named, unknown ones hold the report', (t) => {
  const action = (code: string) => read([msh, pid, pv1, obr(), obx('K', '4.2'), obx('Na', '140', code)]);
  t.same(only(action('C')).itemActions, {});
  t.same(only(action('X')).itemActions, { Na: 'remove-item' });
  t.same(only(action('D')).itemActions, { Na: 'remove-item' });
  t.same(only(action('P')).itemActions, { Na: 'hold' });
  t.same(outcomes(action('W')), ['retract R1']);
  for (const code of ['', '1', 'U', 'N']) {
    t.same(outcomes(action(code)), ['held MAP-3006'], code);
    t.equal(whereHeld(action(code)), 'items.status');
  }
  t.end();
});

t.test('an interim report with an item of unknown status waits, it is not held', (t) => {
  t.same(outcomes(read([msh, pid, pv1, obr({ 25: 'P' }), obx('K', '4.2', '')])), ['hold R1']);
  t.end();
});

t.test('D deletes the report only where the profile says so', (t) => {
  const deletes = change('    D: remove-item', '    D: retract');
  t.same(outcomes(read([msh, pid, pv1, obr(), obx('K', '4.2', 'D')], { reader: deletes })), ['retract R1']);
  t.end();
});

t.test('a missing item status counts as final only where the profile says so', (t) => {
  const lenient = change('  item_status:\n', '  item_status:\n    missing: publish\n');
  t.same(outcomes(read([msh, pid, pv1, obr(), obx('K', '4.2', '')], { reader: lenient })), ['publish R1']);
  t.end();
});

t.test('a value sent again after its deletion in one message is the new value', (t) => {
  const { report, itemActions } = only(
    read([msh, pid, pv1, obr({ 25: 'C' }), obx('K', '6.2', 'D'), obx('K', '4.2', 'C')]),
  );
  t.match(report.items, [{ key: 'K', value: '4.2' }]);
  t.equal(report.items.length, 1);
  t.same(itemActions, {});
  t.end();
});

// ------------------------------------------------------------------ reports of a message

t.test('several OBR of one report number are one report with the items of all', (t) => {
  const { report } = only(
    read([
      msh,
      pid,
      pv1,
      obr(),
      obx('WBC', '12.5'),
      obr({ 2: 'A2', 4: 'CRP^C反应蛋白', 22: '20240520102200' }),
      obx('CRP', '8'),
    ]),
  );
  t.same(
    report.items.map((i) => i.key),
    ['WBC', 'CRP'],
  );
  t.same(report.orderNumbers, ['A1', 'A2']);
  t.same(report.panel, { name: '血常规、C反应蛋白' });
  t.equal(report.reportedAt, '20240520102200');
  t.end();
});

t.test('different report numbers are different reports, each with its own fate', (t) => {
  const reading = read([
    msh,
    pid,
    pv1,
    obr(),
    obx('K', '4.2'),
    obr({ 20: 'R2', 25: 'P' }),
    obx('CRP', '8'),
    obr({ 20: 'R3', 25: '?' }),
    obx('X', '1'),
  ]);
  t.same(outcomes(reading), ['publish R1', 'hold R2', 'held MAP-3006']);
  t.end();
});

t.test('one order still open makes the report wait; a cancelled one takes its items along', (t) => {
  t.same(outcomes(read([msh, pid, pv1, obr(), obx('K', '4.2'), obr({ 25: 'P' }), obx('CRP', '8')])), ['hold R1']);
  const cancelled = only(read([msh, pid, pv1, obr(), obx('K', '4.2'), obr({ 25: 'X' }), obx('CRP', '8')]));
  t.equal(cancelled.reportAction, 'publish');
  t.same(cancelled.itemActions, { CRP: 'remove-item' });
  t.same(outcomes(read([msh, pid, pv1, obr({ 25: 'X' }), obr({ 25: 'X' })])), ['retract R1']);
  t.end();
});

t.test('without OBR-20 the report is order and panel; without that it is held', (t) => {
  t.equal(only(read([msh, pid, pv1, obr({ 20: '' }), obx('K', '4.2')])).report.reportNumber, 'A1-XCG');
  t.same(outcomes(read([msh, pid, pv1, obr({ 20: '', 2: '' }), obx('K', '4.2')])), ['held MAP-3008']);
  const byFiller = change("number: OBR-20 | OBR-2 + '-' + OBR-4.1", 'number: OBR-20 | OBR-3');
  t.equal(
    only(read([msh, pid, pv1, obr({ 20: '' }), obx('K', '4.2')], { reader: byFiller })).report.reportNumber,
    'S1',
  );
  t.end();
});

t.test('the report key is source and report number, nothing of patient or specimen', (t) => {
  t.equal(only(read([msh, pid, pv1, obr(), obx('K', '4.2')])).reportKey, 'lis|R1');
  t.end();
});

t.test('order numbers joined by # are several', (t) => {
  t.same(only(read([msh, pid, pv1, obr({ 2: 'A1#A2' }), obx('K', '4.2')])).report.orderNumbers, ['A1', 'A2']);
  t.end();
});

t.test('items of one code in one report keep apart', (t) => {
  const { report } = only(read([msh, pid, pv1, obr(), obx('GLU', '5.0'), obr(), obx('GLU', '9.1')]));
  t.same(
    report.items.map((i) => [i.key, i.value]),
    [
      ['GLU', '5.0'],
      ['GLU#2', '9.1'],
    ],
  );
  t.end();
});

t.test('notes belong to the segment before them', (t) => {
  const { report } = only(
    read([
      msh,
      pid,
      'NTE|1||of the patient',
      pv1,
      obr(),
      'NTE|1||溶血',
      obx('K', '4.2'),
      'NTE|1||line 1~line 2',
      obx('Na', '140'),
    ]),
  );
  t.same(report.remarks, ['溶血']);
  t.same(
    report.items.map((i) => i.notes),
    [['line 1\nline 2'], []],
  );
  t.end();
});

t.test('two patients in one message: nothing of the first reaches the second', (t) => {
  const reading = read([msh, pid, pv1, obr(), obx('K', '4.2'), 'PID|2|P2|||李四', obr({ 20: 'R2' }), obx('K', '5.0')]);
  t.same(outcomes(reading), ['publish R1', 'held MAP-3005'], 'the second has no PV1 of its own');
  const both = read([
    msh,
    pid,
    pv1,
    obr(),
    obx('K', '4.2'),
    'PID|2|P2|||李四',
    'PV1|1|O',
    obr({ 20: 'R2' }),
    obx('K', '5.0'),
  ]);
  t.match(both, {
    statements: [{ ok: { patientKey: 'P1' } }, { ok: { patientKey: 'P2', report: { patient: { name: '李四' } } } }],
  });
  t.end();
});

t.test('ORC, OBR and SPM group in any order', (t) => {
  const spm = 'SPM|1|B7||01^血清';
  for (const order of [
    ['ORC|RE|A9', obr({ 2: '' }), spm],
    [obr({ 2: '' }), 'ORC|RE|A9', spm],
    [spm, obr({ 2: '' }), 'ORC|RE|A9'],
  ]) {
    const { report } = only(read([msh.replace('ORU^R01', 'OUL^R21'), pid, pv1, ...order, obx('K', '4.2')]));
    t.match(report, { orderNumbers: ['A9'], specimen: { number: 'B7', type: { code: '01', name: '血清' } } });
  }
  const { report } = only(read([msh, pid, pv1, obr(), obx('K', '4.2'), spm]));
  t.match(report.specimen, { number: 'B7' }, 'in ORU a specimen follows the results');
  t.end();
});

t.test('an ORC before an OBR belongs to that order, not to the one before', (t) => {
  const reading = read([msh, pid, pv1, obr({ 2: '' }), 'ORC|RE|A2', obr({ 20: 'R2', 2: '' }), obx('K', '4.2')]);
  t.match(reading, { statements: [{ held: { code: 'HL7-2102' } }, { ok: { report: { orderNumbers: ['A2'] } } }] });
  t.end();
});

// ------------------------------------------------------------------ held and filtered

t.test('results without OBR, batches and continued messages are held as a whole', (t) => {
  const whole: Array<[string[], string]> = [
    [[msh, pid, pv1, obx('K', '4.2')], 'OBX'],
    [[msh, pid, pv1], 'OBR'],
    [[msh, pid, pv1, obr(), obx('K', '4.2'), msh, obr(), obx('K', '9')], 'MSH'],
    [['FHS|^~\\&|x', msh, pid], 'FHS'],
    [[msh, pid, pv1, obr(), obx('K', '4.2'), 'DSC|more'], 'DSC'],
    [[`${msh}||ptr`, pid, pv1, obr(), obx('K', '4.2')], 'MSH'],
  ];
  for (const [segments, where] of whole) {
    const reading = read(segments);
    t.same(outcomes(reading), ['held HL7-2106'], where);
    t.equal(whereHeld(reading), where);
  }
  t.end();
});

t.test('bytes that are no text and text that is no HL7 are held', (t) => {
  const raw = Buffer.concat([Buffer.from(`${msh}\r${pid}`), Buffer.from([0xff, 0xff, 0xfe])]);
  t.match(reader.read(phi(raw), context), { kind: 'held', code: 'MLLP-2006', type: 'other' });
  t.match(read(['hello']), { kind: 'held', code: 'HL7-2101', type: 'other' });
  t.end();
});

t.test('types and test messages that are not taken are filtered with the rule that did', (t) => {
  const as = (from: string, to: string) => read([msh.replace(from, to), pid, pv1, obr(), obx('K', '4.2')]);
  t.match(as('ORU^R01', 'ADT^A01'), { kind: 'filtered', rule: 'HL7-2104', type: 'ADT^A01' });
  t.match(as('ORU^R01', 'OUL^R24'), { kind: 'filtered', rule: 'HL7-2104', type: 'OUL^R24' });
  t.match(as('ORU^R01', '张三^R01'), { kind: 'filtered', rule: 'HL7-2104', type: 'other' });
  t.match(as('|P|2.4', '|T|2.4'), { kind: 'filtered', rule: 'HL7-2105' });
  t.match(as('|P|2.4', '|D|2.4'), { kind: 'filtered', rule: 'HL7-2105' });
  t.match(as('ORU^R01', 'ORU_R01'), { kind: 'statements', type: 'ORU^R01' });
  t.match(as('ORU^R01', 'ORU^^ORU_R01'), { kind: 'statements', type: 'ORU^R01' });
  t.end();
});

t.test('a final report without any result is held', (t) => {
  const reading = read([msh, pid, pv1, obr()]);
  t.same(outcomes(reading), ['held HL7-2102']);
  t.same(
    outcomes(read([msh, pid, pv1, obr(), 'OBX|1|NM|||4.2||||||F'])),
    ['held HL7-2102'],
    'nor one that nobody can name',
  );
  t.end();
});

// ------------------------------------------------------------------ patient and encounter

t.test('the patient class comes from the table and is never guessed', (t) => {
  const withClass = (code: string) => read([msh, pid, `PV1|1|${code}`, obr(), obx('K', '4.2')]);
  t.equal(only(withClass('O')).report.encounter.patientClass, 'outpatient');
  t.equal(only(withClass('E')).report.encounter.patientClass, 'emergency');
  t.equal(only(withClass('体检')).report.encounter.patientClass, 'checkup');
  t.same(outcomes(withClass('Q')), ['held MAP-3005']);
  t.equal(whereHeld(withClass('')), 'encounter.class');
  const none = read([msh, pid, obr(), obx('K', '4.2')]);
  t.same(outcomes(none), ['held MAP-3005']);
  t.equal(whereHeld(none), 'PV1');
  const outpatients = change('  patient_class:\n', '  patient_class:\n    missing: outpatient\n');
  const published = only(read([msh, pid, obr(), obx('K', '4.2')], { reader: outpatients }));
  t.equal(published.report.encounter.patientClass, 'outpatient');
  t.end();
});

t.test('a withdrawal or an interim does not need the patient class', (t) => {
  t.same(outcomes(read([msh, pid, obr({ 25: 'X' })])), ['retract R1']);
  t.same(outcomes(read([msh, pid, obr({ 25: 'P' }), obx('K', '4.2')])), ['hold R1']);
  t.end();
});

t.test('without an in-house number nobody knows whose report it is', (t) => {
  for (const line of ['PID|1||||张三', 'PID|1|""|^^^^PatientNO||张三', 'PID|1||8800^^^^CardNO']) {
    t.same(outcomes(read([msh, line, pv1, obr(), obx('K', '4.2')])), ['held MAP-3003'], line);
  }
  t.same(outcomes(read([msh, pv1, obr({ 25: 'X' })])), ['held MAP-3003'], 'a withdrawal neither');
  t.equal(only(read([msh, 'PID|1||ZY1^^^^PatientNO', pv1, obr(), obx('K', '4.2')])).patientKey, 'ZY1');
  t.end();
});

const identify = (id: string, rest = '||张三||19900307|M') =>
  read([msh, `PID|1|P1|${id}^^^^IdentifyNO${rest}`, pv1, obr(), obx('K', '4.2')]);
const residentOf = (statement: ReportStatement) =>
  statement.report.patient.identifiers.find((i) => i.kind === 'resident-id');

t.test('a resident ID is taken with its check digit only', (t) => {
  t.match(residentOf(only(identify('110101199003077213'))), { value: '110101199003077213', source: 'PID-3[1].1' });
  const bad = only(identify('110101199003077214'));
  t.equal(residentOf(bad), undefined);
  t.match(bad.findings, [{ code: 'MAP-3021', where: 'patient.residentId' }]);
  const none = only(identify('无'));
  t.equal(residentOf(none), undefined);
  t.same(none.findings, []);
  t.end();
});

t.test('a resident ID is found wherever the profile looks, and a social-security number is not one', (t) => {
  const elsewhere = only(read([msh, `${pid}${'|'.repeat(11)}110101199003077213`, pv1, obr(), obx('K', '4.2')]));
  t.match(residentOf(elsewhere), { value: '110101199003077213', source: 'PID-19' });
  const social = only(read([msh, `${pid}${'|'.repeat(11)}440100123456`, pv1, obr(), obx('K', '4.2')]));
  t.equal(residentOf(social), undefined);
  t.same(social.findings, []);
  t.end();
});

t.test('a valid resident ID that contradicts birth date or sex holds the report', (t) => {
  t.same(outcomes(identify('110101199003077213', '||张三||20240501|M')), ['held MAP-3004']);
  t.equal(whereHeld(identify('110101199003077213', '||张三||20240501|M')), 'patient.birthDate');
  t.same(outcomes(identify('110101199003077213', '||张三||19900307|F')), ['held MAP-3004']);
  t.same(
    outcomes(identify('110101199003077213', '||张三||19000101|U')),
    ['publish R1'],
    'sentinel and unknown say nothing',
  );
  t.end();
});

t.test('an unknown sex is kept as sent and remarked', (t) => {
  const { report, findings } = only(read([msh, 'PID|1|P1|||||||', pv1, obr(), obx('K', '4.2')]));
  t.equal(report.patient.sex, undefined);
  t.same(findings, []);
  const odd = only(read([msh, pid.replace('|M', '|Q'), pv1, obr(), obx('K', '4.2')]));
  t.same(odd.report.patient.sex, { code: 'Q' });
  t.match(odd.findings, [{ code: 'MAP-3001', where: 'patient.sex' }]);
  t.end();
});

t.test('diagnoses come from every DG1', (t) => {
  const { report } = only(
    read([msh, pid, pv1, 'DG1|1||J18.900^肺炎||20240519', 'DG1|2|||仅文字', obr(), obx('K', '4.2')]),
  );
  t.same(report.encounter.diagnoses, [{ code: 'J18.900', name: '肺炎', diagnosedAt: '20240519' }, { name: '仅文字' }]);
  t.end();
});

// ------------------------------------------------------------------ values, flags, times

t.test('a value is numeric by its characters, not by its declared type, and keeps its digits', (t) => {
  const shownAs = (value: string, type: string) => {
    const [item] = only(read([msh, pid, pv1, obr(), obx('K', value, 'F', '', type)])).report.items;
    return [item?.value, item?.numeric];
  };
  t.same(shownAs('4.20', 'ST'), ['4.20', true]);
  t.same(shownAs('-0.000397', 'NM'), ['-0.000397', true]);
  t.same(shownAs('0', 'NM'), ['0', true]);
  for (const text of ['>5000', '*****', '阴性(-)', '未见', '1.2E3', '5,2', '1:128', '.5', '+']) {
    t.same(shownAs(text, 'NM'), [text, false], text);
  }
  t.same(shownAs('', 'NM'), [undefined, false]);
  t.end();
});

t.test('flags become an interpretation through the table; an unknown one stays open', (t) => {
  const flagged = (flag: string) => only(read([msh, pid, pv1, obr(), obx('K', '4.2', 'F', flag)]));
  const meanings: Record<string, string> = {
    H: 'abnormal',
    L: 'abnormal',
    N: 'normal',
    M: 'normal',
    '↑': 'abnormal',
    偏低: 'abnormal',
    'L~N': 'abnormal',
    'N~M': 'normal',
    '>': 'undetermined',
  };
  for (const [flag, meaning] of Object.entries(meanings)) {
    t.match(flagged(flag).report.items, [{ flag, interpretation: meaning, critical: undefined }], flag);
  }
  t.match(flagged('HH').report.items, [{ interpretation: 'abnormal', critical: true }]);
  const unknown = flagged('??');
  t.match(unknown.report.items, [{ flag: '??', interpretation: undefined }]);
  t.match(unknown.findings, [{ code: 'MAP-3001', where: 'items[0].flag' }]);
  t.equal(flagged('').report.items[0]?.interpretation, undefined);
  t.end();
});

t.test('an attachment is not carried, and that is remarked', (t) => {
  const { report, findings } = only(
    read([msh, pid, pv1, obr(), obx('PDF', '^AP^^Base64^QUJD', 'F', '', 'ED'), obx('K', '4.2')]),
  );
  t.equal(report.items[0]?.value, undefined);
  t.match(findings, [{ code: 'MAP-3024', where: 'items[0]' }]);
  t.end();
});

t.test('a report time in the future never orders', (t) => {
  const at = (time: string) => only(read([msh, pid, pv1, obr({ 22: time }), obx('K', '4.2')]));
  t.match(at('20240520103400'), { reportTime: '20240520103400', findings: [] }, 'five minutes are tolerated');
  const future = at('20240520110000');
  t.notOk('reportTime' in future);
  t.equal(future.report.reportedAt, '20240520110000', 'what the sender says stays in the report');
  t.match(future.findings, [{ code: 'MAP-3022', where: 'reportedAt' }]);
  const ahead = only(read([msh.replace('20240520102600', '20300101000000'), pid, pv1, obr(), obx('K', '4.2')]));
  t.notOk('messageTime' in ahead);
  t.end();
});

t.test('times with an offset are local times of the site; what is no time is left out and remarked', (t) => {
  t.equal(
    only(read([msh, pid, pv1, obr({ 22: '20240520022000+0000' }), obx('K', '4.2')])).reportTime,
    '20240520102000',
  );
  const odd = only(read([msh, pid, pv1, obr({ 22: 'soon', 7: '20240231' }), obx('K', '4.2')]));
  t.equal(odd.report.reportedAt, undefined);
  t.same(
    odd.findings.map((f) => [f.code, f.where]),
    [
      ['MAP-3012', 'reportedAt'],
      ['MAP-3012', 'specimen.collectedAt'],
    ],
  );
  const utc = change('sentinel_dates:', 'time_zone: UTC\nsentinel_dates:');
  t.equal(
    only(read([msh, pid, pv1, obr({ 22: '20240520102000+0800' }), obx('K', '4.2')], { reader: utc })).reportTime,
    '20240520022000',
    "the profile's zone comes before the site's",
  );
  t.end();
});

t.test('a message can be found by patient, name, visit, order, report, specimen and control id', (t) => {
  const reading = read([msh, pid, pv1, obr(), obx('K', '4.2')]);
  t.same(reading.lookups.map((k) => `${k.kind} ${k.value.reveal()}`).sort(), [
    'control M1',
    'name 张三',
    'order A1',
    'patient P1',
    'patient ZY1',
    'report R1',
    'specimen S1',
    'visit V1',
  ]);
  t.end();
});

t.test('nothing of the message is in what may be printed of a held one', (t) => {
  const reading = read([msh, pid, pv1, obr({ 25: '张三' }), obx('K', '4.2')]);
  t.notMatch(JSON.stringify(reading), /张三|P1|ZY1|R1/);
  t.end();
});

t.test('one message read twice says the same', (t) => {
  const segments = [msh, pid, pv1, obr(), obx('K', '4.2', 'F', 'H')];
  t.same(JSON.stringify(read(segments)), JSON.stringify(read(segments)));
  t.end();
});

t.test('whatever is cut out, doubled or spliced into a message, the reader answers', (t) => {
  const whole = [
    msh,
    pid,
    pv1,
    'DG1|1||J18^x',
    'ORC|RE|A1',
    obr(),
    'NTE|1||n',
    obx('K', '4.2', 'F', 'H~L'),
    'SPM|1|B',
  ].join('\r');
  const piece = fc.constantFrom(
    '|',
    '^',
    '~',
    '\\',
    '&',
    '\r',
    '\n',
    '\0',
    '""',
    '\\X41\\',
    '\\.br\\',
    '测',
    'MSH|',
    'OBX|',
    '#',
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(whole.length), fc.nat(12), piece), { minLength: 1, maxLength: 6 }),
      (edits) => {
        let text = whole;
        for (const [at, cut, insert] of edits) text = text.slice(0, at) + insert + text.slice(at + cut);
        const reading = reader.read(phi(Buffer.from(text)), context);
        for (const outcome of outcomes(reading)) if (outcome === '') return false;
        return reading.lookups.every((key) => key.value.reveal() !== '');
      },
    ),
    { numRuns: 500 },
  );
  t.end();
});

t.test('a broken message of very many items and repetitions is read in one pass', (t) => {
  const items = Array.from({ length: 20_000 }, (_, i) => obx(`C${i}`, '1', 'F', '??'));
  const statement = only(read([msh, `PID|1|P1|${'~'.repeat(100_000)}`, pv1, obr(), ...items]));
  t.equal(statement.report.items.length, 20_000);
  t.ok(statement.findings.length <= 200);
  t.end();
});
