import t from 'tap';
import { judgeProcessingId, judgeType, parseIntakeRules } from '../../../adapters/hl7v2/intake-rules.ts';

t.test('without an intake section the defaults hold, and other sections are not looked at', async (t) => {
  for (const profile of ['', 'status: {x: 1}\n', 'intake: {}\n', 'intake:\n'])
    t.same(parseIntakeRules(profile), {
      ack: 'original-always',
      types: { accept: [], reject: [] },
      processing_id: { accept: ['P'], reject: [] },
      require_end: true,
      strict_control_id: false,
    });
});

t.test('an error names line, column and path', async (t) => {
  const where = (profile: string) => {
    try {
      parseIntakeRules(profile);
    } catch (error) {
      return error;
    }
    return undefined;
  };
  t.match(where('name: x\nintake:\n  ack: enhanced\n'), { code: 'CFG-5009', where: '3:8 intake.ack' });
  t.match(where('intake:\n  types:\n    reject: [oru]\n'), { code: 'CFG-5009', where: '3:14 intake.types.reject.0' });
  t.match(where('intake:\n  charset: KLINGON\n'), { code: 'CFG-5009', where: '2:12 intake.charset' });
  t.match(where('intake:\n  akc: original\n'), { code: 'CFG-5009', where: /^2:3 intake/ });
  t.match(where('intake: [\n'), { code: 'CFG-5009', where: /^\d+:\d+/ });
  t.match(where('intake: 7\n'), { code: 'CFG-5009', where: '1:9 intake' });
  t.match(where('intake:\n  ack: device-mindray\n'), { code: 'CFG-5009' }, 'profiles of later versions are refused');
});

t.test('types: reject wins, an empty accept takes all, a missing trigger means every trigger', async (t) => {
  const rules = parseIntakeRules('intake: {types: {accept: [ORU^R01, "ADT^*", OUL], reject: [ORU^R40]}}');
  const judge = (code: string, trigger: string) => judgeType(rules, { code, trigger });
  t.equal(judge('ORU', 'R01'), 'accept');
  t.equal(judge('ADT', 'A08'), 'accept');
  t.equal(judge('OUL', 'R21'), 'accept');
  t.equal(judge('ORU', 'R40'), 'reject');
  t.equal(judge('ORM', 'O01'), 'filter');
  t.equal(judgeType(parseIntakeRules(''), { code: 'ORM', trigger: 'O01' }), 'accept');
});

t.test('MSH-11: test and debugging messages are filtered by default, refused by rule, and empty means P', async (t) => {
  const rules = parseIntakeRules('intake: {processing_id: {reject: [T]}}');
  t.equal(judgeProcessingId(parseIntakeRules(''), 'T'), 'filter');
  t.equal(judgeProcessingId(rules, 'T^A'), 'reject');
  t.equal(judgeProcessingId(rules, 'D'), 'filter');
  t.equal(judgeProcessingId(rules, 'P'), 'accept');
  t.equal(judgeProcessingId(rules, ''), 'accept');
});
