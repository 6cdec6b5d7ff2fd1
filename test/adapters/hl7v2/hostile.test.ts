import fc from 'fast-check';
import t from 'tap';
import { phi } from '../../../agent/support/phi.ts';
import { change, context, mshOf, obr, obx, onlyLab, outcomes, pid, pv1, read, reader } from './extract/reading.ts';

const msh = mshOf('ORU^R01');

const wholes = [
  [msh, pid, pv1, 'DG1|1||J18^x', 'ORC|RE|A1', obr(), 'NTE|1||n', obx('K', '4.2', 'F', 'H~L'), 'SPM|1|B'],
  [
    msh,
    pid,
    pv1,
    obr({ 20: '', 24: 'CT' }),
    obx('检查所见', 'a~b', 'F', 'A', 'TX'),
    obx('URL', 'http://x/y', 'F', '', 'ST'),
    obx('PDF', '^a^b^Base64^QUJD', 'F', '', 'ED'),
  ],
  [
    msh,
    pid,
    pv1,
    obr(),
    'OBX|1|CE|600-7|1|E^x||||||F',
    obr({ 26: '600-7^1^x', 29: 'A1' }),
    obx('AMP', '4', 'F', 'R'),
    obr({ 4: 'X^y^MIC' }),
    'OBX|1|ST|D^d^^E^e||4|||S|||F',
  ],
  [msh.replace('ORU^R01', 'ADT^A08'), 'EVN|A08|20240520', pid, pv1, 'DG1|1||J18^x'],
  [msh.replace('ORU^R01', 'ADT^A40'), 'EVN|A40', pid, 'MRG||||P2', 'PID|2|P3', 'MRG||||P4'],
  [msh.replace('ORU^R01', 'ADT^A37'), 'EVN|A37', pid, 'PID|2|P3'],
  [msh.replace('ORU^R01', 'ORM^O01'), pid, pv1, 'ORC|NW|A1', obr(), 'NTE|1||n', 'ORC|CA|A2', obr()],
  [msh.replace('ORU^R01', 'RDE^O11'), pid, pv1, 'ORC|NW|A1', 'RXE||D^d|1', 'RXR|PO'],
  [msh.replace('ORU^R01', 'MDM^T10'), 'EVN|T10', pid, pv1, `TXA|1|DS${'|'.repeat(10)}D2|D1||||LA`, obx('x', 'y', 'F')],
].map((segments) => segments.join('\r'));

t.test('whatever is cut out, doubled or spliced into a message, the reader answers', (t) => {
  for (const whole of wholes) {
    t.notMatch(outcomes(read(whole.split('\r'))).join(), 'held', 'whole, it says something');
  }
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
    'PID|',
    'ORC|',
    '#',
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...wholes),
      fc.array(fc.tuple(fc.nat(700), fc.nat(12), piece), { minLength: 1, maxLength: 6 }),
      (whole, edits) => {
        let text = whole;
        for (const [at, cut, insert] of edits) {
          const place = at % whole.length;
          text = text.slice(0, place) + insert + text.slice(place + cut);
        }
        const reading = reader.read(phi(Buffer.from(text)), context);
        for (const outcome of outcomes(reading)) if (outcome === '') return false;
        if (reading.kind === 'statements' && reading.statements.length === 0) return false;
        return reading.lookups.every((key) => key.value.reveal() !== '');
      },
    ),
    { numRuns: 1500 },
  );
  t.end();
});

t.test('a broken message of very many items and repetitions is read in one pass', (t) => {
  const items = Array.from({ length: 20_000 }, (_, i) => obx(`C${i}`, '1', 'F', '??'));
  const statement = onlyLab(read([msh, `PID|1|P1|${'~'.repeat(100_000)}`, pv1, obr(), ...items]));
  t.equal(statement.report.items.length, 20_000);
  t.ok(statement.findings.length <= 200);
  const linked = Array.from({ length: 5_000 }, () => [obr({ 26: 'AMP^1^x', 29: 'A1' }), obx('AMP', '4', 'F', 'R')]);
  const started = performance.now();
  read([msh, pid, pv1, ...linked.flat()]);
  t.ok(performance.now() - started < 5000, 'links among very many orders too');
  t.end();
});

t.test('a Z segment that the profile names is read behind any number of others', (t) => {
  const own = change('phone: PID-13.9', 'phone: ZPH-2 | PID-13.9');
  const others = Array.from({ length: 900 }, (_, i) => `Z${Math.floor(i / 30) + 10}|x`);
  const segments = [msh, pid, ...others, 'ZPH|1|13900000000', pv1, obr(), obx('K', '4.2')];
  t.equal(onlyLab(read(segments, own)).report.patient.phone, '13900000000');
  t.equal(onlyLab(read(segments)).report.patient.phone, undefined);
  t.end();
});

t.test('a message of more patients, orders or results than any has is held, and of fewer is read', (t) => {
  const many = (count: number, segment: string) => Array.from({ length: count }, (_, i) => `${segment}|${i}|P${i}`);
  const adt = mshOf('ADT^A08');
  t.equal(outcomes(read([adt, ...many(2_000, 'PID')])).length, 2_000);
  t.same(outcomes(read([adt, ...many(2_001, 'PID')])), ['held HL7-2106']);
  t.same(outcomes(read([msh, ...many(2_001, 'PID'), pv1, obr()])), ['held HL7-2106']);
  t.equal(outcomes(read([msh, pid, pv1, ...many(5_000, 'OBR')])).length, 5_000);
  t.same(outcomes(read([msh, pid, pv1, ...many(5_001, 'OBR')])), ['held HL7-2106']);
  const orders = mshOf('ORM^O01');
  t.equal(outcomes(read([orders, pid, pv1, ...many(5_000, 'ORC')])).length, 5_000);
  t.same(outcomes(read([orders, pid, pv1, ...many(5_001, 'ORC')])), ['held HL7-2106']);
  const pairs = (count: number) => many(count, 'ORC').flatMap((orc, i) => [orc, `OBR|${i}|P${i}`]);
  t.equal(outcomes(read([orders, pid, pv1, ...pairs(5_000)])).length, 5_000, 'an order is its ORC and its OBR');
  t.same(outcomes(read([orders, pid, pv1, ...pairs(5_001)])), ['held HL7-2106']);
  t.same(outcomes(read([msh, pid, pv1, obr(), ...many(100_001, 'OBX')])), ['held HL7-2106']);
  t.end();
});
