import t from 'tap';
import { createSuspects } from '../../../agent/delivery/suspects.ts';
import { document } from '../../adapters/platforms/https/documents.ts';

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
