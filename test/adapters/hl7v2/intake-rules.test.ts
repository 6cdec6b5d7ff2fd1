import t from 'tap';
import { judgeProcessingId, judgeType, takesVersion } from '../../../adapters/hl7v2/intake-rules.ts';
import { checkProfile } from '../../../adapters/hl7v2/profile/check.ts';
import { ConfigError } from '../../../config/config-error.ts';
import { intakeOf } from '../sources/hl7-mllp/intake-of.ts';

const rulesOf = (text?: string) => intakeOf(text).intake;

t.test('without an intake section the defaults hold', async (t) => {
  for (const profile of ['', 'intake: {}\n', 'intake:\n'])
    t.same(rulesOf(profile), {
      ack: 'original-always',
      types: { accept: [], reject: [] },
      processing_id: { accept: ['P'], reject: [] },
      several_messages: 'first',
      continuation: 'ae',
      segments_joined: 'refuse',
      queries: 'acknowledge',
      versions: { accept: [] },
      framing: 'mllp',
      answer_framing: 'mllp',
      require_end: true,
      strict_control_id: false,
      batch_answers: 'batch',
      control_ids: 'unique',
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

t.test('point 30: versions: none listed takes all, else those alone', async (t) => {
  for (const version of ['2.4', '', '9']) t.equal(takesVersion(rulesOf(), version), true);
  const rules = rulesOf('intake: {versions: {accept: ["2.4", "2.3.1"]}}');
  t.equal(takesVersion(rules, ' 2.4 '), true);
  t.equal(takesVersion(rules, '2.3.1'), true);
  for (const version of ['2.3', '2.5', '']) t.equal(takesVersion(rules, version), false);
});

t.test('what a rule may say is told where it says something else', async (t) => {
  const reasons = (rule: string) => {
    try {
      checkProfile(`extends: cn-default\nprofile_version: 1\nname: x\ntitle: { zh: x, en: x }\nintake: { ${rule} }\n`);
      return 'taken';
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.issues.map(({ path, message }) => `${path} ${message.en}`).join();
    }
  };
  t.match(reasons('ack: none'), /one of: original-always, original, enhanced, device-mindray/);
  t.match(reasons('continuation: aa'), /one of: ae, ar, take/);
  t.match(reasons('queries: yes'), /one of: acknowledge, refuse/);
  t.match(reasons('segments_joined: tabs'), /one of: refuse, spaces/);
  t.match(reasons('framing: tcp'), /one of: mllp, none/);
  t.match(reasons('batch_answers: each'), /one of: batch, first/);
  t.match(reasons('control_ids: reused'), /one of: unique, restarting/);
  t.match(reasons('versions: {accept: [v24]}'), /a version of HL7 in quotes/);
});
