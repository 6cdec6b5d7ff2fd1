import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import type { ReadyLine } from './launcher.ts';
import { makeMllpClient } from './mllp-client.ts';
import { bodies, demoFolder, isAlive, isOpen, runDemo, until } from './running.ts';
import { playScenes } from './script.ts';
import { encodeScene } from './traffic.ts';

// Starts whole processes, several times: on a busy machine that takes its time.
t.setTimeout(600_000);

async function send(
  t: { equal(found: unknown, wanted: unknown): boolean },
  { mllp }: ReadyLine,
  count: number,
  startMs: number,
): Promise<void> {
  const client = makeMllpClient(mllp);
  let left = count;
  for (const scene of playScenes(startMs)) {
    if (left === 0) break;
    if (scene.kind !== 'final') continue;
    t.equal(await client.send(encodeScene(scene), scene.controlId), 'AA');
    left--;
  }
  client.close();
}

t.test('for machines: one ready line, documents in the folder, restarts, the line cut and restored', async (t) => {
  t.setTimeout(600_000);
  const folder = demoFolder(t);
  const running = runDemo(t, folder, '--no-traffic', '--platform-down');
  const ready = await running.next();
  t.match(ready, {
    ready: true,
    mllp: { host: '127.0.0.1', port: Number },
    status: /^http:\/\/127\.0\.0\.1:\d+/,
    platform: /^https:\/\/localhost:\d+$/,
    received: String,
    data: String,
    agentPid: Number,
  });
  t.same(Object.keys(ready), ['ready', 'mllp', 'status', 'platform', 'received', 'data', 'agentPid']);
  t.ok(isAlive(ready.agentPid));
  t.equal((await fetch(new URL('/livez', ready.status))).status, 200);
  t.equal(await isOpen(ready.platform), false, 'the province is down at first');
  await send(t, ready, 3, Date.now());
  t.equal(bodies(ready.received).length, 0);

  process.kill(ready.agentPid, 'SIGKILL');
  const again = await running.next();
  t.not(again.agentPid, ready.agentPid);
  t.same({ ...again, agentPid: 0 }, { ...ready, agentPid: 0 }, 'the same ports and folders');

  running.tell('platform up');
  t.ok(await until(() => bodies(ready.received).length === 3), 'what was acknowledged before the kill arrives');
  for (const body of bodies(ready.received)) {
    t.match(readFileSync(`${ready.received}/${body}`, 'utf8'), /<ClinicalDocument/);
    t.match(JSON.parse(readFileSync(`${ready.received}/${body}.json`, 'utf8')), { operation: 'publish', attempt: 1 });
  }
  running.tell('platform down');
  t.ok(await until(async () => !(await isOpen(ready.platform))));

  running.child.stdin!.end();
  t.same(await running.exit, [0, null]);
  t.equal(isAlive(again.agentPid), false, 'no process is left behind');

  await t.test('started again on the same folder it goes on from where it was', async (t) => {
    const second = runDemo(t, folder, '--no-traffic');
    const after = await second.next();
    t.same(after.mllp, ready.mllp);
    await send(t, after, 1, Date.now() + 60_000);
    t.ok(await until(() => bodies(after.received).length === 4));
    t.same(
      readdirSync(after.received)
        .filter((name) => name.endsWith('.json'))
        .map((name) => JSON.parse(readFileSync(`${after.received}/${name}`, 'utf8')).n)
        .sort(),
      [1, 2, 3, 4],
    );
    second.child.kill('SIGTERM');
    t.same(await second.exit, [0, null]);
  });
});

t.test('plays the hospital: documents arrive; a launcher killed outright leaves no process behind', async (t) => {
  t.setTimeout(600_000);
  const running = runDemo(t, demoFolder(t));
  const ready = await running.next();
  t.ok(await until(() => bodies(ready.received).length >= 3));
  running.child.kill('SIGKILL');
  t.ok(await until(() => !isAlive(ready.agentPid)));
  t.ok(await until(async () => !(await isOpen(ready.platform))));
});
