import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { decodeMessage } from '../../../adapters/hl7v2/charset.ts';
import {
  fieldText,
  type Hl7Message,
  parseMessage,
  repetitionsOf,
  type Segment,
  valueAt,
} from '../../../adapters/hl7v2/parser.ts';
import { compileProfile } from '../../../adapters/hl7v2/profile/check.ts';
import { phi } from '../../../agent/support/phi.ts';

const shared = new URL('../../../../shared/', import.meta.url);
const golden = new URL('reference/formats/golden/', shared);
const corpus = new URL('corpus/hl7/', shared);
const skipGolden = existsSync(golden) ? false : 'the golden messages (../shared/reference) are not here';
const skipCorpus = existsSync(corpus) ? false : 'the corpus (../shared/corpus) is not here';

const reader = compileProfile(
  readFileSync(new URL('../../../config/dialects/cn-default.yaml', import.meta.url), 'utf8'),
);
const context = { receivedMs: Date.UTC(2024, 4, 20, 2, 30), source: 'lis', timeZone: 'Asia/Shanghai' };

t.test('the golden laboratory message says the same in UTF-8 and in GB18030', { skip: skipGolden }, (t) => {
  const read = (charset: string) =>
    reader.read(phi(readFileSync(new URL(`hl7_oru_r01_lab.${charset}.hl7`, golden))), context);
  const utf8 = read('utf8');
  t.same(JSON.parse(JSON.stringify(read('gb18030'))), JSON.parse(JSON.stringify(utf8)));
  t.match(utf8, {
    kind: 'statements',
    type: 'ORU^R01',
    statements: [
      {
        ok: {
          reportKey: 'lis|LR20240520001',
          patientKey: 'P0001234',
          reportAction: 'publish',
          itemActions: {},
          reportTime: '20240520102000',
          messageTime: '20240520102600',
          findings: [],
          report: {
            reportNumber: 'LR20240520001',
            orderNumbers: ['AP20240520001'],
            patient: {
              name: '测试患者',
              sex: { code: 'M', standard: { code: '1', name: '男性' } },
              birthDate: '19900307',
              phone: '13800000000',
              address: '示例省示例市示例路1号',
              identifiers: [
                { kind: 'in-house', value: 'P0001234', source: 'PID-2' },
                { kind: 'inpatient', value: 'ZY20240001', source: 'PID-3[1].1' },
                { kind: 'card', value: '8800012345', source: 'PID-3[3].1' },
                { kind: 'resident-id', value: '110101199003077213', source: 'PID-3[2].1' },
              ],
            },
            encounter: {
              patientClass: 'inpatient',
              visitNumber: 'JZ20240518001',
              department: { code: '0301', name: '呼吸内科' },
              ward: { code: 'W03' },
              bed: '12',
              admittedAt: '20240518090000',
            },
            panel: { code: 'XCG', name: '血常规' },
            specimen: {
              number: 'SP20240520001',
              type: { code: '04', name: '静脉全血' },
              collectedAt: '20240520080500',
              receivedAt: '20240520083000',
            },
            orderedBy: { id: 'D0001', name: '刘主管' },
            reportedBy: { id: 'D1001', name: '王医师' },
            auditedBy: { id: 'D1002', name: '李审核' },
            orderingDepartment: { code: '0301', name: '呼吸内科' },
            items: [
              {
                item: { code: 'WBC', name: '白细胞计数' },
                value: '12.5',
                numeric: true,
                unit: '10^9/L',
                referenceRange: '3.5-9.5',
                flag: 'H',
                interpretation: 'abnormal',
                testedAt: '20240520093000',
              },
              { item: { code: 'HGB' }, value: '140', numeric: true, unit: 'g/L', interpretation: 'normal' },
              { item: { code: 'CRP-Q' }, value: '阳性', numeric: false, flag: 'A', interpretation: 'abnormal' },
            ],
          },
        },
      },
    ],
  });
  t.end();
});

interface CorpusFile {
  file: string;
  hapi: string;
}

t.test('no message of the corpus makes the reader throw', { skip: skipCorpus }, (t) => {
  const files = JSON.parse(readFileSync(new URL('index.json', corpus), 'utf8')) as CorpusFile[];
  // Every type is taken here, so that as much as possible goes through the extraction.
  const lenient = compileProfile(
    readFileSync(new URL('../../../config/dialects/cn-default.yaml', import.meta.url), 'utf8')
      .replace('accept: [ORU^R01, OUL^R21]', 'accept: []')
      .replace('  patient_class:\n', '  patient_class:\n    missing: outpatient\n'),
  );
  const outcomes = new Map<string, number>();
  const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  let slowest = 0;
  for (const { file } of files) {
    const raw = readFileSync(new URL(file.split('/').map(encodeURIComponent).join('/'), corpus));
    const start = performance.now();
    try {
      const reading = lenient.read(phi(raw), context);
      if (reading.kind !== 'statements')
        count(reading.kind === 'held' ? `held ${reading.code}` : `filtered ${reading.rule}`);
      else
        for (const one of reading.statements)
          count('held' in one ? `report held ${one.held.code}` : `report ${one.ok.reportAction}`);
    } catch {
      t.fail(`threw on ${file}`);
    }
    slowest = Math.max(slowest, performance.now() - start);
  }
  t.ok(files.length > 1000);
  t.comment(`${files.length} files, slowest ${slowest.toFixed(1)} ms`);
  for (const [outcome, n] of [...outcomes].sort((a, b) => b[1] - a[1])) t.comment(`${n} ${outcome}`);
  t.end();
});

interface OracleFile {
  file: string;
  segments: Array<[string, Record<string, string[][]>]> | null;
}

/** Sample of field values; the oracle's are unescaped, components that are empty are empty or absent. */
const sample: Array<[string, number]> = [
  ['MSH', 3],
  ['MSH', 10],
  ['PID', 3],
  ['PID', 5],
  ['PID', 7],
  ['PV1', 2],
  ['PV1', 3],
  ['OBR', 2],
  ['OBR', 4],
  ['OBR', 25],
  ['OBX', 3],
  ['OBX', 5],
  ['OBX', 6],
  ['OBX', 11],
  ['NTE', 3],
];

/** Segments that hold anything; the oracle leaves out the others. */
const filled = (message: Hl7Message): Segment[] =>
  message.segments.filter((s) => /[^|\s]/.test(message.text.slice(s.start + 3, s.end)));

function ours(message: Hl7Message, segment: Segment, field: number): string[][] {
  return repetitionsOf(message, fieldText(message, segment, field)).map((part, i) => {
    const count = message.delimiters.component === '' ? 1 : part.split(message.delimiters.component).length;
    return Array.from({ length: count }, (_, c) => valueAt(message, segment, field, i + 1, c + 1));
  });
}

/**
 * Why a value may differ from the oracle's: it leaves formatting and hexadecimal escapes as they are, cuts
 * an unescaped `&` in plain text into subcomponents, and was told the charset of each file by hand.
 */
const explanation = (raw: string, theirs: string, mine: string): string | undefined =>
  /\\/.test(raw)
    ? 'escape'
    : raw.includes('&')
      ? 'subcomponent'
      : /[^\0-\x7f]/.test(theirs + mine)
        ? 'charset'
        : undefined;

/** Without trailing empties, blanks at the ends, and with one kind of line break. */
const plain = (field: string[][]): string =>
  field
    .map((components) =>
      components
        .map((c) => c.replace(/\r\n?/g, '\n').trim())
        .join('^')
        .replace(/\^+$/, ''),
    )
    .join('~')
    .replace(/~+$/, '');

t.test('field values are those of an independent parser', { skip: skipCorpus }, (t) => {
  const lines = readFileSync(new URL('oracle.ndjson', corpus), 'utf8').split('\n').filter(Boolean);
  let compared = 0;
  const explained = new Map<string, number>();
  for (const line of lines) {
    const { file, segments } = JSON.parse(line) as OracleFile;
    if (segments === null) continue;
    const decoded = decodeMessage(readFileSync(new URL(file.split('/').map(encodeURIComponent).join('/'), corpus)));
    const message = decoded.ok ? parseMessage(decoded.text, decoded.charset) : undefined;
    if (message === undefined) {
      t.fail(`not parsed: ${file}`);
      continue;
    }
    const own = filled(message);
    const seen = new Map<string, number>();
    for (const [id, fields] of segments) {
      const nth = seen.get(id) ?? 0;
      seen.set(id, nth + 1);
      const segment = own.filter((s) => s.id === id)[nth];
      for (const [of, field] of sample) {
        if (of !== id) continue;
        compared++;
        const theirs = plain(fields[String(field)] ?? []);
        const mine = segment === undefined ? '' : plain(ours(message, segment, field));
        if (theirs === mine) continue;
        const raw = segment === undefined ? '' : fieldText(message, segment, field);
        const why = explanation(raw, theirs, mine);
        if (why === undefined) t.fail(`${file} ${id}[${nth + 1}]-${field}`);
        else explained.set(why, (explained.get(why) ?? 0) + 1);
      }
    }
  }
  t.ok(compared > 10_000);
  t.comment(`${compared} fields compared; differ for a known reason: ${JSON.stringify(Object.fromEntries(explained))}`);
  t.end();
});
