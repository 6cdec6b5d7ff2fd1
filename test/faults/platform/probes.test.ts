import t from 'tap';
import { connectSender, startListener } from '../../adapters/sources/hl7-mllp/listener.ts';
import { until } from './case-run.ts';
import { resolveName } from './names.ts';
import { type Handed, type PlatformRig, platformRig } from './rig.ts';

/**
 * The probes that found the usual integration engine out, those of them that are about the platform
 * (reference/engines.md §8.5, numbers as there). Probes 4 and 5 are about receiving.
 */
t.setTimeout(600_000);
resolveName(true);
t.teardown(() => resolveName(false));

const states = async (rig: PlatformRig, handed: Handed[]): Promise<string[]> =>
  Promise.all(handed.map(async (one) => (await rig.stateOf(one)).state));
const all = (state: string) => (seen: string[]) => seen.every((one) => one === state);
const several = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => ({ report: `${name}-${i}`, patient: `${name}-${i}` }));

t.test('probe 1: mutual TLS, and the host name is checked', async (t) => {
  const rig = await platformRig(t);
  const good = await rig.hand(...several('good', 5));
  rig.wake();
  t.same(await until(() => states(rig, good), all('delivered')), Array(5).fill('delivered'));
  t.same(
    [...new Set(rig.province.received().map(({ clientCertificate }) => clientCertificate))],
    ['qianzhi-demo-agent'],
    'the platform saw our certificate',
  );

  const wire = rig.province.requests().length;
  await rig.renew({ server: 'wrong-name' });
  const kept = await rig.hand(...several('kept', 5));
  rig.wake();
  await until(
    () => rig.delivery().status(),
    ({ halted }) => halted === 'TLS-1202',
  );
  t.equal(rig.delivery().status().halted, 'TLS-1202');
  t.equal(rig.province.requests().length, wire, 'a server of another name got no request at all');
  t.same(await states(rig, kept), Array(5).fill('waiting'));
  await rig.renew({});
  t.same(await until(() => states(rig, kept), all('delivered')), Array(5).fill('delivered'));
});

t.test('probe 2: a 302 never counts as sent', async (t) => {
  const rig = await platformRig(t);
  rig.province.setFault({ documents: { answer: { mode: 'redirect' } } });
  const handed = await rig.hand(...several('redirected', 10));
  rig.wake();
  await until(
    () => rig.calls.filter(({ result }) => result === 'PLT-1306').length,
    (count) => count >= 3,
  );
  t.same(await states(rig, handed), Array(10).fill('waiting'));
  t.equal(rig.province.received().length, 0);
  t.equal((await rig.store.figures(Date.now())).platforms[0]?.unsent, 10);
  rig.province.setFault();
  t.same(await until(() => states(rig, handed), all('delivered')), Array(10).fill('delivered'));
  t.equal(rig.province.received().length, 10);
});

t.test('probe 3: HTTP 400 for the first does not block the nineteen behind it', async (t) => {
  const rig = await platformRig(t);
  rig.province.setFault({ poison: '^head$', poisonStatus: 400 });
  const [head, ...behind] = await rig.hand({ report: 'head', patient: 'head' }, ...several('behind', 19));
  rig.wake();
  t.same(await until(() => states(rig, behind), all('delivered')), Array(19).fill('delivered'));
  const seen = await until(
    () => rig.stateOf(head!),
    ({ state }) => state === 'quarantined',
  );
  t.same(seen, { state: 'quarantined', code: 'PLT-1305' }, 'the head is held for a person, with a code');
  const calls = rig.calls.length;
  const next = await rig.hand(...several('next', 5));
  rig.wake();
  t.same(await until(() => states(rig, next), all('delivered')), Array(5).fill('delivered'));
  t.ok(
    rig.calls.slice(calls).every(({ keys }) => !keys.has('head')),
    'and is not tried for ever',
  );
});

t.test('probe 6: the platform is down after AA; what was acknowledged is sent by itself when it is back', async (t) => {
  const rig = await platformRig(t);
  await rig.line.down();
  const listener = await startListener(t);
  const seqs: number[] = [];
  listener.behave(async (message) => {
    const accepted = await rig.store.accept({ ...message, source: 'lis' });
    seqs.push(accepted.seq);
    return accepted;
  });
  const sender = await connectSender(t, listener.port);
  const ids = Array.from({ length: 12 }, (_, i) => `DOWN${i}`);
  sender.frames(...ids.map((id) => `MSH|^~\\&|LIS|LAB|A|B|20260101||ORU^R01|${id}|P|2.4\r`));
  t.same(
    await sender.acks(12),
    ids.map((id) => `AA:${id}`),
  );
  const handed: Handed[] = [];
  for (const [i, seq] of seqs.entries())
    handed.push(await rig.render(seq, { report: `DOWN${i}`, patient: `DOWN${i}` }));
  rig.wake();
  await until(
    () => rig.calls.filter(({ result }) => result === 'NET-1002').length,
    (count) => count >= 3,
  );
  t.same(await states(rig, handed), Array(12).fill('waiting'));

  // A restart while it is down forgets nothing either.
  await rig.restart();
  await rig.line.up();
  t.same(await until(() => states(rig, handed), all('delivered')), Array(12).fill('delivered'));
  t.same(
    rig.province.received().map(({ report, attempt }) => [report, attempt]),
    ids.map((report) => [report, 1]),
    'each once, without anyone asking for it',
  );
});
