import t from 'tap';
import { noSmallDisk, onSmallDisk } from './small-disk.ts';

t.setTimeout(600_000);

const skip = noSmallDisk();

t.test('the disk is full', { skip }, async (t) => {
  const said = await onSmallDisk('full-disk-child.ts');

  t.test('a claim that could not be written can be made again, and a verdict leaves its document in flight', (t) => {
    t.match(said, { claimOnFullDisk: 'QUE-4001', claimedAfter: [1, 1, 1, 1, 1] });
    t.match(said, { settleOnFullDisk: 'QUE-4001', claimedAgain: 0, settledAfter: 'done', delivered: 5 });
    t.end();
  });
  t.test('at start the ballast is given up, deliveries go on, and intake is told', (t) => {
    t.match(said, { ballastBefore: true, freeBefore: 0, ballastAfter: false, mode: 'intake-stopped' });
    t.match(said, { intake: 'QUE-4002', claimed: 5, settled: 'done' });
    t.same(new Set(Object.values(said.states as object)), new Set(['delivered']));
    t.end();
  });
  t.test('with room again intake goes on by itself', (t) => {
    t.equal(said.recovered, true);
    t.end();
  });
});
