import t from 'tap';
import { judgeProcessingId, judgeType } from '../../../adapters/hl7v2/intake-rules.ts';
import { intakeOf } from '../sources/hl7-mllp/intake-of.ts';

const rulesOf = (text?: string) => intakeOf(text).intake;

t.test('without an intake section the defaults hold', async (t) => {
  for (const profile of ['', 'intake: {}\n', 'intake:\n'])
    t.same(rulesOf(profile), {
      ack: 'original-always',
      types: { accept: [], reject: [] },
      processing_id: { accept: ['P'], reject: [] },
      several_messages: 'first',
      require_end: true,
      strict_control_id: false,
    });
});

t.test('types: reject wins, an empty accept takes all, a missing trigger means every trigger', async (t) => {
  const rules = rulesOf('intake: {types: {accept: [ORU^R01, "ADT^*", OUL], reject: [ORU^R40]}}');
  const judge = (code: string, trigger: string) => judgeType(rules, { code, trigger });
  t.equal(judge('ORU', 'R01'), 'accept');
  t.equal(judge('ADT', 'A08'), 'accept');
  t.equal(judge('OUL', 'R21'), 'accept');
  t.equal(judge('ORU', 'R40'), 'reject');
  t.equal(judge('ORM', 'O01'), 'filter');
  t.equal(judgeType(rulesOf(), { code: 'ORM', trigger: 'O01' }), 'accept');
});

t.test('MSH-11: test and debugging messages are filtered by default, refused by rule, and empty means P', async (t) => {
  const rules = rulesOf('intake: {processing_id: {reject: [T]}}');
  t.equal(judgeProcessingId(rulesOf(), 'T'), 'filter');
  t.equal(judgeProcessingId(rules, 'T^A'), 'reject');
  t.equal(judgeProcessingId(rules, 'D'), 'filter');
  t.equal(judgeProcessingId(rules, 'P'), 'accept');
  t.equal(judgeProcessingId(rules, ''), 'accept');
});
