import { createHash } from 'node:crypto';
import t from 'tap';
import { change, mshOf, obr, obx, onlyLab, pid, pv1, read } from './reading.ts';

const msh = mshOf('ORU^R01');

t.test('a value is numeric by its characters, not by its declared type, and keeps its digits', (t) => {
  const shownAs = (value: string, type: string) => {
    const [item] = onlyLab(read([msh, pid, pv1, obr(), obx('K', value, 'F', '', type)])).report.items;
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
  const flagged = (flag: string) => onlyLab(read([msh, pid, pv1, obr(), obx('K', '4.2', 'F', flag)]));
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

t.test('an attachment is kept by kind, size and hash of its bytes, not as an item', (t) => {
  const { report, findings } = onlyLab(
    read([
      msh,
      pid,
      pv1,
      obr(),
      'OBX|1|ED|PDF^报告||^application^pdf^Base64^QUJD\\.br\\REVG||||||F',
      obx('K', '4.2'),
      'OBX|3|RP|IMG^图像||\\\\10.0.0.8\\x^PACS^image^jpeg||||||F',
      obx('URL', 'http://10.0.0.8/view?id=1', 'F', '', 'ST'),
      'OBX|5|ED|BAD||^application^pdf^Base64^@@@||||||F',
    ]),
  );
  t.same(
    report.items.map((i) => i.key),
    ['K'],
  );
  t.same(report.attachments, [
    {
      kind: 'embedded',
      mediaType: 'application/pdf',
      title: '报告',
      sha256: createHash('sha256').update('ABCDEF').digest('hex'),
      bytes: 6,
      source: 'OBX-5',
    },
    { kind: 'reference', mediaType: 'image/jpeg', title: '图像', source: 'OBX-5' },
    { kind: 'reference', title: 'URL', source: 'OBX-5' },
    { kind: 'embedded', mediaType: 'application/pdf', title: 'BAD', source: 'OBX-5' },
  ]);
  t.notMatch(JSON.stringify(report), /10\.0\.0\.8/, 'addresses of the intranet are not in the record');
  t.match(findings, [{ code: 'MAP-3024', where: 'attachments[3]' }], 'only what does not decode is remarked here');
  t.equal(findings.length, 1);
  t.end();
});

t.test('a report time in the future never orders', (t) => {
  const at = (time: string) => onlyLab(read([msh, pid, pv1, obr({ 22: time }), obx('K', '4.2')]));
  t.match(at('20240520103400'), { reportTime: '20240520103400', findings: [] }, 'five minutes are tolerated');
  const future = at('20240520110000');
  t.notOk('reportTime' in future);
  t.equal(future.report.reportedAt, '20240520110000', 'what the sender says stays in the report');
  t.match(future.findings, [{ code: 'MAP-3022', where: 'reportedAt' }]);
  const ahead = onlyLab(read([msh.replace('20240520102600', '20300101000000'), pid, pv1, obr(), obx('K', '4.2')]));
  t.notOk('messageTime' in ahead);
  t.end();
});

t.test('times with an offset are local times of the site; what is no time is left out and remarked', (t) => {
  t.equal(
    onlyLab(read([msh, pid, pv1, obr({ 22: '20240520022000+0000' }), obx('K', '4.2')])).reportTime,
    '20240520102000',
  );
  const odd = onlyLab(read([msh, pid, pv1, obr({ 22: 'soon', 7: '20240231' }), obx('K', '4.2')]));
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
    onlyLab(read([msh, pid, pv1, obr({ 22: '20240520102000+0800' }), obx('K', '4.2')], utc)).reportTime,
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
