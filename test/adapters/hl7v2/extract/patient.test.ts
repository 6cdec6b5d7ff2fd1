import t from 'tap';
import type { ReportStatement } from '../../../../agent/clinical/reports/types.ts';
import { change, mshOf, obr, obx, onlyLab, outcomes, pid, pv1, read, whereHeld } from './reading.ts';

const msh = mshOf('ORU^R01');

t.test('the patient class comes from the table and is never guessed', (t) => {
  const withClass = (code: string) => read([msh, pid, `PV1|1|${code}`, obr(), obx('K', '4.2')]);
  t.equal(onlyLab(withClass('O')).report.encounter.patientClass, 'outpatient');
  t.equal(onlyLab(withClass('E')).report.encounter.patientClass, 'emergency');
  t.equal(onlyLab(withClass('体检')).report.encounter.patientClass, 'checkup');
  t.same(outcomes(withClass('Q')), ['held MAP-3005'], 'a class in no table is not the same as none');
  t.equal(whereHeld(withClass('Q')), 'encounter.class');
  t.same(onlyLab(withClass('')).lacks, ['patientClass'], 'the index may know the visit');
  t.same(onlyLab(read([msh, pid, obr(), obx('K', '4.2')])).lacks, ['patientClass']);
  const outpatients = change('  patient_class:\n', '  patient_class:\n    missing: outpatient\n');
  const published = onlyLab(read([msh, pid, obr(), obx('K', '4.2')], outpatients));
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
  t.equal(onlyLab(read([msh, 'PID|1||ZY1^^^^PatientNO', pv1, obr(), obx('K', '4.2')])).patientKey, 'ZY1');
  t.end();
});

const identify = (id: string, rest = '||张三||19900307|M') =>
  read([msh, `PID|1|P1|${id}^^^^IdentifyNO${rest}`, pv1, obr(), obx('K', '4.2')]);
const residentOf = (statement: ReportStatement) =>
  statement.report.patient.identifiers.find((i) => i.kind === 'resident-id');

t.test('a resident ID is taken with its check digit only', (t) => {
  t.match(residentOf(onlyLab(identify('110101199003077213'))), { value: '110101199003077213', source: 'PID-3[1].1' });
  const bad = onlyLab(identify('110101199003077214'));
  t.equal(residentOf(bad), undefined);
  t.match(bad.findings, [{ code: 'MAP-3021', where: 'patient.residentId' }]);
  const none = onlyLab(identify('无'));
  t.equal(residentOf(none), undefined);
  t.same(none.findings, []);
  t.end();
});

t.test('a resident ID is found wherever the profile looks, and a social-security number is not one', (t) => {
  const elsewhere = onlyLab(read([msh, `${pid}${'|'.repeat(11)}110101199003077213`, pv1, obr(), obx('K', '4.2')]));
  t.match(residentOf(elsewhere), { value: '110101199003077213', source: 'PID-19' });
  const social = onlyLab(read([msh, `${pid}${'|'.repeat(11)}440100123456`, pv1, obr(), obx('K', '4.2')]));
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
  const { report, findings } = onlyLab(read([msh, 'PID|1|P1|||||||', pv1, obr(), obx('K', '4.2')]));
  t.equal(report.patient.sex, undefined);
  t.same(findings, []);
  const odd = onlyLab(read([msh, pid.replace('|M', '|Q'), pv1, obr(), obx('K', '4.2')]));
  t.same(odd.report.patient.sex, { code: 'Q' });
  t.match(odd.findings, [{ code: 'MAP-3001', where: 'patient.sex' }]);
  t.end();
});

t.test('diagnoses come from every DG1', (t) => {
  const { report } = onlyLab(
    read([msh, pid, pv1, 'DG1|1||J18.900^肺炎||20240519', 'DG1|2|||仅文字', obr(), obx('K', '4.2')]),
  );
  t.same(report.encounter.diagnoses, [{ code: 'J18.900', name: '肺炎', diagnosedAt: '20240519' }, { name: '仅文字' }]);
  t.end();
});
