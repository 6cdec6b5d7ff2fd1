import t from 'tap';
import type { ClinicalRecord, OrderRecord } from '../../../../agent/clinical/records/types.ts';
import { type Step, story } from './hourly.ts';
import { lab, patient } from './records.ts';

t.test(
  'a supplement joins conclusion, remarks, order numbers and attachments; a correction replaces them',
  async (t) => {
    const attachment = (title: string) => ({ kind: 'embedded' as const, title, source: 'OBX-5' });
    const first = lab(['K 4'], {
      conclusion: 'a',
      remarks: ['r'],
      orderNumbers: ['O1'],
      attachments: [attachment('1')],
    });
    const more = { conclusion: 'b', remarks: ['s'], orderNumbers: ['O2'], attachments: [attachment('2')] };
    const added = story({ corrections: 'delta' }, [first], [lab(['Na 140'], more)]).last;
    t.match(added, {
      report: {
        conclusion: 'a\nb',
        remarks: ['r', 's'],
        orderNumbers: ['O1', 'O2'],
        attachments: [{ title: '1' }, { title: '2' }],
      },
    });
    const corrected = story({ corrections: 'delta' }, [first], [lab(['K 5'], more)]).last;
    t.match(corrected, { report: { conclusion: 'b', remarks: ['s'], orderNumbers: ['O2'] } });
  },
);

t.test('a supplement that comes late still adds, and what it says of known items is old', async (t) => {
  const late: Step = { reportTime: '20240520080000' };
  const { all, items, state } = story(
    { corrections: 'delta' },
    [lab(['K 4'])],
    [lab(['Cl 101'])],
    [lab(['K 9', 'Na 140']), late],
  );
  t.same(all, ['publish', 'publish', 'publish']);
  t.same(items, ['K 4', 'Cl 101', 'Na 140']);
  t.match(state, { reportTime: '20240520110000' }, 'the clock of the report does not go back');
  t.same(story({ corrections: 'delta' }, [lab(['K 4'])], [lab(['K 9']), late]).all, ['publish', 'absorb older']);
});

t.test('an item deleted since is not brought back by an old message, only by a newer one', async (t) => {
  const removal: Step = { itemActions: { Na: 'remove-item' } };
  const first = lab(['K 4', 'Na 140']);
  const old: Step = { reportTime: '20240520080000' };
  const told: Array<[ClinicalRecord, Step?]> = [[first], [lab(['Na']), removal]];
  t.same(story({ corrections: 'delta' }, ...told, [first, old]).all, ['publish', 'publish', 'absorb older']);
  t.same(story({ corrections: 'delta' }, ...told, [lab(['Na 141'])]).items, ['K 4', 'Na 141']);
});

t.test('an order is told whole: what a later one does not mention is not missing', async (t) => {
  const order = (more: Partial<OrderRecord>): OrderRecord => ({
    kind: 'order',
    orderNumber: 'O1',
    patient,
    encounter: { diagnoses: [] },
    ...more,
  });
  const full = order({ reason: 'x', priority: 'S' });
  const { all, last } = story({}, [full], [full], [order({ priority: 'R' })], [order({}), { reportAction: 'retract' }]);
  t.same(all, ['publish', 'absorb duplicate', 'publish', 'retract']);
  t.match(last, { report: { priority: 'R' }, next: { status: 'retracted', version: 3 } });
});
