import t from 'tap';
import { createLargeFrames } from '../../../../adapters/sources/hl7-mllp/large-frames.ts';

t.test('as many permits as fit the budget, the rest stand in line in order', async (t) => {
  const gate = createLargeFrames(30, 10, 1);
  const names = ['a', 'b', 'c', 'd', 'e'];
  const holders = names.map((name) => ({ name }));
  const granted: string[] = [];
  const asked = holders.map((holder) => gate.request(holder, holder.name, () => granted.push(holder.name)));
  t.same(asked, [true, true, true, false, false]);
  t.equal(
    gate.request(holders[0]!, 'a', () => t.fail()),
    true,
    'asking again keeps it',
  );
  gate.release(holders[1]!);
  t.same(granted, ['d']);
  gate.release(holders[4]!);
  gate.release(holders[0]!);
  t.same(granted, ['d'], 'who left the line gets none');
});

t.test('one peer never takes every permit', async (t) => {
  const gate = createLargeFrames(30, 10, 1);
  const ask = (peer: string) => gate.request({}, peer, () => {});
  t.same([ask('a'), ask('a'), ask('a'), ask('b')], [true, true, false, true]);
});

t.test('one permit there always is', async (t) => {
  const gate = createLargeFrames(1, 10, 1);
  t.ok(gate.request({}, 'a', () => {}));
});
