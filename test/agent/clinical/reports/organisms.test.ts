import t from 'tap';
import type { ClinicalRecord } from '../../../../agent/clinical/records/types.ts';
import { type Step, story } from './hourly.ts';
import { lab } from './records.ts';

t.test('a culture that grows over days: organisms are items', async (t) => {
  const day1 = lab(['CULT 培养']);
  const day3 = lab(['CULT 培养'], { grew: ['ECO'] });
  const day5 = lab(['CULT 培养'], { grew: ['ECO CIP R', 'KPN'] });
  const grown = story({}, [day1], [day3], [day5]);
  t.same(grown.all, ['publish', 'publish', 'publish']);
  t.same(grown.grew, ['ECO', 'KPN']);
  t.same(story({}, [day5], [day3]).all, ['publish', 'hold MAP-3007'], 'one that is not mentioned any more');
  const adds = story({ corrections: 'delta' }, [day3], [lab([], { grew: ['KPN'] })]);
  t.same(adds.grew, ['ECO', 'KPN']);
  t.same(adds.items, ['CULT 培养']);
  const gone = story({}, [day3], [day3, { itemActions: { ECO: 'remove-item' } }]);
  t.same([gone.items, gone.grew], [['CULT 培养'], []]);
});

t.test('one drug does not stand for all an organism was tested with', async (t) => {
  const both = lab([], { grew: ['ECO AMP R CIP S'] });
  const one = lab([], { grew: ['ECO IMP S'] });
  t.same(story({}, [both], [one]).all, ['publish', 'hold MAP-3007']);
  t.same(story({ corrections: 'snapshot' }, [both], [one]).all, ['publish', 'hold MAP-3007']);
  t.same(story({ corrections: 'delta' }, [both], [one]).tested, ['ECO AMP R CIP S IMP S']);
  const changed = lab([], { grew: ['ECO CIP R'] });
  t.same(story({ corrections: 'delta' }, [both], [changed]).tested, ['ECO AMP R CIP R']);
  t.same(story({ corrections: 'snapshot' }, [both], [changed]).tested, ['ECO CIP R']);
  t.same(story({}, [both], [lab([], { grew: ['ECO AMP R CIP R IMP S'] })]).tested, ['ECO AMP R CIP R IMP S']);
});

t.test('a deleted drug goes alone; the organism goes with the last', async (t) => {
  const both = lab([], { grew: ['ECO AMP R CIP S'] });
  const gone: Step = { itemActions: { 'ECO|AMP': 'remove-item', 'ECO|': 'remove-item' } };
  const amp = lab([], { grew: ['ECO AMP R'] });
  t.same(story({}, [both], [amp, gone]).all, ['publish', 'hold MAP-3007']);
  t.same(story({}, [both], [both, { itemActions: { 'ECO|AMP': 'remove-item' } }]).tested, ['ECO CIP S']);
  const delta = { corrections: 'delta' as const };
  t.same(story(delta, [both], [amp, gone]).tested, ['ECO CIP S']);
  t.same(story(delta, [lab(['CULT 阳性'], { grew: ['ECO AMP R'] })], [amp, gone]).tested, []);
  t.same(story(delta, [amp], [amp, gone]).all, ['publish', 'retract']);
  const own: Step = { itemActions: { ECO: 'remove-item' } };
  t.same(
    story(delta, [lab([], { grew: ['ECO AMP R', 'KPN CIP S'] })], [lab([], { grew: ['ECO'] }), own]).tested,
    ['KPN CIP S'],
    'an organism deleted by its own row goes with all its drugs',
  );
});

t.test('changes of two drugs of one organism that cross on their way both count', async (t) => {
  const both = lab([], { grew: ['ECO AMP R CIP S'] });
  const told: Array<[ClinicalRecord, Step?]> = [
    [both],
    [lab([], { grew: ['ECO AMP S'] }), { reportTime: '20240520120000' }],
    [lab([], { grew: ['ECO AMP I CIP R IMP S'] }), { reportTime: '20240520113000' }],
  ];
  t.same(story({ corrections: 'delta' }, ...told).tested, ['ECO AMP S CIP R IMP S']);
  const deleted: Array<[ClinicalRecord, Step?]> = [
    [lab(['CULT 阳性'], { grew: ['ECO AMP R'] })],
    [lab([], { grew: ['ECO AMP R'] }), { itemActions: { 'ECO|AMP': 'remove-item', 'ECO|': 'remove-item' } }],
    [lab(['GRAM 阴性杆菌'], { grew: ['ECO IMP S'] }), { reportTime: '20240520080000' }],
  ];
  t.same(story({ corrections: 'delta' }, ...deleted).tested, [], 'a deleted organism does not come back with a drug');
});
