import t from 'tap';
import type { PatientState } from '../../../agent/clinical/patients/types.ts';
import type { ReportState } from '../../../agent/clinical/reports/types.ts';
import type { MappedMessage, Part } from '../../../agent/store/contract.ts';
import { phi } from '../../../agent/support/phi.ts';
import { entry, mapped, quickRig, record, records, setIdOf } from './rig.ts';

t.setTimeout(600_000);

const patient = (patientKey: string, name = '测试患者'): PatientState => ({
  patientKey,
  patient: { identifiers: [{ kind: 'in-house', value: patientKey, source: 'PID-3.1' }], name },
  toldAt: { name: '20240520102600' },
  encounters: [],
  retired: [],
});
const waiting = (more: { dueMs?: number; awaits?: string }): Part => ({
  kind: 'waiting',
  code: 'MAP-3026',
  reportKey: 'R1',
  ...more,
});
const state = (reportKey: string, patientKey: string, more: Partial<ReportState> = {}): ReportState => ({
  reportKey,
  setId: setIdOf(reportKey),
  status: 'waiting',
  version: 0,
  patientKey,
  waiting: [],
  ...more,
});

async function rigWith(t: { teardown(f: () => Promise<void>): void }, messages: number) {
  const rig = await quickRig();
  t.teardown(rig.close);
  for (let i = 1; i <= messages; i++) await rig.accept(`m${i}`);
  const commit = (through: number | undefined, messages: MappedMessage[], patients: PatientState[] = []) =>
    rig.view.commitMapping({ messages, reports: [], patients, through });
  const due = (nowMs: number, count = 10) =>
    [...rig.view.due(nowMs, count)].map(({ message, keep }) => [message.seq, keep.toSorted()]);
  return { rig, commit, due };
}

t.test('a waiting part comes when its time has come, with the parts that stand, and is decided anew', async (t) => {
  const { rig, commit, due } = await rigWith(t, 2);
  const said = [
    record('R2', 1),
    waiting({ dueMs: 5_000 }),
    waiting({}),
    { kind: 'quarantined', code: 'MAP-3005', where: 'PV1-2' },
  ] as Part[];
  await commit(1, [mapped(1, said)]);
  t.same(due(4_999), []);
  t.same(due(5_000), [[1, [0, 2]]], 'what is held is tried again with it; what waits for another message stands');
  const again = [...said.slice(0, 1), record('R1', 1), said[2]!, { kind: 'filtered', rule: 'type' } as Part];
  await commit(undefined, [{ ...mapped(1, again), keep: [0, 2] }]);
  t.same(due(9e15), []);
  t.equal([...rig.view.journal('province', 10)].length, 2);
  t.same(await rig.states(), { 1: 'waiting', 2: 'unmapped' });
});

t.test('due messages come in order of arrival, however they became due', async (t) => {
  const { commit, due } = await rigWith(t, 4);
  await commit(3, [
    mapped(1, [waiting({ dueMs: 900 })]),
    mapped(2, [waiting({ dueMs: 100 }), waiting({ dueMs: 200 })]),
    mapped(3, [waiting({ awaits: 'P9' })]),
  ]);
  await commit(4, [mapped(4, [{ kind: 'filtered', rule: 'demographics' }])], [patient('P9')]);
  t.same(due(500), [
    [2, []],
    [3, []],
  ]);
  t.same(due(1_000, 2), [
    [1, []],
    [2, []],
  ]);
});

t.test('a part that awaits a patient is due as soon as somebody tells of them, also in its own batch', async (t) => {
  const { rig, commit, due } = await rigWith(t, 3);
  await commit(1, [mapped(1, [waiting({ awaits: 'P1', dueMs: 9e12 })])]);
  await commit(2, [mapped(2, [waiting({ awaits: 'P2' })])], [patient('P2')]);
  t.same(due(0), [[2, []]], 'told of by a later message of the batch, for all the store knows');
  await commit(3, [mapped(3, [{ kind: 'filtered', rule: 'demographics' }])], [patient('P1', '测试患者乙')]);
  t.same(due(0), [
    [1, []],
    [2, []],
  ]);
  t.same(rig.view.patient('P1'), patient('P1', '测试患者乙'));
  t.equal(rig.view.patient('P3'), undefined);
});

t.test('what is decided again and waits on is not due at once by what it told itself', async (t) => {
  const { commit, due } = await rigWith(t, 1);
  await commit(1, [mapped(1, [waiting({ awaits: 'P1', dueMs: 100 })])]);
  await commit(undefined, [{ ...mapped(1, [waiting({ awaits: 'P1', dueMs: 200 })]), keep: [] }], [patient('P1')]);
  t.same(due(150), [], 'or it would be decided for ever');
  t.same(due(200), [[1, []]]);
});

t.test('a part that was absorbed is not due any more', async (t) => {
  const { rig, commit, due } = await rigWith(t, 2);
  await commit(1, [mapped(1, [waiting({ dueMs: 100, awaits: 'P1' })])]);
  await commit(2, [mapped(2, [record('R1', 1, { absorbs: ['1:0'] })])], [patient('P1')]);
  t.same(due(1_000), []);
  t.same(await rig.states(), { 1: 'absorbed', 2: 'waiting' });
});

t.test('what is absorbed while a batch of due messages is worked through is passed over', async (t) => {
  const { rig, commit } = await rigWith(t, 3);
  await commit(
    3,
    [1, 2, 3].map((seq) => mapped(seq, [waiting({ dueMs: 100 })])),
  );
  const seen: number[] = [];
  for (const { message } of rig.view.due(200, 10)) {
    seen.push(message.seq);
    if (message.seq === 1) {
      await commit(undefined, [{ ...mapped(1, [record('R1', 1, { absorbs: ['2:0'] })]), keep: [] }]);
    }
  }
  t.same(seen, [1, 3]);
});

t.test('the reports of a patient: by whose they are now, oldest first, with what stands', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  for (const m of ['a', 'b', 'c']) await rig.accept(m);
  const content = phi(JSON.stringify({ record: { kind: 'lab-report' } }));
  const said = (key: string, patient: string) => records([{ ...entry(key, 1, { patient }), content }]);
  const published = (key: string, patientKey: string) => state(key, patientKey, { status: 'published', version: 1 });
  await rig.view.commitMapping({
    messages: [mapped(1, [said('R1', 'P1')]), mapped(2, [said('R2', 'P2')]), mapped(3, [waiting({})])],
    reports: [published('R1', 'P1'), published('R2', 'P2'), state('R3', 'P1')],
    through: 3,
  });
  const keys = (of: string) => rig.view.reportsOf(of).map((r) => [r.reportKey, r.status, r.current !== undefined]);
  t.same(keys('P1'), [
    ['R1', 'published', true],
    ['R3', 'waiting', false],
  ]);
  await rig.view.commitMapping({ messages: [], reports: [published('R1', 'P2')] });
  t.same(keys('P1'), [['R3', 'waiting', false]]);
  t.same(keys('P2'), [
    ['R1', 'published', true],
    ['R2', 'published', true],
  ]);
  t.same(rig.view.reportsOf('nobody'), []);
});

t.test('what another part of the same message absorbs waits no more, whoever is told of', async (t) => {
  const { commit, due } = await rigWith(t, 2);
  await commit(1, [mapped(1, [waiting({ dueMs: 5_000 })])]);
  const again = [waiting({ awaits: 'P1' }), record('R1', 1, { absorbs: ['1:0'] })];
  await commit(undefined, [{ ...mapped(1, again), keep: [] }]);
  await commit(2, [mapped(2, [{ kind: 'filtered', rule: 'type' }])], [patient('P1')]);
  t.same(due(9e15), []);
});
