import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { oru } from '../damage/history.ts';
import { type AgentRig, cannotMount, eventually, folderOf, mountDisk, startAgentRig } from './agent-rig.ts';
import { type Laboratory, missing, startLaboratory } from './laboratory.ts';

/** Invariant 7 on a disk of 200 MB that is really full. Root only: a file system is mounted. */
const skip = cannotMount();
t.setTimeout(600_000);
const MB = 1024 * 1024;

/** The whole answer to one message. */
async function answerTo(rig: AgentRig, report: number): Promise<string> {
  const socket = connect(rig.mllp);
  await once(socket, 'connect');
  socket.write(`\x0b${oru({ report })}\x1c\r`);
  let text = '';
  for await (const chunk of socket) {
    text += String(chunk);
    if (text.includes('\x1c\r')) break;
  }
  socket.destroy();
  return text;
}

const modeIs = (rig: AgentRig, mode: string) => eventually(async () => (await rig.status())?.store.mode === mode);
const shows = (rig: AgentRig, code: string) =>
  eventually(async () => (await rig.status())?.problems.some((p) => p.code === code) ?? false);

/** Every message has one state, and it is delivered; the sums of the day say the same. */
async function booksAreRight(t: Test, rig: AgentRig, lab: Laboratory): Promise<void> {
  t.ok(await eventually(() => missing(lab).length === 0, 40_000), `${missing(lab).length} acknowledged are missing`);
  const settled = async () => {
    const status = await rig.status();
    const rows = status?.store.today ?? [];
    const received = status?.store.receivedToday.reduce((n, r) => n + r.count, 0) ?? 0;
    const delivered = rows.filter((r) => r.state === 'delivered').reduce((n, r) => n + r.count, 0);
    const all = rows.reduce((n, r) => n + r.count, 0);
    return received > 0 && received === all && all === delivered && received === lab.acked.size;
  };
  t.ok(await eventually(settled), 'the books: what came in was delivered, and the sums say so');
}

t.test('mapping stops at 4 %, intake at 2 %, deliveries never; all comes back with the space', { skip }, async (t) => {
  const root = folderOf(t);
  const disk = mountDisk(t, join(root, 'disk'), 200);
  const rig = await startAgentRig(t, { root, data: join(disk.folder, 'data') });
  const lab = startLaboratory(rig);
  t.teardown(lab.close);
  const ballast = join(rig.data, 'ballast');
  rig.start();
  t.ok(await rig.ready());
  for (let report = 1; report <= 5; report++) await lab.send(report);
  t.ok(await eventually(() => missing(lab).length === 0));
  t.ok(existsSync(ballast), 'the ballast lies there');

  await rig.province.down();
  for (let report = 10; report < 20; report++) await lab.send(report);
  t.ok(await eventually(async () => (await rig.status())?.platforms[0]?.unsent === 10), '10 documents wait');

  disk.leave(6 * MB);
  t.ok(await modeIs(rig, 'mapping-stopped'));
  t.ok(await shows(rig, 'QUE-4001'));
  for (let report = 20; report < 25; report++) t.equal(await lab.send(report), 'AA', 'receiving goes on');

  disk.leave(2 * MB);
  t.ok(await modeIs(rig, 'intake-stopped'));
  t.ok(await shows(rig, 'QUE-4002'));
  const answer = await answerTo(rig, 30);
  t.match(answer, /\rMSA\|AE\|/, 'an error that the sender answers by sending again');
  t.match(answer, /QUE-4002/, 'with its code');
  t.equal(lab.delivered().size, 5);

  disk.leave(0);
  t.equal(disk.freeBytes(), 0);
  await rig.province.up();
  t.ok(
    await eventually(() => [10, 11, 12, 13, 14, 15, 16, 17, 18, 19].every((r) => lab.delivered().has(r)), 60_000),
    'what was made is delivered on a disk without a free byte',
  );
  t.ok(await eventually(async () => (await rig.status())?.platforms[0]?.unsent === 0), 'and marked as such');
  t.equal(existsSync(ballast), false, 'the ballast was given up for it');
  t.match(await answerTo(rig, 31), /\rMSA\|AE\|/, 'the room that the ballast leaves is not for new messages');

  disk.leave(190 * MB);
  t.ok(await modeIs(rig, 'normal'), 'it recovers by itself');
  t.ok(await eventually(async () => (await lab.send(30)) === 'AA'));
  t.ok(await eventually(() => existsSync(ballast)), 'the ballast is made again');
  await booksAreRight(t, rig, lab);
  t.equal(rig.deaths.length, 0, 'one process through all of it');
});

t.test('a disk that fills up under load', { skip }, async (t) => {
  const root = folderOf(t);
  const disk = mountDisk(t, join(root, 'disk'), 200);
  const rig = await startAgentRig(t, { root, data: join(disk.folder, 'data') });
  const lab = startLaboratory(rig);
  t.teardown(lab.close);
  rig.start();
  t.ok(await rig.ready());
  const load = lab.load(1, 8, 40, 40);
  for (let round = 0; round < (process.env.QIANZHI_PROOF === '1' ? 5 : 1); round++) {
    for (let free = 40; free >= 0; free -= 4) {
      disk.leave(free * MB);
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    t.ok(await eventually(() => (lab.answers.get('AE') ?? 0) > 0), 'full: AE');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    disk.leave(190 * MB);
    const before = lab.acked.size;
    lab.answers.clear();
    t.ok(await eventually(() => lab.acked.size > before + 8), 'and it goes on');
  }
  await load.stop();
  await booksAreRight(t, rig, lab);
  t.comment(`${lab.acked.size} acknowledged, ${missing(lab).length} missing, ${rig.deaths.length} processes ended`);
});

t.test('a disk that is full from the very start', { skip }, async (t) => {
  const root = folderOf(t);
  const disk = mountDisk(t, join(root, 'disk'), 200);
  const rig = await startAgentRig(t, { root, data: join(disk.folder, 'data') });
  const lab = startLaboratory(rig);
  t.teardown(lab.close);
  disk.leave(0);
  rig.start();
  t.ok(await eventually(() => rig.deaths.length > 1));
  for (const { code, said } of rig.deaths) {
    t.equal(code, 73);
    t.match(said, /QUE-400[27]/);
  }
  disk.leave(190 * MB);
  t.ok(await rig.ready(), 'with space it starts by itself');
  t.equal(await lab.send(1), 'AA');
  await booksAreRight(t, rig, lab);

  // Full when it stops, full when it starts: what waits is delivered all the same.
  await rig.province.down();
  for (let report = 2; report < 6; report++) await lab.send(report);
  t.ok(await eventually(async () => (await rig.status())?.platforms[0]?.unsent === 4));
  rig.kill();
  disk.leave(0);
  await rig.province.up();
  t.ok(await eventually(() => [2, 3, 4, 5].every((r) => lab.delivered().has(r)), 60_000));
  t.equal(await rig.ready(), true);
  disk.leave(190 * MB);
  t.ok(await eventually(async () => (await lab.send(7)) === 'AA'));
  await booksAreRight(t, rig, lab);
});
