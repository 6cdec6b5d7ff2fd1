import { readFileSync } from 'node:fs';
import t from 'tap';
import { compileProfile } from '../../../../adapters/hl7v2/profile/check.ts';
import type { ClinicalRecord } from '../../../../agent/clinical/records/types.ts';
import { readAsset } from '../../../../agent/support/assets.ts';
import { phi } from '../../../../agent/support/phi.ts';
import { goldenExam, goldenReport } from '../../golden-records.ts';
import { equalsGolden, goldenFolder, missingGolden as skip } from './golden-differences.ts';
import { inputOf } from './render-input.ts';
import { documentOf, shipped } from './rendered.ts';

const packs = [
  ['cn-wst500', 'base'],
  ['cn-wst500-strict', 'strict'],
] as const;
const reader = compileProfile(readAsset('config/dialects/cn-default.yaml'));

/** The record of a golden message, as the agent reads it. */
function recordOf(pair: 'lab' | 'exam', charset: string): ClinicalRecord {
  const bytes = readFileSync(new URL(`hl7_oru_r01_${pair}.${charset}.hl7`, goldenFolder));
  const context = { receivedMs: Date.UTC(2024, 4, 20, 2, 26, 1), source: 'lis', timeZone: 'Asia/Shanghai' };
  const reading = reader.read(phi(bytes), context);
  const [statement] = reading.kind === 'statements' ? reading.statements : [];
  if (statement === undefined || !('ok' in statement)) throw new Error(JSON.stringify(reading));
  return statement.ok.report;
}

for (const pair of ['lab', 'exam'] as const) {
  for (const [pack, form] of packs) {
    t.test(`golden ${pair} report, ${pack}: equal in every element that the message carries`, { skip }, async (t) => {
      for (const charset of ['utf8', 'gb18030']) {
        const { out } = documentOf(shipped(form), inputOf(recordOf(pair, charset)));
        equalsGolden(t, out.bytes.reveal(), pack, pair);
      }
    });
  }
}

t.test('the records of the other tests are what the golden messages say', { skip }, async (t) => {
  const plain = (record: ClinicalRecord) => JSON.parse(JSON.stringify(record));
  const exam = plain(recordOf('exam', 'utf8'));
  t.same(exam, plain(goldenExam));
  const lab = recordOf('lab', 'utf8');
  for (const [, form] of packs) {
    t.equal(documentOf(shipped(form), inputOf(lab)).xml, documentOf(shipped(form), inputOf(goldenReport)).xml);
  }
});
