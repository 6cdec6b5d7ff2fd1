import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { socketPlace } from '../../agent/control/place.ts';
import { copyStore } from './queued.ts';

t.test('a store is copied without the socket of an agent that was killed', async (t) => {
  const folder = t.testdir({ from: { data: { 'qianzhi.db': 'rows', ballast: 'room', spool: { '0': {} } } } });
  const data = join(folder, 'from', 'data');
  const { address, file, release } = socketPlace(data);
  const server = createServer().listen(address);
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => {
    server.close();
    release();
  });
  for (const to of ['once', 'once', 'again']) {
    const copy = join(folder, to, 'data');
    copyStore(join(folder, 'from'), join(folder, to));
    t.same(readdirSync(copy).sort(), ['qianzhi.db', 'spool']);
    t.equal(readFileSync(join(copy, 'qianzhi.db'), 'utf8'), 'rows');
  }
  t.ok(existsSync(file), 'it was there');
});
