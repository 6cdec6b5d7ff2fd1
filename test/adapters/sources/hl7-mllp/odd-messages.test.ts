import { readFileSync } from 'node:fs';
import t from 'tap';
import { compileProfile } from '../../../../adapters/hl7v2/profile/check.ts';
import { phi } from '../../../../agent/support/phi.ts';
import { connectSender, oru, startListener } from './listener.ts';

const defaultProfile = readFileSync(new URL('../../../../config/dialects/cn-default.yaml', import.meta.url), 'utf8');
/** What the default profile, with lines added to its intake section, makes of stored bytes. */
const readBy = (bytes: string | undefined, added = '') =>
  compileProfile(defaultProfile.replace('intake:\n', `intake:\n${added}`)).read(
    phi(Buffer.from(bytes ?? '', 'latin1')),
    { receivedMs: Date.UTC(2026, 0, 15), source: 'lis', timeZone: 'Asia/Shanghai' },
  );
const msh = (type: string, id: string, more = '') => `MSH|^~\\&|LIS|H|P|Q|20260115||${type}|${id}|P|2.4${more}\r`;

t.test('point 30: a version that is not listed gets AR 203 and is not stored', async (t) => {
  const { port, stored, problems } = await startListener(t, { profile: 'intake: {versions: {accept: ["2.4"]}}' });
  const sender = await connectSender(t, port);
  sender.frames(msh('ORU^R01', 'V1', '^CHN'), oru('V2'), msh('ORU^R01', 'V3').replace('|2.4', '|'));
  t.same(await sender.acks(3), ['AA:V1', 'AR:V2', 'AR:V3']);
  t.match(sender.received(), /MSH\^1\^12\|203\^Unsupported version id\^HL70357\|E\|\|\|\|HL7-2115 This version/);
  t.same(stored, [msh('ORU^R01', 'V1', '^CHN')]);
  t.same(problems(), ['HL7-2115']);
});

t.test('point 40: a sequence number in MSH-13 changes nothing, and none is answered', async (t) => {
  const { port, stored } = await startListener(t);
  const sender = await connectSender(t, port);
  for (const [n, sequence] of ['0', '-1', '7', '3', 'x'].entries())
    sender.frames(msh('ORU^R01', `N${n}`, `|${sequence}`));
  t.same(await sender.acks(5), ['AA:N0', 'AA:N1', 'AA:N2', 'AA:N3', 'AA:N4']);
  t.match(sender.received(), /\rMSA\|AA\|N1\r/, 'no MSA-4');
  t.notMatch(sender.received(), /\|2\.4\|/, 'no MSH-13');
  t.equal(stored.length, 5);
});

t.test('point 43: a part of a message is refused with its reason, never stored as if it were whole', async (t) => {
  const parts = (at: string) => [
    msh('ORU^R01', `P1${at}`, '||pointer'),
    `${msh('ORU^R01', `P2${at}`)}PID|1\rOBX|1|ST|K||4.1\rDSC|more|F\r`,
    `${msh('ORU^R01', `P3${at}`)}PID|1\nDSC|more \r\n\r\n`,
    `${msh('ORU^R01', `P4${at}`, '||pointer')}PID|1\rDSC|more`,
  ];
  const whole = [
    `${msh('ORU^R01', 'W1')}PID|1\rDSC|\r`,
    `${msh('ORU^R01', 'W2')}DSC|more\rPID|1\r`,
    `${msh('ORU^R01', 'W3', '||')}PID|1\rNTE|1||DSC|more\r`,
  ];
  const rows = [
    ['ae', 'AE'],
    ['ar', 'AR'],
  ] as const;
  for (const [rule, code] of rows) {
    const { port, stored, problems } = await startListener(t, {
      profile: rule === 'ae' ? '' : `intake: {continuation: ${rule}}`,
    });
    const sender = await connectSender(t, port);
    sender.frames(...parts(rule), ...whole);
    t.same(await sender.acks(7), [
      ...['P1', 'P2', 'P3', 'P4'].map((id) => `${code}:${id}${rule}`),
      'AA:W1',
      'AA:W2',
      'AA:W3',
    ]);
    t.match(sender.received(), /\rMSA\|A[ER]\|P1a[er]\|HL7-2110 A message sent in parts/);
    t.match(sender.received(), /\rERR\|MSH\^1\^14\^207&/, 'ERR names MSH-14');
    t.same(stored, whole);
    t.same(problems(), ['HL7-2110']);
  }
});

t.test('point 43: by rule MSH-14 and DSC mean nothing', async (t) => {
  const { port, stored } = await startListener(t, { profile: 'intake: {continuation: take}' });
  const sender = await connectSender(t, port);
  sender.frames(msh('ORU^R01', 'T1', '||pointer'), `${msh('ORU^R01', 'T2')}PID|1\rDSC|more|F\r`);
  t.same(await sender.acks(2), ['AA:T1', 'AA:T2']);
  t.equal(stored.length, 2);
});

t.test('point 43: a type that is filtered anyhow, and a query with a pointer, are not refused for it', async (t) => {
  const { port, stored } = await startListener(t, { profile: 'intake: {types: {accept: [ORU^R01]}}' });
  const sender = await connectSender(t, port);
  sender.frames(msh('ADT^A01', 'F1', '||pointer'), `${msh('QRY^R02', 'F2')}QRD|1\rDSC|next\r`);
  t.same(await sender.acks(2), ['AA:F1', 'AA:F2']);
  t.equal(stored.length, 2);
});

const joined = (id: string) =>
  [
    msh('ORU^R01', id).slice(0, -1),
    'PID|1|P1|ZY1^^^^PatientNO||LI^SI||19900307|M',
    'PV1|1|I|W03',
    'OBR|1|A1|S1|XCG^CBC||||||||||||||||R1||20260115102000|||F',
    'OBX|1|NM|K^K||4.1|mmol/L|3.5-5.5||||F|||20260115093000',
  ].join('  ');

t.test('segments joined by blanks are refused with their cause, or taken by rule', async (t) => {
  const refusing = await startListener(t);
  const sender = await connectSender(t, refusing.port);
  sender.frames(joined('J1'), oru('J2', 'NTE|1||a field that ends in  PID\r'));
  t.same(await sender.acks(2), ['AR:J1', 'AA:J2']);
  t.match(sender.received(), /\|P\|2\.4\rMSA\|AR\|J1\|HL7-2113 Segments are joined by blanks/, 'and MSH-12 is its own');
  t.equal(refusing.stored.length, 1);
  t.same(refusing.problems(), ['HL7-2113']);

  const added = '  segments_joined: spaces\n';
  const taking = await startListener(t, { profile: `intake:\n${added}` });
  const other = await connectSender(t, taking.port);
  other.frames(joined('J3'), `${joined('J4')}  DSC|more`);
  t.same(await other.acks(2), ['AA:J3', 'AE:J4'], 'a part of a message is still told');
  t.same(taking.stored, [joined('J3')], 'byte for byte');
  const [statement] = (readBy(taking.stored[0], added) as { statements: object[] }).statements;
  t.match(statement, { ok: { report: { reportNumber: 'R1', items: [{ value: /4\.1/ }] } } });
});

t.test('point 44: a query is acknowledged and filtered, or refused by rule', async (t) => {
  const query = `${msh('QRY^Q02', 'Y1')}QRD|20260115|R|I|1\r`;
  const { port, stored } = await startListener(t);
  const sender = await connectSender(t, port);
  sender.frames(query);
  t.same(await sender.acks(1), ['AA:Y1']);
  t.match(readBy(stored[0]), { kind: 'filtered', rule: 'query' });

  const refusing = await startListener(t, { profile: 'intake: {queries: refuse}' });
  const other = await connectSender(t, refusing.port);
  other.frames(query, msh('QBP^Q11^QBP_Q11', 'Y2'), oru('Y3'));
  t.same(await other.acks(3), ['AR:Y1', 'AR:Y2', 'AA:Y3']);
  t.match(other.received(), /MSA\|AR\|Y1\|HL7-2114 Queries are not answered here\rERR\|MSH\^1\^9\^200&/);
  t.equal(refusing.stored.length, 1);
  t.same(refusing.problems(), ['HL7-2114']);
});

t.test('point 45: a heartbeat is an ORU of nothing but MSH: AA, and filtered', async (t) => {
  for (const ack of ['original-always', 'device-mindray']) {
    const { port, stored } = await startListener(t, { profile: `intake: {ack: ${ack}}` });
    const sender = await connectSender(t, port);
    const beat = msh('ORU^R01', '106');
    sender.frames(beat, beat.slice(0, -1));
    t.same(await sender.acks(2), ['AA:106', 'AA:106']);
    for (const one of stored) t.match(readBy(one), { kind: 'filtered', rule: 'heartbeat' });
  }
});

t.test(
  'point 48: unknown segments, Z segments, fields and components beyond the standard change nothing',
  async (t) => {
    const { port, stored } = await startListener(t);
    const sender = await connectSender(t, port);
    const plain = joined('Z1').replaceAll('  ', '\r');
    const more = plain
      .replace('|P|2.4', `|P|2.4^CHN^x^y^z|||||||||||||||${'|extra^a&b~c'.repeat(40)}`)
      .replace('\rPV1', '|||||||||||||||||||||||||||||||||||||||||Z\rZPI|1|own^data\rXYZ|?\rPV1')
      .replace('\rOBX', '\rZLB|9||x\rOBX')
      .concat(`${'|'.repeat(30)}beyond|the^standard&s\rZZZ|last\r`);
    sender.frames(more);
    t.same(await sender.acks(1), ['AA:Z1']);
    t.same(stored, [more], 'kept byte for byte');
    const said = (bytes: string) => {
      const { statements } = readBy(bytes) as { statements: Array<{ ok: { report: { items: unknown } } }> };
      return statements.map(({ ok }) => ok.report.items);
    };
    t.same(said(more), said(plain), 'and read as without them');
    t.equal(said(plain).length, 1);
  },
);

t.test('point 51: XML is known as such and refused, with a text that says so', async (t) => {
  const { port, stored, source } = await startListener(t);
  const sender = await connectSender(t, port);
  const xml = '<?xml version="1.0" encoding="UTF-8"?>\r\n<ORU_R01 xmlns="urn:hl7-org:v2xml"><MSH/></ORU_R01>';
  sender.frames(xml, ` \r\n\t${xml}`, '<ACK/>', oru('X1'));
  sender.send('\x0b\xef\xbb\xbf<ORU_R01/>\x1c\r');
  t.same(await sender.acks(5), ['AR:', 'AR:', 'AR:', 'AA:X1', 'AR:']);
  t.match(sender.received(), /\|200\^Unsupported message type\^HL70357\|E\|\|\|\|HL7-2111 XML is not taken/);
  t.same(stored, [oru('X1')]);
  t.match(source.status().senders[0]?.problem, { code: 'HL7-2111', count: 4 });
});
