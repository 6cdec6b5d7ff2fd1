import t from 'tap';
import { until } from '../demo/running.ts';
import { playHospital, saidBy } from './hospital.ts';
import { readDocument } from './read-document.ts';
import { startRig } from './rig.ts';

t.setTimeout(600_000);

t.test('every result of a hospital arrives under the right patient, digit for digit', async (t) => {
  const rig = await startRig(t);
  const { scenes, documents } = await playHospital(rig, 80);
  t.ok(await until(() => rig.received().length >= documents), 'all arrive that should');
  const rows = await rig.settled(scenes.filter(({ kind }) => kind !== 'retransmission').length);
  const received = rig.received();
  t.equal(received.length, documents, 'and no other');

  // The scenes in the order sent, without those that have no document; versions follow in the same order.
  const wanted = scenes
    .filter(({ kind }) => !['interim', 'without-visit', 'unmapped-code', 'retransmission'].includes(kind))
    .map(saidBy);
  const left = [...received];
  for (const said of wanted) {
    const at = left.findIndex(({ sidecar }) => sidecar.report === said.report);
    const [document] = at < 0 ? [] : left.splice(at, 1);
    const found = document && readDocument(document.bytes);
    const shown = found?.rows.map((row) => row.slice(0, 6).map((cell) => (cell === '-' ? '' : cell)));
    t.same({ report: found?.reportNumber, name: found?.name, residentId: found?.residentId, rows: shown }, said);
  }
  const lanes = new Map<string, Set<string>>();
  for (const { sidecar, bytes } of received) {
    const { residentId } = readDocument(bytes);
    lanes.set(sidecar.lane, (lanes.get(sidecar.lane) ?? new Set()).add(residentId!));
  }
  t.ok(
    [...lanes.values()].every((people) => people.size === 1),
    'a lane is one person',
  );
  const held = scenes.filter(({ kind }) => kind === 'without-visit' || kind === 'unmapped-code').length;
  t.equal(rows.filter(({ states }) => states.some(({ state }) => state === 'quarantined')).length, held);
});
