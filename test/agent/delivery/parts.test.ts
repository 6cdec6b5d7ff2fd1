import t from 'tap';
import { askRange, fullJitter, halfJitter, retryRange } from '../../../agent/delivery/backoff.ts';
import { createBreaker } from '../../../agent/delivery/breaker.ts';
import { createPace } from '../../../agent/delivery/pace.ts';
import { createSuspects } from '../../../agent/delivery/suspects.ts';
import { document } from '../../adapters/platforms/https/documents.ts';

t.test('full jitter lies between a tenth of a second and the doubled base, never above five minutes', (t) => {
  t.equal(
    fullJitter(1, retryRange, () => 0),
    100,
  );
  t.equal(
    fullJitter(4, retryRange, () => 1),
    8_000,
  );
  for (const attempt of [20, 5_000, Number.MAX_SAFE_INTEGER]) {
    t.equal(
      fullJitter(attempt, retryRange, () => 1),
      300_000,
    );
  }
  t.equal(
    halfJitter(1, askRange, () => 0),
    1_000,
  );
  t.equal(
    halfJitter(99, askRange, () => 1),
    60_000,
  );
  t.end();
});

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

t.test('concurrency grows one by one to four and halves; a 413 is remembered', (t) => {
  const pace = createPace({ documents: 100, bytes: 524_288 });
  t.equal(pace.concurrency(), 1);
  for (let i = 0; i < 50; i++) pace.succeeded();
  t.equal(pace.concurrency(), 4);
  pace.failed();
  t.equal(pace.concurrency(), 2);
  for (let i = 0; i < 5; i++) pace.failed();
  t.equal(pace.concurrency(), 1);
  pace.tooLarge(80, 200_000);
  t.same(pace.batch(), { documents: 40, bytes: 100_000 });
  pace.tooLarge(1, 900_000);
  t.same(pace.batch(), { documents: 1, bytes: 100_000 });
  for (let i = 0; i < 1_000; i++) pace.succeeded();
  t.same(pace.batch(), { documents: 100, bytes: 524_288 });
  t.end();
});

t.test('suspects never travel with the unsuspected and end up alone', (t) => {
  const suspects = createSuspects();
  const bad = [1, 2, 3, 4].map((n) => document(n));
  const good = [5, 6].map((n) => document(n));
  const shape = () => suspects.group([...bad, ...good]).map((group) => group.map((d) => d.n));
  t.same(shape(), [[1, 2, 3, 4, 5, 6]]);
  suspects.failed(bad);
  t.same(shape(), [
    [5, 6],
    [1, 2],
    [3, 4],
  ]);
  suspects.failed(bad.slice(0, 2));
  t.same(shape(), [[5, 6], [3, 4], [1], [2]]);
  t.ok(suspects.alone(1));
  suspects.failed(bad.slice(0, 1));
  t.ok(suspects.alone(1));
  suspects.cleared(2);
  t.same(shape(), [[2, 5, 6], [3, 4], [1]]);
  t.end();
});
