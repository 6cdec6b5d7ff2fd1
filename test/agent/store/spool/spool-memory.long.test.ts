import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openSpool } from '../../../../agent/store/spool.ts';
import { quickFolder } from '../../../quick-folder.ts';

const MB = 1024 * 1024;

t.test('an instance of 300 MB costs no more memory than a small one, in and out', async (t) => {
  const folder = quickFolder('spool-memory');
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const spool = openSpool({ folder: join(folder, 'spool') });
  const piece = randomBytes(128 * 1024);
  const before = process.memoryUsage.rss();
  let peak = before;
  const look = () => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  const writing = await spool.begin();
  for (let written = 0; written < 300 * MB; written += piece.length) {
    await writing.write(piece);
    look();
  }
  const { named, ...file } = await writing.finish();
  await named;
  let read = 0;
  for await (const part of spool.read(file)) {
    read += part.length;
    look();
  }
  t.equal(read, 300 * MB);
  const grown = Math.round((peak - before) / MB);
  t.ok(grown < 80, `${grown} MB more at most`);
});
