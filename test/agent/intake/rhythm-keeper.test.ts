import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { startRhythmKeeper } from '../../../agent/intake/rhythm/keeper.ts';
import { migrations } from '../../../agent/store/sqlite/schema.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { imageRig } from '../images/rig.ts';
import { quickRig, record } from '../store/rig.ts';
import { at, clinic, HOUR, MINUTE, play } from './rhythm-weeks.ts';

t.setTimeout(600_000);

type StoreRig = Awaited<ReturnType<typeof quickRig>>;

/** Ten weeks of the clinic are known; it is Tuesday, 10:00. */
const tuesday = at(10, 1, 10);
const learned = JSON.stringify(play(clinic, { weeks: 10 }).rhythm);

/** A keeper of the store's two sources, and a clock of its own. */
function keeperOf(rig: StoreRig, startMs = tuesday, senders: Array<{ name: string; via: string }> = []) {
  let ms = startMs;
  let listens = true;
  let numbered = startMs;
  const clock = { now: () => ms, monotonic: () => ms };
  const keeper = startRhythmKeeper({
    store: rig.store,
    sources: [
      { name: 'lis', images: false, listens: () => listens },
      { name: 'his', images: false, listens: () => true },
      ...senders.map((sender) => ({ ...sender, images: false, listens: () => listens })),
    ],
    timeZone: 'Asia/Shanghai',
    clock,
    log: silentLog,
    changed() {},
  });
  const lis = () => keeper.current().find(({ source }) => source === 'lis');
  return {
    keeper,
    lis,
    deafen: () => {
      listens = false;
    },
    /** Goes on minute by minute. */
    async pass(minutes: number): Promise<void> {
      for (let i = 0; i < minutes; i++) {
        ms += MINUTE;
        await keeper.look();
      }
    },
    /** A message that came now, and what mapping made of it. */
    async sent(rule?: string): Promise<void> {
      const text = `message ${++numbered}`;
      const { seq } = await rig.store.accept({
        source: 'lis',
        bytes: Buffer.from(text),
        controlId: Buffer.from(text),
        receivedMs: ms,
      });
      await rig.map(seq, rule === undefined ? record(`R${seq}`, 1) : { kind: 'filtered', rule });
    },
  };
}

const knowing = async (rig: StoreRig): Promise<void> =>
  rig.store.keepRhythms({ after: { seq: 0, n: 0 }, states: [{ source: 'lis', state: learned }] });

t.test('what was learned is read at start; a silence is told, and ends with the next message', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  await knowing(rig);
  const one = keeperOf(rig);
  t.teardown(one.keeper.stop);
  t.same(one.keeper.current(), [], 'nothing is said before it was read');
  await one.pass(1);
  await one.sent();
  await one.pass(1);
  t.match(one.lis(), { silent: false, types: [{ type: 'ORU^R01', count: 1 }] });
  const usual = (one.lis()?.usualMs ?? 0) / MINUTE;
  t.ok(usual >= 2 && usual <= 4, `every ${usual.toFixed(1)} minutes at this hour`);
  await one.pass(20);
  t.match(one.lis(), { silent: false, quietMs: 21 * MINUTE });
  await one.pass(40);
  t.match(one.lis(), { silent: true, quietMs: 61 * MINUTE });
  await one.sent();
  one.keeper.received('lis');
  for (let i = 0; i < 100 && one.lis()?.silent; i++) await new Promise((resolve) => setTimeout(resolve, 100));
  t.match(one.lis(), { silent: false, quietMs: 0 }, 'seen without waiting for the minute');
});

t.test('a source of which a sender was told apart is not missed for what that sender sent', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  await knowing(rig);
  const senders = [{ name: 'ward', via: 'lis' }];
  const one = keeperOf(rig, tuesday, senders);
  await one.sent();
  await one.pass(61);
  t.match(one.lis(), { silent: false, known: false, quietMs: 61 * MINUTE, types: [{ type: 'ORU^R01', count: 1 }] });
  await one.keeper.stop();
  // Ten weeks on it knows what is left, and goes on knowing it.
  await knowing(rig);
  const later = keeperOf(rig, tuesday, senders);
  t.teardown(later.keeper.stop);
  await later.sent();
  await later.pass(61);
  t.match(later.lis(), { silent: true, known: true });
});

t.test('what a device sends to say that it is there is no message', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  await knowing(rig);
  const one = keeperOf(rig);
  t.teardown(one.keeper.stop);
  await one.sent();
  await one.pass(1);
  for (let i = 0; i < 60; i++) {
    await one.sent('heartbeat');
    await one.pass(1);
  }
  t.match(one.lis(), { silent: true, lastMs: tuesday });
  await one.sent('types');
  await one.pass(1);
  t.match(one.lis(), { silent: false }, 'what is filtered for another reason was sent all the same');
});

t.test('while nobody can reach us nobody is silent', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  await knowing(rig);
  const one = keeperOf(rig);
  t.teardown(one.keeper.stop);
  one.deafen();
  await one.pass(90);
  t.match(one.lis(), { silent: false, quietMs: JSON.parse(learned).quietMs });
});

t.test('killed, it knows after the restart what came until then, and counts nothing twice', async (t) => {
  const rig = await quickRig();
  await knowing(rig);
  const one = keeperOf(rig);
  await one.sent();
  await one.pass(1);
  await one.sent();
  await one.sent();
  // Ends without a word: what came since the last look is in the inbox only.
  await rig.close();
  const again = await quickRig(rig.folder);
  t.teardown(again.close);
  const two = keeperOf(again, tuesday + 5 * HOUR);
  t.teardown(two.keeper.stop);
  await two.keeper.look();
  t.match(two.lis(), { silent: false, lastMs: tuesday + MINUTE, types: [{ type: 'ORU^R01', count: 3 }] });
  await two.pass(3);
  t.match(two.lis(), { types: [{ count: 3 }], quietMs: 3 * MINUTE }, 'our absence is not its silence');
});

t.test('it is written at most once a minute, and when the agent ends', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  const kept: number[] = [];
  let ms = tuesday;
  const keeper = startRhythmKeeper({
    store: {
      ...rig.store,
      async keepRhythms(rhythms) {
        kept.push(ms - tuesday);
        await rig.store.keepRhythms(rhythms);
      },
    },
    sources: [{ name: 'lis', images: false, listens: () => true }],
    timeZone: 'Asia/Shanghai',
    clock: { now: () => ms, monotonic: () => ms },
    log: silentLog,
    changed() {},
  });
  for (let i = 0; i < 24; i++) {
    await keeper.look();
    ms += MINUTE / 6;
  }
  await keeper.stop();
  t.same(
    kept,
    [0, 1, 2, 3, 4].map((n) => n * MINUTE),
  );
  t.match((await rig.store.rhythms()).states, [{ source: 'lis', state: /"quietMs":240000/ }]);
});

t.test('a store that was used before begins now: nobody knows when nobody listened', async (t) => {
  const db = new DatabaseSync(':memory:');
  const at = migrations.findIndex((sql) => sql.includes('CREATE TABLE rhythm('));
  for (const sql of migrations.slice(0, at)) db.exec(sql);
  db.exec('INSERT INTO message(seq, source, received_ms, day, bytes) VALUES(41, 1, 1, 20260101, 1)');
  db.exec(migrations[at]!);
  t.same(
    db
      .prepare("SELECT stage, at FROM cursor WHERE stage LIKE 'rhythm-%' ORDER BY stage")
      .all()
      .map((row) => ({ ...row })),
    [
      { stage: 'rhythm-instances', at: 0 },
      { stage: 'rhythm-messages', at: 41 },
    ],
  );
});

t.test('messages that cannot be mapped for now were sent all the same', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  await knowing(rig);
  const one = keeperOf(rig);
  t.teardown(one.keeper.stop);
  await one.pass(1);
  await rig.store.accept({
    source: 'lis',
    bytes: Buffer.from('unmapped'),
    controlId: Buffer.from('U'),
    receivedMs: tuesday + MINUTE,
  });
  await one.pass(1);
  t.not(one.lis()?.lastMs, tuesday + MINUTE);
  await one.pass(1);
  t.equal(one.lis()?.lastMs, tuesday + MINUTE);
});

t.test('of a source of images the instances count, and not the manifests that we make of them', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  const keeper = startRhythmKeeper({
    store: rig.store,
    sources: [{ name: 'pacs', images: true, listens: () => true }],
    timeZone: 'Asia/Shanghai',
    clock: { now: rig.now, monotonic: rig.now },
    log: silentLog,
    changed() {},
  });
  t.teardown(keeper.stop);
  await keeper.look();
  t.equal(keeper.current()[0]?.lastMs, undefined);
  await rig.take({ uid: '1.2.3', receivedMs: rig.now() });
  const came = rig.now();
  rig.tick(MINUTE);
  const { seq } = await rig.store.accept({
    source: 'pacs',
    bytes: Buffer.from('manifest'),
    controlId: new Uint8Array(),
    receivedMs: rig.now(),
  });
  await rig.map(seq, record('S1', 1));
  await keeper.look();
  t.match(keeper.current(), [{ source: 'pacs', lastMs: came, types: [] }]);
});
