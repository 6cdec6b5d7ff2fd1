import t from 'tap';
import { later, says, story } from './statements.ts';

t.test('a correction with all items replaces as the next version', (t) => {
  const { all, state, items } = story('unknown', says(), says({ items: ['K 5.1', 'Na 140'], ...later }));
  t.same(all, ['publish', 'publish']);
  t.match(state, { version: 2, setId: 'set-lis|R1' });
  t.same(items, ['K 5.1', 'Na 140']);
  t.end();
});

t.test('a second final report with a later report time replaces', (t) => {
  t.same(story('unknown', says(), says(later)).all, ['publish', 'publish']);
  t.end();
});

t.test('a correction with more items than before replaces', (t) => {
  const { items } = story('unknown', says(), says({ items: ['K 4.2', 'Na 140', 'Cl 101'], ...later }));
  t.same(items, ['K 4.2', 'Na 140', 'Cl 101']);
  t.end();
});

t.test('a correction without some items is held when the profile does not say what that means', (t) => {
  const { all, state } = story('unknown', says(), says({ items: ['K 5.1'], ...later }));
  t.same(all, ['publish', 'hold MAP-3007']);
  t.match(state, { version: 1 }, 'and what was published stays');
  t.end();
});

t.test('a correction without some items is the whole report when the profile says snapshot', (t) => {
  t.same(story('snapshot', says(), says({ items: ['K 5.1'], ...later })).items, ['K 5.1']);
  t.end();
});

t.test('a correction without some items changes only these when the profile says delta', (t) => {
  const { items } = story('delta', says(), says({ items: ['Na 138', 'Cl 101'], ...later }));
  t.same(items, ['K 4.2', 'Na 138', 'Cl 101']);
  t.end();
});

t.test('a delta keeps the rest of the report where it says nothing about it', (t) => {
  const { last } = story('delta', says({ remarks: ['hemolysis'] }), says({ items: ['K 5.1'], ...later }));
  t.match(last, { report: { remarks: ['hemolysis'], reportedAt: later.reported } });
  t.end();
});

t.test('a delta that repeats what is published is a duplicate', (t) => {
  t.same(story('delta', says(), says({ items: ['Na 140'] })).all, ['publish', 'absorb duplicate']);
  t.end();
});

t.test('a delta for one of several items with the same code is held: which one is meant is unclear', (t) => {
  const { all } = story('delta', says({ items: ['GLU 5.0', 'GLU#2 9.1'] }), says({ items: ['GLU 8.8'], ...later }));
  t.same(all, ['publish', 'hold MAP-3007']);
  t.end();
});

t.test('a deleted item is taken out and the report is issued again', (t) => {
  const { all, items, state } = story('unknown', says(), says({ itemActions: { Na: 'remove-item' }, ...later }));
  t.same(all, ['publish', 'publish']);
  t.same(items, ['K 4.2']);
  t.match(state, { version: 2 });
  t.end();
});

t.test('a delta that deletes one item leaves the others', (t) => {
  const { items } = story('delta', says(), says({ items: ['Na'], itemActions: { Na: 'remove-item' }, ...later }));
  t.same(items, ['K 4.2']);
  t.end();
});

t.test('a message that names only the deleted item is held unless the profile says delta', (t) => {
  const removal = says({ items: ['Na'], itemActions: { Na: 'remove-item' }, ...later });
  t.same(story('unknown', says(), removal).all, ['publish', 'hold MAP-3007']);
  t.end();
});

t.test('a report whose items were all deleted is retracted', (t) => {
  const { all, state } = story(
    'unknown',
    says(),
    says({ itemActions: { K: 'remove-item', Na: 'remove-item' }, ...later }),
  );
  t.same(all, ['publish', 'retract']);
  t.match(state, { status: 'retracted', version: 2 });
  t.end();
});

t.test('deltas that delete one item after the other end in a retraction', (t) => {
  const { all } = story(
    'delta',
    says(),
    says({ items: ['Na'], itemActions: { Na: 'remove-item' }, sent: '20240520110000' }),
    says({ items: ['K'], itemActions: { K: 'remove-item' }, sent: '20240520120000' }),
  );
  t.same(all, ['publish', 'publish', 'retract']);
  t.end();
});

t.test('an item deleted before anything was published is not published', (t) => {
  const first = story('unknown', says({ itemActions: { Na: 'remove-item' } }));
  t.same(first.items, ['K 4.2']);
  const none = story('unknown', says({ items: ['K'], itemActions: { K: 'remove-item' } }));
  t.same(none.all, ['absorb nothing-published']);
  t.end();
});
