import t from 'tap';
import { earlier, later, says, story } from './statements.ts';

t.test('a withdrawal that repeats an old report time and was sent later is held, never absorbed', (t) => {
  const corrected = says({ items: ['K 5.1', 'Na 140'], ...later });
  const repeats = says({ action: 'retract', sent: '20240520120000' });
  const { all, last, state } = story('unknown', says(), corrected, repeats);
  t.same(all, ['publish', 'publish', 'hold MAP-3007']);
  t.match(last, { where: 'report.reportedAt' });
  t.match(state, { status: 'published', version: 2 });
  t.same(story('unknown', says(), corrected, says({ action: 'retract', sent: '20240520103000' })).all, [
    'publish',
    'publish',
    'absorb older',
  ]);
  t.end();
});

t.test('a withdrawn report is retracted with what was published, as the next version', (t) => {
  const { all, last, state } = story('unknown', says(), says({ action: 'retract', items: [], ...later }));
  t.same(all, ['publish', 'retract']);
  t.match(last, { report: { items: [{ key: 'K' }, { key: 'Na' }] } });
  t.match(state, { status: 'retracted', version: 2, contentHash: undefined });
  t.end();
});

t.test('a withdrawal that repeats the report time of the report still withdraws it', (t) => {
  t.same(story('unknown', says(), says({ action: 'retract', sent: '20240520120000' })).all, ['publish', 'retract']);
  t.end();
});

t.test('a withdrawal absorbs the interim results that waited', (t) => {
  const { last, state } = story(
    'unknown',
    says(),
    says({ action: 'hold', ...later }),
    says({ action: 'retract', ...later, sent: '20240520120000' }),
  );
  t.match(last, { do: 'retract', absorbs: ['2:0'] });
  t.match(state, { waiting: [] });
  t.end();
});

t.test('a withdrawal of what was never published only ends the waiting', (t) => {
  const { all, state } = story('unknown', says({ action: 'hold' }), says({ action: 'retract', ...later }));
  t.same(all, ['wait', 'absorb nothing-published']);
  t.match(state, { version: 0, waiting: [] });
  t.end();
});

t.test('a final report that left before its withdrawal and arrives after it stays out', (t) => {
  const { all } = story('unknown', says({ action: 'retract', ...later }), says());
  t.same(all, ['absorb nothing-published', 'absorb older']);
  t.end();
});

t.test('a withdrawal sent twice withdraws once', (t) => {
  const { all, state } = story(
    'unknown',
    says(),
    says({ action: 'retract', ...later }),
    says({ action: 'retract', ...later, sent: '20240520120000' }),
  );
  t.same(all, ['publish', 'retract', 'absorb duplicate']);
  t.match(state, { version: 2 });
  t.end();
});

t.test('after a withdrawal a new final report is published as the next version, the same content too', (t) => {
  const { all, state } = story(
    'unknown',
    says(),
    says({ action: 'retract', sent: '20240520110000' }),
    says({ sent: '20240520120000' }),
  );
  t.same(all, ['publish', 'retract', 'publish']);
  t.match(state, { status: 'published', version: 3 });
  t.end();
});

t.test('after a withdrawal a report with fewer items is no incomplete correction', (t) => {
  const { all, items } = story(
    'delta',
    says(),
    says({ action: 'retract', sent: '20240520110000' }),
    says({ items: ['K 5.1'], ...later, sent: '20240520120000' }),
  );
  t.same(all, ['publish', 'retract', 'publish']);
  t.same(items, ['K 5.1'], 'nor a change to what was withdrawn');
  t.end();
});

t.test('the old report arriving once more after its withdrawal stays out', (t) => {
  t.same(story('unknown', says(), says({ action: 'retract', ...later }), says()).all, [
    'publish',
    'retract',
    'absorb older',
  ]);
  t.end();
});

t.test('an older withdrawal does not withdraw a newer version', (t) => {
  t.same(story('unknown', says(later), says({ action: 'retract', ...earlier })).all, ['publish', 'absorb older']);
  t.end();
});
