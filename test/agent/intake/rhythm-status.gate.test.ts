import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import type { SourceRhythm } from '../../../agent/intake/rhythm/keeper.ts';
import type { StatusModel } from '../../../agent/status/model.ts';
import { composeStatus } from '../../../agent/status/verdict.ts';
import { eventually, folderOf, startAgentRig } from '../../faults/disk/agent-rig.ts';
import { healthyParts, night } from '../status/fixture.ts';
import { MINUTE, silentAt } from './rhythm-weeks.ts';

t.setTimeout(600_000);

const rhythm = silentAt(night);

t.test('a silent sender asks for attention on the side of the hospital, and no longer when it sends', async (t) => {
  const silent = composeStatus({ ...healthyParts(), rhythms: [rhythm] });
  t.match(silent.verdict, { level: 'attention', code: 'HL7-2120', sinceMs: night - 47 * MINUTE });
  t.match(silent.problems, [{ code: 'HL7-2120', level: 'attention', side: 'hospital', component: 'lis' }]);
  t.equal(silent.stations.find(({ id }) => id === 'hospital')?.level, 'attention');
  t.equal(silent.stations.find(({ id }) => id === 'intake')?.level, 'ok');
  const sends = composeStatus({ ...healthyParts(), rhythms: [{ ...rhythm, silent: false }], previous: silent });
  t.same([sends.problems, sends.verdict.level], [[], 'ok']);
});

t.test('the agent learns from what its listener takes, and knows it after it was killed', async (t) => {
  const rig = await startAgentRig(t, { root: folderOf(t) });
  const known = async (): Promise<SourceRhythm | undefined> =>
    ((await rig.status()) as StatusModel | undefined)?.rhythms?.find(({ source }) => source === 'lis');
  rig.start();
  t.ok(await rig.ready());
  const socket = connect(rig.mllp.port, rig.mllp.host);
  socket.write('\x0bMSH|^~\\&|LIS|H|QZ|H|20260105100000||ADT^A08|R1|P|2.4\rPID|1||P1\r\x1c\r');
  await new Promise((resolve) => socket.once('data', resolve));
  socket.destroy();
  t.ok(await eventually(async () => (await known())?.types[0]?.type === 'ADT^A08'), 'the message was seen');
  const before = await known();
  t.match(before, { silent: false, types: [{ type: 'ADT^A08', count: 1 }] });
  t.equal(before?.usualMs, undefined, 'nothing is learned yet');

  rig.kill();
  t.ok(await eventually(() => rig.starts() === 2));
  t.ok(await eventually(async () => (await known()) !== undefined));
  t.match(await known(), { lastMs: before?.lastMs, types: [{ type: 'ADT^A08', count: 1 }] });
  t.notOk(
    rig.log().some(({ msg }) => String(msg).startsWith('rhythm-')),
    `nothing to complain of in ${join(rig.root, 'agent.log')}`,
  );
});
