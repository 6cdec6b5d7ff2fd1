import t from 'tap';
import type { Reading } from '../../../../agent/mapping/mapper.ts';
import { mshOf, only, outcomes, pid, pv1, read, segment } from './reading.ts';

const txa = (over: Record<number, string> = {}): string => {
  const all: Record<number, string> = {
    1: '1',
    2: 'DS^出院小结',
    6: '20240520100000',
    9: 'D1^刘主管',
    12: 'DOC1',
    17: 'LA',
    ...over,
  };
  return segment('TXA', { 25: '', ...all });
};
const mdm = (trigger: string, over: Record<number, string> = {}, ...rest: string[]): Reading =>
  read([mshOf(`MDM^${trigger}`), `EVN|${trigger}`, pid, pv1, txa(over), ...rest]);
const text = 'OBX|1|TX|^入院情况||咳嗽三天。~发热。||||||F';

t.test('a document has its text, its data and who wrote it', (t) => {
  const pdf = 'OBX|2|ED|PDF^原件||^application^pdf^Base64^QUJD||||||F';
  t.match(only(mdm('T02', {}, text, pdf)), {
    reportKey: 'document|lis|DOC1',
    reportAction: 'publish',
    report: {
      kind: 'clinical-document',
      documentNumber: 'DOC1',
      type: { code: 'DS', name: '出院小结' },
      title: '出院小结',
      sections: [{ key: '入院情况', role: 'other', title: { name: '入院情况' }, text: '咳嗽三天。\n发热。' }],
      attachments: [{ kind: 'embedded', mediaType: 'application/pdf', bytes: 3 }],
      authoredAt: '20240520100000',
      author: { id: 'D1', name: '刘主管' },
    },
  });
  t.end();
});

t.test('the status of a document publishes it, makes it wait, or is held', (t) => {
  t.same(outcomes(mdm('T02', { 17: 'AU' }, text)), ['publish document|lis|DOC1']);
  t.same(outcomes(mdm('T02', { 17: 'PA' }, text)), ['hold document|lis|DOC1']);
  t.same(outcomes(mdm('T02', { 17: '' }, text)), ['held MAP-3006']);
  t.same(outcomes(mdm('T02', { 17: 'QQ' }, text)), ['held MAP-3006']);
  t.end();
});

t.test('a cancelled document is withdrawn, by its trigger or its availability', (t) => {
  t.same(outcomes(mdm('T11', { 17: '' })), ['retract document|lis|DOC1']);
  t.same(outcomes(mdm('T03', { 19: 'CA' })), ['retract document|lis|DOC1']);
  t.end();
});

t.test('a replacement withdraws its parent, an addendum does not', (t) => {
  t.same(outcomes(mdm('T10', { 12: 'DOC2', 13: 'DOC1' }, text)), [
    'retract document|lis|DOC1',
    'publish document|lis|DOC2',
  ]);
  t.same(outcomes(mdm('T06', { 12: 'DOC2', 13: 'DOC1' }, text)), ['publish document|lis|DOC2']);
  t.same(outcomes(mdm('T10', { 12: 'DOC2', 13: 'DOC1', 17: 'PA' }, text)), ['hold document|lis|DOC2']);
  t.end();
});

t.test('a notice without content is filtered, of a replacement held', (t) => {
  t.same(outcomes(mdm('T01')), ['filtered document-without-content']);
  t.same(outcomes(mdm('T09', { 12: 'DOC2', 13: 'DOC1' })), ['held HL7-2102']);
  t.same(outcomes(mdm('T02', { 12: '' }, text)), ['held MAP-3008']);
  t.same(outcomes(read([mshOf('MDM^T02'), pid, pv1, text])), ['held HL7-2106']);
  t.end();
});
