import t from 'tap';
import type { PlatformStatus, Problem } from '../../../agent/status/model.ts';
import { composeStatus, readiness, type StatusParts } from '../../../agent/status/verdict.ts';
import { errorTable } from '../../../agent/support/errors.ts';
import { faultParts, freshParts, healthyParts, night, troubledParts } from './fixture.ts';

const minute = 60_000;
const day = 86_400_000;

const withPlatform = (change: Partial<PlatformStatus>): StatusParts => {
  const parts = healthyParts();
  return { ...parts, platforms: parts.platforms.map((p) => ({ ...p, ...change })) };
};
const withStore = (change: Partial<StatusParts['store']>): StatusParts => {
  const parts = healthyParts();
  return { ...parts, store: { ...parts.store, ...change } };
};
const levels = (parts: StatusParts): string[] => composeStatus(parts).stations.map((s) => s.level);
const codes = (parts: StatusParts): string[] => composeStatus(parts).problems.map((p) => p.code);

t.test('everything well is ok since the start, with no problems', async (t) => {
  const model = composeStatus(healthyParts());
  t.same(model.verdict, { level: 'ok', sinceMs: model.startedMs });
  t.same(model.problems, []);
  t.same(levels(healthyParts()), ['ok', 'ok', 'ok', 'ok']);
});

t.test('what nothing proves is unknown: no sender seen, nothing accepted', async (t) => {
  t.same(levels(freshParts()), ['unknown', 'ok', 'ok', 'unknown']);
  t.equal(composeStatus(freshParts()).verdict.level, 'unknown');
  t.same(levels({ ...healthyParts(), sources: [], platforms: [] })[1], 'unknown');
  t.same(levels({ ...healthyParts(), sources: [], platforms: [] })[3], 'unknown');
});

t.test('a source that failed is a fault of the intake, with its own code', async (t) => {
  const parts = healthyParts();
  const problem = { code: 'MLLP-2001', sinceMs: night - minute };
  const failed = { ...parts, sources: parts.sources.map((s) => ({ ...s, state: 'failed' as const, problem })) };
  const model = composeStatus(failed);
  t.match(model.problems, [{ code: 'MLLP-2001', level: 'fault', side: 'agent', component: 'lis' }]);
  t.same(model.verdict, { level: 'fault', sinceMs: night - minute, code: 'MLLP-2001' });
  t.equal(model.stations[1]?.level, 'fault');
});

t.test('a listener whose certificate ends, or whose replaced files cannot be used, asks for attention', async (t) => {
  const parts = healthyParts();
  for (const code of ['MLLP-2014', 'TLS-1209']) {
    const problem = { code, sinceMs: night - minute };
    const model = composeStatus({ ...parts, sources: parts.sources.map((s) => ({ ...s, problem })) });
    t.match(model.problems, [{ code, level: 'attention', side: 'agent', component: 'lis' }]);
    t.equal(model.stations[1]?.level, 'attention');
  }
});

t.test('a source that starts is unknown and one that is stopped is paused', async (t) => {
  const parts = healthyParts();
  const inState = (state: 'starting' | 'stopped') => ({
    ...parts,
    sources: parts.sources.map((s) => ({ ...s, state })),
  });
  t.equal(levels(inState('starting'))[1], 'unknown');
  t.equal(levels(inState('stopped'))[1], 'paused');
});

t.test('stopped uploads are a fault on the side of the code, and receiving stays ok', async (t) => {
  const parts = withPlatform({ state: 'stopped', lastError: { code: 'PLT-1301', atMs: night - minute } });
  t.match(composeStatus(parts).problems, [{ code: 'PLT-1301', level: 'fault', side: 'platform' }]);
  t.same(levels(parts), ['ok', 'ok', 'ok', 'fault']);
});

t.test('a platform that is being retried asks for attention', async (t) => {
  const parts = withPlatform({ state: 'retrying', lastError: { code: 'NET-1002', atMs: night - minute } });
  t.match(composeStatus(parts).problems, [{ code: 'NET-1002', level: 'attention', side: 'network' }]);
  t.equal(levels(parts)[3], 'attention');
});

t.test('the oldest unsent document: five minutes are well, more ask for attention', async (t) => {
  t.same(codes(withPlatform({ oldestMs: night - 5 * minute })), []);
  t.same(codes(withPlatform({ oldestMs: night - 5 * minute - 1 })), ['QUE-4011']);
});

t.test('a backlog beside failed uploads is not a second problem', async (t) => {
  const lastError = { code: 'NET-1003', atMs: night - 9 * minute };
  t.same(codes(withPlatform({ state: 'retrying', oldestMs: night - 9 * minute, lastError })), ['NET-1003']);
});

t.test('messages that wait for mapping ask for attention after five minutes', async (t) => {
  t.same(codes(withStore({ oldestUnmappedMs: night - 6 * minute })), ['QUE-4012']);
});

t.test('certificates: 30 days left are well, less asks for attention, none left is a fault', async (t) => {
  const certificate = healthyParts().platforms[0]!.certificates[0]!;
  const left = (ms: number, role: 'client' | 'platform-ca' = 'client') =>
    composeStatus(withPlatform({ certificates: [{ ...certificate, role, notAfterMs: night + ms }] })).problems;
  t.same(left(30 * day), []);
  t.match(left(30 * day - 1), [{ code: 'TLS-1208', level: 'attention' }]);
  t.match(left(0), [{ code: 'TLS-1205', level: 'fault' }]);
  t.match(left(day, 'platform-ca'), [{ code: 'TLS-1211', level: 'attention' }]);
  const early = withPlatform({ certificates: [{ ...certificate, notBeforeMs: night + minute }] });
  t.match(composeStatus(early).problems, [{ code: 'TLS-1205', level: 'fault' }]);
});

t.test('the disk: full is a fault, low or full within a week asks for attention', async (t) => {
  t.match(composeStatus(withStore({ mode: 'intake-stopped' })).problems, [{ code: 'QUE-4002', level: 'fault' }]);
  t.match(composeStatus(withStore({ mode: 'mapping-stopped' })).problems, [{ code: 'QUE-4001', level: 'attention' }]);
  t.same(codes(withStore({ freeBytes: 6.9e9, bytesPerDay: 1e9 })), ['QUE-4013']);
  t.same(codes(withStore({ freeBytes: 7e9, bytesPerDay: 1e9 })), []);
  t.equal(composeStatus(withStore({ bytesPerDay: 0 })).facts.diskDaysLeft, undefined);
});

t.test('what is held for a person asks for attention and is counted', async (t) => {
  const model = composeStatus(troubledParts());
  t.equal(model.verdict.level, 'attention');
  t.equal(model.facts.heldForPerson, 19, '17 at the platform and 2 that no platform has yet');
  t.match(
    model.problems.find((p) => p.code === 'MAP-3005'),
    { component: 'agent', where: 'PV1-2', count: 2, side: 'hospital' },
  );
});

t.test('a sender problem asks for attention until good messages have come for an hour', async (t) => {
  const parts = healthyParts();
  const sender = parts.sources[0]!.senders[0]!;
  const at = (atMs: number, lastMessageMs: number) => ({
    ...parts,
    sources: [
      { ...parts.sources[0]!, senders: [{ ...sender, lastMessageMs, problem: { code: 'MLLP-2003', atMs, count: 2 } }] },
    ],
  });
  t.same(codes(at(night - minute, night)), ['MLLP-2003']);
  t.same(codes(at(night - 61 * minute, night)), []);
  t.same(codes(at(night - 61 * minute, night - 90 * minute)), ['MLLP-2003'], 'nothing good came since');
  t.equal(levels(at(night - minute, night))[0], 'attention');
});

t.test('a clock that is a minute off asks for attention', async (t) => {
  t.same(codes(withPlatform({ clockOffsetMs: -60_001 })), ['SYS-6001']);
});

t.test('problems from elsewhere stand at the station of their side', async (t) => {
  const extra: Problem = {
    code: 'SYS-6004',
    level: 'fault',
    side: 'agent',
    component: 'agent',
    sinceMs: night,
    lastMs: night,
    count: 1,
  };
  t.same(levels({ ...healthyParts(), extraProblems: [extra] }), ['ok', 'ok', 'fault', 'ok']);
});

t.test('problems come faults first, then the oldest, and name registered codes only', async (t) => {
  const { problems, verdict } = composeStatus(faultParts());
  t.equal(problems[0]?.code, 'TLS-1204');
  t.equal(verdict.code, 'TLS-1204');
  const rest = problems.slice(1).map((p) => p.sinceMs);
  t.same(
    rest,
    rest.toSorted((a, b) => a - b),
  );
  for (const { code } of problems) t.ok(code in errorTable, code);
});

t.test(
  'a critical value that waits for its final is told first, and is nothing that a person has to release',
  async (t) => {
    const parts = faultParts();
    const group = { code: 'MAP-3031', platform: '', where: '', count: 2, firstMs: night, lastMs: night, exampleSeq: 7 };
    const { problems, facts } = composeStatus({ ...parts, problemGroups: [...parts.problemGroups, group] });
    t.match(problems[0], { code: 'MAP-3031', count: 2, level: 'attention' });
    t.equal(problems[1]?.code, 'TLS-1204');
    t.equal(facts.heldForPerson, composeStatus(parts).facts.heldForPerson);
  },
);

t.test('since stays while the level stays, and begins anew when it changes', async (t) => {
  const first = composeStatus(faultParts());
  const lastError = { code: 'TLS-1204', atMs: night + minute };
  const later = faultParts(night + minute);
  const again = composeStatus({
    ...later,
    platforms: later.platforms.map((p) => ({ ...p, lastError })),
    previous: first,
  });
  t.equal(again.verdict.sinceMs, first.verdict.sinceMs);
  t.equal(again.problems[0]?.sinceMs, first.problems[0]?.sinceMs, 'a retry does not make a problem younger');
  const well = composeStatus({ ...healthyParts(night + 2 * minute), previous: again });
  t.same(well.verdict, { level: 'ok', sinceMs: night + 2 * minute });
});

t.test('facts add up what waits, came and went', async (t) => {
  const { facts } = composeStatus(healthyParts());
  t.match(facts, { waiting: 4, receivedToday: 1713, deliveredToday: 1692, heldForPerson: 0, oldestMs: night - 4000 });
});

t.test('readiness: a listener or a full disk makes it unready, a platform only degraded', async (t) => {
  t.same(readiness(composeStatus(healthyParts())), { status: 'ready', reasons: [] });
  t.same(readiness(composeStatus(faultParts())), { status: 'degraded', reasons: ['TLS-1204'] });
  t.same(readiness(composeStatus(withStore({ mode: 'intake-stopped' }))), {
    status: 'not-ready',
    reasons: ['QUE-4002'],
  });
});
