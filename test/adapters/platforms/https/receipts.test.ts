import fc from 'fast-check';
import t from 'tap';
import { readReceipts } from '../../../../adapters/platforms/https/receipts.ts';
import { document } from './documents.ts';

t.test('receipts: what is not shaped like a code or a receipt number is dropped, the word counts', (t) => {
  const body = Buffer.from(
    [
      { key: 'agent-1.x-1', status: 'refused', code: '患者 姓名' },
      { key: 'agent-1.x-2', status: 'accepted', receipt: 'x'.repeat(500) },
      { key: 'agent-1.x-3', status: 'retry', retryAfterSeconds: -4 },
    ]
      .map((line) => JSON.stringify(line))
      .join('\r\n'),
  );
  t.same(readReceipts(body, [document(1), document(2), document(3)], true, 'documents'), {
    items: [
      { n: 1, outcome: 'refused', code: 'PLT-1305' },
      { n: 2, outcome: 'accepted' },
      { n: 3, outcome: 'retry', code: 'PLT-1310' },
    ],
    strange: 0,
  });
  t.end();
});

t.test('receipts: no bytes make the reader throw or answer for what was not asked', (t) => {
  const asked = [document(1), document(2)];
  const piece = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom('{"key":"agent-1.x-1","status":"accepted"}', '{"key":"agent-1.x-9","status":"accepted"}', '\n'),
  );
  fc.assert(
    fc.property(fc.array(piece), fc.boolean(), (pieces, complete) => {
      const { items } = readReceipts(Buffer.from(pieces.join('\n')), asked, complete, 'documents');
      return items.every((item) => item.n === 1) && items.length <= 1;
    }),
  );
  t.end();
});
