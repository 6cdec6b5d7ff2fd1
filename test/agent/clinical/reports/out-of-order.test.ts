import t from 'tap';
import type { LabReport } from '../../../../agent/clinical/records/types.ts';
import type { ReportStatement } from '../../../../agent/clinical/reports/types.ts';
import { play } from './play.ts';
import { lab } from './records.ts';

/** A change as a sender of changes tells it: `K 4.1`, or `-K` for what it deletes; `at` is its report time. */
function says(at: string, ...items: string[]): ReportStatement {
  const deleted = items.filter((text) => text.startsWith('-')).map((text) => [text.slice(1), 'remove-item']);
  return {
    reportKey: 'lis|R1',
    patientKey: 'P1',
    report: lab(items.map((text) => text.replace(/^-/, ''))),
    reportAction: 'publish',
    itemActions: Object.fromEntries(deleted),
    reportTime: `202405201${at}00`,
    findings: [],
  } as ReportStatement;
}

/** What the report says after all of it came, in this order, and what became of the last. */
function after(...statements: ReportStatement[]): { items: string[]; last: string } {
  const rules = { corrections: 'delta' as const, setIdOf: (key: string) => key, quietMs: 0, nowMs: 0 };
  const { state, decisions } = play(statements.map((statement) => ({ statement, rules })));
  const current = state?.current as LabReport;
  return { items: current.items.map(({ key, value }) => `${key} ${value}`), last: decisions.at(-1)?.do ?? '' };
}

t.test('two changes of different items that cross both count', async (t) => {
  t.same(after(says('000', 'K 6.2', 'Na 140'), says('020', 'K 4.1'), says('010', 'Na 138')), {
    items: ['K 4.1', 'Na 138'],
    last: 'publish',
  });
});

t.test('an older change of an item told of since changes nothing', async (t) => {
  t.same(after(says('000', 'K 6.2'), says('020', 'K 4.1'), says('010', 'K 5.0')), { items: ['K 4.1'], last: 'absorb' });
});

t.test('what was confirmed later with the same value keeps out an older other value', async (t) => {
  const { items } = after(says('000', 'K 4.1', 'Na 140'), says('030', 'K 4.1'), says('020', 'K 9.9'));
  t.same(items, ['K 4.1', 'Na 140']);
});

t.test('an item deleted before it was told of stays out, and one deleted since does not come back', async (t) => {
  t.same(after(says('030', 'Na 140'), says('020', '-K'), says('010', 'K 6.2')).items, ['Na 140']);
  t.same(after(says('000', 'K 6.2', 'Na 140'), says('030', '-K'), says('020', 'K 5.0')).items, ['Na 140']);
});

t.test('a deletion that crosses a change of another item still deletes', async (t) => {
  t.same(after(says('000', 'K 8.9', 'Na 140'), says('020', 'Na 138'), says('010', '-K')).items, ['Na 138']);
});

t.test('what nobody has told of is added, whenever it comes', async (t) => {
  t.same(after(says('020', 'K 4.1'), says('010', 'CRP 3.1')).items, ['K 4.1', 'CRP 3.1']);
});
