import t from 'tap';
import { readAsset } from '../../../agent/support/assets.ts';

t.test('an asset is read by its path in the repository', async (t) => {
  t.match(readAsset('config/codes/sex.csv'), /^code,name,/);
});

t.test('no path leads out of the repository', async (t) => {
  for (const path of ['../package.json', '/etc/hostname', 'config/../package.json', 'config/.git', '']) {
    t.throws(() => readAsset(path), /not an asset path/);
  }
});
