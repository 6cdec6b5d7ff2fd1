import t from 'tap';
import type { StoreAnswer } from '../../../../adapters/platforms/dicomweb/store-answer.ts';
import { judgeItems } from '../../../../adapters/platforms/dicomweb/verdict.ts';
import { errorTable } from '../../../../agent/support/errors.ts';
import { instances } from './rig.ts';

const refused = (code: string, platformCode: string) => ({ n: 1, outcome: 'refused', code, platformCode });
const retry = (code: string) => ({ n: 1, outcome: 'retry', code });
const accepted = { n: 1, outcome: 'accepted' };

/** PS3.18 Table I.2-2 with its ranges' ends, PS3.7 Annex C, Microsoft's own, and what nobody has defined. */
const reasons: Array<[reason: number | undefined, expected: object]> = [
  [undefined, retry('DCM-2273')],
  [0x0110, retry('DCM-2273')],
  [0x0111, accepted],
  [0x0117, refused('DCM-2276', '0117')],
  [0x0119, refused('DCM-2275', '0119')],
  [0x0122, refused('DCM-2274', '0122')],
  [0x0124, refused('DCM-2277', '0124')],
  [0x0213, retry('DCM-2272')],
  [0xa6ff, refused('PLT-1305', 'A6FF')],
  [0xa700, retry('DCM-2272')],
  [0xa702, retry('DCM-2272')],
  [0xa7ff, retry('DCM-2272')],
  [0xa800, refused('PLT-1305', 'A800')],
  [0xa900, refused('DCM-2276', 'A900')],
  [0xa9ff, refused('DCM-2276', 'A9FF')],
  [0xaa00, refused('PLT-1305', 'AA00')],
  [0xb00e, accepted],
  [0xb00f, retry('DCM-2273')],
  [0xc000, refused('DCM-2276', 'C000')],
  [0xc122, refused('DCM-2274', 'C122')],
  [0xcfff, refused('DCM-2276', 'CFFF')],
  [0xd000, refused('PLT-1305', 'D000')],
  [0, refused('PLT-1305', '0000')],
  [1_000_000_000, refused('PLT-1305', '3B9ACA00')],
];

const answer = (uid: string, reason: number | undefined, googleDetail = false): StoreAnswer => ({
  stored: new Map(),
  failed: new Map([[uid, { reason, googleDetail }]]),
  nameless: [],
});

for (const [reason, expected] of reasons) {
  t.test(`failure reason ${reason?.toString(16) ?? 'none'}`, async (t) => {
    const [one] = instances(1);
    const items = judgeItems(answer(one!.sop, reason), [one!.out], 409, undefined);
    t.same(items, [expected]);
    const [item] = items!;
    t.ok(!('code' in item!) || item.code in errorTable);
  });
}

t.test('that a UID is there says nothing of the other content under it', async (t) => {
  const [one] = instances(1);
  const contested = { ...one!.out, contested: true };
  t.same(judgeItems(answer(one!.sop, 0x0111), [contested], 409, undefined), [refused('DCM-2275', '0111')]);
  t.same(judgeItems(answer(one!.sop, 0xb00e), [contested], 202, undefined), [accepted]);
});

t.test('what may pass is retried when the platform says', async (t) => {
  const [one] = instances(1);
  t.same(judgeItems(answer(one!.sop, 0xa700), [one!.out], 202, 5000), [{ ...retry('DCM-2272'), retryAfterMs: 5000 }]);
});

t.test('Google’s detail makes a conflict of a processing failure with 409 only', async (t) => {
  const [one] = instances(1);
  t.same(judgeItems(answer(one!.sop, 0x0110, true), [one!.out], 409, undefined), [refused('DCM-2275', '0110')]);
  t.same(judgeItems(answer(one!.sop, 0x0110, true), [one!.out], 503, undefined), [retry('DCM-2273')]);
});
