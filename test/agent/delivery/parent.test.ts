import { join } from 'node:path';
import t, { type Test } from 'tap';
import { httpsConfig } from '../../../adapters/platforms/https/config.ts';
import { openHttps } from '../../../adapters/platforms/https/platform.ts';
import type { PlatformConnection } from '../../../agent/delivery/platform.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { createPki } from '../../platform/pki.ts';
import { startProvince } from '../../platform/province.ts';
import { document, quickRig, record } from '../store/rig.ts';
import { deliverTo, until } from './rig.ts';

t.setTimeout(600_000);

/** Real store, real adapter, and a province that wants a patient's encounter (C0001) before laboratory reports (C0007). */
async function wantsEncounters(t: Test, more: Partial<PlatformConnection> = {}) {
  const folder = t.testdir();
  const pki = createPki(join(folder, 'pki'));
  const province = await startProvince({
    folder: join(folder, 'province'),
    tls: { cert: pki.serverCert, key: pki.serverKey, ca: pki.ca },
    faults: { parent: { child: '^C0007$', parent: '^C0001$' } },
  });
  const settings = { url: province.url, tls: { ca: pki.ca, cert: pki.clientCert, key: pki.clientKey } };
  const context = { name: 'province', clock: systemClock, log: silentLog, agentId: 'agent-1' };
  const connection = { ...(await openHttps(context, httpsConfig.parse(settings))), ...more };
  const rig = await quickRig();
  // Longer than the test: only what is accepted, or a person, can end the wait.
  const delivery = deliverTo(connection, rig.store, { parent: { baseMs: 600_000, maxMs: 600_000 }, lingerMs: 1 });
  t.teardown(async () => {
    await delivery.stop();
    await connection.close();
    await province.stop();
    await rig.close();
  });
  let seq = 0;
  /** One record of the patient, rendered as a document of the type. */
  const say = async (report: string, type: string): Promise<void> => {
    await rig.accept(`m${++seq}`);
    await rig.map(seq, record(report, 1));
    const jseq = [...rig.view.journal('province', 10)].at(-1)?.jseq ?? 0;
    await rig.view.commitRendering('province', jseq, [{ jseq, rendered: { ...document(report), type } }], 0);
    delivery.wake();
  };
  const code = async (of: number) =>
    (await rig.store.messages(10)).find((m) => m.seq === of)?.states.map((s) => s.code)[0];
  return { rig, province, say, code };
}

t.test('a report waits for its encounter, blocks nothing, and goes out as soon as the encounter is in', async (t) => {
  const { rig, province, say, code } = await wantsEncounters(t);
  await say('R1', 'C0007');
  await until(async () => (await code(1)) === 'PLT-1309');
  t.same(await rig.states(), { 1: 'waiting' });
  t.equal(rig.view.unsent('province'), 1, 'it counts in the bound');
  await say('R2', 'C0036');
  await until(async () => (await rig.states())[2] === 'delivered');
  await say('R3', 'C0007');
  await until(async () => (await code(3)) === 'PLT-1309');
  t.same(await rig.states(), { 1: 'waiting', 2: 'delivered', 3: 'waiting' });
  await say('E1', 'C0001');
  await until(() => province.received().length === 4);
  t.same(
    province.received().map(({ type }) => type),
    ['C0036', 'C0001', 'C0007', 'C0007'],
  );
  await until(async () => Object.values(await rig.states()).every((s) => s === 'delivered'));
  t.equal(rig.view.unsent('province'), 0);
});

t.test('when no encounter comes within the time set, the report is held for a person', async (t) => {
  const { rig, say, code } = await wantsEncounters(t, { parentWaitMs: 0 });
  await say('R1', 'C0007');
  await until(async () => (await code(1)) === 'PLT-1309');
  // Something else of the patient is accepted: the report is tried again, and the time is over.
  await say('R2', 'C0036');
  await until(async () => (await rig.states())[1] === 'quarantined');
  t.match(await rig.store.problems(10), [{ code: 'PLT-1313', platform: 'province', count: 1, exampleSeq: 1 }]);
});
