import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { document, quickRig, record } from './rig.ts';

/** Every statement that the store prepares, as it prepares it. */
function listen(): string[] {
  const prepared: string[] = [];
  const real = DatabaseSync.prototype.prepare;
  DatabaseSync.prototype.prepare = function (this: DatabaseSync, ...rest: Parameters<typeof real>) {
    prepared.push(rest[0]);
    return real.apply(this, rest);
  };
  t.teardown(() => {
    DatabaseSync.prototype.prepare = real;
  });
  return prepared;
}

/** What runs for each claim, each verdict, each message or each look at the page, and what must answer it. */
const hot: Array<[what: string, sql: RegExp, plan: RegExp]> = [
  ['lane heads that are due', /^SELECT n, lane, bytes FROM \(SELECT/, /SEARCH outbox USING COVERING INDEX outbox_open/],
  ['the next due time', /^SELECT min\(due_ms\)/, /SEARCH outbox USING COVERING INDEX outbox_open/],
  [
    'unsent of a platform',
    /^SELECT count\(\*\) AS n FROM outbox WHERE platform=\? AND state < 2/,
    /COVERING INDEX outbox_open/,
  ],
  ['unsent for the page', /min\(created_ms\) AS oldest FROM outbox/, /COVERING INDEX outbox_open/],
  [
    'documents refused',
    /^SELECT count\(\*\) AS n FROM outbox WHERE platform=\? AND state=3/,
    /COVERING INDEX outbox_refused/,
  ],
  ['last accepted', /max\(done_ms\) AS ms FROM outbox/, /COVERING INDEX outbox_done/],
  ['held renderings', /count\(\*\) AS n FROM rendering/, /COVERING INDEX rendering_held/],
  [
    'what withdraws a document',
    /FROM journal WHERE report=\? AND jseq>\? AND action='retract'/,
    /COVERING INDEX journal_retraction/,
  ],
  [
    'later versions of a report',
    /^SELECT n, seq FROM outbox WHERE platform=\?1 AND report/,
    /SEARCH outbox USING INDEX outbox_report/,
  ],
  ['records of a message', /^SELECT jseq FROM journal WHERE seq=\?/, /COVERING INDEX journal_seq/],
  [
    'documents that wait for a parent and are due',
    /^UPDATE outbox SET state=0 WHERE n IN/,
    /SEARCH outbox USING (COVERING )?INDEX outbox_parent/,
  ],
  ['those of a lane', /^UPDATE outbox SET state=0, due_ms=0/, /SEARCH outbox USING (COVERING )?INDEX outbox_open/],
  ['what waits for a document', /FROM outbox WHERE after_n=\?/, /SEARCH outbox USING INDEX outbox_after/],
  [
    'what a document has to wait for',
    /^SELECT n, state FROM outbox WHERE report=/,
    /SEARCH outbox USING INDEX outbox_report/,
  ],
  ['messages that are due', /INDEXED BY part_due/, /SEARCH part USING (COVERING )?INDEX part_due/],
  ['parts that await a patient', /^UPDATE part SET due_ms=0/, /SEARCH part USING (COVERING )?INDEX part_awaits/],
  ['the reports of a patient', /^SELECT r\.id, r\.jseq/, /SEARCH r USING INDEX report_lane/],
  ['the document of a record', /FROM outbox WHERE jseq=\? AND platform=\?/, /SEARCH outbox USING INDEX outbox_jseq/],
];

t.test('no hot query walks a table: each is answered by its index', async (t) => {
  const prepared = listen();
  const rig = await quickRig();
  t.teardown(rig.close);
  for (let i = 1; i <= 3; i++) {
    await rig.accept(`m${i}`);
    await rig.map(i, record(`R${i}`, 1));
  }
  await rig.render('1', '2', '3');
  const statements = [...new Set(prepared)];
  const db = new DatabaseSync(join(rig.options.folder, 'qianzhi.db'), { readOnly: true });
  t.teardown(() => db.close());
  for (const [what, sql, plan] of hot) {
    const found = statements.filter((s) => sql.test(s));
    t.ok(found.length > 0, `${what} is prepared`);
    for (const statement of found) {
      const steps = db.prepare(`EXPLAIN QUERY PLAN ${statement}`).all() as unknown as Array<{ detail: string }>;
      const said = steps.map((s) => s.detail).join('; ');
      t.match(said, plan, what);
      t.notMatch(said, /SCAN (outbox|journal|rendering|message|part|disposition)\b/, `${what}: nothing is scanned`);
    }
  }
});

t.test('nothing the store prepares scans a table that grows for ever', async (t) => {
  const prepared = listen();
  const rig = await quickRig();
  t.teardown(rig.close);
  await rig.accept('m');
  await rig.map(1, record('R1', 1));
  await rig.view.commitRendering('province', 1, [{ jseq: 1, rendered: document('1') }], 0);
  await rig.claim();
  await rig.store.figures(Date.now());
  await rig.store.problems(10);
  await rig.store.messages(10);
  const db = new DatabaseSync(join(rig.options.folder, 'qianzhi.db'), { readOnly: true });
  t.teardown(() => db.close());
  for (const sql of new Set(prepared)) {
    if (!/^\s*(SELECT|UPDATE|DELETE)/.test(sql)) continue;
    const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as unknown as Array<{ detail: string }>;
    const scans = steps.filter((s) => /^SCAN (?!.*USING (COVERING )?INDEX).*$/.test(s.detail)).map((s) => s.detail);
    const growing = scans.filter((s) =>
      /^SCAN (outbox|journal|rendering|message|body|document|part|disposition|m|o|j|p|r|h)\b/.test(s),
    );
    t.same(growing, [], sql);
  }
});
