import t from 'tap';
import type { ClinicalRecord } from '../../../../agent/clinical/records/types.ts';
import { decide } from '../../../../agent/clinical/reports/life-cycle.ts';
import type { ReportStatement } from '../../../../agent/clinical/reports/types.ts';
import { minute, oneByOne, type Step, story } from './hourly.ts';
import { lab } from './records.ts';

t.test('tests that come one by one wait for the end of the quiet period and go out as one report', async (t) => {
  const told: Array<[ClinicalRecord, Step?]> = [
    [lab(['K 4']), { at: 0 }],
    [lab(['Na 140']), { at: 4 * minute }],
  ];
  const waiting = story(oneByOne, ...told);
  t.same(waiting.all, ['wait MAP-3028', 'wait MAP-3028']);
  t.match(waiting.last, { dueMs: 14 * minute });
  const early = story(oneByOne, ...told, [lab(['K 4']), { at: 10 * minute, again: 1 }]);
  t.match(early.last, { do: 'wait', dueMs: 14 * minute }, 'another test came in between');
  const due = story(oneByOne, ...told, [lab(['K 4']), { at: 14 * minute, again: 1 }]);
  t.same(due.items, ['K 4', 'Na 140']);
  t.match(due.last, { absorbs: ['2:0'], next: { version: 1, waiting: [], assembling: undefined } });
});

t.test('a test that comes after publication is added through the same quiet period', async (t) => {
  const { all, items, state } = story(
    oneByOne,
    [lab(['K 4']), { at: 0 }],
    [lab(['K 4']), { at: 10 * minute, again: 1 }],
    [lab(['Na 140']), { at: 60 * minute }],
    [lab(['Na 140']), { at: 70 * minute, again: 3 }],
  );
  t.same(all, ['wait MAP-3028', 'publish', 'wait MAP-3028', 'publish']);
  t.same(items, ['K 4', 'Na 140']);
  t.match(state, { version: 2 });
});

t.test('a test sent twice while the others are awaited is a duplicate and lengthens nothing', async (t) => {
  const { all, state } = story(oneByOne, [lab(['K 4']), { at: 0 }], [lab(['K 4']), { at: 5 * minute }]);
  t.same(all, ['wait MAP-3028', 'absorb duplicate']);
  t.match(state, { assembling: { untilMs: 10 * minute }, waiting: ['1:0'] });
});

t.test('a withdrawal while tests are awaited ends the waiting, and nothing goes out', async (t) => {
  const { all, state, last } = story(
    oneByOne,
    [lab(['K 4']), { at: 0 }],
    [lab([]), { reportAction: 'retract', at: minute }],
  );
  t.same(all, ['wait MAP-3028', 'absorb nothing-published']);
  t.match(last, { absorbs: ['1:0'] });
  t.match(state, { status: 'retracted', assembling: undefined, waiting: [] });
});

t.test('tests being collected go to the patient a newer final names: nothing goes out under the first', async (t) => {
  const taken = story(
    oneByOne,
    [lab(['K 4']), { at: 0 }],
    [lab(['Na 140']), { at: minute, patientKey: 'P2' }],
    [lab(['K 4']), { at: 10 * minute, again: 1 }],
    [lab(['Na 140']), { at: 11 * minute, again: 2, patientKey: 'P2' }],
  );
  t.same(taken.all, ['wait MAP-3028', 'wait MAP-3028', 'wait MAP-3028', 'publish']);
  t.same(taken.items, ['Na 140'], 'what was said under the other patient is no part of it');
  t.match(taken.last, { absorbs: ['1:0'], next: { patientKey: 'P2', version: 1 } });
  const older: Step = { patientKey: 'P2', reportTime: '20240520080000' };
  t.same(story(oneByOne, [lab(['K 4'])], [lab(['Na 140']), older]).all, ['wait MAP-3028', 'absorb older']);
});

t.test('tests being collected for a published report do not keep it with the wrong patient', async (t) => {
  const { all, last } = story(
    oneByOne,
    [lab(['K 4']), { at: 0 }],
    [lab(['K 4']), { at: 10 * minute, again: 1 }],
    [lab(['Na 140']), { at: 20 * minute }],
    [lab(['K 4', 'Na 140']), { at: 21 * minute, patientKey: 'P2' }],
  );
  t.same(all, ['wait MAP-3028', 'publish', 'wait MAP-3028', 'move']);
  t.match(last, { from: 'P1', absorbs: ['3:0'], next: { patientKey: 'P2', assembling: undefined, waiting: [] } });
});

t.test('while tests are collected, a withdrawal or an interim of another patient is held', async (t) => {
  for (const reportAction of ['retract', 'hold'] as const) {
    const other: Step = { patientKey: 'P2', reportAction };
    t.same(story(oneByOne, [lab(['K 4'])], [lab(['K 4']), other]).all, ['wait MAP-3028', 'hold MAP-3011']);
  }
});

t.test('a quiet period that was switched off ends with the next test, and nothing collected is lost', async (t) => {
  const first = story(oneByOne, [lab(['K 4']), { at: 0 }]);
  const statement: ReportStatement = {
    reportKey: 'lis|R1',
    patientKey: 'P1',
    report: lab(['Na 140']),
    reportAction: 'publish',
    itemActions: {},
    findings: [],
  };
  const rules = { corrections: 'unknown' as const, setIdOf: () => 'set', quietMs: 0, nowMs: minute };
  const decision = decide(first.state, statement, { seq: 2, part: 0 }, rules);
  t.match(decision, {
    do: 'publish',
    report: { items: [{ key: 'K' }, { key: 'Na' }] },
    absorbs: ['1:0'],
    next: { assembling: undefined, waiting: [] },
  });
});

t.test('a collected test that is read under another number of its part still ends the period', async (t) => {
  const { state } = story(oneByOne, [lab(['K 4']), { at: 0 }]);
  const due = { corrections: 'unknown' as const, setIdOf: () => 'set', ...oneByOne, nowMs: 10 * minute };
  const statement = { reportKey: 'lis|R1', patientKey: 'P1', report: lab(['K 4']), itemActions: {}, findings: [] };
  const decision = decide(state, { ...statement, reportAction: 'publish' }, { seq: 1, part: 3 }, due);
  t.match(decision, { do: 'publish', next: { waiting: [], assembling: undefined } });
});

t.test('remarks about items follow their items into the report', async (t) => {
  const finding = (where: string) => ({ code: 'MAP-3001', where, dimension: 'accuracy' as const });
  const { state } = story(
    oneByOne,
    [lab(['K 4']), { findings: [finding('items[0].flag'), finding('patient.sex')] }],
    [lab(['Na 140', 'Cl 1']), { findings: [finding('items[1].flag')] }],
  );
  t.same(
    state?.assembling?.findings.map(({ where }) => where),
    ['items[0].flag', 'patient.sex', 'items[2].flag'],
  );
});
