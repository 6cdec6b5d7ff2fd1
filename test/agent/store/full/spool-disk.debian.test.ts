import t from 'tap';
import { noSmallDisk, onSmallDisk } from './small-disk.ts';

t.setTimeout(600_000);

const skip = noSmallDisk();

t.test(
  'a disk that fills in the middle of an instance: it is refused, leaves nothing, and the rest goes on',
  { skip },
  async (t) => {
    const said = await onSmallDisk('spool-disk-child.ts');
    t.match(said, { write: 'QUE-4002', filesOnFullDisk: 1 }, 'A700, and what was received of it is gone');
    t.match(said, { begin: 'QUE-4002' }, 'none is begun');
    t.match(said, { readOnFullDisk: true, settled: 'done' }, 'deliveries and their marks go on');
    t.match(said, { after: { n: 2, outcome: 'stored' }, files: 2 }, 'with room again it goes on by itself');
  },
);
