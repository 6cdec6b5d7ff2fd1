import t from 'tap';
import { walkStore } from './steps.ts';

t.setTimeout(600_000);

t.test('2,000 random steps: the books, the keys, the lanes and the withdrawals are as promised after each', (t) => {
  const taken = walkStore(2_000);
  t.equal(
    [...taken.values()].reduce((sum, n) => sum + n, 0),
    2_000,
  );
  t.equal(taken.size, 15, 'every kind of step was among them');
  t.end();
});
