import t from 'tap';
import { phi } from '../../../../agent/support/phi.ts';
import { change, context, mshOf, obr, obx, onlyLab, outcomes, pid, pv1, read, reader, whereHeld } from './reading.ts';

const msh = mshOf('ORU^R01');

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
  t.same(onlyLab(action('C')).itemActions, {});
  t.same(onlyLab(action('X')).itemActions, { Na: 'remove-item' });
  t.same(onlyLab(action('D')).itemActions, { Na: 'remove-item' });
  t.same(onlyLab(action('P')).itemActions, { Na: 'hold' });
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
  t.same(outcomes(read([msh, pid, pv1, obr(), obx('K', '4.2', 'D')], deletes)), ['retract R1']);
  t.end();
});

t.test('a missing item status counts as final only where the profile says so', (t) => {
  const lenient = change('  item_status:\n', '  item_status:\n    missing: publish\n');
  t.same(outcomes(read([msh, pid, pv1, obr(), obx('K', '4.2', '')], lenient)), ['publish R1']);
  t.end();
});

t.test('a value sent again after its deletion in one message is the new value', (t) => {
  const { report, itemActions } = onlyLab(
    read([msh, pid, pv1, obr({ 25: 'C' }), obx('K', '6.2', 'D'), obx('K', '4.2', 'C')]),
  );
  t.match(report.items, [{ key: 'K', value: '4.2' }]);
  t.equal(report.items.length, 1);
  t.same(itemActions, {});
  t.end();
});

t.test('several OBR of one report number are one report with the items of all', (t) => {
  const { report } = onlyLab(
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
  const cancelled = onlyLab(read([msh, pid, pv1, obr(), obx('K', '4.2'), obr({ 25: 'X' }), obx('CRP', '8')]));
  t.equal(cancelled.reportAction, 'publish');
  t.same(cancelled.itemActions, { CRP: 'remove-item' });
  t.same(outcomes(read([msh, pid, pv1, obr({ 25: 'X' }), obr({ 25: 'X' })])), ['retract R1']);
  t.end();
});

t.test('without OBR-20 the report is order and panel; without that it is held', (t) => {
  t.equal(onlyLab(read([msh, pid, pv1, obr({ 20: '' }), obx('K', '4.2')])).report.reportNumber, 'A1-XCG');
  t.same(outcomes(read([msh, pid, pv1, obr({ 20: '', 2: '' }), obx('K', '4.2')])), ['held MAP-3008']);
  const byFiller = change("number: OBR-20 | OBR-2 + '-' + OBR-4.1", 'number: OBR-20 | OBR-3');
  t.equal(onlyLab(read([msh, pid, pv1, obr({ 20: '' }), obx('K', '4.2')], byFiller)).report.reportNumber, 'S1');
  t.end();
});

t.test('the report key is source and report number, nothing of patient or specimen', (t) => {
  t.equal(onlyLab(read([msh, pid, pv1, obr(), obx('K', '4.2')])).reportKey, 'lis|R1');
  t.end();
});

t.test('order numbers joined by # are several', (t) => {
  t.same(onlyLab(read([msh, pid, pv1, obr({ 2: 'A1#A2' }), obx('K', '4.2')])).report.orderNumbers, ['A1', 'A2']);
  t.end();
});

t.test('items of one code in one report keep apart', (t) => {
  const { report } = onlyLab(read([msh, pid, pv1, obr(), obx('GLU', '5.0'), obr(), obx('GLU', '9.1')]));
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
  const { report } = onlyLab(
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
  t.same(outcomes(reading), ['publish R1', 'publish R2']);
  t.match(reading, { statements: [{}, { ok: { lacks: ['sex', 'birthDate', 'patientClass'] } }] });
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
    const { report } = onlyLab(read([msh.replace('ORU^R01', 'OUL^R21'), pid, pv1, ...order, obx('K', '4.2')]));
    t.match(report, { orderNumbers: ['A9'], specimen: { number: 'B7', type: { code: '01', name: '血清' } } });
  }
  const { report } = onlyLab(read([msh, pid, pv1, obr(), obx('K', '4.2'), spm]));
  t.match(report.specimen, { number: 'B7' }, 'in ORU a specimen follows the results');
  const r24 = read([
    msh.replace('ORU^R01', 'OUL^R24'),
    pid,
    pv1,
    obr(),
    obx('K', '4.2'),
    'SPM|1|B1',
    obr({ 20: 'R2' }),
    obx('Na', '140'),
    'SPM|2|B2',
  ]);
  t.match(
    r24,
    {
      statements: [
        { ok: { report: { specimen: { number: 'B1' } } } },
        { ok: { report: { specimen: { number: 'B2' } } } },
      ],
    },
    'in OUL^R24 too',
  );
  t.end();
});

t.test('an ORC before an OBR belongs to that order, not to the one before', (t) => {
  const reading = read([msh, pid, pv1, obr({ 2: '' }), 'ORC|RE|A2', obr({ 20: 'R2', 2: '' }), obx('K', '4.2')]);
  t.match(reading, { statements: [{ held: { code: 'HL7-2102' } }, { ok: { report: { orderNumbers: ['A2'] } } }] });
  t.end();
});

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
  t.match(as('ORU^R01', 'ADT^A05'), { kind: 'filtered', rule: 'HL7-2104', type: 'ADT^A05' });
  t.match(as('ORU^R01', 'OUL^R23'), { kind: 'filtered', rule: 'HL7-2104', type: 'OUL^R23' });
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
