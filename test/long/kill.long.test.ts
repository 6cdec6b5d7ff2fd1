import t from 'tap';
import { makeRandom } from '../demo/people.ts';
import { chooseSeed } from '../faults/seed.ts';
import { countAccepted, settleAccount } from './account.ts';
import { startDemoProcess } from './demo-process.ts';
import { quantile, spread, table, tried } from './figures.ts';
import { startLoad } from './load.ts';
import { machineTicks, processAgeMs } from './process-figures.ts';

const proof = process.env.QIANZHI_PROOF === '1';
const kills = proof ? 50 : 5;
const connections = 16;
const patients = 200;
const readyLimitMs = 30_000;
const drainLimitMs = proof ? 600_000 : 120_000;
/** Load between kills, all connections together; around each kill they send as fast as they are answered. */
const messagesPerSecond = proof ? 100 : 60;
/** Issue 2: ready again within a second. Asserted in the proof only; a busy machine must not fail a build. */
const readyAgainMs = 1_000;
t.setTimeout(proof ? 1_500_000 : 600_000);

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, Math.max(0, ms)));

/**
 * How long after its ready line the agent is killed. The demo's keeper waits before it starts an agent again
 * that died within 5 s of its start for the second time in a row, as any service manager does; so young and
 * old deaths alternate, and no wait of the keeper is in the figures.
 */
const killAfterMs = (kill: number, random: () => number): number =>
  kill % 2 === 0 ? 20 + random() * 2_500 : 5_100 + random() * 2_500;

t.test(`kill -9 ${kills} times under load: nothing acknowledged is lost, doubled or out of order`, async (t) => {
  const seed = chooseSeed();
  const random = makeRandom(seed);
  const demo = startDemoProcess(t.testdir());
  t.teardown(() => demo.stop());
  const { line } = await demo.readyTimes(1, readyLimitMs);

  let burst = false;
  let killedMs = Number.POSITIVE_INFINITY;
  let answeredMs: number | undefined;
  const load = startLoad({
    ...line.mllp,
    connections,
    patients,
    seed,
    corrections: 0.35,
    pauseMs: () => (burst ? 0 : (connections * 1000) / messagesPerSecond),
    onAcknowledged(failedBefore) {
      // A message whose sending had failed before can only have been acknowledged by the agent started since.
      if (failedBefore > 0 && performance.now() > killedMs) answeredMs ??= performance.now();
    },
  });

  const toAnswer: number[] = [];
  /** Of those, with the machine to ourselves: a host that takes processors away for seconds is in all the others. */
  const undisturbed: number[] = [];
  const toReady: number[] = [];
  const startToReady: number[] = [];
  for (let kill = 0; kill < kills; kill++) {
    const { line: running, atMs } = demo.ready.at(-1)!;
    const dueMs = atMs + killAfterMs(kill, random);
    const burstMs = dueMs - (100 + random() * 500);
    // The line falls and comes back in turn, at any moment between two kills.
    const turnMs = performance.now() + random() * Math.max(0, dueMs - performance.now());
    await sleep(turnMs - performance.now());
    demo.tell(kill % 2 === 0 ? 'platform down' : 'platform up');
    await sleep(burstMs - performance.now());
    burst = true;
    await sleep(dueMs - performance.now());

    answeredMs = undefined;
    const before = machineTicks();
    killedMs = performance.now();
    process.kill(running.agentPid, 'SIGKILL');
    const again = await demo.readyTimes(kill + 2, readyLimitMs);
    const age = processAgeMs(again.line.agentPid);
    toReady.push(again.atMs - killedMs);
    if (age !== undefined) startToReady.push(age - (performance.now() - again.atMs));
    while (answeredMs === undefined && performance.now() - killedMs < readyLimitMs) await sleep(5);
    toAnswer.push((answeredMs ?? Number.POSITIVE_INFINITY) - killedMs);
    const after = machineTicks();
    if (after.taken - before.taken <= (after.all - before.all) * 0.05) undisturbed.push(toAnswer.at(-1) ?? 0);
    killedMs = Number.POSITIVE_INFINITY;
    burst = false;
  }

  await load.stop();
  demo.tell('platform up');
  const upMs = performance.now();
  while (countAccepted(line.received) < load.count() && performance.now() - upMs < drainLimitMs) await sleep(250);
  const drainedMs = performance.now() - upMs;
  // A document too many would come now.
  await sleep(1_000);

  // Before the account: nothing may be on its way any more, and the folder is removed when the test ends.
  t.equal(await demo.stop(), 0, 'everything ends cleanly');

  const account = settleAccount(line.received, load.acknowledged);
  t.same(account.missing, [], '0 acknowledged reports missing');
  t.same(account.strange, [], 'every document says what was sent');
  t.same(account.twice, [], '0 documents twice in effect');
  t.same(account.refused, [], 'the province refused nothing');
  t.same(account.disordered, [], '0 out of order within a patient');
  t.equal(account.documents, load.count(), 'as many documents as acknowledged versions');
  t.same([...load.refusals], [], 'every answer was AA');
  t.equal(demo.ready.length, kills + 1, 'the agent died only when it was killed');
  if (proof) t.ok(quantile(toAnswer, 1) <= readyAgainMs, `answers again within ${readyAgainMs} ms each time`);

  const corrections = load.acknowledged.flat().filter(({ version }) => version > 1).length;
  t.comment(
    tried(
      'kill -9 under load, province up and down',
      `${kills} kills, ${load.count()} messages`,
      account.missing.length + account.twice.length + account.disordered.length,
    ),
  );
  t.comment(
    table(`kill -9 under load: ${kills} kills, ${connections} connections, ${patients} patients, seed ${seed}`, [
      ['messages acknowledged', `${load.count()}, ${corrections} of them corrections`],
      ['sent again after a broken connection', load.repeated()],
      ['documents accepted', account.documents],
      ['delivered again under the same key', account.redelivered],
      [
        'missing · twice · out of order · refused',
        [account.missing, account.twice, account.disordered, account.refused].map((list) => list.length).join(' · '),
      ],
      ['kill to the first message answered again', spread(toAnswer)],
      ['  of those with under 5 % of the CPU taken by the host', undisturbed.length > 0 ? spread(undisturbed) : 'none'],
      ['kill to the ready line', spread(toReady)],
      ['of that: process start to the ready line', spread(startToReady)],
      ['last documents after the load stopped', `${(drainedMs / 1000).toFixed(1)} s`],
    ]),
  );
});
