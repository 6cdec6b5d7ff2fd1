import t from 'tap';
import { tried } from '../../long/figures.ts';
import { chooseSeed } from '../seed.ts';
import { walkStore } from './random-steps.ts';

const proof = process.env.QIANZHI_PROOF === '1';
const steps = proof ? 100_000 : 2_000;
const seed = chooseSeed();

t.setTimeout(proof ? 3_600_000 : 600_000);

t.test('the books, the keys, the lanes and the withdrawals are as promised after each of many random steps', (t) => {
  t.comment(`seed ${seed}`);
  const taken = [...walkStore(steps, seed)];
  t.equal(
    taken.reduce((sum, [, n]) => sum + n, 0),
    steps,
  );
  t.equal(taken.length, 15, 'every kind of step was among them');
  t.comment(tried('store against its model, books checked after each step', `${steps} steps`, 0));
  t.comment(`${steps} steps against the model, 0 broken promises: ${taken.map(([s, n]) => `${n} ${s}`).join(', ')}`);
  t.end();
});
