import { existsSync, readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { compileProfile } from '../../../../adapters/hl7v2/profile/check.ts';
import { takeApart } from '../../../../adapters/hl7v2/take-apart.ts';
import type { Reading, Statement } from '../../../../agent/mapping/mapper.ts';
import { isErrorCode } from '../../../../agent/support/errors.ts';
import { phi } from '../../../../agent/support/phi.ts';
import { goldenExam, goldenReport } from '../../golden-records.ts';
import { context, profileText, reader } from './reading.ts';

const shared = new URL('../../../../../shared/', import.meta.url);
const golden = new URL('reference/formats/golden/', shared);
const corpus = new URL('corpus/hl7/', shared);
const skipGolden = existsSync(golden) ? false : 'the golden messages (../shared/reference) are not here';
const skipCorpus = existsSync(corpus) ? false : 'the corpus (../shared/corpus) is not here';

/** What the reader says of a golden message, the same in both charsets. */
function goldenReading(t: Test, name: string): Reading {
  const read = (charset: string) => reader.read(phi(readFileSync(new URL(`${name}.${charset}.hl7`, golden))), context);
  const utf8 = read('utf8');
  t.same(JSON.parse(JSON.stringify(read('gb18030'))), JSON.parse(JSON.stringify(utf8)));
  return utf8;
}

t.test('the golden laboratory message says the same in UTF-8 and in GB18030', { skip: skipGolden }, (t) => {
  t.match(goldenReading(t, 'hl7_oru_r01_lab'), {
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
          report: goldenReport,
        },
      },
    ],
  });
  t.end();
});

t.test('the golden exam message says the same in UTF-8 and in GB18030', { skip: skipGolden }, (t) => {
  const reading = goldenReading(t, 'hl7_oru_r01_exam');
  t.match(reading, {
    statements: [
      {
        ok: {
          reportKey: 'lis|RIS20240520001',
          patientKey: 'P0001234',
          reportAction: 'publish',
          itemActions: {},
          reportTime: '20240520102000',
          report: goldenExam,
        },
      },
    ],
  });
  t.notMatch(JSON.stringify(reading), /pacs\.example/);
  t.end();
});

interface CorpusFile {
  file: string;
  hapi: string;
}

/** The messages of a file, however many there are, as intake takes them apart. */
const messagesOf = (raw: Buffer): Uint8Array[] => takeApart(raw, 10_000)?.parts ?? [raw];

const kindOf = (statement: Statement): string => {
  if ('held' in statement) return `held ${statement.held.code} at ${statement.held.where}`;
  if ('filtered' in statement) return `filtered by ${statement.filtered}`;
  if ('patient' in statement) return 'patient';
  if ('merge' in statement) return statement.merge.kind;
  return `${statement.ok.reportAction} ${statement.ok.report.kind}${statement.ok.lacks ? ' with something lacking' : ''}`;
};

t.test(
  'every message of the corpus becomes records, is filtered by a rule or held with a reason',
  {
    skip: skipCorpus,
  },
  (t) => {
    const files = JSON.parse(readFileSync(new URL('index.json', corpus), 'utf8')) as CorpusFile[];
    const readers = {
      'as configured': reader,
      // Test messages and every type, and a number for patients whose kind of number is foreign to the default profile.
      'as much as can be read': compileProfile(
        profileText
          .replace(/ {4}accept:\n(?: {6}- .*\n)+/, '    accept: []\n')
          .replace('intake:', 'intake:\n  processing_id: { accept: [P, T, D] }')
          .replace('  in_house: ', '  in_house: PID-3.1 | ')
          .replace('  item_status:\n', '  item_status:\n    missing: publish\n')
          .replace('  report_status:\n', '  report_status:\n    missing: publish\n'),
      ),
    };
    const recordKinds = new Set<string>();
    for (const [name, reader] of Object.entries(readers)) {
      const outcomes = new Map<string, number>();
      const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      let messages = 0;
      let slowest = 0;
      for (const { file } of files) {
        const raw = readFileSync(new URL(file.split('/').map(encodeURIComponent).join('/'), corpus));
        for (const message of messagesOf(raw)) {
          messages++;
          const start = performance.now();
          try {
            const reading = reader.read(phi(message), context);
            if (reading.kind === 'held') count(`message held ${reading.code} at ${reading.where}`);
            else if (reading.kind === 'filtered') count(`message filtered by ${reading.rule}`);
            else {
              if (reading.statements.length === 0) t.fail(`nothing said of ${file}`);
              for (const statement of reading.statements) {
                count(kindOf(statement));
                if ('held' in statement && !isErrorCode(statement.held.code)) t.fail(`unknown code in ${file}`);
                if ('ok' in statement) recordKinds.add(statement.ok.report.kind);
              }
            }
          } catch (error) {
            t.fail(`threw on ${file}: ${(error as Error).name}`);
          }
          slowest = Math.max(slowest, performance.now() - start);
        }
      }
      t.ok(messages > 2400, `${messages} messages`);
      t.comment(`${name}: ${files.length} files, ${messages} messages, slowest ${slowest.toFixed(1)} ms`);
      for (const [outcome, n] of [...outcomes].sort((a, b) => b[1] - a[1]))
        t.comment(`${String(n).padStart(6)} ${outcome}`);
    }
    for (const kind of ['lab-report', 'encounter', 'order', 'prescription', 'clinical-document']) {
      t.ok(recordKinds.has(kind), `the corpus holds ${kind}`);
    }
    t.end();
  },
);
