import t from 'tap';
import { checkProfile, compileProfile } from '../../../../adapters/hl7v2/profile/check.ts';
import { namedOrganisations } from '../../../../adapters/hl7v2/profile/compile-organisation.ts';
import { ConfigError } from '../../../../config/config-error.ts';
import { obr, obx, pid, profileText, pv1, read } from './reading.ts';

/** The default profile with a rule of organisations: A is the site's, B another's. */
const textOf = (rule: string, table = '{ HA: "A", HB: "B" }'): string =>
  profileText
    .replace(/^patient:\n/m, `organisation: ${rule}\npatient:\n`)
    .replace(/^tables:\n/m, `tables:\n  organisations: ${table}\n`);
const byMsh = compileProfile(textOf('{ path: MSH-4.1 }'));

const msh = (facility: string, type = 'ORU^R01', charset = ''): string =>
  `MSH|^~\\&|LIS|${facility}|E|R|20240520102600||${type}|M1|P|2.4|||||CHN|${charset}`;
const evn = 'EVN|A40|20240520102600';

/** What each statement is: its kind, and the institution or the code it is held with. */
const said = (segments: string[], reader = byMsh): string[] => {
  const reading = read(segments, reader);
  if (reading.kind !== 'statements') return [reading.kind];
  return reading.statements.map((one) => {
    if ('held' in one) return `held ${one.held.code} ${one.held.where}`;
    if ('filtered' in one) return `filtered ${one.filtered}`;
    const [kind] = ['ok', 'patient', 'merge'].filter((key) => key in one);
    return `${kind} ${one.institution ?? '-'}`;
  });
};
const result = (facility: string, ...more: string[]) => [msh(facility), pid, pv1, obr(), obx('K', '4.1'), ...more];

t.test('every statement of a message is of the institution that the table says', async (t) => {
  t.same(said(result('HA')), ['ok A']);
  t.same(said(result('HB')), ['ok B']);
  t.same(said(result(' HB ^1.2.3^ISO')), ['ok B'], 'the component, without blanks');
  t.same(said([msh('HB', 'ADT^A01'), 'EVN|A01', pid, pv1]), ['patient B', 'ok B']);
  t.same(said([msh('HB', 'ADT^A40'), evn, pid, 'MRG|ZY2^^^^PatientNO|||P2']), ['merge B']);
  t.same(said([msh('HB', 'ADT^A37'), 'EVN|A37', pid, 'PID|2|P2||ZY2||19900307|M']), ['merge B']);
  t.same(said([msh('HB', 'OML^O21'), pid, pv1, 'ORC|NW|A1', 'OBR|1|A1||XCG^血常规']), ['ok B']);
  t.equal(byMsh.patientNumbers, 'own');
});

t.test(
  'an unknown institution is held, whatever the message says; none is left to mapping, which holds it',
  async (t) => {
    t.same(said(result('HX')), ['held MAP-3040 organisation']);
    t.same(said(result('ha')), ['held MAP-3040 organisation'], 'as sent, to the letter');
    t.same(said(result('missing')), ['held MAP-3040 organisation'], 'a word of the table is no value');
    t.same(said([msh('HX', 'ADT^A01'), 'EVN|A01', pid, pv1]), [
      'held MAP-3040 organisation',
      'held MAP-3040 organisation',
    ]);
    t.same(said([msh('HX', 'ADT^A40'), evn, pid, 'MRG|ZY2^^^^PatientNO|||P2']), ['held MAP-3040 organisation']);
    t.same(said(result('')), ['ok -']);
    t.same(said(result('""')), ['ok -']);
    const withMissing = compileProfile(textOf('{ path: MSH-4.1 }', '{ HB: "B", missing: "A" }'));
    t.same(said(result(''), withMissing), ['ok A']);
    t.same(said(result('HX'), withMissing), ['held MAP-3040 organisation'], 'none said is not the same as unknown');
    t.same(said(result('missing'), withMissing), ['held MAP-3040 organisation'], 'nor is the word of the table');
  },
);

t.test('each patient of a message belongs to the institution said of them', async (t) => {
  const byCampus = compileProfile(textOf('{ path: PV1-39 }'));
  const at = (campus: string) => `PV1|1|I|W03${'|'.repeat(36)}${campus}`;
  const of = (number: string, campus: string) => [
    `PID|1|${number}||||19900307|M`,
    at(campus),
    obr({ 20: `R${number}` }),
    obx('K', '4.1'),
  ];
  t.same(said([msh('H'), ...of('1', 'HA'), ...of('2', 'HB'), ...of('3', 'HX')], byCampus), [
    'ok A',
    'ok B',
    'held MAP-3040 organisation',
  ]);
  t.same(
    said([msh('H', 'ADT^A37'), 'EVN|A37', 'PID|1|P1', at('HA'), 'PID|2|P2', at('HB')], byCampus),
    ['held MAP-3040 organisation'],
    'numbers of two institutions are nothing to each other',
  );
  t.same(said([msh('H', 'ADT^A37'), 'EVN|A37', 'PID|1|P1', at('HB'), 'PID|2|P2', at('HB')], byCampus), ['merge B']);
});

t.test('a report in a guessed charset keeps its institution', async (t) => {
  const bytes = Buffer.concat([
    Buffer.from(`${msh('HB')}\rPID|1|P1|ZY1^^^^PatientNO||`),
    Buffer.from([0xd5, 0xc5, 0xc8, 0xfd]),
    Buffer.from(`||19900307|M\r${pv1.replace(/[^\x20-\x7e]/g, '')}\r${obr({ 4: 'XCG' })}\r${obx('K', '4.1')}`),
  ]);
  const reading = byMsh.read({ reveal: () => bytes } as never, {
    receivedMs: Date.UTC(2024, 4, 20, 2, 30),
    source: 'lis',
    timeZone: 'Asia/Shanghai',
  });
  const [one] = reading.kind === 'statements' ? reading.statements : [];
  t.ok(one && 'ok' in one && one.ok.findings.some(({ code }) => code === 'HL7-2108'), 'the charset was guessed');
  t.equal(one?.institution, 'B');
});

t.test('one source may be one institution’s, said by a text instead of a path', async (t) => {
  const always = compileProfile(textOf(`{ path: "'HB'" }`));
  t.same(said(result('HA'), always), ['ok B']);
});

t.test('without the rule nothing is told apart', async (t) => {
  const reader = compileProfile(profileText);
  t.equal(reader.patientNumbers, undefined);
  t.same(said(result('HB'), reader), ['ok -']);
});

const issuesOf = (text: string): string[] => {
  try {
    checkProfile(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.issues.map(({ path, message }) => `${path}: ${message.en}`);
    throw error;
  }
  return [];
};

t.test('slips in the rule are found when the profile is loaded', async (t) => {
  t.same(issuesOf(textOf('{ path: MSH-4.1, patient_numbers: shared }')), []);
  t.match(issuesOf(textOf('{ path: MSH-4.1, patient_numbers: common }')), [/^organisation.patient_numbers: /]);
  t.match(issuesOf(textOf('{ path: PID-3.4 }')), [/PID cannot be used here/], 'MRG may say another');
  t.match(issuesOf(textOf('{ path: OBR-21 }')), [/OBR cannot be used here/]);
  t.match(issuesOf(textOf('{ path: MSH-4.1 }', '{}')), [/^organisation.path: .*tables.organisations/]);
  t.match(issuesOf(textOf('{ path: MSH-4.1 }', '{ HA: "the hospital", HB: "B" }')), [/^tables.organisations.HA: /]);
  const missing = '{ HA: "A", missing: "A" }';
  t.match(issuesOf(textOf('{ path: PV1-39 }', missing)), [/^tables.organisations.missing: .*MSH/]);
  t.match(issuesOf(textOf('{ path: MSH-4.1 | PV1-39 }', missing)), [/^tables.organisations.missing: .*MSH/]);
  t.same(issuesOf(textOf('{ path: MSH-4.1 | MSH-3.1 }', missing)), []);
  t.same(issuesOf(textOf('{ path: PV1-39, patient_numbers: shared }', missing)), [], 'which merges do not need');
  // A merge has no PV1: what it falls back on would be another institution's.
  const codes = '{ HA: "A", HB: "B" }';
  for (const path of ['PV1-39 | MSH-4.1', "PV1-39 | 'HA'", "PV1-39 + '' | EVN-7"]) {
    t.match(issuesOf(textOf(`{ path: "${path}" }`, codes)), [/^organisation.path: .*must not fall back/], path);
    t.same(issuesOf(textOf(`{ path: "${path}", patient_numbers: shared }`, codes)), [], path);
  }
  t.same(issuesOf(textOf('{ path: MSH-4.1 | PV1-39 }', codes)), []);
  const campus = textOf('{ path: "lookup(campus, PV1-39)" }', codes);
  t.same(issuesOf(campus.replace(/^tables:\n/m, 'tables:\n  campus: { "1": HA }\n')), []);
  const withMissing = campus.replace(/^tables:\n/m, 'tables:\n  campus: { "1": HA, missing: HB }\n');
  t.match(issuesOf(withMissing), [/^organisation.path: .*must not fall back/]);
});

t.test('a patient of two visits is of one institution, or nobody’s', async (t) => {
  const reader = compileProfile(textOf('{ path: PV1-39 }'));
  const visit = (campus: string) => `PV1|1|O${'|'.repeat(37)}${campus}`;
  const of = (...visits: string[]) => read([msh('X'), pid, ...visits, obr(), obx('K', '4.1')], reader);
  t.match(of(visit('HA')), { statements: [{ institution: 'A' }] });
  t.match(of(visit('HA'), visit('HA')), { statements: [{ institution: 'A' }] });
  t.match(of(visit('HA'), visit('HB')), { kind: 'held', code: 'HL7-2106', where: 'PV1' });
});

t.test('the institutions a profile names are told with their places', async (t) => {
  t.same(namedOrganisations(checkProfile(textOf('{ path: MSH-4.1 }')).profile), {
    numbers: 'own',
    named: [
      { path: ['tables', 'organisations', 'HA'], code: 'A' },
      { path: ['tables', 'organisations', 'HB'], code: 'B' },
    ],
  });
  t.equal(namedOrganisations(checkProfile(profileText).profile), undefined);
});
