import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';

/** What is wrong with the books of images, in words: the sums equal what came in (invariant 3). */
export function bookFaults(db: DatabaseSync): string[] {
  const faults: string[] = [];
  const none = (what: string, sql: string): void => {
    const { n } = db.prepare(sql).get() as { n: number };
    if (n !== 0) faults.push(`books: ${n} ${what}`);
  };
  none(
    'images with no state, or states of no image',
    `SELECT count(*) AS n FROM instance i FULL JOIN (SELECT DISTINCT n FROM upload) u USING(n)
     WHERE i.n IS NULL OR u.n IS NULL`,
  );
  none(
    'images without key, or keys without image',
    'SELECT count(*) AS n FROM instance i FULL JOIN instance_sealed s USING(n) WHERE i.n IS NULL OR s.n IS NULL',
  );
  none(
    'sums by day that differ from the states',
    `SELECT count(*) AS n FROM (SELECT day, source, platform, max(state, 9) AS state,
       iif(state > 10, ifnull(code, ''), '') AS code, count(*) AS n, sum(bytes) AS bytes FROM upload GROUP BY 1, 2, 3, 4, 5) u
     FULL JOIN (SELECT * FROM image_balance WHERE n <> 0) b USING(day, source, platform, state, code)
     WHERE u.n IS NOT b.n OR u.bytes IS NOT b.bytes`,
  );
  none(
    'sums by study that differ from the states',
    `SELECT count(*) AS n FROM (SELECT study, platform, max(state, 9) AS state, count(*) AS n FROM upload GROUP BY 1, 2, 3) u
     FULL JOIN (SELECT * FROM study_balance WHERE n <> 0) b USING(study, platform, state) WHERE u.n IS NOT b.n`,
  );
  none(
    'sums of the spool that differ from the images',
    `SELECT count(*) AS n FROM (SELECT count(*) AS files, ifnull(sum(bytes), 0) AS bytes FROM instance WHERE kept = 1) i
     JOIN spool_use s WHERE i.files <> s.files OR i.bytes <> s.bytes`,
  );
  none(
    'studies that count other images than they have',
    `SELECT count(*) AS n FROM study s WHERE instances <> (SELECT count(DISTINCT mac) FROM instance i WHERE i.study = s.id)`,
  );
  return faults;
}

/**
 * What is wrong between the files of a spool and the rows, after a start: no half file, none unknown, none missing. Files
 * that were made ahead are empty.
 */
export function spoolFaults(db: DatabaseSync, folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const names = files.filter(({ parentPath }) => parentPath !== join(folder, 'aside')).map(({ name }) => name);
  const rows = (
    db.prepare('SELECT file FROM instance WHERE kept = 1 AND damaged = 0').all() as Array<{ file: string }>
  ).map((r) => r.file);
  const known = new Set(rows);
  const there = new Set(names);
  const faults: string[] = [];
  const half = files.filter(
    ({ name, parentPath }) => !/^[0-9a-f]{32}$/.test(name) && statSync(join(parentPath, name)).size > 0,
  ).length;
  const unknown = names.filter((name) => /^[0-9a-f]{32}$/.test(name) && !known.has(name)).length;
  const missing = rows.filter((name) => !there.has(name)).length;
  if (half > 0) faults.push(`spool: ${half} half files`);
  if (unknown > 0) faults.push(`spool: ${unknown} files of nobody`);
  if (missing > 0) faults.push(`spool: ${missing} files are missing`);
  return faults;
}

/** Finished files that no row knew at a start: nobody was answered for them. */
export const setAsideCount = (folder: string): number => {
  try {
    return readdirSync(join(folder, 'aside')).length;
  } catch {
    return 0;
  }
};
