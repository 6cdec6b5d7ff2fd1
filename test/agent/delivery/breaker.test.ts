import t from 'tap';
import { retryRange } from '../../../agent/delivery/backoff.ts';
import { createBreaker } from '../../../agent/delivery/breaker.ts';

t.test('requests that fail together count once, Retry-After lengthens the wait', (t) => {
  let at = 0;
  const breaker = createBreaker(
    () => at,
    retryRange,
    () => 1,
  );
  const generation = breaker.generation();
  for (let i = 0; i < 4; i++) breaker.failed(generation);
  t.equal(breaker.failures(), 1);
  t.equal(breaker.remainingMs(), 1_000);
  t.equal(breaker.failed(generation, 5_000), 5_000);
  at = 5_000;
  t.equal(breaker.remainingMs(), 0);
  t.equal(breaker.halfOpen(), true);
  t.equal(breaker.failed(breaker.generation()), 2_000);
  breaker.succeeded();
  t.equal(breaker.halfOpen(), false);
  t.equal(breaker.remainingMs(), 0);
  t.end();
});
