import t from 'tap';
import { tried } from '../../long/figures.ts';
import { chooseSeed } from '../seed.ts';
import { walkStore } from './steps.ts';

const proof = process.env.QIANZHI_PROOF === '1';
const steps = proof ? 100_000 : 3_000;
/** Another walk than that of store-model.test.ts; in proof another one each time, which the output names. */
const seed = chooseSeed();

t.setTimeout(proof ? 3_600_000 : 180_000);

t.test('the store does as promised after each of many random steps', (t) => {
  t.comment(`seed ${seed}`);
  const taken = [...walkStore(steps, seed)];
  t.equal(
    taken.reduce((sum, [, n]) => sum + n, 0),
    steps,
  );
  t.comment(tried('store against its model, books checked after each step', `${steps} steps`, 0));
  t.comment(`${steps} steps against the model, 0 broken promises: ${taken.map(([s, n]) => `${n} ${s}`).join(', ')}`);
  t.end();
});
