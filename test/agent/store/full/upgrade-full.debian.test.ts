import t from 'tap';
import { noSmallDisk, onSmallDisk } from './small-disk.ts';

t.setTimeout(600_000);

t.test('a store of an older version on a full disk', { skip: noSmallDisk() }, async (t) => {
  const said = await onSmallDisk('upgrade-full-child.ts');
  t.match(said, { 'enough-before': true, enough: ['done', 'done'], 'enough-after': false });
  t.equal(said['enough-mended'], 'done', 'is upgraded in the room of the ballast');
  t.match(said, { 'short-before': true, short: ['QUE-4002', 'QUE-4002'], 'short-after': false });
  t.equal(said['short-mended'], 'done', 'and where that is too little says so, and is upgraded once there is room');
});
