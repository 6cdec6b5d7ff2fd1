import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { migrations } from '../../../../agent/store/sqlite/schema.ts';
import { quickRig } from '../rig.ts';
import { codeFrom, smallDisk, tell } from './small-disk.ts';

/** Process of upgrade-full.debian.test.ts, as full-disk-child.ts: what a store of version 4 says that is opened on a full disk. */
const { folder, fill, empty } = smallDisk();
const said: Record<string, unknown> = {};
const ROWS = 60_000;

/** Makes one with so much ballast, and goes back to version 4 with it: what later versions made is taken away. */
async function storeOfVersion4(name: string, ballastBytes: number): Promise<() => ReturnType<typeof quickRig>> {
  const open = () => quickRig(join(folder, name), { disk: { ballastBytes } });
  const made = await open();
  const file = join(made.options.folder, 'qianzhi.db');
  await made.close();
  const db = new DatabaseSync(file);
  const later = (of: string) =>
    new Set([...of.matchAll(/CREATE (?:TABLE|INDEX|TRIGGER) (\w+)/g)].map(([, it]) => it ?? ''));
  const known = later(migrations.slice(0, 4).join());
  for (const it of later(migrations.slice(4).join())) {
    if (known.has(it)) throw new Error(it);
    const { type } = (db.prepare('SELECT type FROM sqlite_schema WHERE name=?').get(it) ?? {}) as { type?: string };
    if (type) db.exec(`DROP ${type} ${it}`);
  }
  for (const [, stage = ''] of migrations
    .slice(4)
    .join()
    .matchAll(/INSERT INTO cursor SELECT '([\w-]+)'/g)) {
    db.prepare('DELETE FROM cursor WHERE stage=?').run(stage);
  }
  // Such as the index over them is made of.
  db.exec(`WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < ${ROWS})
    INSERT INTO journal SELECT n, n, 0, 'publish', 'exam-report', n, 1, 'set', 1 FROM i`);
  db.exec('PRAGMA user_version=4; PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
  return open;
}

for (const [name, mebibytes] of [
  ['enough', 8],
  ['short', 1],
] as const) {
  const open = await storeOfVersion4(name, mebibytes * 1024 * 1024);
  const ballast = join(folder, name, 'data', 'ballast');
  said[`${name}-before`] = existsSync(ballast);
  fill(512);
  const starts: unknown[] = [];
  for (let start = 0; start < 2; start++) {
    const rig = open();
    starts.push(await codeFrom(rig));
    await rig.then(
      async (opened) => {
        await opened.close();
      },
      () => {},
    );
  }
  said[name] = starts;
  said[`${name}-after`] = existsSync(ballast);
  empty();
  const rig = await open();
  said[`${name}-mended`] = await codeFrom(rig.accept('one'));
  await rig.close();
}
tell(said);
