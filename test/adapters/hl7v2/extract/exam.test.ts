import t from 'tap';
import { encodeText } from '../../../../adapters/hl7v2/charset.ts';
import type { ExamReport } from '../../../../agent/clinical/records/types.ts';
import type { ReportStatement } from '../../../../agent/clinical/reports/types.ts';
import { phi } from '../../../../agent/support/phi.ts';
import {
  change,
  context,
  mshOf,
  only as onlyOf,
  outcomes,
  pid,
  pv1,
  read,
  reader,
  segment,
  whereHeld,
} from './reading.ts';

const msh = mshOf('ORU^R01');
const obr = (over: Record<number, string> = {}): string => {
  const all: Record<number, string> = {
    1: '1',
    2: 'A1#A2',
    3: 'R1',
    4: 'CT001^胸部CT平扫',
    7: '20240520093000',
    22: '20240520102000',
    25: 'F',
    ...over,
  };
  return segment('OBR', { 34: '', ...all });
};
const obx = (title: string, text: string, status = 'F', type = 'TX', flag = ''): string =>
  `OBX|1|${type}|${title}||${text}|||${flag}|||${status}`;

const only = (segments: string[], with_ = reader): ReportStatement & { report: ExamReport } => {
  const statement = onlyOf(read(segments, with_));
  if (statement.report.kind !== 'exam-report') throw new Error(statement.report.kind);
  return { ...statement, report: statement.report };
};
const sectionsOf = (...results: string[]) =>
  only([msh, pid, pv1, obr(), ...results]).report.sections.map(({ key, role, text }) => [key, role, text]);

t.test('text of a charset that nobody named is read where it is plainly Chinese, with a finding', (t) => {
  const segments = [msh, pid, pv1, obr(), obx('^检查所见', '右肺下叶见斑片状高密度影。')];
  const readAs = (bytes: Uint8Array, with_ = reader) => onlyOf(with_.read(phi(bytes), context));
  const gb18030 = encodeText(segments.join('\r'), 'GB18030');
  t.match(readAs(gb18030), {
    report: { patient: { name: '张三' } },
    findings: [{ code: 'HL7-2108', where: 'patient.name', dimension: 'accuracy' }],
  });
  const named = encodeText([`${msh}||||||GB18030`, ...segments.slice(1)].join('\r'), 'GB18030');
  t.same(readAs(named).findings, [], 'named');
  t.same(readAs(Buffer.from(segments.join('\r'))).findings, [], 'UTF-8 shows by itself');
  t.end();
});

t.test('a result with titled text is an exam report with its header', (t) => {
  const statement = only([
    msh,
    pid,
    pv1,
    obr({ 16: 'D1^刘主管', 24: 'CT', 32: 'D3^钱审核', 33: 'D2^赵医师', 34: 'D4^孙技师' }),
    obx('^检查所见', '右肺下叶见斑片状高密度影。\\X0D\\\\X0A\\余肺清晰。'),
    obx('^诊断意见', '右肺下叶炎症。'),
    obx('^影像URL', 'http://10.1.2.3/viewer?acc=R1'),
  ]);
  t.match(statement, {
    reportKey: 'lis|R1',
    patientKey: 'P1',
    reportAction: 'publish',
    reportTime: '20240520102000',
    report: {
      reportNumber: 'R1',
      orderNumbers: ['A1', 'A2'],
      accessionNumbers: ['R1'],
      category: { code: 'CT' },
      item: { code: 'CT001', name: '胸部CT平扫' },
      performedAt: '20240520093000',
      reportedAt: '20240520102000',
      orderedBy: { id: 'D1', name: '刘主管' },
      reportedBy: { id: 'D2', name: '赵医师' },
      auditedBy: { id: 'D3', name: '钱审核' },
      performedBy: { id: 'D4', name: '孙技师' },
      sections: [
        { role: 'findings', title: { name: '检查所见' }, text: '右肺下叶见斑片状高密度影。\n余肺清晰。' },
        { role: 'impression', title: { name: '诊断意见' }, text: '右肺下叶炎症。' },
      ],
      attachments: [{ kind: 'reference', title: '影像URL', source: 'OBX-5' }],
    },
  });
  t.notMatch(JSON.stringify(statement), /10\.1\.2\.3/, 'the address goes nowhere');
  t.end();
});

t.test('findings and impression are known by code, by name and by sub-id', (t) => {
  t.same(sectionsOf(obx('18782-3^Study observation^LN', 'a'), obx('19005-8^Impression^LN', 'b')), [
    ['findings', 'findings', 'a'],
    ['impression', 'impression', 'b'],
  ]);
  t.same(
    sectionsOf(obx('1037', 'a'), obx('1038', 'b')).map(([key]) => key),
    ['findings', 'impression'],
  );
  t.same(
    sectionsOf('OBX|1|TX||检查所见|a||||||F', 'OBX|2|TX||检查提示|b||||||F').map(([key]) => key),
    ['findings', 'impression'],
  );
  t.end();
});

t.test('lines of one title are joined in their order, however they are cut', (t) => {
  t.same(sectionsOf(obx('^检查所见', '一~二\\.br\\三'), obx('^检查提示', 'x'), obx('^检查所见', '四', 'F', 'ST')), [
    ['findings', 'findings', '一\n二\n三\n四'],
    ['impression', 'impression', 'x'],
  ]);
  t.end();
});

t.test('pathology and ECG keep titles and measures of their own', (t) => {
  t.same(
    sectionsOf(
      obx('^肉眼所见', '灰白组织一块'),
      obx('^镜下所见', '腺体增生'),
      obx('IHC^免疫组化', 'CK(+)'),
      'OBX|4|NM|HR^心率||75|次/分|||||F',
      obx('^病理诊断', '慢性炎症'),
    ),
    [
      ['肉眼所见', 'other', '灰白组织一块'],
      ['镜下所见', 'other', '腺体增生'],
      ['IHC', 'other', 'CK(+)'],
      ['HR', 'other', '75 次/分'],
      ['impression', 'impression', '慢性炎症'],
    ],
  );
  t.end();
});

t.test('OBR-24 decides where the profile knows it: a titled text of the laboratory stays a laboratory report', (t) => {
  const kind = (section: string, ...results: string[]) =>
    onlyOf(read([msh, pid, pv1, obr({ 24: section, 20: 'R9' }), ...results])).report.kind;
  t.equal(kind('LIS', obx('^诊断意见', 'x')), 'lab-report');
  t.equal(kind('US', obx('^胆囊', 'x')), 'exam-report');
  t.equal(kind('??', obx('^检查所见', 'x')), 'exam-report', 'a code in no table leaves it to the titles');
  t.equal(kind('', obx('^胆囊', 'x')), 'lab-report');
  t.end();
});

t.test('a profile without the section takes every result for a laboratory report', (t) => {
  const labOnly = change(/\nexam:\n(?: {2}.*\n)+/, '\n');
  t.equal(onlyOf(read([msh, pid, pv1, obr({ 20: 'R9' }), obx('^检查所见', 'x')], labOnly)).report.kind, 'lab-report');
  t.end();
});

t.test('statuses act on sections as they do on items', (t) => {
  const actions = (...results: string[]) => only([msh, pid, pv1, obr(), ...results]);
  t.same(actions(obx('^检查所见', 'a'), obx('^检查提示', 'b', 'P')).itemActions, { impression: 'hold' });
  t.same(actions(obx('^检查所见', 'a'), obx('^检查提示', 'b', 'D')).itemActions, { impression: 'remove-item' });
  const line = actions(obx('^检查所见', 'old', 'D'), obx('^检查所见', 'new', 'C'));
  t.match([line.itemActions, line.report.sections], [{}, [{ text: 'new' }]]);
  t.equal(actions(obx('^检查所见', 'a', 'W')).reportAction, 'retract');
  t.same(outcomes(read([msh, pid, pv1, obr(), obx('^检查所见', 'a', '')])), ['held MAP-3006']);
  t.same(outcomes(read([msh, pid, pv1, obr({ 25: '2' }), obx('^检查所见', 'a')])), ['held MAP-3006']);
  t.same(outcomes(read([msh, pid, pv1, obr({ 25: 'X' }), obx('^检查所见', 'a')])), ['retract R1']);
  t.same(outcomes(read([msh, pid, pv1, obr({ 25: 'P' }), obx('^检查所见', 'a')])), ['hold R1']);
  t.end();
});

t.test('a report of nothing but a picture is held: there is nothing to say', (t) => {
  const reading = read([msh, pid, pv1, obr({ 24: 'CT' }), obx('^影像URL', 'http://10.1.2.3/x')]);
  t.same(outcomes(reading), ['held HL7-2102']);
  t.equal(whereHeld(reading), 'OBX');
  t.end();
});

t.test('the flag of a line is the interpretation of the report', (t) => {
  t.match(only([msh, pid, pv1, obr(), obx('^检查提示', 'x', 'F', 'TX', 'A')]).report, { interpretation: 'abnormal' });
  t.match(only([msh, pid, pv1, obr(), obx('^检查提示', 'x', 'F', 'TX', 'HH')]).report, { critical: true });
  t.match(only([msh, pid, pv1, obr(), obx('^检查提示', 'x', 'F', 'TX', '??')]), {
    report: { interpretation: undefined },
    findings: [{ code: 'MAP-3001', where: 'sections[0].flag' }],
  });
  t.end();
});

t.test('what the message does not say of patient and visit is named, not held', (t) => {
  t.same(only([msh, 'PID|1|P1', obr(), obx('^检查所见', 'a')]).lacks, ['name', 'sex', 'birthDate', 'patientClass']);
  t.notOk('lacks' in only([msh, pid, pv1, obr(), obx('^检查所见', 'a')]));
  t.notOk('lacks' in only([msh, 'PID|1|P1', obr({ 25: 'X' }), obx('^检查所见', 'a')]), 'a withdrawal needs nothing');
  t.end();
});

t.test('waveforms and codes of devices are filtered by a rule, beside text they are left out with a remark', (t) => {
  const curve = 'OBX|1|NA|131329^MDC_ECG^MDC||1^2^3||||||F';
  t.same(outcomes(read([msh, pid, pv1, obr(), curve, curve])), ['filtered waveform']);
  t.same(outcomes(read([msh, pid, pv1, obr(), 'OBX|1|NM|150456^SPO2^MDC||99||||||R'])), [
    'filtered device-observation',
  ]);
  const both = only([msh, pid, pv1, obr(), obx('^诊断意见', '窦性心律'), 'OBX|2|NA|^曲线||1^2||||||F']);
  t.match(both, { report: { sections: [{ text: '窦性心律' }] }, findings: [{ code: 'MAP-3024', where: 'OBX' }] });
  t.same(outcomes(read(['MSH|^~\\&|||||||ORU^R01|106|P|2.3.1|'])), ['filtered heartbeat']);
  t.same(outcomes(read([`${msh}||||2`, 'OBR|1||QC1', 'OBX|1|NM|K||4||||||F'])), ['filtered quality-control']);
  t.end();
});
