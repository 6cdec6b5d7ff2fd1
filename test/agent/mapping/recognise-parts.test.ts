import t from 'tap';
import type { ReportState } from '../../../agent/clinical/reports/types.ts';
import type { Statement } from '../../../agent/mapping/mapper.ts';
import { placesOf } from '../../../agent/mapping/recognise-parts.ts';
import { merges, registers, report } from './statements.ts';

const held: Statement = { held: { code: 'MAP-3008', where: 'report.number' } };
const r1 = report({ number: 'R1' });
const r2 = report({ number: 'R2' });

/** Message 7 read again: `keep` stood, `made` of them made the record of a report, `waiting` is remembered by one. */
function placed(
  statements: Statement[],
  left: { keep: number[]; made?: Array<[part: number, report: string]>; waiting?: Record<string, string[]> },
) {
  const { keep, made = [], waiting = {} } = left;
  const partsOf = (_: number, key?: string) =>
    made.flatMap(([part, number]) => ((key ?? `lis|${number}`) === `lis|${number}` ? [part] : []));
  const report = (key: string) => {
    const keys = waiting[key.replace('lis|', '')];
    return keys && ({ waiting: keys } as ReportState);
  };
  const found = placesOf(statements, { seq: 7, keep, partsOf }, { report });
  return [...found.places.map(({ part, stands }) => (stands ? `${part} stands` : `${part}`)), found.keep];
}

t.test('what says the same as before stands where it stood', async (t) => {
  t.same(placed([r1, held], { keep: [0], made: [[0, 'R1']] }), ['0 stands', '1', [0]]);
});

t.test('a report is known by its number, not by its place', async (t) => {
  t.same(placed([r1, r2], { keep: [0], made: [[0, 'R2']] }), ['1', '0 stands', [0]]);
  t.same(placed([held, r2], { keep: [0], made: [[0, 'R2']] }), ['1', '0 stands', [0]]);
});

t.test('what was absorbed, filtered or parked tells no number: all such is decided anew', async (t) => {
  t.same(placed([r1, r2], { keep: [0] }), ['0', '1', []]);
  t.same(placed([held, r2], { keep: [0] }), ['0', '1', []], 'and a hold never hides behind it');
});

t.test('a record under a number that the message does not say any more keeps its place to itself', async (t) => {
  t.same(placed([r2, held], { keep: [0], made: [[0, 'R1']] }), ['1', '2', [0]]);
});

t.test('what waits for others of its report keeps its place, whether it stands or its time has come', async (t) => {
  t.same(placed([r1, r2], { keep: [1], waiting: { R2: ['6:0', '7:1'] } }), ['0', '1 stands', [1]]);
  t.same(placed([r1, r2], { keep: [], waiting: { R2: ['7:0'] } }), ['1', '0', []]);
});

t.test('two reports of one number keep their order', async (t) => {
  t.same(placed([r1, r1, held], { keep: [0], made: [[0, 'R1']] }), ['0 stands', '1', '2', [0]]);
});

t.test('registrations and merges keep their place', async (t) => {
  const said = [registers('P1', {}), merges('P2', 'P1'), held];
  t.same(placed(said, { keep: [0, 1], made: [[1, 'R9']] }), ['0 stands', '1 stands', '2', [0, 1]]);
});
