import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { createSearch, Refused } from '../../../agent/status/web/search.ts';

/** A search whose answers are in the test's hands, in the order in which they were asked. */
function heldSearch() {
  const asked: Array<{ term: string; answer(rows: string[]): Promise<void>; fail(why: Error): Promise<void> }> = [];
  const search = createSearch<string>(
    (_by, term) =>
      new Promise((resolve, reject) => {
        asked.push({
          term,
          answer(rows) {
            resolve(rows);
            return turn();
          },
          fail(why) {
            reject(why);
            return turn();
          },
        });
      }),
  );
  return { search, asked };
}

t.test('a search slower than the list moves is answered all the same', async (t) => {
  const { search, asked } = heldSearch();
  search.start('name', 'A');
  for (let moved = 0; moved < 5; moved++) search.again();
  t.equal(asked.length, 1, 'not asked anew while the answer is under way');
  await asked[0]?.answer(['a']);
  t.same([search.found.value, search.state.value], [['a'], 'idle']);
  search.again();
  t.equal(asked.length, 2, 'and asked again when the list moves on');
  await asked[1]?.fail(new Refused('QUE-4003'));
  t.same(search.state.value, { failed: 'QUE-4003' });
  search.again();
  await asked[2]?.answer(['b']);
  t.same([search.found.value, search.state.value], [['b'], 'idle'], 'also after one that failed');
});

t.test('another search does not wait for the one under way, whose late answer counts for nothing', async (t) => {
  const { search, asked } = heldSearch();
  search.start('name', 'A');
  search.start('name', 'B');
  t.same(
    asked.map(({ term }) => term),
    ['A', 'B'],
  );
  await asked[0]?.answer(['a']);
  t.same([search.found.value, search.state.value], [[], 'busy']);
  search.again();
  t.equal(asked.length, 2, 'the second is still under way');
  await asked[1]?.answer(['b']);
  t.same(search.found.value, ['b']);
});

t.test('after its end a search is not asked again, and its answer does not come back', async (t) => {
  const { search, asked } = heldSearch();
  search.start('name', 'A');
  search.end();
  search.again();
  await asked[0]?.answer(['a']);
  t.same([asked.length, search.found.value, search.state.value], [1, undefined, 'idle']);
  search.start('name', 'B');
  await asked[1]?.answer(['b']);
  t.same(search.found.value, ['b']);
});
