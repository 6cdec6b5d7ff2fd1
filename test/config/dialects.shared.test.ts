import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { checkProfile, compileProfile } from '../../adapters/hl7v2/profile/check.ts';
import { takeApart } from '../../adapters/hl7v2/take-apart.ts';
import type { LabItem } from '../../agent/clinical/records/types.ts';
import type { Reading, Statement } from '../../agent/mapping/mapper.ts';
import { readAsset } from '../../agent/support/assets.ts';
import { phi } from '../../agent/support/phi.ts';

/**
 * What the built-in profiles make of real messages, checked by eye against them. The messages have no licence: nothing of
 * them is here but counts, codes, units and flags.
 */
const shared = new URL('../../../shared/', import.meta.url);
const corpus = new URL('corpus/hl7/', shared);
const skip = existsSync(corpus) ? false : 'the corpus (../shared/corpus) is not here';

const folders = {
  cn: '_cn-transcribed/',
  hcmi: 'zhengwenxuan+hcmi/src_com_hjw_webService_',
  cl1000: 'hmislk+MindrayCL1000i/',
  bc5480: 'inovalab-dev+mindray-bc-5480-lis-tester/',
};

const readers = new Map<string, ReturnType<typeof compileProfile>>();
const readerOf = (name: string) => {
  const known = readers.get(name) ?? compileProfile(readAsset(`config/dialects/${name}.yaml`));
  readers.set(name, known);
  return known;
};

/** The messages of a file, without the blocks of MLLP where it has them, each read. */
function readAll(profile: string, file: string, change = (text: string): string => text): Reading[] {
  const text = change(readFileSync(new URL(`${file}.hl7`, corpus), 'latin1')).replace(/[\x0b\x1c]/g, '');
  const raw = Buffer.from(text, 'latin1');
  const context = { receivedMs: Date.UTC(2026, 0, 1), source: 's', timeZone: 'Asia/Shanghai' };
  return (takeApart(raw, 100)?.parts ?? [raw]).map((one) => readerOf(profile).read(phi(one), context));
}

/** A field of a file's first segment of that name, as written; a component of it by its number. */
function written(file: string, segment: string, field: number, component?: number): string {
  const text = readFileSync(new URL(`${file}.hl7`, corpus), 'utf8');
  const fields = text.split(/[\r\n]+/).find((line) => line.startsWith(`${segment}|`));
  const value = fields?.split('|')[field] ?? '';
  if (value === '') throw new Error(`${segment}-${field} of ${file} is empty`);
  return component === undefined ? value : (value.split('~')[0]?.split('^')[component - 1] ?? '');
}

function fact(statement: Statement): unknown {
  if ('held' in statement) return `held ${statement.held.code} ${statement.held.where}`;
  if ('filtered' in statement) return `filtered ${statement.filtered}`;
  if ('patient' in statement) return 'patient';
  return 'ok' in statement ? `${statement.ok.reportAction} ${statement.ok.report.kind}` : 'merge';
}
const facts = (readings: Reading[]): unknown[] =>
  readings.flatMap((reading) => {
    if (reading.kind === 'statements') return reading.statements.map(fact);
    return [reading.kind === 'held' ? `held ${reading.code} ${reading.where}` : `filtered ${reading.rule}`];
  });

/** The one record of the readings. */
function recordOf(readings: Reading[]) {
  const said = readings.flatMap((one) => (one.kind === 'statements' ? one.statements : []));
  const [only, ...others] = said.flatMap((one) => ('ok' in one ? [one.ok] : []));
  if (only === undefined || others.length > 0) throw new Error(facts(readings).join());
  return only;
}
function labOf(readings: Reading[]) {
  const { report, ...rest } = recordOf(readings);
  if (report.kind !== 'lab-report') throw new Error(report.kind);
  return { ...rest, report };
}
const codes = (items: LabItem[]) => items.map(({ item }) => item.code);
const tally = (values: Array<string | undefined>) => {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value ?? 'none'] = (counts[value ?? 'none'] ?? 0) + 1;
  return counts;
};

t.test('Mindray BC: without a patient number held; settings of the device are no results', { skip }, async (t) => {
  for (const file of ['mindray-bc-180307003', 'mindray-bc-180307004', 'mindray-bc-180307006']) {
    const path = folders.cn + file;
    const specimen = `${written(path, 'OBR', 3)}-${written(path, 'OBR', 7)}`;
    t.same(facts(readAll('mindray-analyser', path)), ['held MAP-3003 patient.in_house'], file);
    const numbered = readAll('mindray-analyser', path, (text) => text.replace('||^^^^MR', '||999^^^^MR'));
    const { report, patientKey, lacks } = labOf(numbered);
    t.equal(patientKey, '999');
    t.equal(report.reportNumber, specimen, 'two samples of one counter are two reports');
    t.equal(report.items.length, 19, 'of 22 OBX three are settings');
    t.notOk(codes(report.items).some((code) => ['08001', '08002', '01002'].includes(code ?? '')));
    t.same(tally(report.items.map(({ interpretation }) => interpretation)), { abnormal: 5, normal: 14 }, 'L~N, N');
    t.same(tally(report.items.map(({ unit }) => unit)), {
      '10*9/L': 5,
      '10*12/L': 1,
      '%': 6,
      'g/L': 2,
      fL: 3,
      pg: 1,
      none: 1,
    });
    t.equal(report.items.filter(({ numeric }) => !numeric).length, 14, '***** is no number');
    t.same(report.panel?.code, '00001');
    t.same(lacks, ['name', 'sex', 'birthDate', 'patientClass']);
  }
});

t.test('Mindray CL: OBX-3 a number of the device, its name in OBX-4, the patient in PID-2', { skip }, async (t) => {
  const file = `${folders.cn}mindray-cl-manual-sample`;
  const { report, patientKey, reportAction } = labOf(readAll('mindray-analyser', file));
  const barcode = written(file, 'OBR', 2);
  const number = `${barcode}-${written(file, 'OBR', 7)}`;
  t.same(
    [reportAction, patientKey, report.reportNumber, report.specimen?.number],
    ['publish', written(file, 'PID', 2), number, barcode],
  );
  t.same(
    report.items.map(({ item, unit, flag, interpretation, method }) => [
      item.code,
      item.name,
      unit,
      flag,
      interpretation,
      method,
    ]),
    [
      ['2', 'TBil', 'umol/L', 'N', 'normal', undefined],
      ['5', 'ALT', 'umol/L', 'N', 'normal', undefined],
      ['6', 'AST', 'umol/L', 'N', 'normal', undefined],
    ],
  );
  t.equal(report.patient.address, undefined, 'PID-11 is the department');
  for (const kind of ['1', '2']) {
    const own = readAll('mindray-analyser', file, (text) => text.replace('|P|2.3.1||||0|', `|P|2.3.1||||${kind}|`));
    t.same(facts(own), ['filtered quality-control'], `MSH-16 ${kind}`);
  }
});

t.test('Mindray CL-1000i: a date in an untyped PID-3 is nobody’s number', { skip }, async (t) => {
  const path = `${folders.cl1000}document_manual_extracted.txt.000`;
  t.same(facts(readAll('mindray-analyser', path)), ['held MAP-3003 patient.in_house']);
  const numbered = labOf(readAll('mindray-analyser', path, (text) => text.replace('PID|1410||', 'PID|1410|999|')));
  t.equal(numbered.report.items.length, 1);
  t.match(numbered.report.items[0], { item: { code: '25' }, unit: 'mg/dL', numeric: true });
  t.equal(numbered.report.items[0]?.interpretation, undefined, 'a flag in Polish is not guessed');
  t.match(numbered.findings, [{ code: 'MAP-3001' }]);
});

t.test('devices that speak like Mindray’s: no number of the patient, so held', { skip }, async (t) => {
  t.same(facts(readAll('mindray-analyser', `${folders.cn}acon-ha360-cbc`)), ['held MAP-3003 patient.in_house']);
  const { report } = labOf(
    readAll('mindray-analyser', `${folders.cn}acon-ha360-cbc`, (text) => text.replace('PID|1||||', 'PID|1|999|||')),
  );
  t.same(codes(report.items), ['6690-2', '731-0', '718-7', '777-3']);
  t.same(
    report.items.map(({ interpretation }) => interpretation),
    [undefined, undefined, 'abnormal', 'abnormal'],
    'arrows in OBX-8',
  );
  const path = `${folders.bc5480}src_components_DecoderTab.tsx.000`;
  t.same(facts(readAll('mindray-analyser', path)), ['held MAP-3003 patient.in_house']);
  const typed = labOf(readAll('mindray-analyser', path, (text) => text.replace('||P-1002||', '||P-1002^^^^MR||')));
  t.same(
    typed.report.items.map(({ unit }) => unit),
    ['10^9/L', '10^12/L', 'g/dL', '%', '10^9/L'],
    'a power that was sent unescaped',
  );
});

t.test('a monitor: vital signs, alarms and heartbeats are filtered, never a report', { skip }, async (t) => {
  const vitals = `${folders.cn}mindray-vs900-vitals`;
  t.same(facts(readAll('mindray-monitor', vitals)), ['filtered device-observation']);
  t.same(
    facts(readAll('mindray-monitor', vitals, (text) => text.replaceAll('^MDC|', '^99MNDRY|'))),
    ['filtered device-observation'],
    'whatever they are coded in',
  );
  t.same(facts(readAll('mindray-monitor', `${folders.cn}mindray-monitor-heartbeat`)), ['filtered heartbeat']);
  const alarm = (text: string) => text.replace('ORU^R01^ORU_R01', 'ORU^R40^ORU_R40');
  t.same(facts(readAll('mindray-monitor', vitals, alarm)), ['filtered device-alarm']);
  t.match(checkProfile(readAsset('config/dialects/mindray-monitor.yaml')).profile.intake, { ack: 'enhanced' });
});

t.test('LIS by OUL^R24: digits for status, the flag in OBX-11, the unit in OBX-6.2', { skip }, async (t) => {
  const qualitative = `${folders.hcmi}xyyyService_server_Test2.java.001`;
  const stool = labOf(readAll('lis-oul', qualitative));
  const number = `${written(qualitative, 'OBR', 2, 1)}-${written(qualitative, 'OBR', 4, 1)}`;
  t.same([stool.reportAction, stool.report.reportNumber, stool.report.panel?.code], ['publish', number, '141']);
  t.equal(stool.report.items.length, 6, 'of 11 tests five were not done');
  t.notOk(stool.report.items.some(({ value }) => value === undefined));
  t.same(tally(stool.report.items.map(({ unit }) => unit)), { '个/HP': 2, none: 4 });
  t.same(tally(stool.report.items.map(({ interpretation }) => interpretation)), { none: 6 }, 'no flag, no guess');
  t.match(stool.report.specimen, { number: written(qualitative, 'OBR', 2, 3), type: { code: '3' } });
  t.equal(stool.report.encounter.patientClass, 'checkup');
  t.same(stool.findings, []);

  const files = ['xyyyService_server_Test2.java.003', 'xyyyService_server_TestHl7.java.000'];
  for (const file of files) {
    const [first, ...rest] = readAll('lis-oul', folders.hcmi + file);
    const { report, reportAction } = labOf([first!]);
    t.equal(reportAction, 'publish');
    t.same(codes(report.items), ['4040010101', '4040020101', '4040050101', '4040060101', '4040070101']);
    t.same(tally(report.items.map(({ flag }) => flag)), { '0': 5 });
    t.same(tally(report.items.map(({ interpretation }) => interpretation)), { normal: 5 });
    t.same(tally(report.items.map(({ unit }) => unit)), { 'ug/L': 4, none: 1 });
    t.ok(report.auditedBy?.id && report.reportedBy?.id && report.technician?.id);
    t.same(facts(rest), file === files[1] ? ['held MAP-3006 report.status'] : [], 'one that is cut off is never final');
  }
  const abnormal = (text: string) => text.replace('||||0|||20180604142745', '||||1|||20180604142745');
  const changed = labOf(readAll('lis-oul', `${folders.hcmi}xyyyService_server_Test2.java.003`, abnormal));
  t.equal(changed.report.items[0]?.interpretation, 'abnormal');
  const later = (text: string) => text.replaceAll('||||0|||20180604142745', '|H|||F|||20180604142745');
  const in2019 = labOf(readAll('lis-oul', `${folders.hcmi}xyyyService_server_Test2.java.003`, later));
  t.same(tally(in2019.report.items.map(({ flag }) => flag)), { H: 5 }, 'as the same LIS wrote in 2019');
  const unknown = (text: string) => text.replace('20180604142745|||2|', '20180604142745|||3|');
  t.same(facts(readAll('lis-oul', `${folders.hcmi}xyyyService_server_Test2.java.003`, unknown)), [
    'held MAP-3006 report.status',
  ]);
});

t.test('HIS: registrations and orders by an integration platform', { skip }, async (t) => {
  for (const [file, findings] of [
    ['eai-adt-a01', ['MAP-3021']],
    ['eai-adt-a01-nodg', []],
  ] as const) {
    const readings = readAll('his', folders.cn + file);
    t.same(facts(readings), ['patient', 'publish encounter'], file);
    const said = recordOf(readings);
    t.equal(said.patientKey, written(folders.cn + file, 'PID', 2));
    if (said.report.kind !== 'encounter') throw new Error(said.report.kind);
    const { encounter, patient } = said.report;
    t.equal(encounter.patientClass, 'inpatient');
    t.match(encounter.department?.code, /^\d{4}$/);
    t.match(encounter.ward?.code, /^\d{4}$/);
    t.same(tally(patient.identifiers.map(({ kind }) => kind)), { 'in-house': 1, inpatient: 1, card: 1 });
    t.same(
      said.findings.map(({ code }) => code),
      findings,
      'a resident ID whose check digit does not hold is none',
    );
  }

  const request = `${folders.cn}jhip-orm-o01-pathology`;
  const pathology = recordOf(readAll('his', request));
  if (pathology.report.kind !== 'order') throw new Error(pathology.report.kind);
  t.same(
    [pathology.patientKey, pathology.report.orderNumber, pathology.report.item?.code, pathology.report.encounter.bed],
    [written(request, 'PID', 2), written(request, 'ORC', 2), '270300002', written(request, 'PV1', 3, 3)],
  );
  t.match(pathology.report.patient.name, /^\p{Script=Han}/u, 'pinyin^汉字');
  t.equal(pathology.report.encounter.department?.code, '020101', 'without the name behind &');

  const scheduled = `${folders.hcmi}client_chongqing_util_ChongQingSetHL7.java.000`;
  const checkup = recordOf(readAll('his', scheduled));
  if (checkup.report.kind !== 'order') throw new Error(checkup.report.kind);
  t.same(
    [checkup.patientKey, checkup.report.orderNumber, checkup.report.fillerNumber, checkup.report.item?.code],
    [written(scheduled, 'PID', 3, 1), written(scheduled, 'ORC', 2), written(scheduled, 'OBR', 3), '0315'],
  );
  t.match(checkup.report.patient.name, /^\p{Script=Han}/u, '汉字^pinyin');

  t.same(facts(readAll('his', `${folders.cn}nis-org-o20`)), ['filtered answer']);
  t.same(facts(readAll('his', `${folders.cn}mindray-vs900-vitals`)), ['filtered HL7-2104'], 'reports come elsewhere');
});

t.test('Winning: the kind of a number in CX-4.2, the report number in OBR-3', { skip }, async (t) => {
  const admitted = `${folders.cn}winning-adt-a01`;
  const number = written(admitted, 'PID', 2, 1);
  const admission = readAll('winning', admitted);
  t.same(facts(admission), ['patient', 'publish encounter']);
  const said = recordOf(admission);
  if (said.report.kind !== 'encounter') throw new Error(said.report.kind);
  t.equal(said.patientKey, number);
  t.match(said.report.encounter, {
    visitNumber: written(admitted, 'PV1', 19),
    department: { code: '627' },
    ward: { code: '201' },
  });
  t.equal(said.report.encounter.dischargedAt, undefined, '19000101 is no discharge');
  t.same(tally(said.report.patient.identifiers.map(({ kind }) => kind)), { 'in-house': 1, 'medical-record': 1 });

  const born = (text: string) => text.replace('~0^^^&YEXH', '~1^^^&YEXH');
  const newborn = recordOf(readAll('winning', admitted, born));
  t.equal(newborn.patientKey, `${number}-1`, 'a newborn is not its mother');
  const unknown = (text: string) => text.replace('~0^^^&YEXH', '~A^^^&YEXH');
  t.notMatch(JSON.stringify(readAll('winning', admitted, unknown)), `"patientKey":"${number}"`);

  const update = `${folders.cn}winning-adt-a08`;
  const updated = readAll('winning', update);
  t.same(facts(updated), ['patient']);
  t.match(updated, [{ statements: [{ patient: { patientKey: written(update, 'PID', 2, 1) } }] }]);
  t.same(facts(readAll('winning', `${folders.cn}winning-ack-a01`)), ['filtered answer']);

  const template = `${folders.cn}winning-oru-r01-template`;
  t.same(facts(readAll('winning', template)), ['held HL7-2102 OBX'], 'a template without results');
  const filled = (text: string) => `${text.trimEnd()}\rOBX|1|NM|K^K||4.1|mmol/L|3.5-5.5|N|||F\r`;
  const { report } = labOf(readAll('winning', template, filled));
  t.equal(report.reportNumber, written(template, 'OBR', 3));
  t.not(report.reportNumber, written(template, 'OBR', 20), 'OBR-20 is the performing department');
});

t.test('examination reports: the golden one, whatever service it names', { skip }, async (t) => {
  const golden = 'reference/formats/golden/hl7_oru_r01_exam.utf8';
  const context = { receivedMs: Date.UTC(2026, 0, 1), source: 's', timeZone: 'Asia/Shanghai' };
  const raw = readFileSync(new URL(`${golden}.hl7`, shared));
  const said = (profile: string, change = (text: string) => text) =>
    readerOf(profile).read(phi(Buffer.from(change(raw.toString()))), context);
  t.same(said('pacs-report'), said('cn-default'));
  const foreign = (text: string) =>
    text.replace(/检查所见|检查提示|检查印象|18782-3|19005-8/g, '本院的标题').replace(/\|(CT|RAD|DR|MR|US)\|/g, '|X1|');
  t.same(facts([said('pacs-report', foreign)]), ['publish exam-report'], 'unknown titles make it no laboratory report');
});

t.test('the files of these senders are all here', { skip }, async (t) => {
  const index = JSON.parse(readFileSync(new URL('index.json', corpus), 'utf8')) as Array<{ file: string }>;
  const own = readFileSync(new URL(import.meta.url), 'utf8');
  const named = index
    .map(({ file }) => file)
    .filter((file) => /^(_cn-transcribed|hmislk|inovalab|zhengwenxuan)/.test(file))
    .map((file) =>
      file
        .replace(/^.*\//, '')
        .replace('src_com_hjw_webService_', '')
        .replace(/\.hl7$/, ''),
    );
  t.equal(named.length, 21);
  t.same(
    named.filter((name) => !own.includes(name)),
    [],
  );
});
