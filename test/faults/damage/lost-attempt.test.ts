import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { oru } from './history.ts';
import { openWorkedStore, readStore, storeNames } from './worked-store.ts';

/**
 * Invariants 6 and 8: the mark of an attempt is the only thing that a damaged WAL loses. No message and no document is
 * gone, so their numbers show nothing; but who believes that nothing was sent leaves a withdrawn report at the platform.
 */
t.test('an attempt whose mark is lost is told, and the withdrawal of what was sent is sent', async (t) => {
  const [made, damaged] = ['made', 'damaged'].map((name) => join(t.testdir(), name)) as [string, string];
  for (const root of [made, damaged]) mkdirSync(join(root, 'data'), { recursive: true });
  let store = openWorkedStore(made);
  await store.accept(oru({ report: 1 }), 'A');
  await store.work();
  store.close();

  store = openWorkedStore(made);
  const before = readStore(made)['qianzhi.db-wal'].length;
  t.equal((await store.claim()).length, 1, 'it is on the wire');
  const files = readStore(made);
  store.close();
  t.ok(files['qianzhi.db-wal'].length > before);
  // Within the first page of the commit that marks the attempt.
  files['qianzhi.db-wal'][before + 200]! ^= 4;
  for (const name of storeNames) writeFileSync(join(damaged, 'data', name), files[name]);
  writeFileSync(join(damaged, 'data.key'), readFileSync(join(made, 'data.key')), { mode: 0o600 });

  store = openWorkedStore(damaged);
  t.match(store.notices(), [{ code: 'QUE-4006' }]);
  t.ok(
    readdirSync(join(damaged, 'data')).some((f) => f.startsWith('lost-tail-')),
    'what may still be in the WAL is kept',
  );
  await store.accept(oru({ report: 1, version: 2, status: 'X' }), 'B');
  await store.work();
  t.match(await store.claim(), [{ operation: 'retract', reportNumber: 'LR1' }]);
  store.close();

  store = openWorkedStore(damaged);
  t.teardown(store.close);
  t.equal(store.notices().length, 1, 'told once');
});
