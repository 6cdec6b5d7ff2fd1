import t from 'tap';
import { chemistry, gb18030, report, utf8, write } from './reports.ts';
import { startRig } from './rig.ts';

t.test('x', async (t) => {
  const t0 = Date.now();
  const rig = await startRig(t);
  console.error('ready', Date.now() - t0);
  const say = async (w: any) => console.error(w.controlId, await rig.client.send(w.bytes, w.controlId));
  const first = write(utf8, report('R1'));
  await say(first);
  const later = { reportedMs: report('R1').reportedMs + 60e3 };
  await say(write(utf8, report('R1', { ...later, status: 'C', results: chemistry('4.05') }), 'C2'));
  await say(first);
  await say(write(utf8, report('R2', { status: 'P' }), 'P1'));
  await say(write(utf8, report('R2', { ...later }), 'P2'));
  await say(write(gb18030, report('R1', { reportedMs: later.reportedMs + 60e3, status: 'X' }), 'X1'));
  await say(write(gb18030, report('R1', { reportedMs: later.reportedMs + 120e3, status: 'F' }), 'X2'));
  console.error(JSON.stringify((await new Promise((r) => setTimeout(r, 3000)), await rig.messages()), null, 1));
  for (const { sidecar, bytes } of rig.received())
    console.error(
      sidecar,
      bytes.toString().slice(0, sidecar.operation === 'retract' ? 9999 : sidecar.n == 1 ? 99999 : 0),
    );
  console.error(await rig.stop());
});
