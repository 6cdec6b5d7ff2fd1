import t from 'tap';
import { createPace } from '../../../agent/delivery/pace.ts';

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

t.test('where the platform says how many requests it takes at once, that is the most', (t) => {
  for (const most of [1, 2, 16]) {
    const pace = createPace({ documents: 10, bytes: 1_000_000 }, most);
    const seen = Array.from({ length: 200 }, () => {
      pace.succeeded();
      return pace.concurrency();
    });
    t.equal(Math.max(...seen), most);
    pace.failed();
    t.equal(pace.concurrency(), Math.max(1, most / 2));
  }
  t.end();
});
