import t from 'tap';
import type {
  ClinicalRecord,
  ExamReport,
  LabItem,
  LabReport,
  OrderRecord,
  Organism,
  Patient,
} from '../../../../agent/clinical/records/types.ts';
import { contentHash } from '../../../../agent/clinical/reports/content.ts';
import { decide, type LifeCycleRules } from '../../../../agent/clinical/reports/life-cycle.ts';
import type { ReportDecision, ReportState, ReportStatement } from '../../../../agent/clinical/reports/types.ts';

/** The life cycle of what is not a plain list of results: sections, organisms, records told whole, tests one by one. */

const patient: Patient = { identifiers: [{ kind: 'in-house', value: 'P1', source: 'PID-2' }] };

/** `impression 肺炎` → a section. */
const exam = (...sections: string[]): ExamReport => ({
  kind: 'exam-report',
  reportNumber: 'E1',
  orderNumbers: [],
  accessionNumbers: [],
  patient,
  encounter: { diagnoses: [] },
  sections: sections.map((line) => {
    const [key = '', text = ''] = line.split(' ');
    const role = key === 'findings' || key === 'impression' ? key : 'other';
    return { key, role, title: { name: key }, text };
  }),
  remarks: [],
});

const item = (text: string): LabItem => {
  const [code = '', value] = text.split(' ');
  return { key: code, item: { code }, ...(value && { value }), numeric: true, notes: [] };
};
/** `ECO AMP R CIP S` → an organism and what it was tested with. */
const organism = (text: string): Organism => {
  const [code = '', ...words] = text.split(' ');
  const susceptibilities = words.flatMap((drug, i) =>
    i % 2 === 0 ? [{ drug: { code: drug }, result: words[i + 1] ?? '' }] : [],
  );
  return { key: code, organism: { code }, susceptibilities };
};
/** An organism in the same short form. */
const grown = ({ key, susceptibilities }: Organism): string =>
  [key, ...susceptibilities.map(({ drug, result }) => `${drug.code} ${result}`)].join(' ');
const lab = (items: string[], more: Partial<LabReport> & { grew?: string[] } = {}): LabReport => {
  const { grew, ...rest } = more;
  return {
    kind: 'lab-report',
    reportNumber: 'R1',
    orderNumbers: [],
    patient,
    encounter: { diagnoses: [] },
    specimen: {},
    items: items.map(item),
    ...(grew && { organisms: grew.map(organism) }),
    remarks: [],
    ...rest,
  };
};

interface Step extends Partial<Omit<ReportStatement, 'report'>> {
  /** Milliseconds at which it is received. */
  at?: number;
  /** A message that waited is read again instead of a new one. */
  again?: number;
}

/** Plays statements, each an hour later than the one before it, unless it says its own report time. */
function story(how: Partial<LifeCycleRules>, ...steps: Array<[ClinicalRecord, Step?]>) {
  let state: ReportState | undefined;
  const decisions: ReportDecision[] = [];
  steps.forEach(([report, step = {}], i) => {
    const { at = i, again, ...more } = step;
    const statement: ReportStatement = {
      reportKey: 'lis|R1',
      patientKey: 'P1',
      report,
      reportAction: 'publish',
      itemActions: {},
      reportTime: `202405201${i}0000`,
      findings: [],
      ...more,
    };
    const rules = { corrections: 'unknown' as const, setIdOf: () => 'set', quietMs: 0, nowMs: at, ...how };
    const frozen = JSON.stringify(state);
    const decision = decide(state, statement, { seq: again ?? i + 1, part: 0 }, rules);
    if (JSON.stringify(state) !== frozen) throw new Error('decide changed the state it was given');
    decisions.push(decision);
    if (decision.do !== 'hold') state = decision.next;
  });
  const last = decisions.at(-1)!;
  const record = last.do === 'publish' ? last.report : undefined;
  return {
    state,
    last,
    all: decisions.map((d) =>
      d.do === 'absorb' ? `absorb ${d.reason}` : d.do === 'hold' || d.do === 'wait' ? `${d.do} ${d.code}` : d.do,
    ),
    sections: record?.kind === 'exam-report' ? record.sections.map(({ key, text }) => `${key} ${text}`) : undefined,
    items: record?.kind === 'lab-report' ? record.items.map(({ key, value }) => `${key} ${value}`) : undefined,
    grew: record?.kind === 'lab-report' ? record.organisms?.map(({ key }) => key) : undefined,
    tested: record?.kind === 'lab-report' ? record.organisms?.map(grown) : undefined,
  };
}

t.test('an examination corrected in one section only is held, unless the profile says what that means', async (t) => {
  const told: Array<[ClinicalRecord, Step?]> = [
    [exam('findings 斑片影', 'impression 肺炎')],
    [exam('impression 肺炎吸收期')],
  ];
  const { last } = story({}, ...told);
  t.match(last, { do: 'hold', code: 'MAP-3007', where: 'sections' });
  t.same(story({ corrections: 'snapshot' }, ...told).sections, ['impression 肺炎吸收期']);
  t.same(story({ corrections: 'delta' }, ...told).sections, ['findings 斑片影', 'impression 肺炎吸收期']);
});

t.test('a supplementary section adds where changes are told, and is held where it could replace', async (t) => {
  const told: Array<[ClinicalRecord, Step?]> = [[exam('findings 腺体', 'impression 腺癌')], [exam('免疫组化 CK7+')]];
  t.same(story({ corrections: 'delta' }, ...told).sections, ['findings 腺体', 'impression 腺癌', '免疫组化 CK7+']);
  for (const corrections of ['unknown', 'snapshot'] as const) {
    t.same(story({ corrections }, ...told).all, ['publish', 'hold MAP-3007'], corrections);
  }
});

t.test('an examination without its deleted section is issued again, and retracted without any', async (t) => {
  const one = story(
    {},
    [exam('findings a', 'impression b')],
    [exam('findings a', 'impression b'), { itemActions: { findings: 'remove-item' } }],
  );
  t.same(one.sections, ['impression b']);
  const none = story(
    {},
    [exam('impression b')],
    [exam('impression b'), { itemActions: { impression: 'remove-item' } }],
  );
  t.same(none.all, ['publish', 'retract']);
});

t.test('an examination under the number of a laboratory report is held, in whatever mode', async (t) => {
  for (const corrections of ['unknown', 'snapshot', 'delta'] as const) {
    t.same(
      story({ corrections }, [lab(['K 4'])], [exam('impression b')]).all,
      ['publish', 'hold MAP-3011'],
      corrections,
    );
  }
});

t.test('an examination of another patient does not take a laboratory report its number', async (t) => {
  const other: Step = { patientKey: 'P2' };
  t.same(story({}, [lab(['K 4'])], [exam('impression b'), other]).all, ['publish', 'hold MAP-3011']);
  t.same(
    story({}, [lab(['K 4'])], [exam('impression b'), { ...other, reportTime: '20240520080000' }]).all,
    ['publish', 'hold MAP-3011'],
    'an older one is not lost either',
  );
  t.same(
    story({}, [lab(['K 4'])], [exam('impression b'), { reportAction: 'hold' }]).all,
    ['publish', 'hold MAP-3011'],
    'nor an interim one',
  );
  t.same(
    story(oneByOne, [lab(['K 4'])], [exam('impression b'), other]).all,
    ['wait MAP-3028', 'hold MAP-3011'],
    'nor while tests are collected',
  );
});

t.test('a withdrawal of an examination withdraws no laboratory report of its number', async (t) => {
  const withdrawn: Step = { reportAction: 'retract' };
  t.same(story({}, [lab(['K 4'])], [exam(), withdrawn]).all, ['publish', 'hold MAP-3011']);
  t.same(story({}, [exam('impression b')], [lab(['K 4']), withdrawn]).all, ['publish', 'hold MAP-3011']);
  t.same(
    story({}, [exam('impression b')], [lab([]), withdrawn]).all,
    ['publish', 'retract'],
    'one without results does not say what it withdraws',
  );
});

t.test('a culture that grows over days: organisms are items', async (t) => {
  const day1 = lab(['CULT 培养']);
  const day3 = lab(['CULT 培养'], { grew: ['ECO'] });
  const day5 = lab(['CULT 培养'], { grew: ['ECO CIP R', 'KPN'] });
  const grown = story({}, [day1], [day3], [day5]);
  t.same(grown.all, ['publish', 'publish', 'publish']);
  t.same(grown.grew, ['ECO', 'KPN']);
  t.same(story({}, [day5], [day3]).all, ['publish', 'hold MAP-3007'], 'one that is not mentioned any more');
  const adds = story({ corrections: 'delta' }, [day3], [lab([], { grew: ['KPN'] })]);
  t.same(adds.grew, ['ECO', 'KPN']);
  t.same(adds.items, ['CULT 培养']);
  const gone = story({}, [day3], [day3, { itemActions: { ECO: 'remove-item' } }]);
  t.same([gone.items, gone.grew], [['CULT 培养'], []]);
});

t.test('one drug does not stand for all an organism was tested with', async (t) => {
  const both = lab([], { grew: ['ECO AMP R CIP S'] });
  const one = lab([], { grew: ['ECO IMP S'] });
  t.same(story({}, [both], [one]).all, ['publish', 'hold MAP-3007']);
  t.same(story({ corrections: 'snapshot' }, [both], [one]).all, ['publish', 'hold MAP-3007']);
  t.same(story({ corrections: 'delta' }, [both], [one]).tested, ['ECO AMP R CIP S IMP S']);
  const changed = lab([], { grew: ['ECO CIP R'] });
  t.same(story({ corrections: 'delta' }, [both], [changed]).tested, ['ECO AMP R CIP R']);
  t.same(story({ corrections: 'snapshot' }, [both], [changed]).tested, ['ECO CIP R']);
  t.same(story({}, [both], [lab([], { grew: ['ECO AMP R CIP R IMP S'] })]).tested, ['ECO AMP R CIP R IMP S']);
});

t.test('a deleted drug goes alone; the organism goes with the last', async (t) => {
  const both = lab([], { grew: ['ECO AMP R CIP S'] });
  const gone: Step = { itemActions: { 'ECO|AMP': 'remove-item', 'ECO|': 'remove-item' } };
  const amp = lab([], { grew: ['ECO AMP R'] });
  t.same(story({}, [both], [amp, gone]).all, ['publish', 'hold MAP-3007']);
  t.same(story({}, [both], [both, { itemActions: { 'ECO|AMP': 'remove-item' } }]).tested, ['ECO CIP S']);
  const delta = { corrections: 'delta' as const };
  t.same(story(delta, [both], [amp, gone]).tested, ['ECO CIP S']);
  t.same(story(delta, [lab(['CULT 阳性'], { grew: ['ECO AMP R'] })], [amp, gone]).tested, []);
  t.same(story(delta, [amp], [amp, gone]).all, ['publish', 'retract']);
  const own: Step = { itemActions: { ECO: 'remove-item' } };
  t.same(
    story(delta, [lab([], { grew: ['ECO AMP R', 'KPN CIP S'] })], [lab([], { grew: ['ECO'] }), own]).tested,
    ['KPN CIP S'],
    'an organism deleted by its own row goes with all its drugs',
  );
});

t.test('changes of two drugs of one organism that cross on their way both count', async (t) => {
  const both = lab([], { grew: ['ECO AMP R CIP S'] });
  const told: Array<[ClinicalRecord, Step?]> = [
    [both],
    [lab([], { grew: ['ECO AMP S'] }), { reportTime: '20240520120000' }],
    [lab([], { grew: ['ECO AMP I CIP R IMP S'] }), { reportTime: '20240520113000' }],
  ];
  t.same(story({ corrections: 'delta' }, ...told).tested, ['ECO AMP S CIP R IMP S']);
  const deleted: Array<[ClinicalRecord, Step?]> = [
    [lab(['CULT 阳性'], { grew: ['ECO AMP R'] })],
    [lab([], { grew: ['ECO AMP R'] }), { itemActions: { 'ECO|AMP': 'remove-item', 'ECO|': 'remove-item' } }],
    [lab(['GRAM 阴性杆菌'], { grew: ['ECO IMP S'] }), { reportTime: '20240520080000' }],
  ];
  t.same(story({ corrections: 'delta' }, ...deleted).tested, [], 'a deleted organism does not come back with a drug');
});

t.test(
  'a supplement joins conclusion, remarks, order numbers and attachments; a correction replaces them',
  async (t) => {
    const attachment = (title: string) => ({ kind: 'embedded' as const, title, source: 'OBX-5' });
    const first = lab(['K 4'], {
      conclusion: 'a',
      remarks: ['r'],
      orderNumbers: ['O1'],
      attachments: [attachment('1')],
    });
    const more = { conclusion: 'b', remarks: ['s'], orderNumbers: ['O2'], attachments: [attachment('2')] };
    const added = story({ corrections: 'delta' }, [first], [lab(['Na 140'], more)]).last;
    t.match(added, {
      report: {
        conclusion: 'a\nb',
        remarks: ['r', 's'],
        orderNumbers: ['O1', 'O2'],
        attachments: [{ title: '1' }, { title: '2' }],
      },
    });
    const corrected = story({ corrections: 'delta' }, [first], [lab(['K 5'], more)]).last;
    t.match(corrected, { report: { conclusion: 'b', remarks: ['s'], orderNumbers: ['O2'] } });
  },
);

t.test('a supplement that comes late still adds, and what it says of known items is old', async (t) => {
  const late: Step = { reportTime: '20240520080000' };
  const { all, items, state } = story(
    { corrections: 'delta' },
    [lab(['K 4'])],
    [lab(['Cl 101'])],
    [lab(['K 9', 'Na 140']), late],
  );
  t.same(all, ['publish', 'publish', 'publish']);
  t.same(items, ['K 4', 'Cl 101', 'Na 140']);
  t.match(state, { reportTime: '20240520110000' }, 'the clock of the report does not go back');
  t.same(story({ corrections: 'delta' }, [lab(['K 4'])], [lab(['K 9']), late]).all, ['publish', 'absorb older']);
});

t.test('an item deleted since is not brought back by an old message, only by a newer one', async (t) => {
  const removal: Step = { itemActions: { Na: 'remove-item' } };
  const first = lab(['K 4', 'Na 140']);
  const old: Step = { reportTime: '20240520080000' };
  const told: Array<[ClinicalRecord, Step?]> = [[first], [lab(['Na']), removal]];
  t.same(story({ corrections: 'delta' }, ...told, [first, old]).all, ['publish', 'publish', 'absorb older']);
  t.same(story({ corrections: 'delta' }, ...told, [lab(['Na 141'])]).items, ['K 4', 'Na 141']);
});

t.test('an order is told whole: what a later one does not mention is not missing', async (t) => {
  const order = (more: Partial<OrderRecord>): OrderRecord => ({
    kind: 'order',
    orderNumber: 'O1',
    patient,
    encounter: { diagnoses: [] },
    ...more,
  });
  const full = order({ reason: 'x', priority: 'S' });
  const { all, last } = story({}, [full], [full], [order({ priority: 'R' })], [order({}), { reportAction: 'retract' }]);
  t.same(all, ['publish', 'absorb duplicate', 'publish', 'retract']);
  t.match(last, { report: { priority: 'R' }, next: { status: 'retracted', version: 3 } });
});

t.test('every kind of record has a hash of its own content', async (t) => {
  const encounter = { diagnoses: [], visitNumber: 'V1' };
  const records: ClinicalRecord[] = [
    lab(['K 4']),
    lab(['K 4'], { grew: ['ECO'] }),
    lab(['K 4'], { grew: ['ECO CIP R'] }),
    lab(['K 4'], { attachments: [{ kind: 'reference', source: 'OBX-5' }] }),
    exam('findings a'),
    exam('findings b'),
    { kind: 'patient', patient },
    { kind: 'encounter', patient, encounter, state: 'admitted' },
    { kind: 'encounter', patient, encounter, state: 'discharged' },
    { kind: 'order', orderNumber: 'O1', patient, encounter },
    { kind: 'prescription', orderNumber: 'O1', patient, encounter, dose: '1' },
    { kind: 'clinical-document', documentNumber: 'D1', patient, encounter, sections: [] },
    { kind: 'imaging-study', studyUid: '1.2', accessionNumbers: [], modalities: [], patient },
  ];
  t.equal(new Set(records.map(contentHash)).size, records.length);
});

const minute = 60_000;
const oneByOne = { quietMs: 10 * minute };

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
