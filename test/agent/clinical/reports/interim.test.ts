import t from 'tap';
import { decide } from '../../../../agent/clinical/reports/life-cycle.ts';
import { earlier, itemsOf, later, rules, says, story } from './statements.ts';

t.test('an interim report waits and publishes nothing', (t) => {
  const { all, state, last } = story('unknown', says({ action: 'hold' }));
  t.same(all, ['wait']);
  t.match(last, { code: 'MAP-3014' });
  t.match(state, { status: 'waiting', version: 0, waiting: ['1:0'] });
  t.end();
});

t.test('the final report absorbs the interim ones that waited for it', (t) => {
  const { all, state, last } = story(
    'unknown',
    says({ action: 'hold' }),
    says({ action: 'hold', sent: undefined }),
    says(),
  );
  t.same(all, ['wait', 'wait', 'publish']);
  t.match(last, { absorbs: ['1:0', '2:0'] });
  t.match(state, { version: 1, waiting: [] });
  t.end();
});

t.test('a final report with one item still to come waits as a whole', (t) => {
  const { all } = story('unknown', says({ itemActions: { Na: 'hold' } }));
  t.same(all, ['wait']);
  t.end();
});

t.test('a final that leaves out what a waiting message said is finished is held', (t) => {
  const some = says({ items: ['K 4.1', 'Na'], itemActions: { Na: 'hold' } });
  const { all } = story('unknown', some, says({ items: ['Na 140'], ...later }));
  t.same(all, ['wait', 'hold MAP-3007']);
  const whole = story('unknown', some, says({ items: ['K 4.2', 'Na 140'], ...later }));
  t.same(whole.all, ['wait', 'publish']);
  t.match(whole.last, { absorbs: ['1:0'] });
  t.match(whole.state, { waiting: [], finished: undefined });
  t.same(story('snapshot', some, says({ items: ['Na 140'], ...later })).all, ['wait', 'hold MAP-3007']);
  const part = says({ items: ['K 4.1', 'Cl 101', 'Na'], itemActions: { Na: 'hold' } });
  t.same(
    story('snapshot', part, says({ items: ['K 4.2', 'Na 140'], ...later })).items,
    ['K 4.2', 'Na 140'],
    'a report known to be whole says which items are left',
  );
  t.end();
});

t.test('a correction that waits for one item is not lost with a final that says only that item', (t) => {
  const { all, state } = story(
    'unknown',
    says({ items: ['K 6.8'] }),
    says({ items: ['K 4.1', 'Na'], itemActions: { Na: 'hold' }, ...later }),
    says({ items: ['K 6.8'], sent: '20240520120000' }),
    says({ items: ['K 4.1', 'Na 140'], reported: '20240520120000' }),
  );
  t.same(all, ['publish', 'wait', 'absorb duplicate', 'publish']);
  t.match(state, { version: 2, waiting: [], finished: undefined });
  t.end();
});

t.test('an item not obtained need not be mentioned by the final', (t) => {
  const some = says({ items: ['K', 'Na'], itemActions: { K: 'remove-item', Na: 'hold' } });
  t.same(story('unknown', some, says({ items: ['Na 140'], ...later })).all, ['wait', 'publish']);
  t.end();
});

t.test('where messages say only what changes, finished items count at once and those to come change nothing', (t) => {
  const some = says({ items: ['K 4.1', 'Na'], itemActions: { Na: 'hold' }, ...later });
  const first = story('delta', some, says({ items: ['Na 140'], reported: '20240520120000' }));
  t.same(first.all, ['publish', 'publish']);
  t.same(first.items, ['K 4.1', 'Na 140']);
  const corrected = story('delta', says({ items: ['K 6.8', 'Na 139'] }), some);
  t.same(corrected.items, ['K 4.1', 'Na 139']);
  const removed = says({ items: ['K', 'Na'], itemActions: { K: 'remove-item', Na: 'hold' }, ...later });
  t.same(story('delta', says({ items: ['K 6.8', 'Cl 101'] }), removed).items, ['Cl 101']);
  const none = says({ items: ['K', 'Na'], itemActions: { K: 'hold', Na: 'hold' }, ...later });
  t.same(story('delta', says(), none).all, ['publish', 'wait']);
  t.end();
});

t.test('a preliminary message of changes waits until finals have said all it said is finished', (t) => {
  const interim = says({ action: 'hold', items: ['K 4.1', 'Cl'], itemActions: { Cl: 'hold' }, ...later });
  const { all, last, state } = story(
    'delta',
    says({ items: ['K 6.8', 'Na 139'] }),
    interim,
    says({ items: ['Na 140'], reported: '20240520120000' }),
  );
  t.same(all, ['publish', 'wait', 'publish']);
  t.match(last, { absorbs: [] });
  t.match(state, { waiting: ['2:0'], finished: { '2:0': ['K'] } });
  const ended = decide(
    state,
    says({ items: ['K 4.1'], reported: '20240520130000' }),
    { seq: 9, part: 0 },
    rules('delta'),
  );
  t.match(ended, { do: 'publish', absorbs: ['2:0'], next: { waiting: [], finished: undefined } });
  t.end();
});

t.test('a final report is published even when it says an earlier report time than the interim did', (t) => {
  t.same(story('unknown', says({ action: 'hold', ...later }), says(earlier)).all, ['wait', 'publish']);
  t.end();
});

t.test('an interim result that is older than the final is absorbed', (t) => {
  t.same(story('unknown', says(later), says({ action: 'hold', ...earlier })).all, ['publish', 'absorb older']);
  t.end();
});

t.test('an interim result that is newer than the final waits and leaves the final as it is', (t) => {
  const { all, state } = story('unknown', says(), says({ items: ['K 9.9'], action: 'hold', ...later }));
  t.same(all, ['publish', 'wait']);
  t.match(state, { status: 'published', version: 1, waiting: ['2:0'], reportTime: '20240520100000' });
  t.equal(itemsOf(state?.current)[0]?.value, '4.2');
  t.end();
});
