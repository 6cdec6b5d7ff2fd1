import fc from 'fast-check';
import t from 'tap';
import { chainOf, decideMerge, rememberUnder, survivorOf } from '../../../../agent/clinical/patients/merge.ts';
import { newPatient } from '../../../../agent/clinical/patients/patient-index.ts';
import type { PatientState } from '../../../../agent/clinical/patients/types.ts';

/** An index of numbers with the keys of their records, on which merges are played: `A>B` merges, `A<B` takes apart. */
function index(records: Record<string, string[]> = {}) {
  const states = new Map<string, PatientState>();
  const stateOf = (key: string) => states.get(key);
  const play = (step: string): string => {
    const [retired = '', survivor = ''] = step.split(/[<>]/);
    const kind = step.includes('>') ? 'merge' : 'unlink';
    const decision = decideMerge({ kind, retired, survivor }, stateOf, (key) => records[key] ?? []);
    if (decision.do === 'hold') return `hold ${decision.where}`;
    if (decision.do === 'absorb') return 'absorb';
    for (const state of decision.next) states.set(state.patientKey, state);
    const { from, to, reportKeys } = decision;
    records[to] = [...(records[to] ?? []), ...reportKeys];
    records[from] = (records[from] ?? []).filter((key) => !reportKeys.includes(key));
    return `${from}→${to}`;
  };
  return { states, stateOf, records, play, survivor: (key: string) => survivorOf(key, stateOf) };
}

t.test('a merge moves the records, and sent again does nothing', async (t) => {
  const { play, records, survivor } = index({ A: ['r1'], B: ['r2'] });
  t.equal(play('A>B'), 'A→B');
  t.equal(play('A>B'), 'absorb');
  t.same(records, { A: [], B: ['r2', 'r1'] });
  t.equal(survivor('A'), 'B');
  t.equal(survivor('C'), 'C', 'a number nobody merged is its own');
});

t.test('a number into itself, a merge turned round and a circle are held', async (t) => {
  const { play } = index();
  t.equal(play('A>A'), 'hold merge.retired');
  t.same(['A>B', 'B>A'].map(play), ['A→B', 'hold merge.survivor']);
  t.same(['B>C', 'C>A', 'C>B'].map(play), ['B→C', 'hold merge.survivor', 'hold merge.survivor']);
});

t.test('chains lead to the last survivor, whichever of their numbers a later merge names', async (t) => {
  const { play, survivor, records } = index({ A: ['r1'], B: ['r2'], D: ['r4'] });
  t.same(['A>B', 'B>C', 'A>C', 'D>A'].map(play), ['A→B', 'B→C', 'absorb', 'D→C']);
  t.same(['A', 'B', 'C', 'D'].map(survivor), ['C', 'C', 'C', 'C']);
  t.same(records.C?.toSorted(), ['r1', 'r2', 'r4']);
});

t.test('a retired number given to somebody else is held until both are one', async (t) => {
  const { play } = index();
  t.same(['A>B', 'A>C', 'B>C', 'A>C'].map(play), ['A→B', 'hold merge.retired', 'B→C', 'absorb']);
});

t.test('an unlink gives back what moved, whichever way round it names the two', async (t) => {
  for (const unlink of ['A<B', 'B<A']) {
    const { play, records, survivor } = index({ A: ['r1'], B: ['r2'] });
    t.same(['A>B', unlink, unlink].map(play), ['A→B', 'B→A', 'absorb']);
    t.same(records, { A: ['r1'], B: ['r2'] });
    t.equal(survivor('A'), 'A');
    t.equal(play('A>B'), 'A→B', 'and it can be merged again');
  }
});

t.test('an unlink in a chain takes only its own records along, also those that came since', async (t) => {
  const { play, records, states, stateOf, survivor } = index({ A: ['r1'], B: ['r2'] });
  play('A>B');
  play('B>C');
  for (const state of rememberUnder('A', 'r3', stateOf)) states.set(state.patientKey, state);
  records.C?.push('r3');
  t.equal(play('A<C'), 'C→A');
  t.same([records.A, records.C], [['r1', 'r3'], ['r2']]);
  t.equal(survivor('B'), 'C');
  t.equal(play('B<C'), 'C→B');
  t.same([records.A, records.B, records.C], [['r1', 'r3'], ['r2'], []]);
});

t.test('a circle in damaged states ends', async (t) => {
  const a: PatientState = { ...newPatient('A'), mergedInto: 'B' };
  const b: PatientState = { ...newPatient('B'), mergedInto: 'A' };
  t.same(
    chainOf('A', (key) => (key === 'A' ? a : b)),
    ['A', 'B'],
  );
});

t.test('whatever is merged and taken apart: no circles, each record in one place, at its survivor', async () => {
  const number = fc.constantFrom('A', 'B', 'C', 'D', 'E');
  const step = fc.tuple(number, fc.constantFrom('>', '>', '<'), number).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 14 }), (steps) => {
      const world = index({ A: ['a'], B: ['b'], C: ['c'], D: ['d'], E: ['e'] });
      for (const one of steps) {
        world.play(one);
        const placed = Object.values(world.records).flat();
        if (placed.length !== 5 || new Set(placed).size !== 5) return false;
        for (const [key, keys] of Object.entries(world.records)) {
          if (keys.some((record) => world.survivor(record.toUpperCase()) !== key)) return false;
        }
      }
      return true;
    }),
    { numRuns: 300 },
  );
});
