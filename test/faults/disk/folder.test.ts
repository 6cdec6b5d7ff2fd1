import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { oru } from '../damage/history.ts';
import { type Delivered, openWorkedStore, type WorkedStore } from '../damage/worked-store.ts';
import { eventually, folderOf, startAgentRig } from './agent-rig.ts';
import { missing, startLaboratory } from './laboratory.ts';

t.setTimeout(600_000);

/** What the platform has seen: content by key. Fails when a key comes with other content. */
function witness() {
  const seen = new Map<string, string>();
  const reused: string[] = [];
  return {
    seen,
    reused,
    /** Delivers everything that is due; gives the keys. */
    async deliver(store: WorkedStore): Promise<string[]> {
      const keys: string[] = [];
      for (;;) {
        const claimed = (await store.claim()) as Delivered[];
        if (claimed.length === 0) return keys;
        for (const { key, sha } of claimed) {
          if ((seen.get(key) ?? sha) !== sha) reused.push(key);
          seen.set(key, sha);
          keys.push(key);
        }
        await store.settle(claimed.map(({ n }) => ({ n, outcome: 'accepted' })));
      }
    },
  };
}

const fresh = (t: { testdir(): string }, name: string): string => {
  const root = join(t.testdir(), name);
  mkdirSync(join(root, 'data'), { recursive: true });
  return root;
};
const codesOf = (store: WorkedStore) => store.notices().map((n) => n.code);

t.test('the files of a killed process are no lock; a second process on the folder is refused', async (t) => {
  const root = folderOf(t);
  const rig = await startAgentRig(t, { root, restartMs: 500 });
  const lab = startLaboratory(rig);
  t.teardown(lab.close);
  rig.start();
  t.ok(await rig.ready());
  t.equal(await lab.send(1), 'AA');
  rig.kill();
  t.ok(await eventually(() => rig.deaths.length === 1));
  t.ok(readdirSync(rig.data).includes('qianzhi.db-wal'), 'files of a process that is no more');
  t.ok(await rig.ready());
  t.equal(await lab.send(2), 'AA');

  mkdirSync(join(root, 'second', 'keys'), { recursive: true });
  cpSync(join(root, 'keys', 'data.key'), join(root, 'second', 'keys', 'data.key'));
  const second = await startAgentRig(t, { root: join(root, 'second'), data: rig.data, province: rig.province });
  second.start();
  t.ok(await eventually(() => second.deaths.length > 0));
  await second.stop();
  t.equal(second.deaths[0]?.code, 1);
  t.match(second.deaths[0]?.said, 'QUE-4005');
  t.equal(await lab.send(3), 'AA', 'the first goes on');
  t.ok(await eventually(() => missing(lab).length === 0));
  t.equal(rig.deaths.length, 1);
});

t.test('a copy of the folder run beside the original never uses a key for other content', async (t) => {
  const one = fresh(t, 'one');
  const platform = witness();
  let original = openWorkedStore(one);
  for (let i = 1; i <= 4; i++) await original.accept(oru({ report: i }), `A${i}`);
  await original.work();
  original.close();
  const two = join(one, '..', 'two');
  cpSync(one, two, { recursive: true });

  original = openWorkedStore(one);
  const copy = openWorkedStore(two);
  t.teardown(() => {
    original.close();
    copy.close();
  });
  t.equal(original.writer.agentId, copy.writer.agentId, 'two agents that are one to the platform');
  for (let i = 10; i < 20; i++) {
    await original.accept(oru({ report: i }), `B${i}`);
    await copy.accept(oru({ report: i + 100 }), `C${i}`);
  }
  await original.work();
  await copy.work();
  const ofOriginal = await platform.deliver(original);
  const ofCopy = await platform.deliver(copy);
  t.equal(ofOriginal.length, 14);
  t.equal(ofCopy.length, 14);
  const shared = ofOriginal.filter((key) => ofCopy.includes(key));
  t.equal(shared.length, 4, 'what was rendered before the copy is the same document under the same key');
  t.same(platform.reused, [], 'and no key stands for two contents');
  t.equal(platform.seen.size, 24);
});

for (const [what, files, code] of [
  ['whole, with its side file', ['qianzhi.db', 'high-water'], undefined],
  ['the database only, beside the newer side file', ['qianzhi.db'], 'QUE-4006'],
] as const) {
  t.test(`an older copy put back (${what}): no key for other content, no number twice`, async (t) => {
    const root = fresh(t, 'store');
    const platform = witness();
    let store = openWorkedStore(root);
    for (let i = 1; i <= 3; i++) await store.accept(oru({ report: i }), `A${i}`);
    await store.work();
    store.close();
    const older = join(root, 'older');
    cpSync(join(root, 'data'), older, { recursive: true });

    store = openWorkedStore(root);
    for (let i = 4; i <= 9; i++) await store.accept(oru({ report: i }), `A${i}`);
    await store.work();
    const before = await platform.deliver(store);
    store.close();
    t.equal(before.length, 9);

    for (const file of files) cpSync(join(older, file), join(root, 'data', file));
    store = openWorkedStore(root);
    t.teardown(() => store.close());
    t.same(codesOf(store), code ? [code] : []);
    if (code) t.match(store.notices(), [{ first: 4, last: 9 }], 'it says which numbers are gone');
    const { seq } = await store.accept(oru({ report: 50 }), 'A50');
    t.equal(seq, code ? 10 : 4);
    await store.work();
    const after = await platform.deliver(store);
    t.equal(after.length, 4, 'what was open in the copy is sent again, and the new one');
    t.same(platform.reused, [], 'no key stands for two contents');
    t.equal(platform.seen.size, 10);
  });
}

t.test('the key: missing, another one, open to others: QUE-4004, and nothing is touched', async (t) => {
  const root = fresh(t, 'store');
  const key = join(root, 'data.key');
  const store = openWorkedStore(root);
  await store.accept(oru({ report: 1 }), 'A1');
  store.close();
  const files = () =>
    readdirSync(join(root, 'data'))
      .filter((f) => f !== 'lock.db')
      .map((f) => [f, readFileSync(join(root, 'data', f)).toString('base64').length]);
  const before = files();
  const refused = (where?: string) =>
    t.throws(() => openWorkedStore(root), { code: 'QUE-4004', ...(where && { where }) });

  renameSync(key, `${key}.away`);
  refused();
  t.notOk(readdirSync(root).includes('data.key'), 'no new key is made for a store that has lost its own');
  writeFileSync(key, `${'ab'.repeat(32)}\n`, { mode: 0o600 });
  refused();
  writeFileSync(key, 'not a key\n');
  refused('format');
  rmSync(key);
  renameSync(`${key}.away`, key);
  if (process.platform !== 'win32') {
    chmodSync(key, 0o640);
    refused('mode');
    chmodSync(key, 0o600);
  }
  t.same(files(), before);
  const again = openWorkedStore(root);
  t.teardown(again.close);
  t.equal(again.inbox().length, 1);
});
