import t from 'tap';
import type { ClinicalRecord, LabItem, LabReport } from '../../../../agent/clinical/records/types.ts';
import { contentHash } from '../../../../agent/clinical/reports/content.ts';
import { decide } from '../../../../agent/clinical/reports/life-cycle.ts';
import type {
  CorrectionMode,
  ReportDecision,
  ReportState,
  ReportStatement,
} from '../../../../agent/clinical/reports/types.ts';

/** Results in short form: `K 4.2`. */
const item = (text: string): LabItem => {
  const [code = '', value] = text.split(' ');
  return { key: code, item: { code }, ...(value && { value }), numeric: true, notes: [] };
};

interface Said {
  items?: string[];
  action?: ReportStatement['reportAction'];
  itemActions?: ReportStatement['itemActions'];
  reported?: string | undefined;
  sent?: string | undefined;
  patient?: string;
  remarks?: string[];
}

const says = (said: Said = {}): ReportStatement => {
  const reported = 'reported' in said ? said.reported : '20240520100000';
  const report: LabReport = {
    kind: 'lab-report',
    reportNumber: 'R1',
    orderNumbers: [],
    patient: { identifiers: [] },
    encounter: { diagnoses: [] },
    specimen: {},
    items: (said.items ?? ['K 4.2', 'Na 140']).map(item),
    remarks: said.remarks ?? [],
    ...(reported && { reportedAt: reported }),
  };
  return {
    reportKey: 'lis|R1',
    patientKey: said.patient ?? 'P1',
    report,
    reportAction: said.action ?? 'publish',
    itemActions: said.itemActions ?? {},
    ...(reported && { reportTime: reported }),
    messageTime: 'sent' in said ? said.sent : '20240520100100',
    findings: [],
  } as ReportStatement;
};

const rules = (corrections: CorrectionMode) => ({
  corrections,
  setIdOf: (key: string) => `set-${key}`,
  quietMs: 0,
  nowMs: 0,
});

const itemsOf = (record: ClinicalRecord | undefined): LabItem[] => (record?.kind === 'lab-report' ? record.items : []);

/** Plays statements one after the other and keeps what was decided. */
function story(corrections: CorrectionMode, ...statements: ReportStatement[]) {
  let state: ReportState | undefined;
  const decisions: ReportDecision[] = [];
  statements.forEach((statement, i) => {
    const frozen = JSON.stringify(state);
    const decision = decide(state, statement, { seq: i + 1, part: 0 }, rules(corrections));
    if (JSON.stringify(state) !== frozen) throw new Error('decide changed the state it was given');
    decisions.push(decision);
    if (decision.do !== 'hold') state = decision.next;
  });
  const last = decisions.at(-1)!;
  return {
    state,
    last,
    all: decisions.map((d) => (d.do === 'absorb' ? `absorb ${d.reason}` : d.do === 'hold' ? `hold ${d.code}` : d.do)),
    items: last.do === 'publish' ? itemsOf(last.report).map((i) => `${i.key} ${i.value}`) : undefined,
  };
}

const later = { reported: '20240520110000', sent: '20240520110100' };
const earlier = { reported: '20240520090000', sent: '20240520090100' };

t.test('the first final report is published as version 1', (t) => {
  const { all, state } = story('unknown', says());
  t.same(all, ['publish']);
  t.match(state, { status: 'published', version: 1, setId: 'set-lis|R1', waiting: [] });
  t.end();
});

t.test('an interim report waits and publishes nothing', (t) => {
  const { all, state, last } = story('unknown', says({ action: 'hold' }));
  t.same(all, ['wait']);
  t.match(last, { code: 'MAP-3014' });
  t.match(state, { status: 'waiting', version: 0, waiting: ['1:0'] });
  t.end();
});

t.test('the final report absorbs the interim ones that waited for it', (t) => {
  const { all, state, last } = story(
    'unknown',
    says({ action: 'hold' }),
    says({ action: 'hold', sent: undefined }),
    says(),
  );
  t.same(all, ['wait', 'wait', 'publish']);
  t.match(last, { absorbs: ['1:0', '2:0'] });
  t.match(state, { version: 1, waiting: [] });
  t.end();
});

t.test('a final report with one item still to come waits as a whole', (t) => {
  const { all } = story('unknown', says({ itemActions: { Na: 'hold' } }));
  t.same(all, ['wait']);
  t.end();
});

t.test('a final that leaves out what a waiting message said is finished is held', (t) => {
  const some = says({ items: ['K 4.1', 'Na'], itemActions: { Na: 'hold' } });
  const { all } = story('unknown', some, says({ items: ['Na 140'], ...later }));
  t.same(all, ['wait', 'hold MAP-3007']);
  const whole = story('unknown', some, says({ items: ['K 4.2', 'Na 140'], ...later }));
  t.same(whole.all, ['wait', 'publish']);
  t.match(whole.last, { absorbs: ['1:0'] });
  t.match(whole.state, { waiting: [], finished: undefined });
  t.same(story('snapshot', some, says({ items: ['Na 140'], ...later })).all, ['wait', 'hold MAP-3007']);
  const part = says({ items: ['K 4.1', 'Cl 101', 'Na'], itemActions: { Na: 'hold' } });
  t.same(
    story('snapshot', part, says({ items: ['K 4.2', 'Na 140'], ...later })).items,
    ['K 4.2', 'Na 140'],
    'a report known to be whole says which items are left',
  );
  t.end();
});

t.test('a correction that waits for one item is not lost with a final that says only that item', (t) => {
  const { all, state } = story(
    'unknown',
    says({ items: ['K 6.8'] }),
    says({ items: ['K 4.1', 'Na'], itemActions: { Na: 'hold' }, ...later }),
    says({ items: ['K 6.8'], sent: '20240520120000' }),
    says({ items: ['K 4.1', 'Na 140'], reported: '20240520120000' }),
  );
  t.same(all, ['publish', 'wait', 'absorb duplicate', 'publish']);
  t.match(state, { version: 2, waiting: [], finished: undefined });
  t.end();
});

t.test('an item not obtained need not be mentioned by the final', (t) => {
  const some = says({ items: ['K', 'Na'], itemActions: { K: 'remove-item', Na: 'hold' } });
  t.same(story('unknown', some, says({ items: ['Na 140'], ...later })).all, ['wait', 'publish']);
  t.end();
});

t.test('where messages say only what changes, finished items count at once and those to come change nothing', (t) => {
  const some = says({ items: ['K 4.1', 'Na'], itemActions: { Na: 'hold' }, ...later });
  const first = story('delta', some, says({ items: ['Na 140'], reported: '20240520120000' }));
  t.same(first.all, ['publish', 'publish']);
  t.same(first.items, ['K 4.1', 'Na 140']);
  const corrected = story('delta', says({ items: ['K 6.8', 'Na 139'] }), some);
  t.same(corrected.items, ['K 4.1', 'Na 139']);
  const removed = says({ items: ['K', 'Na'], itemActions: { K: 'remove-item', Na: 'hold' }, ...later });
  t.same(story('delta', says({ items: ['K 6.8', 'Cl 101'] }), removed).items, ['Cl 101']);
  const none = says({ items: ['K', 'Na'], itemActions: { K: 'hold', Na: 'hold' }, ...later });
  t.same(story('delta', says(), none).all, ['publish', 'wait']);
  t.end();
});

t.test('a preliminary message of changes waits until finals have said all it said is finished', (t) => {
  const interim = says({ action: 'hold', items: ['K 4.1', 'Cl'], itemActions: { Cl: 'hold' }, ...later });
  const { all, last, state } = story(
    'delta',
    says({ items: ['K 6.8', 'Na 139'] }),
    interim,
    says({ items: ['Na 140'], reported: '20240520120000' }),
  );
  t.same(all, ['publish', 'wait', 'publish']);
  t.match(last, { absorbs: [] });
  t.match(state, { waiting: ['2:0'], finished: { '2:0': ['K'] } });
  const ended = decide(
    state,
    says({ items: ['K 4.1'], reported: '20240520130000' }),
    { seq: 9, part: 0 },
    rules('delta'),
  );
  t.match(ended, { do: 'publish', absorbs: ['2:0'], next: { waiting: [], finished: undefined } });
  t.end();
});

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

t.test('a final report is published even when it says an earlier report time than the interim did', (t) => {
  t.same(story('unknown', says({ action: 'hold', ...later }), says(earlier)).all, ['wait', 'publish']);
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

t.test('a correction with all items replaces as the next version', (t) => {
  const { all, state, items } = story('unknown', says(), says({ items: ['K 5.1', 'Na 140'], ...later }));
  t.same(all, ['publish', 'publish']);
  t.match(state, { version: 2, setId: 'set-lis|R1' });
  t.same(items, ['K 5.1', 'Na 140']);
  t.end();
});

t.test('a second final report with a later report time replaces', (t) => {
  t.same(story('unknown', says(), says(later)).all, ['publish', 'publish']);
  t.end();
});

t.test('a correction with more items than before replaces', (t) => {
  const { items } = story('unknown', says(), says({ items: ['K 4.2', 'Na 140', 'Cl 101'], ...later }));
  t.same(items, ['K 4.2', 'Na 140', 'Cl 101']);
  t.end();
});

t.test('a correction without some items is held when the profile does not say what that means', (t) => {
  const { all, state } = story('unknown', says(), says({ items: ['K 5.1'], ...later }));
  t.same(all, ['publish', 'hold MAP-3007']);
  t.match(state, { version: 1 }, 'and what was published stays');
  t.end();
});

t.test('a correction without some items is the whole report when the profile says snapshot', (t) => {
  t.same(story('snapshot', says(), says({ items: ['K 5.1'], ...later })).items, ['K 5.1']);
  t.end();
});

t.test('a correction without some items changes only these when the profile says delta', (t) => {
  const { items } = story('delta', says(), says({ items: ['Na 138', 'Cl 101'], ...later }));
  t.same(items, ['K 4.2', 'Na 138', 'Cl 101']);
  t.end();
});

t.test('a delta keeps the rest of the report where it says nothing about it', (t) => {
  const { last } = story('delta', says({ remarks: ['hemolysis'] }), says({ items: ['K 5.1'], ...later }));
  t.match(last, { report: { remarks: ['hemolysis'], reportedAt: later.reported } });
  t.end();
});

t.test('a delta that repeats what is published is a duplicate', (t) => {
  t.same(story('delta', says(), says({ items: ['Na 140'] })).all, ['publish', 'absorb duplicate']);
  t.end();
});

t.test('a delta for one of several items with the same code is held: which one is meant is unclear', (t) => {
  const { all } = story('delta', says({ items: ['GLU 5.0', 'GLU#2 9.1'] }), says({ items: ['GLU 8.8'], ...later }));
  t.same(all, ['publish', 'hold MAP-3007']);
  t.end();
});

t.test('a deleted item is taken out and the report is issued again', (t) => {
  const { all, items, state } = story('unknown', says(), says({ itemActions: { Na: 'remove-item' }, ...later }));
  t.same(all, ['publish', 'publish']);
  t.same(items, ['K 4.2']);
  t.match(state, { version: 2 });
  t.end();
});

t.test('a delta that deletes one item leaves the others', (t) => {
  const { items } = story('delta', says(), says({ items: ['Na'], itemActions: { Na: 'remove-item' }, ...later }));
  t.same(items, ['K 4.2']);
  t.end();
});

t.test('a message that names only the deleted item is held unless the profile says delta', (t) => {
  const removal = says({ items: ['Na'], itemActions: { Na: 'remove-item' }, ...later });
  t.same(story('unknown', says(), removal).all, ['publish', 'hold MAP-3007']);
  t.end();
});

t.test('a report whose items were all deleted is retracted', (t) => {
  const { all, state } = story(
    'unknown',
    says(),
    says({ itemActions: { K: 'remove-item', Na: 'remove-item' }, ...later }),
  );
  t.same(all, ['publish', 'retract']);
  t.match(state, { status: 'retracted', version: 2 });
  t.end();
});

t.test('deltas that delete one item after the other end in a retraction', (t) => {
  const { all } = story(
    'delta',
    says(),
    says({ items: ['Na'], itemActions: { Na: 'remove-item' }, sent: '20240520110000' }),
    says({ items: ['K'], itemActions: { K: 'remove-item' }, sent: '20240520120000' }),
  );
  t.same(all, ['publish', 'publish', 'retract']);
  t.end();
});

t.test('an item deleted before anything was published is not published', (t) => {
  const first = story('unknown', says({ itemActions: { Na: 'remove-item' } }));
  t.same(first.items, ['K 4.2']);
  const none = story('unknown', says({ items: ['K'], itemActions: { K: 'remove-item' } }));
  t.same(none.all, ['absorb nothing-published']);
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

t.test('an older version arriving late never replaces a newer one', (t) => {
  const { all, state } = story('unknown', says(later), says({ items: ['K 9.9', 'Na 140'], ...earlier }));
  t.same(all, ['publish', 'absorb older']);
  t.match(state, { version: 1, reportTime: later.reported });
  t.end();
});

t.test('an older withdrawal does not withdraw a newer version', (t) => {
  t.same(story('unknown', says(later), says({ action: 'retract', ...earlier })).all, ['publish', 'absorb older']);
  t.end();
});

t.test('an older version without some items is older, not incomplete', (t) => {
  t.same(story('unknown', says(later), says({ items: ['K 9.9'], ...earlier })).all, ['publish', 'absorb older']);
  t.end();
});

t.test('an interim result that is older than the final is absorbed', (t) => {
  t.same(story('unknown', says(later), says({ action: 'hold', ...earlier })).all, ['publish', 'absorb older']);
  t.end();
});

t.test('an interim result that is newer than the final waits and leaves the final as it is', (t) => {
  const { all, state } = story('unknown', says(), says({ items: ['K 9.9'], action: 'hold', ...later }));
  t.same(all, ['publish', 'wait']);
  t.match(state, { status: 'published', version: 1, waiting: ['2:0'], reportTime: '20240520100000' });
  t.equal(itemsOf(state?.current)[0]?.value, '4.2');
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

t.test('equal content has an equal hash, whatever the order of keys and the place it was read from', (t) => {
  const report = says().report as LabReport;
  const one = { ...report, patient: { identifiers: [{ kind: 'in-house', value: '1', source: 'PID-2' }], name: 'x' } };
  const same = { patient: { name: 'x', identifiers: [{ source: 'PID-3[2].1', value: '1', kind: 'in-house' }] } };
  const reordered = { ...same, ...Object.fromEntries(Object.entries(report).filter(([key]) => key !== 'patient')) };
  t.equal(contentHash(one as LabReport), contentHash(reordered as LabReport));
  t.not(contentHash(one as LabReport), contentHash(report));
  t.not(contentHash({ ...report, conclusion: 'x' }), contentHash(report));
  t.equal(contentHash({ ...report, conclusion: undefined } as unknown as LabReport), contentHash(report));
  t.end();
});
