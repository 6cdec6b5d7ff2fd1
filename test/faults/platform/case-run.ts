import { isDeepStrictEqual } from 'node:util';
import t, { type Test } from 'tap';
import type { ErrorCode } from '../../../agent/support/errors.ts';
import type { Fate, Observed, PlatformCase } from './cases.ts';
import { resolveName } from './names.ts';
import { type Handed, type PlatformRig, platformRig } from './rig.ts';

const deadlineMs = 60_000;

export async function until<T>(look: () => Promise<T> | T, good: (seen: T) => boolean): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const seen = await look();
    if (good(seen) || performance.now() > end) return seen;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function fateOf(rig: PlatformRig, handed: Handed): Promise<Fate> {
  const { state } = await rig.stateOf(handed);
  return state === 'delivered' ? 'delivered' : state === 'quarantined' ? 'held' : 'waits';
}

const codeOf = async (rig: PlatformRig, handed: Handed): Promise<ErrorCode> =>
  (await rig.stateOf(handed)).code as ErrorCode;

/** Runs cases one after the other against one store, loop, line and province, as one agent would meet them. */
export function runPlatformCases(cases: PlatformCase[]): void {
  t.setTimeout(600_000);
  t.test('platform faults', async (t) => {
    resolveName(true);
    t.teardown(() => resolveName(false));
    const rig = await platformRig(t);
    for (const one of cases) await t.test(one.fault.en, (t) => runCase(t, rig, one));
    await t.test('in the end every message is accounted for, and each document took effect at most once', async (t) => {
      const figures = await rig.store.figures(Date.now());
      const held = cases.flatMap(({ after }) => Object.values(after)).filter((fate) => fate === 'held').length;
      t.equal(figures.platforms[0]?.unsent, 0);
      t.equal(figures.platforms[0]?.held, held);
      t.equal(rig.province.received().length, figures.lastSeq - held);
      t.equal(new Set(rig.province.received().map(({ key }) => key)).size, figures.lastSeq - held);
    });
  });
}

async function runCase(t: Test, rig: PlatformRig, one: PlatformCase): Promise<void> {
  if (one.exchangeMs !== undefined) await rig.limitExchange(one.exchangeMs);
  const [healthy] = await rig.hand({ report: `${one.id}-0`, patient: `${one.id}-0` });
  rig.wake();
  await until(
    () => fateOf(rig, healthy!),
    (fate) => fate === 'delivered',
  );
  await until(
    () => rig.delivery().status().state,
    (state) => state === 'idle',
  );
  const before = await rig.shown();
  const errorBefore = rig.delivery().status().lastError?.atMs ?? 0;
  const callsBefore = rig.calls.length;

  await one.begin(rig);
  const bytes = one.bytes ?? 600;
  const [affected, neighbour] = await rig.hand(
    { report: `${one.id}-affected`, patient: `${one.id}-1`, bytes },
    { report: `${one.id}-neighbour`, patient: `${one.id}-2`, bytes },
  );
  rig.wake();

  const observe = async (): Promise<Observed> => {
    const { state, lastError } = rig.delivery().status();
    const shown = await rig.shown();
    const arrivals = rig.arrivals(affected!.report);
    return {
      state: state === 'sending' ? 'idle' : (state as Observed['state']),
      ...(lastError !== undefined && lastError.atMs > errorBefore ? { lastError: lastError.code as ErrorCode } : {}),
      shown: [...shown].flatMap(([code, count]) => (count > (before.get(code) ?? 0) ? [code as ErrorCode] : [])).sort(),
      affected: await fateOf(rig, affected!),
      ...(one.during.documentCode === undefined ? {} : { documentCode: await codeOf(rig, affected!) }),
      neighbour: await fateOf(rig, neighbour!),
      arrives: arrivals === 0 ? 'never' : arrivals === 1 ? 'once' : 'again',
    };
  };
  const calls = one.calls ?? (one.during.affected === 'waits' ? 3 : 1);
  const ended = () => rig.calls.slice(callsBefore).filter(({ result }) => result !== undefined).length;
  const seen = await until(observe, (now) => isDeepStrictEqual(now, one.during) && ended() >= calls);
  t.same(seen, one.during, 'while it lasts');
  if (one.waitsAtLeastMs !== undefined) {
    const [first, second] = rig.calls.slice(callsBefore).filter(({ keys }) => keys.has(affected!.report));
    t.ok(second!.startedMs - first!.startedMs >= one.waitsAtLeastMs, 'not before the time the platform gave');
  }

  // Intake does not know of it: a message is stored, mapped and rendered as ever.
  // Where a document is held it is another report of the same patient, which must not wait for it (invariant 5).
  const patient = one.after.affected === 'held' ? `${one.id}-1` : `${one.id}-3`;
  const [during] = await rig.hand({ report: `${one.id}-during`, patient });
  t.equal((await rig.store.figures(Date.now())).mode, 'normal', 'intake goes on');
  if (one.during.arrives === 'never') t.equal(rig.arrivals(affected!.report), 0, 'nothing of it has left');

  await one.end?.(rig);
  rig.wake();
  const fates = () => Promise.all([affected!, neighbour!, during!].map((handed) => fateOf(rig, handed)));
  const wanted: Fate[] = [one.after.affected, one.after.neighbour, 'delivered'];
  t.same(await until(fates, (now) => isDeepStrictEqual(now, wanted)), wanted, 'after it');
  const good = await until(
    () => rig.delivery().status().state,
    (state) => state === 'idle',
  );
  t.equal(good, 'idle', 'and nothing is wrong any more');

  for (const [i, handed] of [affected!, neighbour!, during!].entries()) {
    const { report, sha256 } = handed;
    t.equal(rig.keys(report).length, 1, 'one key for all attempts');
    const took = rig.accepted(report);
    t.same(
      took.map((sidecar) => [sidecar.key, sidecar.sha256]),
      wanted[i] === 'held' ? [] : [[rig.keys(report)[0], sha256]],
      wanted[i] === 'held' ? 'never in effect' : 'once in effect, byte for byte',
    );
  }
  if (one.exchangeMs !== undefined) await rig.limitExchange();
}
