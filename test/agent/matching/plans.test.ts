import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { imageOf, matchingRig, reportOf, zhang } from './rig.ts';

t.test('no statement of matching walks a table that grows for ever', async (t) => {
  const prepared = new Set<string>();
  const real = DatabaseSync.prototype.prepare;
  DatabaseSync.prototype.prepare = function (this: DatabaseSync, ...rest: Parameters<typeof real>) {
    prepared.add(rest[0]);
    return real.apply(this, rest);
  };
  t.teardown(() => {
    DatabaseSync.prototype.prepare = real;
  });
  const rig = await matchingRig();
  t.teardown(rig.close);
  await rig.ris(reportOf('E1', 'A1'));
  const study = await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A1' });
  await rig.links(study);
  await rig.unmatched();
  await rig.problems();
  await rig.store.contradictions(10);
  const db = new DatabaseSync(join(rig.options.folder, 'qianzhi.db'), { readOnly: true });
  t.teardown(() => db.close());
  const ours = [...prepared].filter(
    (sql) => /match_|journal_match/.test(sql) && /^\s*(SELECT|UPDATE|DELETE)/.test(sql),
  );
  t.ok(ours.length > 15, `${ours.length} statements`);
  for (const sql of ours) {
    const steps = real.call(db, `EXPLAIN QUERY PLAN ${sql}`).all() as unknown as Array<{ detail: string }>;
    const said = steps.map(({ detail }) => detail);
    // Contradictions have an index of their own, as long as there are any.
    t.same(
      said.filter((detail) => /^SCAN (?!\(subquery|.*INDEX match_contradicts)/.test(detail)),
      [],
      sql,
    );
    t.notMatch(said.join('; '), /TEMP B-TREE/, sql);
  }
});
