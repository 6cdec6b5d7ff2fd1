import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import iconv from 'iconv-lite';
import t from 'tap';
import type { OutboxDocument } from '../../../agent/store/contract.ts';
import { mapped, record, setIdOf, storeRig } from './rig.ts';

// Each test opens a store with its threads, some of them twice.
t.setTimeout(120_000);

const text = (d: OutboxDocument | undefined) => Buffer.from(d?.bytes.reveal() ?? []).toString();

t.test('messages get their numbers in the order they were posted, and read back byte for byte', async (t) => {
  const rig = await storeRig();
  t.teardown(rig.close);
  const all = await Promise.all(Array.from({ length: 600 }, (_, i) => rig.accept(`message ${i} ${'x'.repeat(i)}`)));
  t.same(
    all.map((a) => a.seq),
    Array.from({ length: 600 }, (_, i) => i + 1),
  );
  const inbox = [...rig.view.inbox(0, 1000)];
  t.equal(inbox.length, 600);
  for (const [i, m] of inbox.entries()) {
    t.ok('raw' in m);
    if ('raw' in m && i % 97 === 0) t.equal(Buffer.from(m.raw.reveal()).toString(), `message ${i} ${'x'.repeat(i)}`);
  }
});

t.test('identical bytes from one source are stored once; from another source they are another message', async (t) => {
  const rig = await storeRig();
  t.teardown(rig.close);
  const first = await rig.accept('same', 'lis', 'A');
  const [again, inFlight, other] = await Promise.all([
    rig.accept('same', 'lis', 'A'),
    rig.accept('same', 'lis', 'A'),
    rig.accept('same', 'his', 'A'),
  ]);
  t.match(again, { seq: first.seq, outcome: 'retransmission' });
  t.match(inFlight, { seq: first.seq, outcome: 'retransmission' });
  t.match(other, { seq: 2, outcome: 'stored' });
  t.match(await rig.accept('different', 'lis', 'A'), { outcome: 'stored', controlIdReused: true });
});

t.test('a duplicate that arrives in the same group commit as the first is still stored once', async (t) => {
  const rig = await storeRig();
  t.teardown(rig.close);
  const both = await Promise.all([rig.accept('twin', 'lis', 'A'), rig.accept('twin', 'lis', 'A')]);
  t.same(
    both.map((b) => [b.seq, b.outcome]),
    [
      [1, 'stored'],
      [1, 'retransmission'],
    ],
  );
});

t.test('retransmissions are still recognised after a restart', async (t) => {
  const rig = await storeRig();
  await rig.accept('same', 'lis', 'A');
  await rig.close();
  const again = await storeRig(rig.folder);
  t.teardown(again.close);
  t.match(await again.accept('same', 'lis', 'A'), { seq: 1, outcome: 'retransmission' });
  t.match(await again.accept('new', 'lis', 'B'), { seq: 2, outcome: 'stored' });
});

t.test('a record becomes a document, is delivered once, and the books say so at each step', async (t) => {
  const rig = await storeRig();
  t.teardown(rig.close);
  await rig.accept('m1');
  t.same(await rig.states(), { 1: 'unmapped' });
  await rig.map(1, record('R1', 1));
  t.same(await rig.states(), { 1: 'waiting' });
  await rig.render('<doc/>');
  const [doc] = await rig.claim();
  t.match(doc, { operation: 'publish', version: 1, attempt: 1, setId: setIdOf('R1'), received: false });
  t.equal(text(doc), '<doc/>');
  t.same(await rig.claim(), [], 'what is in flight is not claimed again');
  await rig.store.settle('province', [{ n: doc!.n, outcome: 'accepted', receipt: 'OK-1' }]);
  t.same(await rig.states(), { 1: 'delivered' });
  t.same(await rig.claim(), []);
  t.equal(await rig.store.nextDueMs('province'), undefined);
});

t.test('a retry sends the same bytes under the same key, also after a restart', async (t) => {
  const rig = await storeRig();
  await rig.accept('m1');
  await rig.map(1, record('R1', 1));
  await rig.render('<doc/>');
  const [first] = await rig.claim();
  await rig.store.settle('province', [{ n: first!.n, outcome: 'retry', code: 'PLT-1304', retryAtMs: 0 }]);
  const [second] = await rig.claim();
  await rig.close();
  const again = await storeRig(rig.folder);
  t.teardown(again.close);
  const [third] = await again.claim();
  t.same([second?.key, third?.key], [first?.key, first?.key]);
  t.same([first?.attempt, second?.attempt, third?.attempt], [1, 2, 3]);
  t.equal(text(third), '<doc/>');
});

t.test('one document of a lane at a time, in order; other lanes go on', async (t) => {
  const rig = await storeRig();
  t.teardown(rig.close);
  for (const m of ['a', 'b', 'c']) await rig.accept(m);
  await rig.view.commitMapping({
    messages: [
      mapped(1, [record('R1', 1, { patient: 'P1' })]),
      mapped(2, [record('R2', 1, { patient: 'P1' })]),
      mapped(3, [record('R3', 1, { patient: 'P2' })]),
    ],
    reports: [],
    through: 3,
  });
  await rig.render('1', '2', '3');
  const claimed = await rig.claim();
  t.same(claimed.map(text), ['1', '3']);
  t.not(claimed[0]?.lane, claimed[1]?.lane);
  await rig.store.settle('province', [
    { n: claimed[0]!.n, outcome: 'retry', code: 'PLT-1304', retryAtMs: Date.now() + 60_000 },
  ]);
  t.same((await rig.claim()).map(text), [], 'the head of the lane blocks its lane');
  await rig.store.settle('province', [{ n: claimed[0]!.n, outcome: 'accepted' }]);
  t.same((await rig.claim()).map(text), ['2']);
});

t.test('a refused document holds itself and later versions of the same report only', async (t) => {
  const rig = await storeRig();
  t.teardown(rig.close);
  for (const m of ['a', 'b', 'c']) await rig.accept(m);
  await rig.map(1, record('R1', 1));
  await rig.map(2, record('R1', 2));
  await rig.map(3, record('R2', 1));
  await rig.render('R1v1', 'R1v2', 'R2v1');
  const [head] = await rig.claim();
  await rig.store.settle('province', [{ n: head!.n, outcome: 'refused', code: 'PLT-1305' }]);
  t.same((await rig.claim()).map(text), ['R2v1']);
  t.same(await rig.states(), { 1: 'quarantined', 2: 'waiting', 3: 'waiting' });
  t.match(await rig.store.problems(10), [{ code: 'PLT-1305', platform: 'province', count: 1, exampleSeq: 1 }]);
});

t.test('retraction: what was never attempted is cancelled and nothing is sent', async (t) => {
  const rig = await storeRig();
  t.teardown(rig.close);
  await rig.accept('a');
  await rig.accept('b');
  await rig.map(1, record('R1', 1));
  await rig.map(2, record('R1', 2, { action: 'retract' }));
  await rig.render('R1v1', 'retract');
  t.same(await rig.claim(), []);
  t.same(await rig.states(), { 1: 'absorbed', 2: 'absorbed' });
});

t.test('retraction: after an attempt of unknown outcome it takes the place of what it withdraws', async (t) => {
  const rig = await storeRig();
  t.teardown(rig.close);
  for (const m of ['a', 'b', 'c']) await rig.accept(m);
  await rig.map(1, record('R1', 1));
  await rig.map(2, record('R2', 1));
  await rig.render('R1v1', 'R2v1');
  const [head] = await rig.claim();
  await rig.map(3, record('R1', 2, { action: 'retract' }));
  await rig.render('retract');
  t.same(await rig.claim(), [], 'the lane waits for the answer that is still out');
  await rig.store.settle('province', [{ n: head!.n, outcome: 'retry', code: 'NET-1006', retryAtMs: 0 }]);
  const [next] = await rig.claim();
  t.same([next?.operation, text(next)], ['retract', 'retract'], 'the wrong document is never sent again');
  await rig.store.settle('province', [{ n: next!.n, outcome: 'accepted' }]);
  t.same((await rig.claim()).map(text), ['R2v1']);
  t.same(await rig.states(), { 1: 'absorbed', 2: 'waiting', 3: 'delivered' });
});

t.test('retraction: after delivery it is sent, and a later report is published anew', async (t) => {
  const rig = await storeRig();
  t.teardown(rig.close);
  for (const m of ['a', 'b', 'c', 'd']) await rig.accept(m);
  const operations: string[] = [];
  for (const [seq, action] of [
    [1, 'publish'],
    [2, 'publish'],
    [3, 'retract'],
    [4, 'publish'],
  ] as const) {
    await rig.map(seq, record('R1', seq, { action }));
    await rig.render(`v${seq}`);
    const [doc] = await rig.claim();
    operations.push(doc!.operation);
    await rig.store.settle('province', [{ n: doc!.n, outcome: 'accepted' }]);
  }
  t.same(operations, ['publish', 'replace', 'retract', 'publish']);
});

/** One report's life at the platform: P publish, S send and accept, U send with unknown outcome, R refuse, W withdraw. */
async function life(rig: Awaited<ReturnType<typeof storeRig>>, steps: string): Promise<string[]> {
  const sent: string[] = [];
  let seq = 0;
  for (const step of steps) {
    if (step === 'P' || step === 'W') {
      seq += 1;
      await rig.accept(`m${seq}`);
      await rig.map(seq, record('R1', seq, { action: step === 'P' ? 'publish' : 'retract' }));
      await rig.render(`v${seq}`);
      continue;
    }
    const [doc] = await rig.claim();
    if (!doc) {
      sent.push('-');
      continue;
    }
    sent.push(`${doc.operation} ${text(doc)}`);
    const { n } = doc;
    await rig.store.settle('province', [
      step === 'S'
        ? { n, outcome: 'accepted' }
        : step === 'R'
          ? { n, outcome: 'refused', code: 'PLT-1305' }
          : { n, outcome: 'retry', code: 'NET-1006', retryAtMs: 0 },
    ]);
  }
  return sent;
}

for (const [steps, expected, why] of [
  ['PSWUPWS', ['publish v1', 'retract v2', 'retract v2'], 'an open retraction is not cancelled by the next one'],
  ['PUWPSWS', ['publish v1', 'retract v2', '-'], 'and what came after it was never sent'],
  ['PURWS', ['publish v1', 'publish v1', 'retract v2'], 'a refusal after an unknown outcome leaves the first open'],
  ['PRWPS', ['publish v1', 'publish v3'], 'refused, withdrawn, issued anew: the platform never had it'],
  ['PSPWS', ['publish v1', 'retract v3'], 'an unsent correction goes, the published one is withdrawn'],
  ['PSWSWS', ['publish v1', 'retract v2', '-'], 'withdrawn twice is withdrawn once'],
] as const) {
  t.test(`retraction, ${steps}: ${why}`, async (t) => {
    const rig = await storeRig();
    t.teardown(rig.close);
    t.same(await life(rig, steps), expected);
  });
}

t.test('a refusal in the second stage does not hold the withdrawal behind it', async (t) => {
  const rig = await storeRig();
  t.teardown(rig.close);
  t.same(await life(rig, 'PS'), ['publish v1']);
  await rig.accept('two');
  await rig.map(2, record('R1', 2));
  await rig.render('v2');
  const [second] = await rig.claim();
  await rig.store.settle('province', [{ n: second!.n, outcome: 'received', retryAtMs: 0 }]);
  await rig.accept('three');
  await rig.map(3, record('R1', 3, { action: 'retract' }));
  await rig.render('v3');
  await rig.claim();
  await rig.store.settle('province', [{ n: second!.n, outcome: 'refused', code: 'PLT-1305' }]);
  t.same((await rig.claim()).map(text), ['v3']);
});

t.test(
  'what is withdrawn is not sent from the moment it is known, also when the retraction cannot be rendered yet',
  async (t) => {
    const rig = await storeRig();
    t.teardown(rig.close);
    await rig.accept('one');
    await rig.accept('two');
    await rig.map(1, record('R1', 1));
    await rig.render('wrong patient');
    const [doc] = await rig.claim();
    await rig.map(2, record('R1', 2, { action: 'retract' }));
    t.same(await rig.store.withdrawn([doc!.n]), [doc!.n]);
    await rig.store.settle('province', [{ n: doc!.n, outcome: 'retry', code: 'NET-1006', retryAtMs: 0 }]);
    t.same(await rig.claim(), []);
    await rig.render('retraction');
    t.same((await rig.claim()).map(text), ['retraction'], 'it was attempted, so its retraction goes out');
  },
);

t.test('a received document that the platform lost and that was withdrawn meanwhile is not sent again', async (t) => {
  const rig = await storeRig();
  t.teardown(rig.close);
  await rig.accept('one');
  await rig.accept('two');
  await rig.map(1, record('R1', 1));
  await rig.render('wrong patient');
  const [doc] = await rig.claim();
  await rig.store.settle('province', [{ n: doc!.n, outcome: 'received', retryAtMs: 0 }]);
  await rig.map(2, record('R1', 2, { action: 'retract' }));
  await rig.render('retraction');
  await rig.claim();
  await rig.store.settle('province', [{ n: doc!.n, outcome: 'retry', code: 'PLT-1311', retryAtMs: 0 }]);
  t.same((await rig.claim()).map(text), ['retraction']);
});

t.test('an odd number in a verdict harms nothing', async (t) => {
  const rig = await storeRig();
  t.teardown(rig.close);
  await rig.accept('one');
  await rig.map(1, record('R1', 1));
  await rig.render('v1');
  const [doc] = await rig.claim();
  await rig.store.settle('province', [{ n: doc!.n, outcome: 'retry', code: 'PLT-1303', retryAtMs: Date.now() - 0.5 }]);
  await t.rejects(
    rig.store.settle('province', [{ n: doc!.n, outcome: 'retry', code: 'PLT-1303', retryAtMs: Number.NaN }]),
    { code: 'MAP-3013' },
  );
  t.same(rig.fatal, []);
  t.match(await rig.accept('two'), { outcome: 'stored' });
});

t.test('a platform that joins later starts with what comes from now on', async (t) => {
  const rig = await storeRig();
  await rig.accept('one');
  await rig.map(1, record('R1', 1));
  await rig.close();
  const again = await storeRig(rig.folder, { platforms: ['province', 'city'] });
  t.teardown(again.close);
  t.equal([...again.view.journal('city', 10)].length, 0);
  t.equal([...again.view.journal('province', 10)].length, 1);
});

t.test('a database that vanished is told, not silently begun anew', async (t) => {
  const rig = await storeRig();
  await rig.accept('one');
  await rig.close();
  const { truncateSync } = await import('node:fs');
  truncateSync(join(rig.options.folder, 'qianzhi.db'), 0);
  const again = await storeRig(rig.folder);
  t.teardown(again.close);
  t.match(again.store.state().notices, [{ code: 'QUE-4009' }]);
});

t.test('a damaged page of documents is set aside and named, and the others are delivered', async (t) => {
  const rig = await storeRig();
  for (let i = 1; i <= 30; i++) {
    await rig.accept(`m${i}`);
    await rig.map(i, record(`R${i}`, 1, { patient: `P${i}` }));
  }
  for (let left = 30; left > 0; )
    left -= await rig.render(...Array.from({ length: left }, () => randomBytes(900).toString('hex')));
  await rig.close();
  const db = new DatabaseSync(join(rig.options.folder, 'qianzhi.db'));
  const { rootpage } = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name='document'").get() as {
    rootpage: number;
  };
  const { pageno } = (db
    .prepare("SELECT pageno FROM dbstat WHERE name='document' AND pagetype='leaf' AND pageno<>? LIMIT 1")
    .get(rootpage) ?? { pageno: rootpage }) as { pageno: number };
  db.close();
  const { openSync, writeSync, closeSync } = await import('node:fs');
  const file = openSync(join(rig.options.folder, 'qianzhi.db'), 'r+');
  writeSync(file, Buffer.alloc(64, 0xff), 0, 64, (pageno - 1) * 4096);
  closeSync(file);
  const again = await storeRig(rig.folder);
  t.teardown(again.close);
  const delivered = await again.claim();
  t.ok(delivered.length > 0 && delivered.length < 30, `${delivered.length} of 30 could be read`);
  t.match(await again.store.problems(10), [{ code: 'QUE-4003', platform: 'province', count: 30 - delivered.length }]);
});

t.test('received is not accepted: the books stay open and the platform is asked', async (t) => {
  const rig = await storeRig();
  t.teardown(rig.close);
  await rig.accept('a');
  await rig.map(1, record('R1', 1));
  await rig.render('x');
  const [doc] = await rig.claim();
  await rig.store.settle('province', [{ n: doc!.n, outcome: 'received', retryAtMs: 0 }]);
  t.same(await rig.states(), { 1: 'waiting' });
  const [asked] = await rig.claim();
  t.match(asked, { received: true, attempt: 1 });
  await rig.store.settle('province', [{ n: doc!.n, outcome: 'accepted' }]);
  t.same(await rig.states(), { 1: 'delivered' });
});

t.test('an interim waits and is absorbed by the final that replaces it', async (t) => {
  const rig = await storeRig();
  t.teardown(rig.close);
  await rig.accept('a');
  await rig.accept('b');
  await rig.map(1, { kind: 'waiting', code: 'MAP-3014', reportKey: 'R1' });
  t.same(await rig.states(), { 1: 'waiting', 2: 'unmapped' });
  await rig.map(2, record('R1', 1, { absorbs: ['1:0'] }));
  t.same(await rig.states(), { 1: 'absorbed', 2: 'waiting' });
});

t.test('a withdrawal of what was never published ends the waiting of its interim', async (t) => {
  const rig = await storeRig();
  t.teardown(rig.close);
  await rig.accept('a');
  await rig.accept('b');
  await rig.map(1, { kind: 'waiting', code: 'MAP-3014', reportKey: 'R1' });
  await rig.map(2, { kind: 'absorbed', reason: 'nothing-published', absorbs: ['1:0'] });
  t.same(await rig.states(), { 1: 'absorbed', 2: 'absorbed' });
});

t.test('a document held for a missing code is overtaken by a later version', async (t) => {
  const rig = await storeRig();
  t.teardown(rig.close);
  await rig.accept('a');
  await rig.accept('b');
  await rig.map(1, record('R1', 1));
  await rig.render({ held: 'MAP-3009' });
  t.same(await rig.states(), { 1: 'quarantined', 2: 'unmapped' });
  t.match(await rig.store.problems(10), [{ code: 'MAP-3009', platform: 'province', where: 'specimen', count: 1 }]);
  await rig.map(2, record('R1', 2));
  await rig.render('v2');
  t.same(await rig.states(), { 1: 'absorbed', 2: 'waiting' });
});

t.test('the balance always equals what came in', async (t) => {
  const rig = await storeRig();
  t.teardown(rig.close);
  for (let i = 1; i <= 6; i++) await rig.accept(`m${i}`);
  await rig.map(1, record('R1', 1));
  await rig.map(2, { kind: 'filtered', rule: 'type' });
  await rig.map(3, { kind: 'quarantined', code: 'MAP-3005', where: 'PV1-2' });
  await rig.map(4, record('R2', 1), { kind: 'quarantined', code: 'MAP-3008', where: 'OBR-20' });
  await rig.map(5, record('R3', 1), record('R4', 1));
  await rig.render('1', '2', { filtered: 'source' }, '4');
  const { today, receivedToday } = await rig.store.figures(Date.now());
  t.equal(receivedToday[0]?.count, 6);
  const sum = today.reduce((n, r) => n + r.count, 0);
  t.equal(sum, 5, 'five are mapped, one is still in the inbox');
  t.same(await rig.states(), {
    1: 'waiting',
    2: 'filtered',
    3: 'quarantined',
    4: 'quarantined',
    5: 'waiting',
    6: 'unmapped',
  });
});

t.test('a second process is refused; the data folder is free again after close', async (t) => {
  const rig = await storeRig();
  await t.rejects(storeRig(rig.folder), { code: 'QUE-4005' });
  await rig.close();
  await (await storeRig(rig.folder)).close();
});

t.test('a store without its key, or with another, is left untouched', async (t) => {
  const rig = await storeRig();
  await rig.accept('secret');
  await rig.close();
  const files = () => readdirSync(rig.options.folder).filter((f) => f !== 'lock.db');
  const before = files();
  await t.rejects(storeRig(rig.folder, { keyReference: `file:${join(rig.folder, 'nowhere')}` }), { code: 'QUE-4004' });
  t.notOk(readdirSync(rig.folder).includes('nowhere'), 'no other key is made');
  const other = await storeRig();
  await other.close();
  await t.rejects(storeRig(rig.folder, { keyReference: other.options.keyReference }), { code: 'QUE-4004' });
  t.same(files(), before);
  const again = await storeRig(rig.folder);
  t.teardown(again.close);
  t.equal([...again.view.inbox(0, 10)].length, 1);
});

t.test('what the demo made is refused in real operation', async (t) => {
  const rig = await storeRig(undefined, { demo: true });
  await rig.close();
  await t.rejects(storeRig(rig.folder), { code: 'CFG-5007' });
});

t.test('a body that was tampered with is named, and its neighbours are read', async (t) => {
  const rig = await storeRig();
  for (const m of ['one', 'two', 'three']) await rig.accept(m);
  await rig.close();
  const db = new DatabaseSync(join(rig.options.folder, 'qianzhi.db'));
  db.exec('UPDATE body SET sealed = (SELECT sealed FROM body WHERE seq=1) WHERE seq=2');
  db.close();
  const again = await storeRig(rig.folder);
  t.teardown(again.close);
  const inbox = [...again.view.inbox(0, 10)];
  t.same(
    inbox.map((m) => ('damaged' in m ? m.damaged : 'ok')),
    ['ok', 'QUE-4003', 'ok'],
  );
});

t.test('a lost tail is noticed, and its numbers are not given out again', async (t) => {
  const rig = await storeRig();
  for (const m of ['one', 'two', 'three']) await rig.accept(m);
  await rig.close();
  const db = new DatabaseSync(join(rig.options.folder, 'qianzhi.db'));
  db.exec('DELETE FROM message WHERE seq=3; DELETE FROM body WHERE seq=3; DELETE FROM retransmission WHERE seq=3');
  db.close();
  const again = await storeRig(rig.folder);
  t.teardown(again.close);
  t.match(again.store.state().notices, [{ code: 'QUE-4006', first: 3, last: 3 }]);
  t.match(await again.accept('three'), { seq: 4, outcome: 'stored' });
});

t.test('a database that cannot be opened is moved aside unchanged and the agent goes on', async (t) => {
  const rig = await storeRig();
  await rig.accept('one');
  await rig.close();
  const path = join(rig.options.folder, 'qianzhi.db');
  const { writeFileSync } = await import('node:fs');
  writeFileSync(path, 'this is not a database'.repeat(500));
  const again = await storeRig(rig.folder);
  t.teardown(again.close);
  t.match(again.store.state().notices, [{ code: 'QUE-4009' }]);
  const aside = readdirSync(rig.options.folder).find((f) => f.startsWith('damaged-'));
  t.ok(aside);
  t.match(readFileSync(join(rig.options.folder, aside!, 'qianzhi.db'), 'utf8'), /^this is not a database/);
  t.match(await again.accept('one'), { outcome: 'stored' });
});

t.test('no patient value can be read in any file of the store, in any charset', async (t) => {
  const rig = await storeRig();
  const canaries = ['珅玘金丝雀', '999999199001011231', 'CANARY-VISIT-77', '13900001111', 'CTRL-CANARY-9'];
  const message = canaries.join('|');
  await rig.accept(message, 'lis', 'CTRL-CANARY-9');
  await rig.accept('x'.repeat(5000) + message);
  const { phi } = await import('../../../agent/support/phi.ts');
  await rig.view.commitMapping({
    messages: [
      {
        seq: 1,
        type: 'ORU^R01',
        parts: [record(`lis ${canaries[2]}`, 1, { patient: canaries[1], text: message })],
        lookups: canaries.map((value) => ({ kind: 'name' as const, value: phi(value) })),
      },
    ],
    reports: [],
    through: 1,
  });
  await rig.render(`<name>${message}</name>`);
  const [doc] = await rig.claim();
  await rig.store.settle('province', [{ n: doc!.n, outcome: 'accepted', receipt: canaries[2] }]);
  const scan = () => {
    for (const file of readdirSync(rig.options.folder)) {
      const bytes = readFileSync(join(rig.options.folder, file));
      for (const canary of canaries) {
        for (const charset of ['utf8', 'gb18030', 'utf16le', 'utf16be']) {
          if (bytes.includes(iconv.encode(canary, charset))) t.fail(`${charset} canary in ${file}`);
        }
      }
    }
  };
  scan();
  t.ok(statSync(join(rig.options.folder, 'qianzhi.db-wal')).size > 0, 'the WAL was there to be scanned');
  await rig.close();
  scan();
});
