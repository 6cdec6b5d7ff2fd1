import t from 'tap';
import { askRange, fullJitter, halfJitter, retryRange } from '../../../agent/delivery/backoff.ts';

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
