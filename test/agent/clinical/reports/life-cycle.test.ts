import t from 'tap';
import { earlier, later, says, story } from './statements.ts';

t.test('the first final report is published as version 1', (t) => {
  const { all, state } = story('unknown', says());
  t.same(all, ['publish']);
  t.match(state, { status: 'published', version: 1, setId: 'set-lis|R1', waiting: [] });
  t.end();
});

t.test('the same report sent again is a duplicate, whatever the time of its message', (t) => {
  const { all, state } = story('unknown', says(), says({ sent: '20240520120000' }));
  t.same(all, ['publish', 'absorb duplicate']);
  t.match(state, { version: 1 });
  t.end();
});

t.test('the same report sent again with an older message time is a duplicate too', (t) => {
  const { all, state } = story('unknown', says(), says({ sent: '20240520080000' }));
  t.same(all, ['publish', 'absorb duplicate']);
  t.match(state, { messageTime: '20240520100100' });
  t.end();
});

t.test('a repetition sent later keeps out a different report sent between the two', (t) => {
  const { all } = story(
    'unknown',
    says({ items: ['K 4.2'], sent: '20240520100000' }),
    says({ items: ['K 4.2'], sent: '20240520100500' }),
    says({ items: ['K 9.9'], sent: '20240520100200' }),
  );
  t.same(all, ['publish', 'absorb duplicate', 'absorb older']);
  t.end();
});

t.test('an older version arriving late never replaces a newer one', (t) => {
  const { all, state } = story('unknown', says(later), says({ items: ['K 9.9', 'Na 140'], ...earlier }));
  t.same(all, ['publish', 'absorb older']);
  t.match(state, { version: 1, reportTime: later.reported });
  t.end();
});

t.test('an older version without some items is older, not incomplete', (t) => {
  t.same(story('unknown', says(later), says({ items: ['K 9.9'], ...earlier })).all, ['publish', 'absorb older']);
  t.end();
});

t.test('equal report times: the time of the message decides', (t) => {
  const newer = says({ items: ['K 5.1', 'Na 140'], sent: '20240520120000' });
  t.same(story('unknown', says(), newer).all, ['publish', 'publish']);
  t.same(story('unknown', newer, says()).all, ['publish', 'absorb older']);
  t.end();
});

t.test('no report time: the time of the message decides', (t) => {
  const first = says({ reported: undefined });
  const older = says({ reported: undefined, items: ['K 1.0', 'Na 1'], sent: '20240520090000' });
  t.same(story('unknown', first, older).all, ['publish', 'absorb older']);
  t.end();
});

t.test('no times at all: what arrives later is newer', (t) => {
  const none = { reported: undefined, sent: undefined };
  const { all, items } = story('unknown', says(none), says({ ...none, items: ['K 5.1', 'Na 140'] }));
  t.same(all, ['publish', 'publish']);
  t.same(items, ['K 5.1', 'Na 140']);
  t.end();
});

t.test('a report time of a day does not order against a time within that day', (t) => {
  const day = says({ reported: '20240520', sent: undefined, items: ['K 5.1', 'Na 140'] });
  t.same(story('unknown', says(), day).all, ['publish', 'publish']);
  t.end();
});

t.test('a later report time counts more than an earlier message time', (t) => {
  const { all, state } = story('unknown', says(), says({ ...later, sent: '20240520080000' }));
  t.same(all, ['publish', 'publish']);
  t.match(state, { reportTime: later.reported, messageTime: '20240520080000' });
  t.end();
});

t.test('a newer final of the same number for another patient moves the report', (t) => {
  const { all, last, state } = story('unknown', says(), says({ items: ['K 5.1'], patient: 'P2', ...later }));
  t.same(all, ['publish', 'move'], 'whatever items it has: nothing of another patient is merged');
  t.match(last, {
    from: 'P1',
    retracts: { items: [{ value: '4.2' }, { key: 'Na' }] },
    report: { items: [{ value: '5.1' }] },
  });
  t.match(
    state,
    { patientKey: 'P2', version: 3, status: 'published' },
    'one version for the retraction, one for the new',
  );
  t.end();
});

t.test('an older final of the same number for another patient is older, nothing else', (t) => {
  const { all, state } = story('unknown', says(later), says({ patient: 'P2' }));
  t.same(all, ['publish', 'absorb older']);
  t.match(state, { patientKey: 'P1', version: 1 });
  t.end();
});

t.test('a report number of another patient: an interim waits, a withdrawal is held', (t) => {
  const interim = story('unknown', says(), says({ patient: 'P2', action: 'hold', ...later }));
  t.same(interim.all, ['publish', 'wait']);
  t.match(interim.state, { patientKey: 'P1', version: 1 }, 'and nothing is withdrawn for it');
  const withdrawal = story('unknown', says(), says({ patient: 'P2', action: 'retract', ...later }));
  t.same(withdrawal.all, ['publish', 'hold MAP-3011']);
  const emptied = { K: 'remove-item', Na: 'remove-item' } as const;
  t.same(story('unknown', says(), says({ patient: 'P2', itemActions: emptied, ...later })).last.do, 'hold');
  t.end();
});

t.test('a number that was only interim or is withdrawn just goes to the other patient', (t) => {
  const waiting = story('unknown', says({ action: 'hold' }), says({ patient: 'P2', ...later }));
  t.same(waiting.all, ['wait', 'publish']);
  t.match(waiting.state, { patientKey: 'P2', version: 1 });
  const withdrawn = story(
    'unknown',
    says(),
    says({ action: 'retract', ...later }),
    says({ patient: 'P2', reported: '20240520120000' }),
  );
  t.same(withdrawn.all, ['publish', 'retract', 'publish']);
  t.match(withdrawn.state, { patientKey: 'P2', version: 3 });
  t.end();
});

t.test('a report of conclusion only is published', (t) => {
  const statement = says({ items: [] });
  Object.assign(statement.report, { conclusion: 'no growth' });
  t.same(story('unknown', statement).all, ['publish']);
  t.end();
});
