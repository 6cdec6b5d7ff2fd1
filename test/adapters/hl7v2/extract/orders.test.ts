import t from 'tap';
import { change, mshOf, only, outcomes, pid, pv1, read, whereHeld } from './reading.ts';

const order = (control: string, number = 'A1'): string =>
  `ORC|${control}|${number}|F1||||^^^^^S||20240520080000|||D1^刘主管|||||0301^呼吸内科`;
const obr = (number = 'A1', item = 'CT001^胸部CT'): string => `OBR|1|${number}|F1|${item}|||||||||咳嗽|||||||||||CT`;

t.test('an order becomes a record with what was asked for, by whom and when', (t) => {
  for (const type of ['ORM^O01', 'OML^O21', 'OMG^O19']) {
    t.match(only(read([mshOf(type), pid, pv1, order('NW'), obr()])), {
      reportKey: 'order|lis|A1',
      patientKey: 'P1',
      reportAction: 'publish',
      report: {
        kind: 'order',
        orderNumber: 'A1',
        fillerNumber: 'F1',
        item: { code: 'CT001', name: '胸部CT' },
        category: { code: 'CT' },
        priority: 'S',
        orderedAt: '20240520080000',
        orderedBy: { id: 'D1', name: '刘主管' },
        orderingDepartment: { code: '0301', name: '呼吸内科' },
        reason: '咳嗽',
      },
    });
  }
  t.end();
});

t.test('the control code publishes, withdraws or changes nothing; an unknown one is held', (t) => {
  const said = (control: string) => outcomes(read([mshOf('ORM^O01'), pid, pv1, order(control), obr()]));
  for (const control of ['NW', 'SC', 'XO']) t.same(said(control), ['publish order|lis|A1'], control);
  for (const control of ['CA', 'OC', 'DC', 'CR', 'OD']) t.same(said(control), ['retract order|lis|A1'], control);
  t.same(said('OK'), ['filtered order-control']);
  t.same(said('ZZ'), ['held MAP-3006']);
  t.equal(whereHeld(read([mshOf('ORM^O01'), pid, pv1, order('ZZ'), obr()])), 'order.control');
  t.same(said(''), ['held MAP-3006']);
  t.end();
});

t.test('several orders are several records, lines of one number are one', (t) => {
  const two = read([mshOf('ORM^O01'), pid, pv1, order('NW'), obr(), order('NW', 'A2'), obr('A2', 'US1^超声')]);
  t.same(outcomes(two), ['publish order|lis|A1', 'publish order|lis|A2']);
  const lines = only(read([mshOf('OML^O21'), pid, pv1, order('NW'), obr('A1', 'K^钾'), obr('A1', 'Na^钠')]));
  t.match(lines.report, { item: { name: '钾、钠' } });
  const backwards = read([mshOf('ORM^O01'), pid, pv1, obr(), order('NW'), obr('A2'), order('CA', 'A2')]);
  t.same(outcomes(backwards), ['publish order|lis|A1', 'retract order|lis|A2'], 'OBR before its ORC');
  const mixed = read([mshOf('ORM^O01'), pid, pv1, order('NW'), obr(), order('CA'), obr()]);
  t.same(outcomes(mixed), ['held MAP-3006'], 'one number asked for and cancelled at once');
  t.end();
});

t.test('an order needs its number and its patient, not the class of the visit', (t) => {
  t.same(outcomes(read([mshOf('ORM^O01'), pid, pv1, order('NW', ''), obr('')])), ['held MAP-3008']);
  t.same(outcomes(read([mshOf('ORM^O01'), 'PID|1', pv1, order('NW'), obr()])), ['held MAP-3003']);
  t.notOk('lacks' in only(read([mshOf('ORM^O01'), 'PID|1|P1', order('NW'), obr()])));
  t.same(outcomes(read([mshOf('ORM^O01'), pid, pv1])), ['held HL7-2106']);
  t.same(outcomes(read([mshOf('OML^O21'), pid, order('NW'), obr(), 'PID|2|P2'])), ['held HL7-2106'], 'prior results');
  t.end();
});

const rxe = (drug: string): string => `RXE|^^^20240520^20240527|${drug}^阿莫西林|0.5||g^克|PO^胶囊|^饭后服|||21`;

t.test('a prescription is one medicine with dose, route and time', (t) => {
  t.match(
    only(read([mshOf('RDE^O11'), pid, pv1, order('NW', 'RX1'), 'TQ1|1||TID^每日三次', rxe('M1'), 'RXR|PO^口服'])),
    {
      reportKey: 'prescription|lis|RX1',
      report: {
        kind: 'prescription',
        orderNumber: 'RX1',
        drug: { code: 'M1', name: '阿莫西林' },
        dose: '0.5',
        doseUnit: '克',
        form: { code: 'PO', name: '胶囊' },
        route: { code: 'PO', name: '口服' },
        frequency: 'TID',
        startAt: '20240520',
        endAt: '20240527',
        instructions: '饭后服',
        orderedAt: '20240520080000',
        orderedBy: { id: 'D1', name: '刘主管' },
      },
    },
  );
  t.same(outcomes(read([mshOf('RDE^O11'), pid, pv1, order('DC', 'RX1'), rxe('M1')])), ['retract prescription|lis|RX1']);
  t.end();
});

t.test('two medicines of one number are held until the profile tells them apart', (t) => {
  const message = [mshOf('RDE^O11'), pid, pv1, order('NW', 'RX1'), rxe('M1'), rxe('M2')];
  t.same(outcomes(read(message)), ['held MAP-3008', 'held MAP-3008']);
  const apart = change('prescription:\n  number: ORC-2', "prescription:\n  number: ORC-2 + '-' + RXE-2.1");
  t.same(outcomes(read(message, apart)), ['publish prescription|lis|RX1-M1', 'publish prescription|lis|RX1-M2']);
  t.end();
});
